"""How surprised a network is by text: by line kind and by byte, so that networks with other tokens compare.

A record is a header and a scene (see ``model.corpus.training_text``). What is counted is the scene, its header given;
the heading, which ends the header, is counted apart. Perplexity is a token's, bits per byte are the text's own: nats
over ln 2 times its bytes in UTF-8. Nothing is sampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from model.tokenizer import Tokenizer
from tng.script import ElementKind, parse_line

HEADING: Final = "heading"
CUE: Final = "cue"
DIALOGUE: Final = "dialogue"
END: Final = "end"
"""The end-of-text id, where the network should stop: a token, and no byte."""
KINDS: Final = (DIALOGUE, "action", HEADING, CUE, "shot", "transition", END)

MOST_NATS: Final = 700.0
"""Of a token: a network beyond it is broken, and its perplexity is no number that can be held."""

_ROWS: Final = 64
"""Logits of so many tokens are widened to float64 at once: a whole window of a large vocabulary would be a gigabyte."""


class Scorer(Protocol):
    """A network that scores a text: window T at the most, logits (T, V), row t for what comes after token t."""

    @property
    def window(self) -> int:
        """How many tokens it can hold."""
        ...

    def score(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """From nothing, the logits after every token."""
        ...


@dataclass(frozen=True, slots=True)
class RecordText:
    """A record as text: the header with its heading's line, the lines of the scene, and the act that it stands in."""

    header: str
    scene: str
    act: str = ""

    @property
    def text(self) -> str:
        """Both, as the network reads them."""
        return self.header + self.scene


@dataclass(frozen=True, slots=True)
class Surprise:
    """Summed loss in nats, over how many tokens, and over how many bytes of text."""

    nats: float = 0.0
    tokens: int = 0
    text_bytes: int = 0

    def __add__(self, other: Surprise) -> Surprise:
        return Surprise(self.nats + other.nats, self.tokens + other.tokens, self.text_bytes + other.text_bytes)

    @property
    def perplexity(self) -> float:
        """The mean number of equally likely next tokens; not a number where there were none, infinite beyond 1e304."""
        if not self.tokens:
            return math.nan
        mean = self.nats / self.tokens
        return math.inf if mean > MOST_NATS else math.exp(mean)

    @property
    def bits_per_byte(self) -> float:
        """What a byte costs an ideal coder that uses the network; not a number where there were none."""
        return self.nats / math.log(2) / self.text_bytes if self.text_bytes else math.nan


def surprises(network: Scorer, tokenizer: Tokenizer, record: RecordText) -> dict[str, Surprise]:
    """The surprise at each kind of line of a record, the kinds that it has. What exceeds the window is not read."""
    ids = [*tokenizer.encode(record.text), tokenizer.end_of_text][: network.window]
    if len(ids) < 2:
        return {}
    nats = nats_of(network.score(ids[:-1]), ids[1:])
    found: dict[str, Surprise] = {}
    place = 0
    for kind, part in _parts(tokenizer, record, ids):
        end = place + len(part)
        if kind:
            lost = nats[max(0, place - 1) : end - 1]  # nobody foretold the very first token
            counted = Surprise(float(lost.sum()), len(lost), len(tokenizer.decode(part).encode()))
            found[kind] = found.get(kind, Surprise()) + counted
        place = end
    return found


def of_scene(found: Mapping[str, Surprise]) -> Surprise:
    """All kinds of a record together but the heading, which the writing is given."""
    return sum((surprise for kind, surprise in found.items() if kind != HEADING), Surprise())


def nats_of(logits: NDArray[np.float32], targets: Sequence[int]) -> NDArray[np.float64]:
    """The loss of each target (T,) under the logits (T, V)."""
    nats = np.empty(len(targets))
    for start in range(0, len(targets), _ROWS):
        rows = logits[start : start + _ROWS].astype(np.float64)
        wanted = targets[start : start + _ROWS]
        top = rows.max(axis=-1)
        total = np.log(np.exp(rows - top[:, None]).sum(axis=-1)) + top
        nats[start : start + len(wanted)] = total - rows[np.arange(len(wanted)), wanted]
    return nats


def _parts(tokenizer: Tokenizer, record: RecordText, ids: Sequence[int]) -> Iterator[tuple[str, list[int]]]:
    """Neighbouring tokens of one kind; the first part, without a kind, is the header before its heading.

    A newline is a token of its own and belongs to its line, for every line of a record begins with something else.
    """
    before, _, _ = record.header.removesuffix("\n").rpartition("\n")
    given = len(tokenizer.encode(before + "\n")) if before else 0
    told = len(tokenizer.encode(record.header))
    kinds = [""] * given + [HEADING] * (told - given) + _kinds_of_lines(tokenizer, record.scene)
    labelled = zip(kinds, ids, strict=False)  # the window may end first
    for kind, group in groupby(labelled, key=lambda pair: pair[0]):
        yield kind, [token for _, token in group]


def _kinds_of_lines(tokenizer: Tokenizer, scene: str) -> list[str]:
    """The kind of every token of a scene, and of the end of the text."""
    kinds: list[str] = []
    for line in scene.splitlines(keepends=True):
        kind = parse_line(line.rstrip("\n")).kind
        in_cue = kind is ElementKind.SPEECH
        for token in tokenizer.encode(line):
            kinds.append(CUE if in_cue else DIALOGUE if kind is ElementKind.SPEECH else kind.value)
            in_cue = in_cue and ":" not in tokenizer.pieces[token]
    return [*kinds, END]


__all__ = [
    "CUE",
    "DIALOGUE",
    "END",
    "HEADING",
    "KINDS",
    "RecordText",
    "Scorer",
    "Surprise",
    "nats_of",
    "of_scene",
    "surprises",
]
