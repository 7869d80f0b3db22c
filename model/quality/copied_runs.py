"""How much of a text stands in the training text, word for word: exact, by a suffix array over words.

For measuring, with the whole training text at hand. While writing, a release has hashes alone (``model.copies``), which
may join pieces of several places; here a run stands in one place. Words are made comparable by the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.copies import comparable
from model.quality.wording import share

LONGEST: Final = 64
"""Longer runs count as so many words: whoever copied sixty-four in a row has copied."""
COPIED: Final = 10
"""From so many words on, a run is counted as copied: real episodes that know nothing of each other share 8 to 16."""

_OUTSIDE: Final = 0
_BREAK: Final = 1

Ids = NDArray[np.int64]


class CopiedRuns:
    """The training text, sorted by what follows each word. No run goes over from one text to the next.

    Suffixes are sorted by their first 64 words by prefix doubling (Manber and Myers 1993); a place is looked up by
    halving the range of suffixes that go on like it, a word at a time, for all places of a text at once.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._known: dict[str, int] = {}
        ids: list[int] = []
        for text in texts:
            ids += [self._known.setdefault(word, len(self._known) + 2) for word in comparable(text)]
            ids.append(_BREAK)
        self._ids = np.array([*ids, *[_BREAK] * LONGEST], dtype=np.int64)
        self._order = _suffix_order(self._ids)[LONGEST:] if ids else np.empty(0, np.int64)

    def runs(self, tokens: Sequence[str]) -> Ids:
        """For each word (T,), how many from it on stand somewhere in the training text, 64 at the most."""
        wanted = np.array([self._known.get(token, _OUTSIDE) for token in tokens] + [_OUTSIDE] * LONGEST, np.int64)
        low = np.zeros(len(tokens), np.int64)
        high = np.full(len(tokens), len(self._order), np.int64)
        lengths = np.zeros(len(tokens), np.int64)
        going = np.arange(len(tokens))
        for depth in range(LONGEST):
            next_ids = wanted[going + depth]
            first = self._bound(low[going], high[going], depth, next_ids)
            last = self._bound(low[going], high[going], depth, next_ids + 1)
            found = last > first
            going, first, last = going[found], first[found], last[found]
            low[going], high[going], lengths[going] = first, last, depth + 1
        return lengths

    def _bound(self, low: Ids, high: Ids, depth: int, wanted: Ids) -> Ids:
        """The first place of each range whose suffix has, ``depth`` words in, at least the wanted word."""
        low, high = low.copy(), high.copy()
        while (open_ := low < high).any():
            middle = (low + high) // 2
            there = self._ids[self._order[np.minimum(middle, len(self._order) - 1)] + depth]
            less = open_ & (there < wanted)
            low = np.where(less, middle + 1, low)
            high = np.where(open_ & ~less, middle, high)
        return low


def longest_run(runs: Ids) -> float:
    """The longest copied run in words; 64 means 64 or more. Above 20 a scene is written again, above 40 it is theft."""
    return float(runs.max(initial=0))


def copied_share(runs: Ids) -> float:
    """The share of words inside copied runs of ten words and more."""
    return share(float(_inside(runs).sum()), len(runs))


def seen_ngrams(runs: Ids, length: int) -> float:
    """The share of n-grams that the training text has (McCoy and others 2023, RAVEN, arXiv 2111.09509)."""
    return share(float((runs >= length).sum()), max(0, len(runs) - length + 1))


def _inside(runs: Ids) -> NDArray[np.bool_]:
    edges = np.zeros(len(runs) + 1, np.int64)
    starts = np.flatnonzero(runs >= COPIED)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + runs[starts], -1)
    return np.cumsum(edges)[:-1] > 0


def _suffix_order(ids: Ids) -> Ids:
    """Where suffixes begin, by their first LONGEST words: ranks of 1, 2, 4 … words give those of twice as many."""
    ranks = ids
    length = 1
    while True:
        behind = np.concatenate([ranks[length:], np.zeros(length, np.int64)])
        keys = ranks * (int(ranks.max()) + 1) + behind
        order = np.argsort(keys)
        length *= 2
        if length >= LONGEST:
            return order
        ordered = keys[order]
        ranks = np.empty_like(keys)
        ranks[order] = np.cumsum(np.concatenate([[1], ordered[1:] != ordered[:-1]]))


__all__ = ["COPIED", "LONGEST", "CopiedRuns", "copied_share", "longest_run", "seen_ngrams"]
