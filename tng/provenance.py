"""How a script was written, as its run told it, in words for the person who reads it. It measures nothing.

The run tells it as plain JSON, and an older order may have none of it, or a part: what was not told is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Provenance:
    """What stands behind one script. ``share`` is the part of its words that stand in the training text, 0 to 1.

    ``longest_run_words`` is the longest passage, in words, that it shares with that text; ``written_again`` counts
    the scenes that were refused at least once. ``corpus_is_ours`` says that the training text is the product's own.
    ``part_of`` is how many scenes were planned where the writing was stopped, and ``part`` how many there are.
    ``let_stand`` scenes stand with a flaw, and ``refused_lines`` drafts of lines were not taken.
    """

    release_id: str | None = None
    seed: int | None = None
    scenes: int | None = None
    written_again: int | None = None
    longest_run_words: int | None = None
    share: float | None = None
    corpus_is_ours: bool = False
    part: int | None = None
    part_of: int | None = None
    let_stand: int | None = None
    refused_lines: int | None = None

    @classmethod
    def read(cls, fields: Mapping[str, Any] | None) -> Provenance:
        """From the run's JSON. A part that is missing, or of another kind, counts as not told."""
        fields = fields or {}
        gates, copied = _mapping(fields.get("gates")), _mapping(fields.get("copied"))
        part = _mapping(fields.get("part"))
        release_id = fields.get("release")
        return cls(
            release_id=release_id if isinstance(release_id, str) and release_id else None,
            seed=_count(fields.get("seed")),
            scenes=_count(gates.get("scenes")),
            written_again=_count(gates.get("written_again")),
            longest_run_words=_count(copied.get("longest_run_words")),
            share=_share(copied.get("share")),
            corpus_is_ours=copied.get("corpus_is_ours") is True,
            part=_count(part.get("written")),
            part_of=_count(part.get("planned")),
            let_stand=_count(gates.get("let_stand")),
            refused_lines=_sum(gates.get("refused")),
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that was told, for the person who reads the script; nothing where nothing was."""
        told = (self._writer, self.how_far, self._rewriting, self.copied)
        return tuple(sentence for sentence in told if sentence)

    @property
    def how_far(self) -> str:
        """One sentence where the script is a part, because its customer stopped the writing; else empty."""
        if self.part is None or not self.part_of or self.part >= self.part_of:
            return ""
        return f"A part: {self.part:,} of {self.part_of:,} scenes, because the writing was stopped."

    @property
    def copied(self) -> str:
        """One sentence on what the script shares with the training text; empty where that was not measured."""
        if self.longest_run_words is None or self.share is None:
            return ""
        if not self.longest_run_words:
            return "No passage is shared with the training text."
        words = f"{self.longest_run_words:,} word{'s' * (self.longest_run_words != 1)}"
        whose = "the training text, which is our own" if self.corpus_is_ours else "the training text"
        return f"Longest passage shared with {whose}: {words}; {percent(self.share)} of the script stands in it."

    @property
    def _writer(self) -> str:
        if self.release_id is None:
            return ""
        return f"Written by release {self.release_id}" + ("." if self.seed is None else f", from seed {self.seed}.")

    @property
    def _rewriting(self) -> str:
        if self.scenes is None or self.written_again is None:
            return ""
        again = "none" if not self.written_again else f"{self.written_again:,}"
        return f"{self.scenes:,} scene{'s' * (self.scenes != 1)}, of which {again} had to be written again."


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _sum(value: object) -> int | None:
    counts = [_count(count) for count in _mapping(value).values()]
    return sum(count for count in counts if count is not None) if counts else None


def _share(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        return None
    return float(value)


def percent(share: float) -> str:
    """A share from 0 to 1 as a person says it."""
    return "less than 1%" if 0 < share < 0.01 else f"{share:.0%}"
