"""Perplexity counts the scene alone, kind by kind, and knows a good guess from a bad one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from model.quality.perplexity import CUE, DIALOGUE, END, HEADING, RecordText, Surprise, of_scene, surprises
from model.tokenizer import Tokenizer

RECORD = RecordText(
    "ACT: TEASER / HOOK\nCAST: DATA\n# INT. BRIDGE\n",
    "DATA (V.O.): Captain: look.\nPicard turns.\n* ON THE VIEWER\n> CUT TO:\n",
)
LINES = {
    HEADING: "# INT. BRIDGE\n",
    CUE: "DATA (V.O.):",
    DIALOGUE: " Captain: look.\n",
    "action": "Picard turns.\n",
    "shot": "* ON THE VIEWER\n",
    "transition": "> CUT TO:\n",
}


class Guesser:
    """Gives the token that comes next so much of the probability, and the rest to all others alike."""

    def __init__(self, tokenizer: Tokenizer, record: RecordText, certainty: float, window: int = 200) -> None:
        self.window = window
        self._size = tokenizer.size
        self._certainty = certainty
        self._ids = [*tokenizer.encode(record.text), tokenizer.end_of_text]

    def score(self, ids: Sequence[int]) -> NDArray[np.float32]:
        assert list(ids) == self._ids[: len(ids)]
        logits = np.full((len(ids), self._size), math.log((1 - self._certainty) / (self._size - 1)), np.float32)
        logits[np.arange(len(ids)), self._ids[1 : len(ids) + 1]] = math.log(self._certainty)
        return logits + 3  # logits are no probabilities


@pytest.mark.parametrize("certainty", [0.5, 0.25, 0.9])
def test_perplexity_is_one_by_the_certainty_of_a_network(tokenizer: Tokenizer, certainty: float) -> None:
    found = surprises(Guesser(tokenizer, RECORD, certainty), tokenizer, RECORD)
    for surprise in (*found.values(), of_scene(found)):
        assert surprise.perplexity == pytest.approx(1 / certainty, rel=1e-5)


def test_bits_per_byte_are_bits_of_the_tokens_by_bytes_of_the_line(tokenizer: Tokenizer) -> None:
    found = surprises(Guesser(tokenizer, RECORD, 0.25), tokenizer, RECORD)
    for kind, line in LINES.items():
        assert found[kind].text_bytes == len(line)
        assert found[kind].bits_per_byte == pytest.approx(2 * len(tokenizer.encode(line)) / len(line), rel=1e-5)


def test_every_line_of_the_scene_is_counted_as_what_it_is(tokenizer: Tokenizer) -> None:
    found = surprises(Guesser(tokenizer, RECORD, 0.5), tokenizer, RECORD)
    assert {kind: surprise.tokens for kind, surprise in found.items()} == {
        **{kind: len(tokenizer.encode(line)) for kind, line in LINES.items()},
        END: 1,
    }


def test_only_the_scene_and_its_end_are_counted(tokenizer: Tokenizer) -> None:
    found = surprises(Guesser(tokenizer, RECORD, 0.5), tokenizer, RECORD)
    assert of_scene(found).tokens == len(tokenizer.encode(RECORD.scene)) + 1
    assert of_scene(found).text_bytes == len(RECORD.scene)


def test_letters_of_several_bytes_are_counted_by_their_bytes(tokenizer: Tokenizer) -> None:
    record = RecordText(RECORD.header, "DATA: Café… “né”.\n")
    found = surprises(Guesser(tokenizer, record, 0.5), tokenizer, record)
    assert of_scene(found).text_bytes == len(record.scene.encode())


@pytest.mark.parametrize(("window", "counted"), [(0, 0), (1, 0), (4, 0), (40, 40)])
def test_what_exceeds_the_window_is_not_read(tokenizer: Tokenizer, window: int, counted: int) -> None:
    told = len(tokenizer.encode(RECORD.header))
    found = of_scene(surprises(Guesser(tokenizer, RECORD, 0.5, window), tokenizer, RECORD))
    assert found.tokens == max(0, counted - told)


def test_a_header_that_is_a_heading_alone_has_no_first_token_to_foretell(tokenizer: Tokenizer) -> None:
    record = RecordText("# INT. BRIDGE\n", "Picard turns.\n")
    found = surprises(Guesser(tokenizer, record, 0.5), tokenizer, record)
    assert found[HEADING].tokens == len(tokenizer.encode(record.header)) - 1
    assert found[HEADING].perplexity == pytest.approx(2)


def test_surprises_add_up() -> None:
    assert Surprise(2.0, 3, 9) + Surprise(1.0, 1, 2) == Surprise(3.0, 4, 11)
    assert Surprise(math.log(8) * 4, 4, 6).perplexity == pytest.approx(8)
    assert Surprise(math.log(8) * 4, 4, 6).bits_per_byte == pytest.approx(2)


def test_nothing_measured_is_no_number() -> None:
    assert math.isnan(Surprise().perplexity)
    assert math.isnan(Surprise().bits_per_byte)
