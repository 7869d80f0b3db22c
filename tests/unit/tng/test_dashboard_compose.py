"""The form without a browser: what is said beside a field, what a draft brings back, a surprise, strangers' words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.tng.test_dashboard_parts import EVIL, OFFER, PLAYERS
from tng.dashboard.client import Offer, Preset, Suggestion
from tng.dashboard.compose_checks import FIELDS, faults
from tng.dashboard.compose_widgets import GENEROUS_CHARACTERS, Choices, Finer, TextField
from tng.dashboard.compose_words import monogram, tones
from tng.dashboard.form import ComposeForm
from tng.errors import PremiseError
from tng.script import Length, Premise, Tone

CUES = [who.cue for who in PLAYERS]
PRESETS = (Preset("Steady", 0.25, "keeps"), Preset("Lively", None, "as measured"), Preset("Wild", 0.7, "dares"))
IDEAS = (
    Suggestion("Fog Over Soup", "The soup is green.", ("OSKAR", "PIP"), "comedy"),
    Suggestion("The Ninth Wave", "A boat without a crew.", ("MAREN", "PIP"), "mystery"),
)
FULL: Offer = replace(OFFER, presets=PRESETS, ideas=IDEAS)
GOOD = {"title": "T", "logline": "", "cast": ["MAREN", "PIP"], "tone": "drama", "length": "short", "seed": 0}
JUNK: tuple[Any, ...] = (None, 0, 1.5, True, "x", [], [1], {}, {"a": 1}, ["OSKAR", None], -1, float("nan"), 10**30)


class Orders(list[str]):
    """How often the form has ordered."""

    def form(self, offer: Offer = FULL) -> ComposeForm:
        """A form that orders here, and knows the offer."""
        form = ComposeForm(lambda: self.append("order"))
        form.show_offer(offer)
        return form


@pytest.fixture
def form() -> ComposeForm:
    return Orders().form()


def says(control: Any, **said: Any) -> None:
    """What a browser sends when a person does something."""
    control._handle_custom_msg({"kind": "says", **said}, [])


# --- what is wrong is said beside its field -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "x" * 81),
        ("title", "a\x00b"),
        ("logline", "x" * 501),
        ("cast", ["MAREN"]),
        ("guests", ["Two Words"]),
        ("guests", ["Pip"]),
        ("tone", "opera"),
        ("length", "saga"),
        ("seed", -1),
        ("temperature", 2.0),
    ],
)
def test_a_hint_is_the_sentence_of_the_premises_own_rules(field: str, value: object) -> None:
    with pytest.raises(PremiseError) as refused:
        Premise.checked({**GOOD, field: value}, CUES)
    assert faults({**GOOD, field: value}, CUES) == {field: refused.value.user_message}


def test_every_field_has_its_own_hint_at_once() -> None:
    wrong = {
        "title": "",
        "logline": 1,
        "cast": [],
        "guests": ["1"],
        "tone": "",
        "length": "",
        "seed": "",
        "temperature": 9,
    }
    assert list(faults(wrong, CUES)) == list(FIELDS)
    assert faults(GOOD, CUES) == {}
    assert faults({**GOOD, "cast": []}, ()) == {}, "nobody is known yet"


def test_an_empty_form_tells_nobody_off_until_its_button_is_pressed() -> None:
    orders = Orders()
    form = orders.form()
    assert not form.title.fault
    asked: list[Any] = []
    form.title.send = lambda content, *_: asked.append(content)
    form.button.click()
    assert "title is empty" in form.title.fault
    assert form.title.fault in form.missing.value
    assert (asked, orders) == ([{"kind": "focus"}], [])
    form.title.value = "The Quiet Hours"
    assert (form.title.fault, form.missing.value) == ("", "")
    form.button.click()
    assert orders == ["order"]


def test_a_hint_comes_while_it_is_typed_and_goes_when_it_is_mended(form: ComposeForm) -> None:
    says(form.title, value="x" * 81)
    assert "81 characters" in form.title.fault
    says(form.title, value="x" * 80)
    assert not form.title.fault
    says(form.cast, chosen=["PIP"])
    assert "at least two" in form.cast.fault
    says(form.cast, chosen=["PIP", "OSKAR"])
    assert not form.cast.fault


def test_the_guest_that_is_wrong_is_the_one_that_hears_of_it(form: ComposeForm) -> None:
    first, second = form.guests
    second.value = "Pip"
    assert (first.fault, "somebody aboard" in second.fault) == ("", True)
    first.value, second.value = "Oran", "oran"
    assert (first.fault, "same name" in second.fault) == ("", True)
    second.value = "   "
    assert (second.fault, form.wish["guests"]) == ("", ["Oran"])


def test_a_seed_that_is_none_is_said_and_not_ordered() -> None:
    orders = Orders()
    form = orders.form()
    form.title.value = "X"
    says(form.finer, seed=None)
    assert "whole number" in form.finer.fault
    form.button.click()
    assert orders == []
    says(form.finer, seed=7)
    assert (form.finer.fault, form.wish["seed"]) == ("", 7)


# --- how boldly it is written -------------------------------------------------------------------------------------


def test_the_presets_temperature_is_asked_for_unless_there_is_one_of_ones_own(form: ComposeForm) -> None:
    assert (form.manner.value, form.wish["temperature"]) == ("Lively", None)
    says(form.manner, chosen=["Wild"])
    assert (form.wish["temperature"], form.finer.preset) == (0.7, "Wild")
    says(form.finer, temperature=0.45)
    assert form.wish["temperature"] == 0.45
    says(form.finer, temperature=5)
    assert form.wish["temperature"] == 1.0
    says(form.finer, temperature=None)
    assert form.wish["temperature"] == 0.7


# --- strangers' words ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("junk", [*JUNK, "x" * 30_000], ids=lambda junk: str(junk)[:20])
def test_whatever_a_browser_says_a_control_keeps_its_kind(junk: Any) -> None:
    options = tones(Tone)
    text, many, one, finer = TextField(), Choices(many=True, options=options), Choices(options=options), Finer()
    one.value = "drama"
    for control in (text, many, one, finer):
        control._handle_custom_msg(junk, [])
        says(control, value=junk, chosen=junk, seed=junk, temperature=junk, fault="mine", options=[], _esm="")
    assert isinstance(text.value, str)
    assert len(text.value) <= GENEROUS_CHARACTERS
    assert (many.chosen, one.chosen) == ([], ["drama"])
    assert isinstance(finer.seed, int)
    assert finer.temperature is None or finer.coolest <= finer.temperature <= finer.hottest
    assert {control.fault for control in (text, many, one, finer)} == {""}


def test_nobody_who_is_not_offered_can_be_chosen(form: ComposeForm) -> None:
    says(form.cast, chosen=["PIP", "NOBODY", "MAREN", "PIP"])
    assert form.wish["cast"] == ["MAREN", "PIP"]
    says(form.length, chosen=["saga"])
    says(form.length, chosen=["short", "teaser"])
    says(form.length, chosen=[])
    assert form.wish["length"] == "short"


def test_what_a_person_types_is_never_sent_back_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    field = TextField()
    sent: list[Any] = []
    monkeypatch.setattr(field, "_send", lambda message, **_: sent.append(message))
    says(field, value="typed")
    assert not [message for message in sent if "value" in message.get("state", {})]
    field.value = "from here"
    assert [message["state"] for message in sent if "state" in message] == [{"value": "from here"}], "the control"


# --- the draft ----------------------------------------------------------------------------------------------------


def filled(form: ComposeForm) -> ComposeForm:
    form.title.value, form.logline.value, form.guests[1].value = EVIL, "Words.", "Oran"
    form.cast.choose(["OSKAR", "PIP"])
    form.tone.value, form.manner.value, form.length.value = "comedy", "Wild", "teaser"
    form.finer.seed, form.finer.temperature = 77, 0.3
    return form


@pytest.mark.parametrize("first", ["draft", "offer"])
def test_a_draft_comes_back_whole_before_the_offer_and_after_it(form: ComposeForm, first: str) -> None:
    kept = json.loads(json.dumps(filled(form).draft))
    again = ComposeForm(lambda: None)
    for step in (first, "offer" if first == "draft" else "draft"):
        if step == "draft":
            again.draft = kept
        else:
            again.show_offer(FULL)
    assert again.draft == kept
    assert again.wish == form.wish


@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_junk_from_a_browser_is_no_draft(form: ComposeForm, junk: Any) -> None:
    before = filled(form).draft
    form.draft = junk
    form.draft = {"__class__": junk, "_order": junk, "nothing": junk}
    assert form.draft == before
    form.draft = {name: junk for name in before if name != "temperature"}
    Premise.checked({**form.wish, "title": "T", "logline": "", "seed": 0, "cast": CUES, "guests": []}, CUES)
    assert all(isinstance(guest.value, str) for guest in form.guests)


def test_a_draft_of_another_offer_keeps_what_there_still_is(form: ComposeForm) -> None:
    form.draft = {"cast": ["PIP", "GONE"], "tone": "opera", "length": "saga", "preset": "Frantic"}
    assert form.wish["cast"] == ["PIP"]
    assert (form.tone.value, form.length.value, form.manner.value) == ("mystery", Length.SHORT, "Lively")


def test_a_choice_since_then_is_more_than_a_draft_that_waits() -> None:
    form = ComposeForm(lambda: None)
    form.draft = {"preset": "Wild", "tone": "comedy"}
    says(form.tone, chosen=["mystery"])
    form.show_offer(FULL)
    assert (form.manner.value, form.tone.value) == ("Wild", "mystery")


def test_who_keeps_the_draft_is_told_of_every_change(form: ComposeForm) -> None:
    kept: list[dict[str, Any]] = []
    form.on_change(lambda: kept.append(form.draft))
    says(form.title, value="A")
    says(form.cast, chosen=["PIP"])
    says(form.finer, temperature=0.5)
    assert [(draft["title"], draft["cast"], draft["temperature"]) for draft in kept] == [
        ("A", ["MAREN", "OSKAR"], None),
        ("A", ["PIP"], None),
        ("A", ["PIP"], 0.5),
    ]


# --- a surprise ---------------------------------------------------------------------------------------------------


def test_a_surprise_is_an_idea_of_the_show_and_can_be_ordered(form: ComposeForm) -> None:
    told: list[str] = []
    for _ in IDEAS:
        form.surprise.click()
        told.append(form.title.value)
        Premise.checked(form.wish, CUES)
        assert form.title.value in form.told.value
    assert sorted(told) == [idea.title for idea in IDEAS], "each once before one comes again"
    assert form.back.layout.display == "none", "there was nothing to put back"


def test_what_was_there_before_any_surprise_can_be_put_back(form: ComposeForm) -> None:
    before = filled(form).draft
    key = form.request_key
    form.surprise.click()
    form.surprise.click()
    assert form.title.value != EVIL
    assert form.request_key != key
    assert form.back.layout.display is None
    form.back.click()
    assert form.draft == before
    assert form.back.layout.display == "none"


def test_a_surprise_that_was_changed_is_a_persons_own_too(form: ComposeForm) -> None:
    form.surprise.click()
    says(form.title, value="Mine Now")
    form.surprise.click()
    form.back.click()
    assert form.title.value == "Mine Now"


def test_a_show_without_ideas_surprises_nobody() -> None:
    form = Orders().form(OFFER)
    assert form.surprise.layout.display == "none"
    form.surprise.click()
    assert form.title.value == ""


# --- letters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Picard", "Pi"), ("O'Brien", "OB"), ("La Forge", "LF"), ("Q", "Q"), ("Élan", "Él"), ("", ""), ("A.B.C.", "AB")],
)
def test_a_portrait_is_made_of_two_letters_at_most(name: str, letters: str) -> None:
    assert monogram(name) == letters
