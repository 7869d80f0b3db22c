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

        An episode that is shorter gives no window. Raises CorpusError where none is longer.
        """
        with np.load(path) as arrays:
            episodes = [arrays[name] for name in arrays.files]
        if not any(len(episode) > length for episode in episodes):
            raise CorpusError(f"no episode of the corpus holds {length + 1} tokens")
        self._length = length
        self._tokens = np.concatenate(episodes).astype(np.int32)
        lasts = np.cumsum([len(episode) for episode in episodes])
        firsts = lasts - [len(episode) for episode in episodes]
        marks = np.flatnonzero(self._tokens == end_of_text)
        episode_of = np.searchsorted(lasts, marks, side="right")
        fits = marks + 1 + length <= lasts[episode_of]
        self._starts, self._episode_of = marks[fits] + 1, episode_of[fits]
        self._firsts, self._lasts = firsts, lasts
        self._drawn = (-1, -1, np.zeros(0, np.int64))  # seed, turn, and the order of that turn
        if not len(self._starts):
            raise CorpusError(f"no record of the corpus is followed by {length} tokens of its episode")

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
        episodes = self._episode_of[places]
        anywhere = rng.integers(self._firsts[episodes], self._lasts[episodes] - self._length + 1)
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
