"""A scene is whole whatever the network says, and writing it changes nothing outside of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from model.drafting import MOST_LINES, STOCK_LINES, Drafting, Page, Sheet
from model.gate import REPEATABLE_WORDS, Gate
from model.lexicon import Lexicon
from model.pen import Pen
from model.sampling import Sampling, generator
from model.scene_gate import Draft
from model.tokenizer import Tokenizer
from tests.unit.model.networks import OneTokenNetwork, RecitingNetwork, TestNetwork
from tng.script import Element, ElementKind, parse_line, render_element

HEADER = "ACT: TEASER / HOOK\nCAST: PICARD, DATA\n# INT. READY ROOM"
TOLD = ("PICARD", "DATA")


def drafted(network: TestNetwork, tokenizer: Tokenizer, *, stock_said: int = 0, opening: Sequence[str] = ()) -> Draft:
    sheet = Sheet("INT. READY ROOM", TOLD, {*TOLD, "RIKER"}, Lexicon(()), lambda element: element, opening)
    pen = Pen(network, tokenizer, Sampling(repeat_tokens=0), generator(1))
    pen.open(HEADER)
    return Drafting(sheet, pen, Gate(Lexicon(())), stock_said=stock_said).write()


@pytest.fixture
def silent(tokenizer: Tokenizer) -> TestNetwork:
    return OneTokenNetwork(tokenizer.size, tokenizer.end_of_text)


def reciting(tokenizer: Tokenizer, text: str) -> TestNetwork:
    return RecitingNetwork(tokenizer.size, tokenizer.encode(text))


def test_where_the_network_is_silent_everybody_says_something_from_stock(
    silent: TestNetwork, tokenizer: Tokenizer
) -> None:
    draft = drafted(silent, tokenizer)
    assert [element.cue for element in draft.scene.elements] == ["PICARD", "DATA", "PICARD"]
    assert (draft.forced, draft.stock, draft.log_probability) == (3, 3, 0)
    assert draft.drawn > 3


def test_stock_goes_round_from_scene_to_scene(silent: TestNetwork, tokenizer: Tokenizer) -> None:
    said = [
        [element.text for element in drafted(silent, tokenizer, stock_said=said).scene.elements] for said in (0, 3, 12)
    ]
    assert said[0] == [STOCK_LINES[place] for place in (1, 2, 3)]
    assert said[1] == [STOCK_LINES[place] for place in (4, 5, 6)]
    assert said[2] == said[0]


def test_what_the_network_says_well_stands_as_it_said_it(tokenizer: Tokenizer) -> None:
    lines = ("Picard turns.", "PICARD: It rains, Data.", "DATA: It has rained for a year.", "PICARD: I had not seen.")
    draft = drafted(reciting(tokenizer, "\n".join(lines) + "\n"), tokenizer)
    assert draft.lines[: len(lines)] == lines
    assert tuple(render_element(element) for element in draft.scene.elements) == draft.lines
    assert draft.log_probability > -0.1


def test_the_opening_stands_first_and_is_no_stock(silent: TestNetwork, tokenizer: Tokenizer) -> None:
    opening = ("DATA: Where is XGUEST?", "PICARD: Is there any word from the XSHIP?")
    draft = drafted(silent, tokenizer, opening=opening)
    assert draft.lines[:2] == opening
    assert (draft.forced, draft.stock) == (1, 1)


def test_a_scene_without_an_end_is_ended(tokenizer: Tokenizer) -> None:
    text = "".join(f"PICARD: The rain is {letter} now.\n" for letter in "abcdefghijklmnopqrstuvwxyz")
    draft = drafted(reciting(tokenizer, text), tokenizer)
    assert len(draft.lines) <= MOST_LINES
    assert "DATA" in draft.scene.speakers, "who was told must speak"


def test_a_strangers_line_does_not_stand(tokenizer: Tokenizer) -> None:
    draft = drafted(reciting(tokenizer, "WORF: I am not in this room at all.\n"), tokenizer)
    assert set(draft.scene.speakers) == set(TOLD)


def test_who_was_silent_for_longest_speaks_next() -> None:
    page = Page(("PICARD", "DATA", "RIKER"))
    assert page.missing == ["PICARD", "DATA", "RIKER"]
    for cue in ("DATA", "PICARD", "RIKER", "DATA"):
        page.add(f"{cue}: Yes.", parse_line(f"{cue}: Yes."))
    assert page.is_complete
    assert page.next_cue() == "PICARD"
    page.add("Rain.", Element(ElementKind.ACTION, "Rain."))
    assert page.next_cue() == "PICARD"


def test_stock_lines_are_short_enough_to_be_said_again() -> None:
    assert all(len(line.split()) <= REPEATABLE_WORDS for line in STOCK_LINES)
