"""Names are found in a logline and put in their places."""

from __future__ import annotations

import pytest

from model.naming import given_names, names_in
from tng.script import Element, ElementKind, Premise, parse_line, render_element
from tng.shows import Show


@pytest.mark.parametrize(
    ("logline", "names"),
    [
        pytest.param("Ambassador Sorel comes aboard.", {"guest_title": "Ambassador", "guest": "Sorel"}, id="title"),
        pytest.param("A secret of Doctor Ann Marek.", {"guest_title": "Doctor", "guest": "Marek"}, id="two-names"),
        pytest.param("We follow Mirel and Toral home.", {"guest": "Mirel", "guest2": "Toral"}, id="two-guests"),
        pytest.param("They meet Mirel, Toral and Vash.", {"guest": "Mirel", "guest2": "Toral"}, id="third-is-left"),
        pytest.param("The crew finds the Dawnstrider.", {"ship": "Dawnstrider"}, id="the"),
        pytest.param("They board the starship Silver Wind.", {"ship": "Silver Wind"}, id="starship"),
        pytest.param("War over the planet Kadris.", {"planet": "Kadris"}, id="planet"),
        pytest.param("Fever on Tavran Four.", {"planet": "Tavran Four"}, id="numbered"),
        pytest.param("Silence at Relay Station Nine.", {"outpost": "Relay Station Nine"}, id="outpost"),
        pytest.param("Lost in the Kessik system.", {"system": "Kessik"}, id="system"),
        pytest.param("They trust Mirel's word.", {"guest": "Mirel"}, id="genitive"),
        pytest.param("We meet T'Lara in orbit.", {"guest": "T'Lara"}, id="apostrophe"),
        pytest.param("We meet Zoë again.", {"guest": "Zoe"}, id="accent"),
        pytest.param("They fear 李明 and Λόγος.", {}, id="no-latin"),
        pytest.param("Captain Picard leads the Enterprise to Earth.", {}, id="known"),
        pytest.param("Strange things happen. Everybody forgets.", {}, id="sentence-starts"),
        pytest.param("Data and Worf fight Klingons for Starfleet.", {}, id="crew"),
        pytest.param("", {}, id="empty"),
        pytest.param("a story without capitals", {}, id="small"),
    ],
)
def test_names_are_found(show: Show, logline: str, names: dict[str, str]) -> None:
    assert names_in(logline, show) == names


@pytest.mark.parametrize("logline", ["They meet " + "X" * 90, "They meet A.", "'''Q''' \"Z\" (Y) &&& ###", "Mr. " * 40])
def test_strange_loglines_do_no_harm(show: Show, logline: str) -> None:
    for name in names_in(logline, show).values():
        assert len(name) <= 30


def test_a_found_guest_can_be_a_cue(show: Show) -> None:
    for name in names_in("They meet Jean-Pierre O’Malley and T’Lara.", show).values():
        speech = Element(ElementKind.SPEECH, "Yes.", name.upper())
        assert parse_line(render_element(speech)) == speech


@pytest.mark.parametrize(
    ("guests", "logline", "names"),
    [
        pytest.param((), "We follow Mirel home.", {"guest": "Mirel"}, id="none-asked"),
        pytest.param(("Oran", "Tal"), "We follow Mirel home.", {"guest": "Oran", "guest2": "Tal"}, id="asked-first"),
        pytest.param(("Oran",), "We follow Mirel home.", {"guest": "Oran", "guest2": "Mirel"}, id="then-the-logline's"),
        pytest.param(("Mirel",), "We follow Mirel home.", {"guest": "Mirel"}, id="named-twice"),
        pytest.param(("Zoë",), "We meet Zoë again.", {"guest": "Zoe"}, id="accent"),
        pytest.param(
            ("Oran",), "Ambassador Sorel comes.", {"guest": "Oran", "guest2": "Sorel"}, id="no-title-of-another's"
        ),
    ],
)
def test_the_guests_of_a_premise_come_before_those_of_its_logline(
    show: Show, guests: tuple[str, ...], logline: str, names: dict[str, str]
) -> None:
    assert given_names(Premise("T", logline, guests=guests), show) == names
