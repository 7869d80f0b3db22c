"""Which lines may stand, as a table."""

from __future__ import annotations

import pytest

from model.corpus.assembler import Assembler
from model.corpus.outlines import read_words
from model.corpus.training_text import Corpus
from model.gate import Gate, Refusal, hopeless
from model.lexicon import Lexicon
from tng.script import Element, ElementKind, parse_line, render_element

SPEAKERS = frozenset({"PICARD", "DATA", "ORELL", "COMPUTER VOICE", "O'BRIEN"})
WORDS = frozenset(str.split("Picard Captain turns from at once the glass on screen i see it I captain log a b c d yes"))

STANDS = [
    "PICARD: On screen.",
    "DATA (COM): (at once) Captain.",
    "O'BRIEN: Yes.",
    "COMPUTER VOICE: Yes.",
    'Picard turns from the "glass."',
    "PICARD (V.O.): Captain's log …",
    "PICARD: I see, Orell. The Dawnstrider.",
]
REFUSED = [
    pytest.param("", Refusal.EMPTY, id="empty"),
    pytest.param("   ", Refusal.EMPTY, id="blank"),
    pytest.param("# INT. BRIDGE", Refusal.MARK, id="second-heading"),
    pytest.param("## ACT TWO", Refusal.MARK, id="act"),
    pytest.param("> CUT TO:", Refusal.MARK, id="transition"),
    pytest.param("* ANGLE ON DATA", Refusal.MARK, id="shot"),
    pytest.param("! PICARD: On screen.", Refusal.MARK, id="forced-action"),
    pytest.param("Title: The Glass", Refusal.MARK, id="title"),
    pytest.param("WORF: I see.", Refusal.SPEAKER, id="not-cast"),
    pytest.param("CAST: PICARD", Refusal.SPEAKER, id="header"),
    pytest.param("PICARD: ", Refusal.FORM, id="silent-speech"),
    pytest.param("PICARD (ASIDE): Yes.", Refusal.FORM, id="extension"),
    pytest.param("PICARD: (on screen", Refusal.FORM, id="open-bracket"),
    pytest.param('PICARD: On "screen.', Refusal.FORM, id="open-quote"),
    pytest.param("PICARD: Yes,", Refusal.FORM, id="broken-off"),
    pytest.param("PICARD: \ufffd yes.", Refusal.FORM, id="half-a-character"),
    pytest.param("PICARD: Yes.\x07", Refusal.FORM, id="control"),
    pytest.param("turns from the glass.", Refusal.FORM, id="lower-case-action"),
    pytest.param("Picard turns from", Refusal.FORM, id="unended-action"),
    pytest.param("PICARD TURNS FROM THE GLASS.", Refusal.FORM, id="shouted-action"),
    pytest.param("PICARD Captain.", Refusal.FORM, id="cue-without-colon"),
    pytest.param("Picard: on screen.", Refusal.FORM, id="speech-in-small-letters"),
    pytest.param("PICARD: Yes, captain, captain, captain.", Refusal.FORM, id="stutter"),
    pytest.param("PICARD: I see.Yes.", Refusal.FORM, id="run-together"),
    pytest.param("PICARD: I see. . . . . . . .", Refusal.FORM, id="signs-alone"),
    pytest.param("PICARD: " + "yes i see " * 30 + "yes.", Refusal.LENGTH, id="long-speech"),
    pytest.param("Picard turns " + "a b c d " * 18 + "glass.", Refusal.LENGTH, id="long-action"),
    pytest.param("PICARD: (" + "a " * 11 + "b) Yes.", Refusal.LENGTH, id="long-aside"),
    pytest.param("PICARD: I see the glorf.", Refusal.WORD, id="no-word"),
    pytest.param("Thorwald turns.", Refusal.WORD, id="stranger"),
]


@pytest.fixture
def gate() -> Gate:
    return Gate(Lexicon(WORDS, ("Orell", "Dawnstrider")))


@pytest.mark.parametrize("line", STANDS)
def test_it_may_stand(gate: Gate, line: str) -> None:
    element = gate.judge(line, SPEAKERS)
    assert isinstance(element, Element)
    assert parse_line(render_element(element)) == element
    assert not gate.refused


@pytest.mark.parametrize(("line", "refusal"), REFUSED)
def test_it_is_refused(gate: Gate, line: str, refusal: Refusal) -> None:
    assert gate.judge(line, SPEAKERS) == refusal
    assert gate.refused == {refusal.value: 1}


def test_blanks_are_squeezed(gate: Gate) -> None:
    element = gate.judge("  PICARD:   On  screen. ", SPEAKERS)
    assert element == Element(ElementKind.SPEECH, "On screen.", "PICARD")


def test_a_line_stands_once_whoever_says_it(gate: Gate) -> None:
    element = gate.judge("PICARD: I see the glass.", SPEAKERS)
    assert isinstance(element, Element)
    assert isinstance(gate.judge("PICARD: I see the glass.", SPEAKERS), Element), "judging alone does not keep"
    gate.keep(element)
    assert gate.judge("DATA: I see the glass!", SPEAKERS) is Refusal.REPEATED


def test_what_a_draft_says_is_said_only_where_the_draft_stands(gate: Gate) -> None:
    draft = gate.for_draft()
    element = draft.judge("PICARD: I see the glass.", SPEAKERS)
    assert isinstance(element, Element)
    draft.keep(element)
    assert draft.judge("DATA: I see the glass.", SPEAKERS) is Refusal.REPEATED
    assert draft.for_draft().judge("DATA: I see the glass.", SPEAKERS) is Refusal.REPEATED
    assert isinstance(gate.judge("DATA: I see the glass.", SPEAKERS), Element)
    assert gate.refused == {"repeated": 2}, "what was refused counts whatever stands"


def test_a_few_words_may_be_said_again(gate: Gate) -> None:
    element = gate.judge("PICARD: I see.", SPEAKERS)
    assert isinstance(element, Element)
    gate.keep(element)
    assert isinstance(gate.judge("DATA: I see.", SPEAKERS), Element)


def test_without_a_list_every_word_is_known() -> None:
    assert isinstance(Gate(Lexicon(())).judge("PICARD: The glorf!", SPEAKERS), Element)


@pytest.mark.parametrize(
    ("beginning", "verdict"),
    [
        ("PICARD:", False),
        ("DATA (COM): Captain", False),
        ("WORF:", True),
        ("WORF (V.O.):", True),
        ("# ", True),
        ("Picard says:", False),
        ("PICARD: ...... . .", True),
        ('PICARD: (tired) "I see ..."', False),
    ],
)
def test_a_line_can_be_hopeless_before_it_ends(beginning: str, verdict: bool) -> None:
    assert hopeless(beginning, SPEAKERS) is verdict


def test_nearly_every_line_of_the_corpus_may_stand(assembler: Assembler, corpus: Corpus) -> None:
    words, lines, refused = read_words(corpus.folder), 0, 0
    for number in range(20):
        episode = assembler.episode(number)
        gate = Gate(Lexicon(words, episode.names.values()))
        for scene in episode.script.scenes:
            for element in scene.elements:
                lines += 1
                refused += isinstance(gate.judge(render_element(element), scene.speakers), Refusal)
    assert refused < 0.003 * lines
