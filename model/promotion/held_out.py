"""How surprised two networks are by the same text: held-out records, cut to the lines that both can read.

Networks with other windows and other vocabularies would read other parts of a record; so a record that does not fit
both windows is cut at a line, for both. What is counted is the scene and the end of the text, the header given.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from model.quality.perplexity import RecordText, Scorer, nats_of
from model.tokenizer import Tokenizer


@dataclass(frozen=True, slots=True)
class Reader:
    """How a network reads: its tokens, and how many of them it can hold."""

    tokenizer: Tokenizer
    window: int

    def room_below(self, header: str) -> int:
        """The tokens that a scene may have."""
        return self.window - len(self.tokenizer.encode(header))


@dataclass(frozen=True, slots=True)
class Passage:
    """A header and as many lines of its scene as everybody can read; where that is all, the text ends there."""

    header: str
    scene: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading an episode cost: nats and tokens of each passage. NaN where the network gave no number."""

    nats: tuple[float, ...]
    tokens: tuple[int, ...]


def passages(record_texts: Iterable[RecordText], readers: Sequence[Reader]) -> list[Passage]:
    """The passages of an episode; a record whose header alone fills a window is left out."""
    cut = (_cut(record, readers) for record in record_texts)
    return [passage for passage in cut if passage.scene]


def reading_of(network: Scorer, tokenizer: Tokenizer, episode: Iterable[Passage]) -> Reading:
    """What the passages of an episode cost a network."""
    costs = [_cost(network, tokenizer, passage) for passage in episode]
    return Reading(tuple(nats for nats, _ in costs), tuple(tokens for _, tokens in costs))


def _cut(record: RecordText, readers: Sequence[Reader]) -> Passage:
    lines = record.scene.splitlines(keepends=True)
    fits = min((_lines_that_fit(record.header, lines, reader) for reader in readers), default=len(lines))
    return Passage(record.header, "".join(lines[:fits]), fits == len(lines))


def _lines_that_fit(header: str, lines: Sequence[str], reader: Reader) -> int:
    room = reader.room_below(header)
    for number, line in enumerate(lines):
        room -= len(reader.tokenizer.encode(line))
        if room < 0:
            return number
    return len(lines)


def _cost(network: Scorer, tokenizer: Tokenizer, passage: Passage) -> tuple[float, int]:
    given = tokenizer.encode(passage.header)
    end = [tokenizer.end_of_text] if passage.is_whole else []
    ids = [*given, *tokenizer.encode(passage.scene), *end]
    with np.errstate(over="ignore", invalid="ignore"):  # what is no number is told, not warned of
        nats = nats_of(network.score(ids[:-1]), ids[1:])[max(0, len(given) - 1) :]
        total = float(nats.sum())
    return (total if math.isfinite(total) else math.nan), len(nats)


__all__ = ["Passage", "Reader", "Reading", "passages", "reading_of"]
