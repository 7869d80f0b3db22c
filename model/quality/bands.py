"""What each measure should be, and all measures of one script. Bands say what is usual, not what is good.

They were set beside 15 held-out teleplays of a real series, two Markov chains, a copy and a loop: mean and extremes of
the real ones lie inside, every control lies outside of at least one. They are for full episodes; measures that depend
on length are not judged on less.

Copying has bands for text that is somebody else's. Where the training text is the project's own, as the demonstration
corpus is, it is measured and not judged: its episodes are put together from one bank of scenes, so that two of them may
share whole scenes, and whoever repeats the bank takes nothing from anybody.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from model.copies import comparable
from model.quality import measures
from model.quality.copied_runs import CopiedRuns, copied_share, longest_run, seen_ngrams
from tng.script import Script, render


class Judged(StrEnum):
    """Which of a batch's values is held against the band: their mean, or the worst, by the bound that it could pass."""

    MEAN = "mean"
    LEAST = "least"
    MOST = "most"

    def of(self, values: Sequence[float]) -> float:
        """That value. Raises ValueError where there is none."""
        if not values:
            raise ValueError("there is no script to judge")
        return {Judged.MEAN: math.fsum(values) / len(values), Judged.LEAST: min(values), Judged.MOST: max(values)}[self]


@dataclass(frozen=True, slots=True)
class Band:
    """From ``low`` to ``high``, both inside; without either it is reported and never judged."""

    name: str
    meaning: str
    low: float = -math.inf
    high: float = math.inf
    judged: Judged = Judged.MEAN
    is_of_copying: bool = False
    is_of_whole_episodes: bool = False

    @property
    def is_bounded(self) -> bool:
        """Whether there is anything to judge by."""
        return math.isfinite(self.low) or math.isfinite(self.high)

    def holds(self, value: float) -> bool:
        """Whether a value is inside."""
        return self.low <= value <= self.high


BANDS: Final = (
    Band("parse_rate", "lines of a known type", 0.97, 1.0, Judged.LEAST),
    Band("headings_valid", "headings with INT or EXT", 0.95, 1.0),
    Band("acts_in_order", "acts where the plan has them", 1.0, 1.0, Judged.LEAST),
    Band("known_speakers", "speeches by speakers of the training text or guests of the plan", 0.6, 1.0),
    Band("main_cast_share", "speeches by the show's own people", 0.4, 0.95),
    Band("speakers", "people who speak", 6, 25, is_of_whole_episodes=True),
    Band("one_line_speakers", "of them with a single speech", 0.0, 0.35),
    Band("dialogue_share", "spoken words", 0.35, 0.85),
    Band("words_per_speech", "words of a speech", 7, 20),
    Band("distinct_2", "different word pairs", low=0.6),
    Band("distinct_4", "different runs of four words", low=0.9),
    Band("repeated_lines", "lines that stood there before", high=0.15),
    Band("repeated_6grams", "runs of six words that stood there before", high=0.06),
    Band("worst_variety", "different words in the poorest hundred", low=0.4),
    Band("compression", "compressed by uncompressed bytes", 0.32, 0.46, is_of_whole_episodes=True),
    Band("longest_run", "longest copied run, words (64: or more)", 0, 20, Judged.MOST, is_of_copying=True),
    Band("copied_share", "words in copied runs of ten and more", high=0.03, is_of_copying=True),
    Band("seen_8grams", "runs of eight words that the training text has", is_of_copying=True),
    Band("seen_13grams", "runs of thirteen words that the training text has", is_of_copying=True),
    Band("self_bleu", "BLEU-4 against the others of the batch, percent", high=30),
)
"""In the order of the report."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A script to measure, and what was planned: its acts, its guests' cues.

    ``told`` is its text as the training text would have it, with marks for names; empty where that is not known.
    """

    script: Script
    acts: tuple[str, ...]
    guests: frozenset[str] = frozenset()
    told: str = ""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What scripts are measured against: the speakers of the training text, the show's cast, the training text."""

    known_speakers: frozenset[str]
    main_cast: frozenset[str]
    training: CopiedRuns


def measured(sample: Sample, yardstick: Yardstick) -> dict[str, float]:
    """Every measure of one script but self-BLEU, which needs a batch; all finite for any script."""
    script = sample.script
    return {
        "parse_rate": measures.parse_rate(script),
        "headings_valid": measures.headings_valid(script),
        "acts_in_order": measures.acts_in_order(script, sample.acts),
        "known_speakers": measures.speeches_by(script, yardstick.known_speakers | sample.guests),
        "main_cast_share": measures.speeches_by(script, yardstick.main_cast),
        "speakers": measures.speakers(script),
        "one_line_speakers": measures.one_line_speakers(script),
        "dialogue_share": measures.dialogue_share(script),
        "words_per_speech": measures.words_per_speech(script),
        "distinct_2": measures.distinct(script, 2),
        "distinct_4": measures.distinct(script, 4),
        "repeated_lines": measures.repeated_lines(script),
        "repeated_6grams": measures.repeated_ngrams(script, 6),
        "worst_variety": measures.worst_variety(script),
        "compression": measures.compression(script),
        **_copied(sample, yardstick.training),
    }


def _copied(sample: Sample, training: CopiedRuns) -> dict[str, float]:
    runs = training.runs(comparable(sample.told or render(sample.script).partition("\n")[2]))
    return {
        "longest_run": longest_run(runs),
        "copied_share": copied_share(runs),
        "seen_8grams": seen_ngrams(runs, 8),
        "seen_13grams": seen_ngrams(runs, 13),
    }


def cues_said_twice(scripts: Iterable[Script]) -> frozenset[str]:
    """The speakers whom a training text knows: those with two speeches and more. One is a typo, or nobody."""
    once: set[str] = set()
    twice: set[str] = set()
    for script in scripts:
        for cue in measures.cues(script):
            (twice if cue in once else once).add(cue)
    return frozenset(twice)


__all__ = ["BANDS", "Band", "Judged", "Sample", "Yardstick", "cues_said_twice", "measured"]
