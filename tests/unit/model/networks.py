"""Networks for tests: one that has read the corpus, and some that say nothing of use. All keep the protocol Network."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray


class TestNetwork:
    """Keeps the tokens; what comes next is said by ``likely``."""

    __test__ = False

    def __init__(self, size: int, window: int = 448) -> None:
        self.size = size
        self.window = window
        self.ids: list[int] = []
        self.fed_tokens = 0

    @property
    def position(self) -> int:
        return len(self.ids)

    def feed(self, ids: Sequence[int]) -> NDArray[np.float32]:
        assert ids
        assert len(self.ids) + len(ids) <= self.window
        self.ids += ids
        self.fed_tokens += len(ids)
        return self.likely()

    def rewind(self, position: int) -> None:
        assert 0 <= position <= len(self.ids)
        del self.ids[position:]

    def likely(self) -> NDArray[np.float32]:
        raise NotImplementedError


class MarkovNetwork(TestNetwork):
    """Continues the last tokens as the corpus did."""

    def __init__(self, size: int, texts: Iterable[Sequence[int]], order: int = 3, window: int = 448) -> None:
        super().__init__(size, window)
        self._order = order
        self._next: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for ids in texts:
            for place in range(len(ids)):
                for length in range(order + 1):
                    self._next[tuple(ids[max(0, place - length) : place])][int(ids[place])] += 1

    def fresh(self) -> MarkovNetwork:
        """Another one that has read the same, and holds nothing yet."""
        other = MarkovNetwork(self.size, (), self._order, self.window)
        other._next = self._next
        return other

    def likely(self) -> NDArray[np.float32]:
        logits = np.full(self.size, -20.0, np.float32)
        for length in range(self._order, -1, -1):
            seen = self._next.get(tuple(self.ids[len(self.ids) - length :]))
            if seen:
                for token, count in seen.items():
                    logits[token] = np.log(count)
                break
        return logits


class NoiseNetwork(TestNetwork):
    """Says something else each time, and never anything sensible."""

    def __init__(self, size: int, window: int = 448) -> None:
        super().__init__(size, window)
        self._noise = np.random.default_rng(1).standard_normal((97, size)).astype(np.float32)

    def likely(self) -> NDArray[np.float32]:
        return self._noise[zlib.crc32(repr(self.ids[-6:]).encode()) % 97]


class OneTokenNetwork(TestNetwork):
    """Says the same token for ever."""

    def __init__(self, size: int, token: int, window: int = 448) -> None:
        super().__init__(size, window)
        self._token = token

    def likely(self) -> NDArray[np.float32]:
        logits = np.full(self.size, -5.0, np.float32)
        logits[self._token] = 20
        return logits


class RecitingNetwork(TestNetwork):
    """Recites one text again and again, whatever it was told, from the line that stands in for its beginning."""

    def __init__(self, size: int, recital: Sequence[int], window: int = 448) -> None:
        super().__init__(size, window)
        self._recital = list(recital)
        self._said = 0

    def feed(self, ids: Sequence[int]) -> NDArray[np.float32]:
        if len(ids) > 1:
            self._said = 0
        return super().feed(ids)

    def likely(self) -> NDArray[np.float32]:
        logits = np.full(self.size, -30.0, np.float32)
        logits[self._recital[self._said % len(self._recital)]] = 30
        self._said += 1
        return logits
