"""Guests get the marks that code puts names for; the crew, and words that only look like names, stay."""

from __future__ import annotations

import pytest

from model.corpus.guests import Guests, guests_of
from tests.shows import first_show
from tng.script import Act, Element, ElementKind, Scene, Script
from tng.shows import Show


def script(action: str = "", **speeches: int) -> Script:
    elements = [Element(ElementKind.ACTION, action)] if action else []
    for cue, count in speeches.items():
        elements += [Element(ElementKind.SPEECH, "Yes.", cue.replace("_", " "))] * count
    return Script("T", (Act("TEASER", (Scene("INT. BRIDGE", tuple(elements)),)),))


def found(action: str = "", **speeches: int) -> Guests:
    return guests_of(script(action, **speeches), first_show())


def test_the_most_talkative_strangers_are_the_guests(show: Show) -> None:
    guests = found(PICARD=90, TALLAN=5, VELL=9, ROS=4, LATECOMER=3)
    assert guests.cues == {"VELL": "XGUEST", "TALLAN": "XOTHER", "ROS": "XENSIGN"}
    assert show.cues[0] not in guests.cues


@pytest.mark.parametrize(
    "cue", ["COMPUTER_VOICE", "TALLAN/VELL", "TALLAN_&_VELL", "TALLAN_AND_VELL", "GUARD_#2", "VOICES", "ALL"]
)
def test_who_is_not_one_stranger_is_no_guest(cue: str) -> None:
    assert found(**{cue: 20}).cues == {}


def test_who_says_two_lines_is_no_guest() -> None:
    assert found(TALLAN=2).cues == {}
    assert found(TALLAN=3).cues == {"TALLAN": "XGUEST"}, "the control"


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Tallan turns.", "XGUEST turns."),
        ("TALLAN turns to Tallan's map.", "XGUEST turns to XGUEST's map."),
        ("We need Ambassador Tallan.", "We need XRANK XGUEST."),
        ("Ask Dr. Tallan.", "Ask XRANK XGUEST."),
        ("Ask Ambassador Vell.", "Ask Ambassador XOTHER."),
        ("Tallandra and the Vells", "Tallandra and the Vells"),
        ("Stardate 46999.1, deck 12.5.", "Stardate XSTARDATE, deck 12.5."),
        ("Captain Picard and Data.", "Captain Picard and Data."),
    ],
)
def test_a_guest_is_marked_wherever_the_name_stands(text: str, marked: str) -> None:
    guests = found("Tallan and Vell look at Tallan.", TALLAN=9, VELL=4)
    assert guests.marked(text) == marked


def test_a_role_is_marked_in_its_cue_and_stays_a_word(show: Show) -> None:
    guests = found("The guard turns. Guard him, guard.", GUARD=9)
    scene = guests.scene(Scene("INT. GUARD POST", (Element(ElementKind.SPEECH, "Guard me.", "GUARD"),)))
    assert scene == Scene("INT. GUARD POST", (Element(ElementKind.SPEECH, "Guard me.", "XGUEST"),))


def test_a_rank_is_no_name_and_every_name_of_a_guest_is_marked() -> None:
    guests = found("Osma Vell is here. Ask Osma, or Vell.", ADMIRAL_OSMA_VELL=9)
    assert guests.cues == {"ADMIRAL OSMA VELL": "XGUEST"}
    assert guests.marked("Osma Vell, Osma, Admiral Vell, an admiral") == "XGUEST, XGUEST, XRANK XGUEST, an admiral"


def test_heading_aside_and_joint_cues_are_marked_too() -> None:
    guests = found("Tallan stays. Ask Tallan.", TALLAN=9)
    scene = Scene("INT. TALLAN'S QUARTERS", (Element(ElementKind.SPEECH, "No.", "PICARD/TALLAN", "", "to Tallan"),))
    assert guests.scene(scene) == Scene(
        "INT. XGUEST'S QUARTERS", (Element(ElementKind.SPEECH, "No.", "PICARD/XGUEST", "", "to XGUEST"),)
    )


def test_a_guest_who_shares_a_name_with_the_crew_leaves_theirs_alone(show: Show) -> None:
    member = next(member for member in show.cast if len(member.names) > 1 and " " not in member.names[1])
    name = member.names[1]
    guests = found(f"Ask {name}. Osma and {name}. Osma.", **{f"OSMA_{name.upper()}": 9})
    assert guests.marked(f"{name} and Osma.") == f"{name} and XGUEST."
