"""Work that is owed (a job), one attempt at it (a run), and the rules of both. No database, no clock, no kernel.

``(job id, attempt)`` is the fencing token: every write of a run names it, and counts only while it is the
job's current one. A crash is not a failure: ``attempt`` counts claims, ``failures`` counts errors of the notebook.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

MOST_ATTEMPTS = 6
MOST_FAILURES = 3
BACKOFF_SECONDS = 2.0
BACKOFF_LIMIT_SECONDS = 300.0


class JobKind(StrEnum):
    """What is owed; the value is the name of the notebook that does it."""

    WRITE_SCRIPT = "write_script"
    WRITE_SCENE = "write_scene"
    BUILD_CORPUS = "build_corpus"
    FINETUNE = "finetune"
    EVALUATE = "evaluate"
    DECIDE = "decide"


WRITING = frozenset({JobKind.WRITE_SCRIPT, JobKind.WRITE_SCENE})
"""What is owed to customers: scripts, which were paid for, and scenes of delivered ones, which are given."""

RETRAINING = frozenset(JobKind) - WRITING
"""The steps of a retraining."""


class JobState(StrEnum):
    """Where a job is in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


ENDED = frozenset({JobState.DONE, JobState.DEAD, JobState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Job:
    """A row of owed work.

    ``key`` is unique: ``order:<id>``, ``order:<id>:take:<n>``, or ``retraining:<id>:<step>:<round>``.
    ``given_back`` counts the attempts that a worker on its way out returned: they are not held against the job.
    ``release_id`` is the release that the attempt in hand, or the last one, writes with: one attempt, one release;
    ``promotion_id`` is the row of the ledger that said so. A lower ``priority`` is sooner; 0 is ordinary.
    """

    id: int
    key: str
    kind: JobKind
    order_id: str | None
    parameters: dict[str, Any] = field(default_factory=dict)
    state: JobState = JobState.QUEUED
    attempt: int = 0
    failures: int = 0
    given_back: int = 0
    ready_at: datetime | None = None
    lease_until: datetime | None = None
    worker: str | None = None
    error: str | None = None
    release_id: str | None = None
    promotion_id: int | None = None
    priority: int = 0

    @property
    def token(self) -> tuple[int, int]:
        """(job id, attempt): what every write of this run must name."""
        return self.id, self.attempt

    def is_due(self, now: datetime) -> bool:
        """Whether it may be taken: it waits and its time has come, or whoever ran it has let its lease run out."""
        if self.state is JobState.QUEUED:
            return self.ready_at is None or self.ready_at <= now
        return self.state is JobState.RUNNING and self.lease_until is not None and self.lease_until < now

    @property
    def used_up(self) -> bool:
        """Whether no attempt is left."""
        return self.attempt - self.given_back >= MOST_ATTEMPTS


class EventKind(StrEnum):
    """What a run tells the page."""

    STARTED = "started"
    PLAN = "plan"
    PROGRESS = "progress"
    SCENE = "scene"
    RETRY = "retry"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


MARKS = frozenset({EventKind.STARTED, EventKind.DONE, EventKind.DEAD, EventKind.CANCELLED})
"""When a run began and how it ended. The others hold the words of a script."""


@dataclass(frozen=True, slots=True)
class JobEvent:
    """Something that a run said; ``id`` grows, and is the Last-Event-ID of the stream."""

    id: int
    attempt: int
    kind: EventKind
    body: dict[str, Any]


REFUND = "refund"
"""The kind of errand that gives money back."""

NOTICE = "notice"
"""The kind of errand that tells an operator something."""

MAIL = "mail"
"""The kind of errand that writes to a customer."""


@dataclass(frozen=True, slots=True)
class Errand:
    """An effect on the outside world that is owed (a row of the outbox). ``key`` makes a repetition known there.

    ``owed_at`` is since when; the store gives it.
    """

    key: str
    kind: str
    body: dict[str, Any]
    tries: int = 0
    owed_at: datetime | None = None
    done: bool = False


def backoff(failures: int, spread: float = 0.0) -> timedelta:
    """How long to wait after the n-th failure: 2, 4, 8 … seconds, at most 300; ``spread`` in [-1, 1] adds ±20 %."""
    seconds = min(BACKOFF_LIMIT_SECONDS, BACKOFF_SECONDS * 2 ** max(failures - 1, 0))
    return timedelta(seconds=seconds * (1 + 0.2 * spread))
