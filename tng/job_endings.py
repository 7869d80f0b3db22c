"""What becomes of a job whose run is over, in one unit of work: the same for orders and for retrainings.

Each names the fencing token, and raises LeaseLost where the run counts no more. What the job was owed to, its use case
knows: it ends that in the same commit.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tng.errors import TngError
from tng.jobs import MOST_FAILURES, EventKind, Job, JobState
from tng.ports import Work

ERROR_CHARACTERS = 4000
"""How much of an error's sentence is kept on the job."""


def has_another_try(job: Job, error: TngError) -> bool:
    """Whether a job that failed with ``error`` is tried again."""
    return error.retryable and job.failures + 1 < MOST_FAILURES and not job.used_up


def try_again(work: Work, job: Job, error: TngError, now: datetime, wait: timedelta) -> None:
    """It failed, and is due again after ``wait``."""
    work.jobs.say(job.token, [(EventKind.RETRY, {"again_in_seconds": round(wait.total_seconds(), 1)})], now)
    work.jobs.update(
        job.token,
        state=JobState.QUEUED,
        failures=job.failures + 1,
        ready_at=now + wait,
        lease_until=None,
        error=sentence_of(error),
    )


def bury(work: Work, job: Job, error: TngError, now: datetime, *, failures: int) -> None:
    """It is given up."""
    work.jobs.say(job.token, [(EventKind.DEAD, {"message": error.user_message})], now)
    work.jobs.update(job.token, state=JobState.DEAD, failures=failures, lease_until=None, error=sentence_of(error))


def give_back(work: Work, job: Job, now: datetime) -> None:
    """It is due at once, and the attempt is not held against it."""
    work.jobs.update(
        job.token,
        state=JobState.QUEUED,
        given_back=job.given_back + 1,
        ready_at=now,
        lease_until=None,
        worker=None,
    )


def sentence_of(error: TngError) -> str:
    """An error as it is kept on the job: its kind, and what it says to the log."""
    return f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS]
