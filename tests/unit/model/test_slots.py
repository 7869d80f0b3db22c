"""Names are many, fitting, and the same for the same chance; marks stand for them and nothing else."""

from __future__ import annotations

import random

import pytest

from model.corpus.scenebank import SLOTS, Bank
from model.corpus.slots import MARKS, draw_names, fill, fill_heading, marked, unmarked
from tests.shows import first_show
from tng.script import Element, ElementKind, parse_line, render_element

SHOW = first_show()
NUMBERED = draw_names(
    random.Random(1),
    SHOW,
    {"guest_title": "Legate", "guest": "Sorel", "ship": "Dawnstrider", "planet": "Tavran Four", "species": "Tavrans"}
    | {"stardate": "4.2", "crewman": "Haskell", "deck": "four"},
)
DRAWN = [draw_names(random.Random(number), SHOW) for number in range(600)]


def test_every_slot_is_filled() -> None:
    for names in DRAWN:
        assert set(names) == SLOTS
        assert all(names.values())


def test_the_same_chance_gives_the_same_names() -> None:
    assert draw_names(random.Random("7/3"), SHOW) == draw_names(random.Random("7/3"), SHOW)


@pytest.mark.parametrize(
    ("slot", "fewest"),
    [
        ("guest", 500),
        ("guest2", 500),
        ("planet", 550),
        ("ship", 380),
        ("crewman", 380),
        ("system", 500),
        ("device", 280),
    ],
)
def test_names_are_too_many_to_be_learnt_by_heart(slot: str, fewest: int) -> None:
    assert len({names[slot] for names in DRAWN}) >= fewest


def test_nobody_is_called_like_somebody_aboard() -> None:
    for names in DRAWN:
        assert not {names["GUEST"], names["GUEST2"], names["CREWMAN"]} & {*SHOW.cues, *SHOW.taken_names}
        assert len({names["GUEST"], names["GUEST2"], names["CREWMAN"]}) == 3


def test_a_guest_can_be_a_cue() -> None:
    for names in DRAWN:
        for slot in ("GUEST", "GUEST2", "CREWMAN"):
            speech = Element(ElementKind.SPEECH, "Yes.", names[slot])
            assert parse_line(render_element(speech)) == speech


@pytest.mark.parametrize("slot", ["anomaly", "particle", "device", "substance", "deck", "hours"])
def test_what_never_begins_a_sentence_is_in_lower_case(slot: str) -> None:
    assert all(names[slot] == names[slot].lower() for names in DRAWN)


def test_given_names_stay_and_their_capitals_follow() -> None:
    names = draw_names(random.Random(1), SHOW, {"guest": "Sorel", "species": "Kadrans"})
    assert (names["guest"], names["GUEST"], names["species_adj"]) == ("Sorel", "SOREL", "Kadran")


def test_every_slot_has_a_mark_of_its_own() -> None:
    assert set(MARKS) == SLOTS
    assert len({MARKS[slot] for slot in SLOTS if slot.islower()}) == sum(slot.islower() for slot in SLOTS)


def test_no_mark_is_a_word_of_the_bank(bank: Bank) -> None:
    scenes = [s for family in bank.families.values() for beat in family.scenes.values() for s in beat]
    texts = [text for s in scenes for e in s.scene.elements for text in (e.text, e.parenthetical, s.scene.heading)]
    assert not [text for text in texts if unmarked(text, NUMBERED) != text]


def test_marks_are_filled_wherever_they_stand() -> None:
    text = "XRANK XGUEST's XSHIP (stardate XSTARDATE). XENSIGN, XPEOPLISH, XRAY, XX."
    assert unmarked(text, NUMBERED) == "Legate Sorel's Dawnstrider (stardate 4.2). Haskell, Tavran, XRAY, XX."


def test_names_are_marked_and_filled_again() -> None:
    text = "Legate Sorel brings the Dawnstrider to Tavran Four, and Sorel's Haskell waits."
    told = "XRANK XGUEST brings the XSHIP to XPLANET, and XGUEST's XENSIGN waits."
    assert marked(text, NUMBERED) == told
    assert unmarked(told, NUMBERED) == text


def test_parts_of_words_are_no_names() -> None:
    assert marked("Sorelius and the four, Legate of all.", NUMBERED) == "Sorelius and the four, Legate of all."


def test_filling_puts_the_names_where_the_slots_stand() -> None:
    names = {"ship": "Dawnstrider", "guest": "Orell"}
    assert fill("The {ship} waits for {guest}'s word.", names) == "The Dawnstrider waits for Orell's word."
    assert fill_heading("INT. {ship} - HOLD", names) == "INT. DAWNSTRIDER - HOLD"
