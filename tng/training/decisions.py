"""What the deciding notebook found, read into the language of the ledger. A run's words are not trusted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import isfinite
from typing import Any

from tng.errors import RunFailed
from tng.promotion.promotions import Check, Evaluation, Sample


def read_evaluation(result: Mapping[str, Any], now: datetime) -> Evaluation:
    """The evaluation in a run's result. Raises RunFailed where there is none.

    It promotes only where every check that applies has passed, whatever the notebook calls its verdict.
    """
    try:
        checks = tuple(Check.read(fields) for fields in result["checks"])
        samples = tuple(_sample(fields) for fields in result.get("samples") or ())
        candidate, champion = str(result["candidate"]), str(result["champion"])
        metrics = {str(name): float(value) for name, value in dict(result.get("metrics") or {}).items()}
        reasons = tuple(str(reason) for reason in result.get("reasons") or ())
        canary = dict(result.get("canary") or {})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFailed(f"the decision is none ({type(error).__name__})", cause="NoDecision", retryable=False) from None
    return Evaluation(
        0,
        now,
        candidate,
        champion,
        promote=result.get("promote") is True and _all_passed(checks),
        reasons=reasons,
        checks=checks,
        samples=samples,
        metrics={name: value for name, value in metrics.items() if isfinite(value)},  # JSON has no other numbers
        canary=canary,
    )


def _all_passed(checks: tuple[Check, ...]) -> bool:
    """At least one has passed, and none has not."""
    return any(one.passed for one in checks) and all(one.passed is not False for one in checks)


def _sample(fields: Mapping[str, Any]) -> Sample:
    return Sample(str(fields["premise"]), str(fields["candidate"]), str(fields["champion"]))
