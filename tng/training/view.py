"""What an operator sees of schedules and retrainings. No I/O, and no rule.

The same objects are filled by ``tng.training.lookout``, sent by the api and drawn by the bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tng.jobs import JobKind, JobState
from tng.training.retrainings import Retraining


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """A schedule; ``next_at`` are its next slots in UTC, none while it is paused."""

    name: str
    cron: str
    zone: str
    options: Mapping[str, Any]
    is_paused: bool
    next_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class NotebookView:
    """An attempt that left its notebook: paths of the api at which it can be read as a page, and taken along."""

    run: str
    page: str | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True)
class StepView:
    """A step of a retraining, as its last job says; ``state`` is nothing where it was never owed.

    ``percent`` is what the run said last of how far it is; ``attempts`` and ``failures`` are those of the last round.
    """

    step: JobKind
    state: JobState | None = None
    attempts: int = 0
    failures: int = 0
    percent: float | None = None
    error: str = ""
    notebooks: tuple[NotebookView, ...] = ()


@dataclass(frozen=True, slots=True)
class RetrainingView:
    """A retraining with all its steps, in their order."""

    retraining: Retraining
    steps: tuple[StepView, ...] = ()


@dataclass(frozen=True, slots=True)
class SchedulesView:
    """Schedules by name, and the last retrainings, the newest first, at one moment."""

    at: datetime
    schedules: tuple[ScheduleView, ...] = ()
    retrainings: tuple[RetrainingView, ...] = field(default_factory=tuple)
