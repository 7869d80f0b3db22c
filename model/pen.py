"""Draw lines with a network: tokens until a newline, which can be taken back. It judges no line.

The pen writes one scene at a time. The network's cache makes taking back cheap: the position goes back, nothing is
computed again. When the window is full, the header and the last lines are read in anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.lexicon import Lexicon
from model.sampling import Sampling, draw, repeats
from model.serving import Logits, Network
from model.tokenizer import Tokenizer

LINE_TOKENS: Final = 100
ANY_WORD: Final = Lexicon(())


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line as the network wrote it, without its newline. ``ended``: the network wants the scene to end after it."""

    text: str
    ended: bool


class Pen:
    """Writes a scene's lines below its header, each drawn, then kept or taken back."""

    def __init__(self, network: Network, tokenizer: Tokenizer, sampling: Sampling, rng: np.random.Generator) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._sampling = sampling
        self._rng = rng
        self._newline = tokenizer.encode("\n")
        self._header: list[int] = []
        self._body: list[int] = []
        self._kept = 0
        self._logits: Logits | None = None
        self._kept_logits: Logits | None = None

    @property
    def header_tokens(self) -> int:
        """The most tokens that a header may have, so that there is room for lines below it."""
        return self._network.window - 2 * LINE_TOKENS - 1

    def open(self, header: str) -> None:
        """Begin a scene. Raises ValueError where the header is longer than ``header_tokens``."""
        self._header = self._tokenizer.encode(header + "\n")
        if len(self._header) > self.header_tokens:
            raise ValueError(f"a header of {len(self._header)} tokens leaves no room to write")
        self._body = []
        self._read_anew()

    def draw_line(
        self, beginning: str = "", *, lexicon: Lexicon = ANY_WORD, is_hopeless: Callable[[str], bool] = lambda _: False
    ) -> Drawn:
        """Draw a line of known words that begins so. One that is hopeless at its colon is not drawn to its end."""
        if self._network.position + LINE_TOKENS + 1 >= self._network.window:
            self._shift()
        if beginning:
            self._take(self._tokenizer.encode(beginning))
        for _ in range(LINE_TOKENS - (len(self._body) - self._kept)):
            token = self._draw_token(lexicon)
            if token == self._tokenizer.end_of_text:
                return Drawn(self._line(), ended=True)
            self._take([token])
            if token == self._newline[-1]:
                return Drawn(self._line(), ended=False)
            if ":" in self._tokenizer.pieces[token] and is_hopeless(self._line()):
                break
        return Drawn(self._line(), ended=False)

    def keep(self) -> None:
        """The drawn line stands; the next one begins below it."""
        if self._body[-1:] != self._newline[-1:]:
            self._take(self._newline)
        self._kept, self._kept_logits = len(self._body), self._logits

    def take_back(self) -> None:
        """Forget the drawn line."""
        self._network.rewind(self._network.position - (len(self._body) - self._kept))
        del self._body[self._kept :]
        self._logits = self._kept_logits

    def write(self, line: str) -> None:
        """Put down a line that nobody drew, and keep it."""
        if self._network.position + LINE_TOKENS + 1 >= self._network.window:
            self._shift()
        self._take(self._tokenizer.encode(line)[: LINE_TOKENS - 1])
        self.keep()

    def _draw_token(self, lexicon: Lexicon) -> int:
        if self._logits is None:
            raise ValueError("no scene is open")
        line, pieces = self._line(), self._tokenizer.pieces
        return draw(
            self._logits,
            self._sampling,
            self._rng,
            banned=repeats(self._body, self._sampling.repeat_tokens),
            fits=lambda token: lexicon.may_go_on(line, pieces[token]),
        )

    def _line(self) -> str:
        return self._tokenizer.decode(self._body[self._kept :]).rstrip("\n")

    def _take(self, ids: list[int]) -> None:
        self._body += ids
        self._logits = self._network.feed(ids)

    def _shift(self) -> None:
        """Keep the header and as many whole lines as fill half of the room below it."""
        room = (self._network.window - len(self._header) - LINE_TOKENS) // 2
        start = max(0, self._kept - room)
        while start and start < self._kept and self._body[start - 1] != self._newline[-1]:
            start += 1
        self._body = self._body[start : self._kept]
        self._read_anew()

    def _read_anew(self) -> None:
        self._network.rewind(0)
        self._logits = self._network.feed(self._header + self._body)
        self._kept, self._kept_logits = len(self._body), self._logits


__all__ = ["LINE_TOKENS", "Drawn", "Pen"]
