"""What a browser kept of the form: whose it is, what is believed of it, and when it may be written over."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.tng.test_dashboard_compose import FULL, JUNK
from tng.dashboard.compose_draft import Draft
from tng.dashboard.draft import DraftKeeper, draft_key
from tng.dashboard.form import ComposeForm

KEPT = {
    "title": "Fog Over Soup",
    "logline": "The soup is green.",
    "guests": ["Oran", ""],
    "cast": ["PIP", "OSKAR"],
    "tone": "comedy",
    "preset": "Wild",
    "length": "teaser",
    "seed": 7,
    "temperature": 0.45,
}


class Kept:
    """A form with its keeper, and what the browser is told."""

    def __init__(self, *, offered: bool = True) -> None:
        self.form = ComposeForm(lambda: None)
        if offered:
            self.form.show_offer(FULL)
        self.keeper = DraftKeeper(self.form, draft_key("ada"))
        self.told: list[str] = []
        self.keeper.send = lambda content, *_: self.told.append(content["kind"])

    def says(self, said: Any) -> None:
        """The browser says this."""
        self.keeper._handle_custom_msg(said, [])

    def in_the_browser(self) -> dict[str, Any]:
        """What ``draft.js`` would write down now."""
        found: dict[str, Any] = {}
        for name, part in self.keeper.parts.items():
            values = [getattr(control, part["trait"]) for control in part["controls"]]
            flat = [value for one in values for value in (one if isinstance(one, list) else [one])]
            found[name] = flat if part["many"] else flat[0]
        return found


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_every_part_of_the_form_comes_back_and_is_found_again_by_the_browser(kept: Kept) -> None:
    kept.says({"kind": "kept", "draft": KEPT})
    assert kept.form.draft == {**KEPT, "cast": ["OSKAR", "PIP"]}
    assert kept.in_the_browser() == kept.form.draft
    assert kept.form.wish["guests"] == ["Oran"]
    assert "what you had begun" in kept.form.told.value
    assert kept.told == ["given"]


def test_a_draft_does_not_go_over_the_words_that_were_typed_meanwhile(kept: Kept) -> None:
    kept.form.logline.value = "Mine."
    kept.says({"kind": "kept", "draft": KEPT})
    assert (kept.form.title.value, kept.form.logline.value, kept.form.told.value) == ("", "Mine.", "")
    assert kept.told == ["given"]


def test_a_draft_that_comes_before_the_offer_is_not_written_over_until_people_can_be_cast() -> None:
    kept = Kept(offered=False)
    kept.says({"kind": "kept", "draft": KEPT})
    assert kept.told == []
    assert kept.form.title.value == "Fog Over Soup"
    kept.form.show_offer(FULL)
    assert kept.told == ["given"]
    assert kept.form.draft == {**KEPT, "cast": ["OSKAR", "PIP"]}
    kept.form.cast.options = kept.form.cast.options[:2]
    assert kept.told == ["given"], "once"


@pytest.mark.parametrize("junk", [*JUNK, {"title": 5, "cast": "x", "guests": [None], "seed": "1", "temperature": []}])
def test_what_is_no_draft_changes_nothing_and_says_nothing(kept: Kept, junk: Any) -> None:
    before = kept.form.draft
    kept.says({"kind": "kept", "draft": junk})
    assert (kept.form.draft, kept.form.told.value) == (before, "")


def test_strangers_words_to_the_keeper_are_let_be(kept: Kept) -> None:
    before = kept.form.draft
    for said in (*JUNK, {"kind": "forget"}, {"kind": ["kept"]}):
        kept.says(said)
    kept.says({"kind": "kept"})
    assert kept.form.draft == before
    assert kept.told == ["given"]


def test_a_browser_is_told_to_forget_what_was_ordered(kept: Kept) -> None:
    kept.keeper.forget()
    assert kept.told == ["forget"]


def test_who_says_that_it_is_here_hears_whose_draft_it_may_give_back(kept: Kept) -> None:
    sent: list[Any] = []
    kept.keeper.send_state = sent.append
    kept.says({"kind": "here"})
    assert sent == ["key"]


def test_a_key_tells_accounts_apart_and_does_not_say_whose_it_is() -> None:
    ada, ben = draft_key("ada@example.com"), draft_key("ben@example.com")
    assert ada == draft_key("ada@example.com") != ben
    assert "ada" not in ada
    assert ada.isalnum()
    assert draft_key("") == "", "of nobody nothing is kept"


@pytest.mark.parametrize(
    ("draft", "has_words"),
    [({}, False), ({"title": " "}, False), ({"seed": 7, "cast": ["PIP"]}, False), ({"guests": ["", "Oran"]}, True)],
)
def test_a_draft_has_words_where_a_person_wrote_some(draft: dict[str, Any], has_words: bool) -> None:
    assert Draft.read(draft).has_words is has_words
