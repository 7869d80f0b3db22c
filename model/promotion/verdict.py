"""The verdict over the eight checks, and what the first scripts after a promotion are held against. Pure functions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from model.promotion.checks import (
    LEAST_FORM,
    Check,
    Trial,
    blocked_rate,
    judge,
    metrics_of,
    repetition_limits,
)
from model.promotion.samples import MOST_COPIED_WORDS, MOST_STOCK_SHARE


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of a candidate, and why."""

    trial: Trial
    checks: tuple[Check, ...]

    @property
    def promote(self) -> bool:
        """Whether no check fails. What is not judged fails nothing; what was not measured has failed."""
        return all(check.passed is not False for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """A sentence for each check that fails; where none does, that of the perplexity."""
        failed = tuple(f"{check.name}: {check.sentence}" for check in self.checks if check.passed is False)
        return failed or tuple(check.sentence for check in self.checks if check.name == "perplexity")

    def to_fields(self) -> dict[str, Any]:
        """The result of the notebook decide."""
        candidate, champion = self.trial.candidate, self.trial.champion
        both = zip(candidate.samples.excerpts, champion.samples.excerpts, strict=False)
        return {
            "candidate": candidate.release_id,
            "champion": champion.release_id,
            "promote": self.promote,
            "reasons": list(self.reasons),
            "checks": [asdict(check) for check in self.checks],
            "canary": canary_of(self.trial),
            "samples": [
                {"premise": ours.premise, "candidate": ours.text, "champion": theirs.text} for ours, theirs in both
            ],
            "metrics": dict(metrics_of(self.trial)),
        }


def verdict_on(trial: Trial) -> Verdict:
    """Judge a trial."""
    return Verdict(trial, judge(trial))


def canary_of(trial: Trial) -> dict[str, float | None]:
    """What the means of the first scripts after a promotion are held against: the gate's own limits, without chance.

    Nothing where the champion was not measured: then nothing is promoted either. A script has its form where it reads
    back and its share of stock lines is at most ``stock_share_most``.
    """
    if not trial.champion.samples.each:
        return {}
    least, most = repetition_limits(trial.champion)
    return {
        "format_least_share": LEAST_FORM,
        "stock_share_most": MOST_STOCK_SHARE,
        "distinct_3_least": round(least, 4),
        "longest_repeat_most": round(most, 4),
        "copied_most_words": None if trial.corpus_is_ours else MOST_COPIED_WORDS,
        "blocked_rate_most": blocked_rate(trial.champion),
    }


__all__ = ["Verdict", "canary_of", "verdict_on"]
