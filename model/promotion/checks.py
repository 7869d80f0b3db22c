"""The eight checks of the gate. Pure functions of what was measured; each gives one row, and a row always comes.

A check that could not be made is not passed. None, not judged, is said of one thing alone: of copying a corpus that is
the project's own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import stdev
from typing import Any, Final

from model.promotion.bootstrap import FEWEST_RECORDS, Pair, Ratio, ratio_of
from model.promotion.measured import Measured
from model.promotion.samples import MOST_COPIED_WORDS, MOST_STOCK_SHARE

MOST_RATIO: Final = 0.995
"""Of the perplexities: half a percent better at least, and the interval below one."""
LEAST_FORM: Final = 0.95
WORSE: Final = 0.02
"""What repetition may be worse by, as a share of the champion's value."""
HALF_A_WORD: Final = 0.5
"""The least that a longest repeat may be worse by: it counts whole words, and is about three."""
LEAST_UNCOPIED: Final = 0.99
LEAST_SPEED: Final = 0.9
MOST_MEMORY: Final = 1.1


@dataclass(frozen=True, slots=True)
class Check:
    """A row of the gate. ``passed`` is None where it is not judged; ``sentence`` says what was found."""

    name: str
    value: float | str | None
    champion_value: float | str | None
    limit: float | str | None
    passed: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Trial:
    """Both sides of an evaluation; ``samples`` were asked of each."""

    candidate: Measured
    champion: Measured
    corpus_is_ours: bool
    samples: int

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The episodes that both read."""
        both = zip(self.candidate.reading, self.champion.reading, strict=False)
        return tuple(Pair(ours.nats, theirs.nats, theirs.tokens) for ours, theirs in both)


def judge(trial: Trial) -> tuple[Check, ...]:
    """The eight rows, in their order."""
    return tuple(check(trial) for check in _CHECKS)


def files(trial: Trial) -> Check:
    """Every file as its manifest says, every weight a number, the export there, the vocabulary whole."""
    flaw = trial.candidate.flaw
    said = flaw or "Every file is as its manifest says, and every weight is a number."
    return Check("files", _yes(not flaw), _yes(not trial.champion.flaw), "whole", not flaw, said)


def perplexity(trial: Trial) -> Check:
    """Held-out text surprises the candidate less than the champion, surely."""
    name = "perplexity"
    for side, called in ((trial.candidate, "the candidate"), (trial.champion, "the champion")):
        if missing := side.flaw or side.reading_flaw or ("" if side.reading else "nothing was read"):
            return _unmeasured(name, f"{called} could not read the held-out episodes: {missing}")
    ours, theirs = _perplexity(trial, trial.candidate), _perplexity(trial, trial.champion)
    row = partial(Check, name, _number(ours), _number(theirs))
    if not math.isfinite(ours + theirs):
        who = "the candidate's" if not math.isfinite(ours) else "the champion's"
        return row(None, passed=False, sentence=f"It is no number: {who} perplexity of held-out text.")
    records = sum(len(pair.tokens) for pair in trial.pairs)
    if records < FEWEST_RECORDS:
        return _unmeasured(name, f"{records} held-out records are too few to be sure of; {FEWEST_RECORDS} are needed")
    ratio = ratio_of(trial.pairs)
    passed = ratio.value <= MOST_RATIO and ratio.high < 1
    return row(_number(theirs * MOST_RATIO), passed, _of_ratio(ratio, trial, records))


def form(trial: Trial) -> Check:
    """What it writes reads back as a script, and is its own."""

    def found(side: Measured) -> float:
        return _mean(side, lambda one: float(one.has_form))

    if missing := _no_samples(trial.candidate, trial.samples):
        return _unmeasured("format", missing)
    value = found(trial.candidate)
    said = (
        f"{value:.0%} of {len(trial.candidate.samples.each)} samples read back with heading, speaker and dialogue, and "
        f"have at most {MOST_STOCK_SHARE:.0%} lines of the code's own."
    )
    return Check("format", _number(value), _number(found(trial.champion)), LEAST_FORM, value >= LEAST_FORM, said)


def repetition(trial: Trial) -> Check:
    """It is as varied as the champion, and repeats itself no more."""
    if missing := _no_samples(trial.candidate, trial.samples) or _no_samples(trial.champion, trial.samples, "champion"):
        return _unmeasured("repetition", missing)
    ours, theirs = _variety(trial.candidate), _variety(trial.champion)
    least, most = repetition_limits(trial.champion, trial.samples)
    said = (
        f"{ours[0]:.4f} of its runs of three words are different ones (at least {least:.4f}), and its longest run that "
        f"stands twice has {ours[1]:.2f} words (at most {most:.2f}), within two hundred words."
    )
    value, beside, limit = (f"{one[0]:.4f}; {one[1]:.2f} words" for one in (ours, theirs, (least, most)))
    return Check("repetition", value, beside, limit, ours[0] >= least and ours[1] <= most, said)


def copying(trial: Trial) -> Check:
    """It does not recite a corpus that is somebody else's."""
    if missing := _no_samples(trial.candidate, trial.samples):
        return _unmeasured("copying", missing)
    value, theirs = _uncopied(trial.candidate), _uncopied(trial.champion)
    if value is None:
        if trial.corpus_is_ours:
            return Check("copying", None, theirs, None, None, "Not judged: the training text is the project's own.")
        return _unmeasured("copying", "the release has no index of its corpus")
    longest = max(one.copied_words or 0 for one in trial.candidate.samples.each)
    said = f"{value:.0%} share at most {MOST_COPIED_WORDS} words in a row with the corpus; most: {longest}."
    if trial.corpus_is_ours:
        return Check("copying", value, theirs, None, None, f"{said} Not judged: the text is the project's own.")
    return Check("copying", value, theirs, LEAST_UNCOPIED, value >= LEAST_UNCOPIED, said)


def blocked_words(trial: Trial) -> Check:
    """It says words that nobody should read no oftener than the champion."""
    if missing := _no_samples(trial.candidate, trial.samples) or _no_samples(trial.champion, trial.samples, "champion"):
        return _unmeasured("blocked words", missing)
    value, most = blocked_rate(trial.candidate), blocked_rate(trial.champion)
    said = f"{value:.2f} words of the list in ten thousand; the champion has {most:.2f}."
    return Check("blocked words", value, most, most, value <= most, said)


def speed_and_memory(trial: Trial) -> Check:
    """It writes about as fast as the champion, and in about as much memory."""
    name = "speed and memory"
    for side, called in ((trial.candidate, "the candidate"), (trial.champion, "the champion")):
        if missing := _no_probe(side):
            return _unmeasured(name, f"{called}: {missing}")
    speeds = [max(side.probes.tokens_a_second) for side in (trial.candidate, trial.champion)]
    sizes = [min(side.probes.peak_bytes) / 1e6 for side in (trial.candidate, trial.champion)]
    slowest, largest = LEAST_SPEED * speeds[1], MOST_MEMORY * sizes[1]
    said = (
        f"{speeds[0]:,.0f} tokens a second (at least {slowest:,.0f}) in {sizes[0]:,.0f} MB (at most {largest:,.0f}), "
        "each in a process of its own, in turns, the best of three."
    )
    rows = zip((*speeds, slowest), (*sizes, largest), strict=True)
    value, theirs, limit = (f"{speed:,.0f} a second; {size:,.0f} MB" for speed, size in rows)
    return Check(name, value, theirs, limit, speeds[0] >= slowest and sizes[0] <= largest, said)


def loads_and_repeats(trial: Trial) -> Check:
    """A process of its own loads it, and the same seed gives the same text again."""
    name = "loads and repeats"
    if missing := _no_probe(trial.candidate):
        return _unmeasured(name, missing)
    value, theirs = (len(set(side.probes.text_sha256)) for side in (trial.candidate, trial.champion))
    processes = len(trial.candidate.probes.text_sha256)
    said = f"{processes} fresh processes wrote {value} text{'s' * (value != 1)} by the same seed."
    return Check(name, value, theirs or None, 1, value == 1 and processes > 1, said)


_CHECKS: Final[tuple[Callable[[Trial], Check], ...]] = (
    files, perplexity, form, repetition, copying, blocked_words, speed_and_memory, loads_and_repeats,
)  # fmt: skip


def blocked_rate(side: Measured) -> float:
    """Blocked words in ten thousand, over all samples."""
    words = sum(one.words for one in side.samples.each)
    return round(1e4 * sum(one.blocked_words for one in side.samples.each) / words, 3) if words else 0.0


def repetition_limits(champion: Measured, scripts: int = 0) -> tuple[float, float]:
    """The least distinct-3 and the most words of a longest repeat that so many scripts may have beside this champion.

    Two in a hundred worse, and beyond that what chance gives: two standard errors of the difference of both means. Of
    fifty samples that is about half a percent of distinct-3, of six it is what makes any verdict possible. Without
    ``scripts`` chance is somebody else's to allow for.
    """
    varied, repeat = _variety(champion)
    chance = [
        2 * stdev(values) * math.sqrt(1 / len(values) + 1 / max(1, scripts)) if scripts and len(values) > 1 else 0.0
        for values in (
            [one.distinct_3 for one in champion.samples.each],
            [float(one.longest_repeat) for one in champion.samples.each],
        )
    ]
    return (1 - WORSE) * varied - chance[0], repeat + max(WORSE * repeat + chance[1], HALF_A_WORD)


def _of_ratio(ratio: Ratio, trial: Trial, records: int) -> str:
    drawn = "episodes" if ratio.is_of_episodes else "records within episodes"
    sure = "better" if ratio.high < 1 else "not surely better"
    by = "" if ratio.value <= MOST_RATIO else ", and not by half a percent"
    return (
        f"{sure.capitalize()} on held-out text{by}: {ratio.value:.4f} of the champion's perplexity (95 % interval "
        f"{ratio.low:.4f} to {ratio.high:.4f}, {records} records of {len(trial.pairs)} episodes, {drawn} drawn again)."
    )


def _perplexity(trial: Trial, side: Measured) -> float:
    """By the champion's tokens, whoever read."""
    nats = math.fsum(nats for episode in side.reading for nats in episode.nats)
    tokens = sum(sum(pair.tokens) for pair in trial.pairs)
    return math.exp(min(nats / tokens, 700.0)) if tokens and math.isfinite(nats) else math.nan


def _variety(side: Measured) -> tuple[float, float]:
    return _mean(side, lambda one: one.distinct_3), _mean(side, lambda one: float(one.longest_repeat))


def _uncopied(side: Measured) -> float | None:
    """The share of samples without a long copied run; None where that cannot be said."""
    runs = [one.copied_words for one in side.samples.each]
    known = [run for run in runs if run is not None]
    return sum(run <= MOST_COPIED_WORDS for run in known) / len(known) if known and len(known) == len(runs) else None


def _mean(side: Measured, value: Callable[[Any], float]) -> float:
    each = side.samples.each
    return math.fsum(map(value, each)) / len(each) if each else math.nan


def _no_samples(side: Measured, wanted: int, called: str = "candidate") -> str:
    """Why there are no samples to judge; nothing where all are there."""
    missing = side.flaw or side.probes.flaw or side.samples.flaw
    short = len(side.samples.each) < wanted or not side.samples.each
    return f"the {called} did not write all samples: {missing or 'too few'}" if missing or short else ""


def _no_probe(side: Measured) -> str:
    return side.flaw or side.probes.flaw or ("" if side.probes.text_sha256 else "it was not probed")


def _unmeasured(name: str, why: str) -> Check:
    return Check(name, None, None, None, False, f"not measured: {why}")


def _number(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None


def _yes(is_whole: bool) -> str:
    return "whole" if is_whole else "damaged"


def metrics_of(trial: Trial) -> Mapping[str, float]:
    """What was measured of both, by name: what is no number is left out."""
    found: dict[str, float] = {}
    for called, side in (("candidate", trial.candidate), ("champion", trial.champion)):
        found |= {
            f"{called}_perplexity": _perplexity(trial, side) if side.reading else math.nan,
            f"{called}_format_share": _mean(side, lambda one: float(one.has_form)),
            f"{called}_stock_share": _mean(side, lambda one: one.stock_share),
            f"{called}_distinct_3": _variety(side)[0],
            f"{called}_longest_repeat": _variety(side)[1],
            f"{called}_copied_words": max((one.copied_words or 0 for one in side.samples.each), default=math.nan),
            f"{called}_blocked_rate": blocked_rate(side) if side.samples.each else math.nan,
            f"{called}_tokens_a_second": max(side.probes.tokens_a_second, default=math.nan),
            f"{called}_peak_bytes": min(side.probes.peak_bytes, default=math.nan),
        }
    return {name: round(value, 4) for name, value in found.items() if math.isfinite(value)}


__all__ = ["LEAST_FORM", "Check", "Trial", "blocked_rate", "judge", "metrics_of", "repetition_limits"]
