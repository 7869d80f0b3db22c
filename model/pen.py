"""Draw lines with a network: tokens until a newline, which can be taken back. It judges no line.

The pen writes one scene at a time. The network's cache makes taking back cheap: the position goes back, nothing is
computed again. When the window is full, the header and the last lines are read in anew. What a token costs does not
grow with what was written: the line's text and the runs of tokens are kept up, not made anew.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.lexicon import Lexicon
from model.sampling import Sampling, draw
from model.serving import Logits, Network
from model.tokenizer import Tokenizer

LINE_TOKENS: Final = 100
USUAL_TOKENS: Final = 24
"""Where so many are left, a line is begun: the network knows best how to go on with the whole scene before it."""

ANY_WORD: Final = Lexicon(())
_PART_OF_A_CHARACTER: Final = "�"
_SIGN: Final = re.compile(r"[^\w\s]")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A line as the network wrote it, without its newline. ``ended``: the network wants the scene to end after it.

    ``nats`` is how much it surprised the network itself, summed over its ``tokens``.
    """

    text: str
    ended: bool
    nats: float = 0.0
    tokens: int = 0

    @property
    def surprise(self) -> float:
        """Mean nats a token; 0 where nothing was drawn."""
        return self.nats / self.tokens if self.tokens else 0.0


class Pen:
    """Writes a scene's lines below its header, each drawn, then kept or taken back."""

    def __init__(self, network: Network, tokenizer: Tokenizer, sampling: Sampling, rng: np.random.Generator) -> None:
        self._network = network
        self._tokenizer = tokenizer
        self._sampling = sampling
        self._rng = rng
        self._newline = tokenizer.encode("\n")
        self._header: list[int] = []
        self._body = _Body(sampling.repeat_tokens)
        self._line = ""
        self._logits: Logits | None = None
        self._kept_logits: Logits | None = None
        self._kept_chances = _Chances()
        self._chances = _Chances()

    @property
    def header_tokens(self) -> int:
        """The most tokens that a header may have, so that there is room for lines below it."""
        return self._network.window - 2 * LINE_TOKENS - 1

    @property
    def log_probability(self) -> float:
        """The mean over all tokens that were drawn and kept, in nats; 0 where there are none."""
        return self._kept_chances.mean

    @property
    def is_drawing(self) -> bool:
        """Whether a line is drawn that was neither kept nor taken back."""
        return self._body.drawn > 0

    def open(self, header: str) -> None:
        """Begin a scene. Raises ValueError where the header is longer than ``header_tokens``."""
        self._header = self._tokenizer.encode(header + "\n")
        if len(self._header) > self.header_tokens:
            raise ValueError(f"a header of {len(self._header)} tokens leaves no room to write")
        self._body = _Body(self._sampling.repeat_tokens)
        self._kept_chances = self._chances = _Chances()
        self._read_anew()

    def draw_line(
        self, beginning: str = "", *, lexicon: Lexicon = ANY_WORD, is_hopeless: Callable[[str], bool] = lambda _: False
    ) -> Drawn:
        """Draw a line of known words that begins so. One that is hopeless at a sign is not drawn to its end."""
        self._make_room(USUAL_TOKENS)
        if beginning:
            self._take(self._tokenizer.encode(beginning))
        for _ in range(LINE_TOKENS - self._body.drawn):
            if self._network.position + 1 >= self._network.window:
                self.take_back()
                self._make_room(LINE_TOKENS)
                return self.draw_line(beginning, lexicon=lexicon, is_hopeless=is_hopeless)
            token = self._draw_token(lexicon)
            if token == self._tokenizer.end_of_text:
                return self._drawn(ended=True)
            self._take([token])
            if token == self._newline[-1]:
                break
            if _SIGN.search(self._tokenizer.pieces[token]) and is_hopeless(self._line):
                break
        return self._drawn(ended=False)

    def _drawn(self, *, ended: bool) -> Drawn:
        nats = self._kept_chances.total - self._chances.total
        return Drawn(self._line.rstrip("\n"), ended, nats, self._chances.tokens - self._kept_chances.tokens)

    def keep(self) -> None:
        """The drawn line stands; the next one begins below it."""
        if self._body.ids[-1:] != self._newline[-1:]:
            self._take(self._newline)
        self._body.kept = len(self._body.ids)
        self._kept_logits, self._kept_chances, self._line = self._logits, self._chances, ""

    def take_back(self) -> None:
        """Forget the drawn line."""
        self._network.rewind(self._network.position - self._body.drawn)
        self._body.take_back()
        self._logits, self._chances, self._line = self._kept_logits, self._kept_chances, ""

    def put_back(self, drawn: Drawn) -> None:
        """Put down a line that was drawn and taken back, and keep it."""
        before, ids = self._kept_chances, self._tokenizer.encode(drawn.text)
        self._make_room(len(ids))
        self._take(ids)
        self._chances = _Chances(before.total - drawn.nats, before.tokens + drawn.tokens)
        self.keep()

    def write(self, line: str) -> None:
        """Put down a line that nobody drew, and keep it."""
        ids = self._tokenizer.encode(line)[: LINE_TOKENS - 1]
        self._make_room(len(ids))
        self._take(ids)
        self.keep()

    def _draw_token(self, lexicon: Lexicon) -> int:
        if self._logits is None:
            raise ValueError("no scene is open")
        line, pieces = self._line, self._tokenizer.pieces
        token = draw(
            self._logits,
            self._sampling,
            self._rng,
            banned=self._body.repeating(),
            fits=lambda token: lexicon.may_go_on(line, pieces[token]),
        )
        self._chances = self._chances.and_one(self._logits, token)
        return token

    def _take(self, ids: list[int]) -> None:
        self._body.add(ids)
        added = "".join(self._tokenizer.pieces[token] for token in ids)
        if _PART_OF_A_CHARACTER in added or self._line.endswith(_PART_OF_A_CHARACTER):
            self._line = self._tokenizer.decode(self._body.ids[self._body.kept :])
        else:
            self._line += added
        self._logits = self._network.feed(ids)

    def _make_room(self, tokens: int) -> None:
        """Where so many tokens might not fit, keep the header and as many whole lines as half of the room takes."""
        if self._network.position + tokens + 1 < self._network.window:
            return
        kept = self._body.ids[: self._body.kept]
        room = (self._network.window - len(self._header) - LINE_TOKENS) // 2
        start = max(0, len(kept) - room)
        while start and start < len(kept) and kept[start - 1] != self._newline[-1]:
            start += 1
        self._body = _Body(self._sampling.repeat_tokens)
        self._body.add(kept[start:])
        self._read_anew()

    def _read_anew(self) -> None:
        self._network.rewind(0)
        self._logits = self._network.feed(self._header + self._body.ids)
        self._body.kept, self._kept_logits, self._line = len(self._body.ids), self._logits, ""


class _Body:
    """The tokens below the header: what is kept, the line that is drawn, and what would repeat a run of them."""

    def __init__(self, run_tokens: int) -> None:
        """No run of ``run_tokens`` may come twice; fewer than two allow everything."""
        self.ids: list[int] = []
        self.kept = 0
        self._before = run_tokens - 1
        self._followers: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)

    @property
    def drawn(self) -> int:
        """The tokens of the line that is drawn."""
        return len(self.ids) - self.kept

    def add(self, ids: Iterable[int]) -> None:
        """More tokens."""
        for token in ids:
            if 0 < self._before <= len(self.ids):
                self._followers[tuple(self.ids[-self._before :])].append(token)
            self.ids.append(token)

    def take_back(self) -> None:
        """Forget the line that is drawn, from its end."""
        for _ in range(self.drawn):
            self.ids.pop()
            if 0 < self._before <= len(self.ids):
                self._followers[tuple(self.ids[-self._before :])].pop()

    def repeating(self) -> list[int]:
        """The ids that would complete a run which stands here already."""
        if not 0 < self._before <= len(self.ids):
            return []
        return self._followers.get(tuple(self.ids[-self._before :]), [])


@dataclass(frozen=True, slots=True)
class _Chances:
    """Summed log-probabilities of drawn tokens, in nats."""

    total: float = 0.0
    tokens: int = 0

    @property
    def mean(self) -> float:
        """The mean of a token; 0 where there are none."""
        return self.total / self.tokens if self.tokens else 0.0

    def and_one(self, logits: Logits, token: int) -> _Chances:
        """With one more token, drawn from logits (V,)."""
        top = logits.max()
        spread = float(np.log(np.exp(logits - top).sum(dtype=np.float64)))
        return _Chances(self.total + float(logits[token] - top) - spread, self.tokens + 1)


__all__ = ["LINE_TOKENS", "Drawn", "Pen"]
