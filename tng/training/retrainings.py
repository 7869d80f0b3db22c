"""A retraining: a chain of notebooks from the corpus to the decision, as rows. No database, no clock, no kernel.

Each step is a job of its own kind with a lease; the one that is done owes the next one. A step that failed can be
taken up again; what the steps before it left on disk is used as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tng.jobs import Job, JobKind

PRESETS = ("tiny", "small", "124M", "355M")

STEPS = (JobKind.BUILD_CORPUS, JobKind.FINETUNE, JobKind.EVALUATE, JobKind.DECIDE)
"""The chain, in order."""


ATTEMPTS = "attempts"
"""The note that lists every attempt at a step."""

MOST_ATTEMPTS_NOTED = 100
"""One that makes way for orders may have many."""


class RetrainingState(StrEnum):
    """Where a retraining is in its life."""

    RUNNING = "running"
    PROMOTED = "promoted"
    KEPT = "kept"
    """The champion stays: the candidate is not better, and is kept as the challenger."""
    SKIPPED = "skipped"
    """There was nothing new to learn."""
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RetrainingOptions:
    """What a retraining is asked for. ``steps`` 0 leaves the number to the preset, ``minutes`` 0 never stops early.

    ``delivered_scripts`` is the operator's word that customers' scripts may be trained on; ``even_if_nothing_new``
    trains again on a corpus that was trained on before; ``promotes`` off keeps every candidate a challenger.
    """

    preset: str = "small"
    steps: int = 0
    minutes: float = 0.0
    samples: int = 50
    seed: int = 1
    base: str = ""
    delivered_scripts: bool = False
    even_if_nothing_new: bool = False
    promotes: bool = True

    def to_fields(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)

    @classmethod
    def from_fields(cls, told: Mapping[str, Any]) -> RetrainingOptions:
        """Read back; names that this version does not know are left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in told.items() if name in known})


@dataclass(frozen=True, slots=True)
class Retraining:
    """One run of the chain. ``step`` is the one that is owed or at work now, or the one that it ended with.

    ``round`` counts how often a failed step was taken up again; ``slot_at`` and ``coalesced`` are those of its
    schedule; ``sentence`` says how it ended.
    """

    id: str
    options: RetrainingOptions
    actor: str
    begun_at: datetime
    state: RetrainingState = RetrainingState.RUNNING
    step: JobKind = JobKind.BUILD_CORPUS
    round: int = 0
    schedule: str | None = None
    slot_at: datetime | None = None
    coalesced: int = 0
    ended_at: datetime | None = None
    fingerprint: str | None = None
    champion_id: str | None = None
    candidate_id: str | None = None
    evaluation_id: int | None = None
    sentence: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """What the steps said of themselves: numbers and names, by step."""

    @property
    def is_open(self) -> bool:
        """Whether it still has something to do. There is at most one."""
        return self.state is RetrainingState.RUNNING

    @property
    def is_decided(self) -> bool:
        """Whether the last step is through, however it ended."""
        return self.evaluation_id is not None

    @property
    def job_key(self) -> str:
        """The unique key of the job of its step."""
        return f"retraining:{self.id}:{self.step.value}:{self.round}"

    def owed_job(self, now: datetime) -> Job:
        """The job of its step, due at once."""
        return Job(id=0, key=self.job_key, kind=self.step, order_id=None, ready_at=now)

    def noted(self, step: JobKind, notes: Mapping[str, Any]) -> Retraining:
        """The same, with what a step said of itself."""
        return replace(self, notes={**self.notes, step.value: dict(notes)})

    def attempted(self, job: Job, now: datetime) -> Retraining:
        """The same, with one more attempt at its step noted."""
        attempt = {"step": job.kind.value, "job": job.id, "attempt": job.attempt, "at": now.isoformat()}
        attempts = [*self.attempts, attempt][-MOST_ATTEMPTS_NOTED:]
        return replace(self, notes={**self.notes, ATTEMPTS: attempts})

    @property
    def attempts(self) -> Sequence[Mapping[str, Any]]:
        """Every attempt at a step, the latest last: its step, its job, its number, and when it began."""
        return tuple(self.notes.get(ATTEMPTS, ()))


def next_step(step: JobKind) -> JobKind | None:
    """The step after this one; None after the last."""
    place = STEPS.index(step) + 1
    return STEPS[place] if place < len(STEPS) else None


def retraining_of(job_key: str) -> str:
    """The id of the retraining that a job belongs to."""
    return job_key.split(":")[1]
