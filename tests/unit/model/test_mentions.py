"""The names of a logline come up: by themselves, or because somebody asks after them."""

from __future__ import annotations

import pytest

from model.corpus.slots import MARKS
from model.mentions import QUESTIONS, Mentions, names
from tng.script import Element, ElementKind, Scene, parse_line, render_element

GIVEN = {"guest": "Sorel", "guest_title": "Ambassador", "ship": "Dawnstrider", "planet": "Kadris Two"}


def scene(*lines: str, heading: str = "INT. BRIDGE") -> Scene:
    return Scene(heading, tuple(parse_line(line) for line in lines))


@pytest.mark.parametrize(
    "heard",
    [
        pytest.param(scene("SOREL: I am here."), id="a-cue"),
        pytest.param(scene("Sorel's hand rests on the glass."), id="an-action"),
        pytest.param(scene("DATA: That is Sorel."), id="a-speech"),
        pytest.param(scene("DATA: (to Sorel) Yes."), id="an-aside"),
        pytest.param(scene(heading="INT. SOREL'S QUARTERS"), id="a-heading"),
    ],
)
def test_a_name_comes_up_anywhere_on_the_page(heard: Scene) -> None:
    mentions = Mentions({"guest": "Sorel"}, seed=1)
    mentions.hear(heard)
    assert not mentions.waiting


def test_a_part_of_another_word_is_no_name() -> None:
    assert not names("The Sorelian fleet.", "Sorel")
    assert names("Kadris Two.", "kadris two")
    assert not names("Kadris Twofold.", "Kadris Two")


def test_one_asks_only_after_what_has_not_come_up() -> None:
    mentions = Mentions(GIVEN, seed=0)
    mentions.hear(scene("DATA: Kadris Two, sir."))
    assert mentions.waiting == {"guest": "Sorel", "ship": "Dawnstrider"}
    lines = mentions.questions(["PICARD", "DATA"], present=())
    assert lines == ["PICARD: Is there any word from the XSHIP?", "DATA: Where is XGUEST?"]


def test_nobody_asks_after_somebody_who_is_in_the_room() -> None:
    assert Mentions({"guest": "Sorel"}, seed=0).questions(["PICARD"], present=("PICARD", "SOREL")) == []


def test_a_logline_without_names_asks_nothing() -> None:
    assert Mentions({"guest_title": "Ambassador"}, seed=0).questions(["PICARD"], present=()) == []


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("slot", QUESTIONS)
def test_every_question_is_a_speech_that_holds_the_mark(slot: str, seed: int) -> None:
    (line,) = Mentions({slot: "Somename"}, seed).questions(["DATA"], present=())
    element = parse_line(line)
    assert element == Element(ElementKind.SPEECH, element.text, "DATA")
    assert MARKS[slot] in element.text
    assert render_element(element) == line
