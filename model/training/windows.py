"""Which tokens a step reads: a function of (seed, step) alone, so that a training that is resumed reads the same.

A window holds ``n_ctx`` tokens to read and one more to foresee the last. Most begin where a record begins, as all do
when the network writes: each beginning comes once before any comes again, in an order drawn anew each time round.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tng.errors import CorpusError

_ORDER: Final = 0
_ELSEWHERE: Final = 1

Tokens = NDArray[np.int32]


class Windows:
    """The windows of a file of episodes. It holds all its tokens in memory."""

    def __init__(self, path: Path, length: int, end_of_text: int) -> None:
        """``length`` counts the tokens of a window, the foreseen one among them.

        A window goes on into the next episode, the last one's into the first: else nobody would learn how episodes end.
        Raises CorpusError where the corpus holds no record, or fewer tokens than a window.
        """
        with np.load(path) as arrays:
            tokens = np.concatenate([arrays[name] for name in arrays.files] or [np.zeros(0)]).astype(np.int32)
        if len(tokens) < length:
            raise CorpusError(f"the corpus holds {len(tokens)} tokens, fewer than a window of {length}")
        self._length = length
        self._tokens = np.concatenate([tokens, tokens[:length]])
        self._places = len(tokens)
        marks = np.flatnonzero(tokens == end_of_text)
        self._starts = marks[self._tokens[marks + 1] != end_of_text] + 1
        self._drawn = (-1, -1, np.zeros(0, np.int64))  # seed, turn, and the order of that turn
        if not len(self._starts):
            raise CorpusError("no record of the corpus begins below an end-of-text id")

    @property
    def records(self) -> int:
        """How many records a window may begin with."""
        return len(self._starts)

    def batch(self, seed: int, step: int, size: int, whole_records: float) -> Tokens:
        """The windows (size, length) of a step, counted from 0; a share of ``whole_records`` begins with a record."""
        numbers = range(step * size, (step + 1) * size)
        places = [self._ordered(seed, *divmod(number, self.records)) for number in numbers]
        starts = self._starts[places]
        rng = np.random.default_rng([seed, _ELSEWHERE, step])
        moved = rng.random(size) >= whole_records
        anywhere = rng.integers(0, self._places, size)
        return self._cut(np.where(moved, anywhere, starts))

    def fixed(self, most: int) -> Tokens:
        """At most so many windows, spread evenly over all records: the same ones each time."""
        places = np.linspace(0, self.records - 1, min(most, self.records)).astype(int)
        return self._cut(self._starts[places])

    def _ordered(self, seed: int, turn: int, place: int) -> int:
        if self._drawn[:2] != (seed, turn):
            order = np.random.default_rng([seed, _ORDER, turn]).permutation(self.records)
            self._drawn = seed, turn, order
        return int(self._drawn[2][place])

    def _cut(self, starts: NDArray[np.int64]) -> Tokens:
        windows: Tokens = self._tokens[starts[:, None] + np.arange(self._length)]
        return windows


__all__ = ["Tokens", "Windows"]
