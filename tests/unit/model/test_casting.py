"""Parts of people who were not asked for are played by those who were."""

from __future__ import annotations

import random

import pytest

from model.casting import Casting, alike, recast
from model.corpus.outlines import Outline
from model.corpus.slots import draw_names
from tests.shows import first_show
from tng.script import Element, ElementKind

SHOW = first_show()
NAMES = draw_names(random.Random(1), SHOW, {"guest": "Sorel", "crewman": "Haskell"})
BRIDGE = Outline("INT. MAIN BRIDGE", ("PICARD", "RIKER", "WORF", "{GUEST}"))


def casting(*asked: str) -> Casting:
    return Casting(asked, NAMES, random.Random(1), SHOW)


def test_who_was_asked_for_plays_nobody_else() -> None:
    told, roles = casting("PICARD", "RIKER", "WORF").cast(BRIDGE)
    assert told == ["PICARD", "RIKER", "WORF", "XGUEST"]
    assert roles == {"XGUEST": "SOREL"}


def test_a_stranger_is_played_by_who_waits() -> None:
    told, roles = casting("PICARD", "WORF", "GEORDI").cast(BRIDGE)
    assert told == ["PICARD", "RIKER", "WORF", "XGUEST"]
    assert roles == {"RIKER": "GEORDI", "XGUEST": "SOREL"}


def test_a_part_goes_to_somebody_of_the_same_sex_where_one_waits() -> None:
    for name in set(SHOW.cues) - {"TROI"}:
        outline = Outline("INT. X", (name, "TROI"))
        _, roles = casting("TROI", "BEVERLY", "GEORDI", "DATA").cast(outline)
        if name in roles:
            assert alike(SHOW, roles[name], name)


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
    assert recast(Element(ElementKind.ACTION, text), {"RIKER": "TROI"}, NAMES, SHOW).text == played


def test_cue_and_aside_are_the_players() -> None:
    speech = Element(ElementKind.SPEECH, "Yes.", "BEVERLY", "COM", "to Picard")
    assert recast(speech, {"BEVERLY": "HASKELL", "PICARD": "DATA"}, NAMES, SHOW) == Element(
        ElementKind.SPEECH, "Yes.", "HASKELL", "COM", "to Data"
    )


def test_marks_are_filled_on_the_page() -> None:
    speech = Element(ElementKind.SPEECH, "XRANK XGUEST, the XSHIP!", "XENSIGN", "COM", "to XGUEST")
    played = recast(speech, {"XENSIGN": "HASKELL"}, NAMES, SHOW)
    assert (played.cue, played.parenthetical) == ("HASKELL", "to Sorel")
    assert played.text == f"{NAMES['guest_title']} Sorel, the {NAMES['ship']}!"


def test_a_guest_is_called_by_the_name_alone() -> None:
    assert (
        recast(Element(ElementKind.ACTION, "Doctor Crusher nods."), {"BEVERLY": "HASKELL"}, NAMES, SHOW).text
        == "Haskell nods."
    )


@pytest.mark.parametrize("name", SHOW.cues)
def test_everybody_can_play_and_be_played(name: str) -> None:
    for other in set(SHOW.cues) - {name}:
        played = recast(Element(ElementKind.SPEECH, "Yes.", name), {name: other}, NAMES, SHOW)
        assert played.cue == other


def test_a_part_of_a_man_goes_to_a_guest_before_it_goes_to_a_woman() -> None:
    """Of guests no pronoun tells; but two who were asked for are to be there."""
    told, roles = casting("TROI", "BEVERLY", "GUINAN").cast(Outline("INT. X", ("TROI", "BEVERLY", "WORF")))
    assert told == ["TROI", "BEVERLY", "WORF"]
    assert roles == {"WORF": "HASKELL"}
    _, roles = casting("TROI", "BEVERLY").cast(Outline("INT. X", ("TROI", "WORF")))
    assert roles == {"WORF": "BEVERLY"}


def test_an_outline_of_people_who_wait_in_the_act_fits_better() -> None:
    one = casting("PICARD", "WORF", "DATA")
    one.begin_act()
    one.cast(Outline("INT. X", ("PICARD", "WORF")))
    fits = {cue: sum(one.score(Outline("INT. Y", (cue,))) for _ in range(200)) for cue in ("PICARD", "DATA", "TROI")}
    assert fits["DATA"] > fits["PICARD"] > fits["TROI"]
    one.begin_act()
    assert sum(one.score(Outline("INT. Y", ("PICARD",))) for _ in range(200)) > fits["PICARD"]


@pytest.mark.parametrize(
    ("text", "played"),
    [
        ("Riker closes his hand.", "Troi closes her hand."),
        ("Riker hands Worf his cup.", "Troi hands Worf his cup."),
        ("He waits for Riker.", "He waits for Troi."),
        ("Commander Riker turns. He waits.", "Counselor Troi turns. She waits."),
    ],
)
def test_pronouns_follow_a_player_of_the_other_sex_where_that_is_certain(text: str, played: str) -> None:
    assert recast(Element(ElementKind.ACTION, text), {"RIKER": "TROI"}, NAMES, SHOW).text == played


def test_an_aside_is_the_speakers_and_what_is_said_stays() -> None:
    speech = Element(ElementKind.SPEECH, "Riker lost his badge.", "RIKER", "", "tapping his badge")
    assert recast(speech, {"RIKER": "TROI"}, NAMES, SHOW) == Element(
        ElementKind.SPEECH, "Troi lost his badge.", "TROI", "", "tapping her badge"
    )


def test_parts_are_exchanged_at_once() -> None:
    roles = {"RIKER": "DATA", "DATA": "PICARD"}
    action = Element(ElementKind.ACTION, "Riker looks at Data, and Commander Data at Riker.")
    assert recast(action, roles, NAMES, SHOW).text == "Data looks at Picard, and Captain Picard at Data."


def test_a_whole_name_is_replaced_by_one() -> None:
    action = Element(ElementKind.ACTION, "Jean-Luc Picard sits beside Captain Picard's chair.")
    assert recast(action, {"PICARD": "RIKER"}, NAMES, SHOW).text == "Riker sits beside Commander Riker's chair."


def test_who_is_nobody_of_the_show_is_a_stranger_too() -> None:
    """An imported corpus has people whom the show does not know."""
    told, roles = casting("PICARD", "WORF").cast(Outline("INT. X", ("PICARD", "LWAXANA", "COMPUTER VOICE")))
    assert told == ["PICARD", "LWAXANA", "COMPUTER VOICE"]
    assert roles == {"LWAXANA": "WORF"}
