"""The rules of jobs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.samples import a_job
from tng.jobs import BACKOFF_LIMIT_SECONDS, MOST_ATTEMPTS, backoff


@pytest.mark.parametrize(("failures", "seconds"), [(0, 2), (1, 2), (2, 4), (3, 8), (20, BACKOFF_LIMIT_SECONDS)])
def test_the_wait_doubles_up_to_a_limit(failures: int, seconds: float) -> None:
    assert backoff(failures).total_seconds() == seconds


@pytest.mark.parametrize(("spread", "seconds"), [(-1.0, 1.6), (1.0, 2.4)])
def test_waits_are_spread_by_a_fifth(spread: float, seconds: float) -> None:
    assert backoff(1, spread).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("attempt", "given_back", "used_up"),
    [(MOST_ATTEMPTS - 1, 0, False), (MOST_ATTEMPTS, 0, True), (MOST_ATTEMPTS, 1, False), (MOST_ATTEMPTS + 1, 1, True)],
)
def test_attempts_given_back_are_not_counted(attempt: int, given_back: int, used_up: bool) -> None:
    assert replace(a_job(), attempt=attempt, given_back=given_back).used_up is used_up


def test_a_run_is_named_by_job_and_attempt() -> None:
    assert replace(a_job(), id=7, attempt=3).token == (7, 3)
