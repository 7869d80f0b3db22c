"""A word that is none is never begun, and every word of the corpus can be written letter by letter."""

from __future__ import annotations

import pytest

from model.corpus.assembler import Assembler
from model.corpus.outlines import read_words
from model.corpus.training_text import Corpus
from model.lexicon import Lexicon, corpus_words, spelled
from model.tokenizer import Tokenizer
from tng.script import render_element

WORDS = corpus_words(["The glass is empty.", "He sees Picard. Don't go, it's late.", '"Why?" asks Data.'])
LEXICON = Lexicon(WORDS, ["Ambassador Orell", "phase inverter", "T'Lara"]).with_cues(["PICARD", "COMPUTER VOICE"])


def test_a_capital_counts_only_within_a_sentence() -> None:
    assert {"the", "glass", "Picard", "Data", "don't", "why", "it"} <= WORDS
    assert not {"The", "Why", "Don't", "he's", "picard"} & WORDS


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("The glass is empty.", True),
        ("Glass. Empty glass!", True),
        ("the Glass", False),
        ("He sees picard.", False),
        ("Orell's phase inverter is late.", True),
        ("T'Lara sees the Ambassador.", True),
        ("The glorf is empty.", False),
        ("PICARD (V.O.): The glass.", True),
        ("DATA: The glass.", False),
        ("Don’t go.", True),
        ("47 — 12.5", True),
        ("", True),
    ],
)
def test_words_are_known_where_they_stand(text: str, known: bool) -> None:
    assert LEXICON.knows(text) is known


@pytest.mark.parametrize(
    ("line", "more", "may"),
    [
        ("", "PIC", True),
        ("", "DA", False),
        ("PICARD:", " Th", True),
        ("PICARD: The gl", "a", True),
        ("PICARD: The gl", "o", False),
        ("PICARD: The glass", " ", True),
        ("PICARD: The gla", " ", False),
        ("PICARD: The gla", ".", False),
        ("PICARD: The glass is O", "rell", True),
        ("PICARD: The glass is O", "ver", False),
        ("PICARD: The G", "lass", False),
        ("PICARD: It", "'", True),
        ("PICARD: It'", "s late", True),
        ("PICARD: Orell", "'s", True),
        ("PICARD: don", "'t", True),
        ("PICARD: don", "'t go g", True),
        ("PICARD: don", "'t gox", False),
        ("He sees T", "'La", True),
        ("The glas", "\n", False),
        ("The glass", "\n", True),
    ],
)
def test_a_line_may_go_on_or_not(line: str, more: str, may: bool) -> None:
    assert LEXICON.may_go_on(line, more) is may


def test_without_words_everything_may_be_written() -> None:
    anything = Lexicon(())
    assert anything.knows("glorf")
    assert anything.may_go_on("glo", "rf")


def test_cues_are_those_of_the_scene() -> None:
    other = LEXICON.with_cues(["DATA"])
    assert other.may_go_on("", "DATA")
    assert not other.may_go_on("", "PICARD")
    assert LEXICON.may_go_on("", "PICARD"), "the first one is as it was"


def test_words_are_spelled_without_their_genitive() -> None:
    assert spelled("Orell’s ship's T'Lara, it's") == ["Orell", "ship", "T'Lara", "it"]


def test_every_line_of_the_corpus_can_be_written_token_by_token(
    assembler: Assembler, corpus: Corpus, tokenizer: Tokenizer
) -> None:
    lines = stuck = 0
    words = read_words(corpus.folder)
    for number in range(6):
        episode = assembler.episode(number)
        lexicon = Lexicon(words, episode.names.values())
        for scene in episode.script.scenes:
            speaking = lexicon.with_cues(scene.speakers)
            for element in scene.elements:
                lines += 1
                line = ""
                for token in tokenizer.encode(render_element(element) + "\n"):
                    if not speaking.may_go_on(line, tokenizer.pieces[token]):
                        stuck += 1
                        break
                    line += tokenizer.pieces[token]
    assert stuck < 0.003 * lines
