"""Both networks read the same text, whatever their windows and their tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from model.promotion.held_out import Passage, Reader, passages, reading_of
from model.quality.perplexity import RecordText
from model.tokenizer import Tokenizer

HEADER = "ACT: TEASER\n# INT. BRIDGE\n"
RECORD = RecordText(HEADER, "DATA: Captain.\nPicard turns to him.\nPICARD: Report.\n")


class Even:
    """Finds all tokens equally likely, or gives no number."""

    window = 100

    def __init__(self, size: int, logit: float = 0.0) -> None:
        self._size, self._logit = size, logit

    def score(self, ids: Sequence[int]) -> NDArray[np.float32]:
        assert len(ids) <= self.window
        return np.full((len(ids), self._size), self._logit, np.float32)


def test_a_record_that_fits_is_read_to_the_end_of_its_text(tokenizer: Tokenizer) -> None:
    (passage,) = passages([RECORD], [Reader(tokenizer, 100)])
    assert passage == Passage(HEADER, RECORD.scene, is_whole=True)
    found = reading_of(Even(tokenizer.size), tokenizer, [passage])
    tokens = len(tokenizer.encode(RECORD.scene)) + 1
    assert found.tokens == (tokens,)
    assert found.nats == pytest.approx((tokens * math.log(tokenizer.size),))


def test_one_that_does_not_fit_is_cut_at_a_line_for_both(tokenizer: Tokenizer) -> None:
    small = len(tokenizer.encode(HEADER + "DATA: Captain.\nPicard turns to him.\n"))
    readers = [Reader(tokenizer, 100), Reader(tokenizer, small)]
    (passage,) = passages([RECORD], readers)
    assert passage == Passage(HEADER, "DATA: Captain.\nPicard turns to him.\n", is_whole=False)
    found = reading_of(Even(tokenizer.size), tokenizer, [passage])
    assert found.tokens == (len(tokenizer.encode(passage.scene)),), "its text does not end there"


def test_a_header_that_leaves_no_room_is_left_out(tokenizer: Tokenizer) -> None:
    assert passages([RECORD], [Reader(tokenizer, 3)]) == []


@pytest.mark.parametrize("logit", [math.nan, math.inf])
def test_what_is_no_number_is_told_as_such(tokenizer: Tokenizer, logit: float) -> None:
    (passage,) = passages([RECORD], [Reader(tokenizer, 100)])
    found = reading_of(Even(tokenizer.size, logit), tokenizer, [passage])
    assert math.isnan(found.nats[0])
