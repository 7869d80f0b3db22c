"""Parts of people who were not asked for are played by those who were."""

from __future__ import annotations

import random

import pytest

from model.casting import WOMEN, Casting, recast
from model.corpus.outlines import Outline
from model.corpus.slots import draw_names
from tng.script import CAST, Element, ElementKind

NAMES = draw_names(random.Random(1), {"guest": "Sorel", "crewman": "Haskell"})
BRIDGE = Outline("INT. MAIN BRIDGE", ("PICARD", "RIKER", "WORF", "{GUEST}"))


def casting(*asked: str) -> Casting:
    return Casting(asked, NAMES, random.Random(1))


def test_who_was_asked_for_plays_nobody_else() -> None:
    told, roles = casting("PICARD", "RIKER", "WORF").cast(BRIDGE)
    assert told == ["PICARD", "RIKER", "WORF", "XGUEST"]
    assert roles == {"XGUEST": "SOREL"}


def test_a_stranger_is_played_by_who_waits() -> None:
    told, roles = casting("PICARD", "WORF", "GEORDI").cast(BRIDGE)
    assert told == ["PICARD", "RIKER", "WORF", "XGUEST"]
    assert roles == {"RIKER": "GEORDI", "XGUEST": "SOREL"}


def test_a_part_goes_to_somebody_of_the_same_sex_where_one_waits() -> None:
    for name in set(CAST) - {"TROI"}:
        outline = Outline("INT. X", (name, "TROI"))
        _, roles = casting("TROI", "BEVERLY", "GEORDI", "DATA").cast(outline)
        if name in roles:
            assert (roles[name] in WOMEN) is (name in WOMEN)


def test_where_everyone_is_on_a_guest_steps_in() -> None:
    told, roles = casting("PICARD", "TROI").cast(BRIDGE)
    assert set(told) == {"PICARD", "RIKER", "WORF", "XGUEST"}
    assert sorted(roles) == ["RIKER", "WORF", "XGUEST"]
    assert sorted(roles.values()) == ["HASKELL", "SOREL", "TROI"]


def test_where_nobody_is_left_a_part_is_dropped() -> None:
    full = Outline("INT. X", ("PICARD", "RIKER", "WORF", "{GUEST}", "{GUEST2}", "{CREWMAN}"))
    told, roles = casting("PICARD", "TROI").cast(full)
    assert len(told) == 5
    assert set(roles) & {"RIKER", "WORF"} == {"RIKER"}
    assert "WORF" not in told


def test_there_are_always_two_who_were_asked_for() -> None:
    told, _ = casting("PICARD", "TROI").cast(Outline("INT. X", ("{GUEST}", "{GUEST2}")))
    assert {"PICARD", "TROI"} <= set(told)


def test_who_waited_is_cast_first() -> None:
    one = casting("PICARD", "DATA", "GEORDI")
    players = [one.cast(Outline("INT. X", ("PICARD", "WORF")))[1]["WORF"] for _ in range(2)]
    assert sorted(players) == ["DATA", "GEORDI"]


@pytest.mark.parametrize(
    ("text", "played"),
    [
        ("Riker turns.", "Troi turns."),
        ("Commander Riker, report.", "Counselor Troi, report."),
        ("That is Riker's chair.", "That is Troi's chair."),
        ("The Rikers are many.", "The Rikers are many."),
        ("Worf and Riker.", "Worf and Troi."),
        ("Will you come?", "Will you come?"),
    ],
)
def test_a_name_that_is_spoken_is_the_players(text: str, played: str) -> None:
    assert recast(Element(ElementKind.ACTION, text), {"RIKER": "TROI"}, NAMES).text == played


def test_cue_and_aside_are_the_players() -> None:
    speech = Element(ElementKind.SPEECH, "Yes.", "BEVERLY", "COM", "to Picard")
    assert recast(speech, {"BEVERLY": "HASKELL", "PICARD": "DATA"}, NAMES) == Element(
        ElementKind.SPEECH, "Yes.", "HASKELL", "COM", "to Data"
    )


def test_marks_are_filled_on_the_page() -> None:
    speech = Element(ElementKind.SPEECH, "XRANK XGUEST, the XSHIP!", "XENSIGN", "COM", "to XGUEST")
    played = recast(speech, {"XENSIGN": "HASKELL"}, NAMES)
    assert (played.cue, played.parenthetical) == ("HASKELL", "to Sorel")
    assert played.text == f"{NAMES['guest_title']} Sorel, the {NAMES['ship']}!"


def test_a_guest_is_called_by_the_name_alone() -> None:
    assert (
        recast(Element(ElementKind.ACTION, "Doctor Crusher nods."), {"BEVERLY": "HASKELL"}, NAMES).text
        == "Haskell nods."
    )


@pytest.mark.parametrize("name", CAST)
def test_everybody_can_play_and_be_played(name: str) -> None:
    for other in set(CAST) - {name}:
        played = recast(Element(ElementKind.SPEECH, "Yes.", name), {name: other}, NAMES)
        assert played.cue == other
