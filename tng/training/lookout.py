"""Looks at schedules, retrainings, their steps and their notebooks, for an operator. It changes nothing."""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO

from tng.errors import RetrainingError, ScheduleError
from tng.jobs import ENDED, EventKind, Job, JobKind, JobState
from tng.ports import Clock, Store, Work
from tng.training.retrainings import STEPS, Retraining, RetrainingState
from tng.training.schedules import Schedule
from tng.training.timetable import Timetable
from tng.training.view import NotebookView, RetrainingView, SchedulesView, ScheduleView, StepView

SHOWN = 20
"""How many retrainings are shown."""

NEXT_SLOTS = 3
MOST_ROUNDS = 20
MOST_ATTEMPTS_SHOWN = 12
MOST_COUNTED = 1000

NOTEBOOKS = "notebooks"
"""In the folder of a retraining: each attempt's notebook, ``<step>-<job>.<attempt>.ipynb`` and ``.html``."""

ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
RUN = re.compile(r"([1-9][0-9]{0,9})\.([1-9][0-9]{0,3})")
ENDINGS = ("html", "ipynb")

SEARCH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY
"""The folders of a retraining may be passed through by the api, and not listed."""


class RetrainingLookout:
    """What there is to see of retrainings; ``folder`` holds a folder for each. Safe to use from many threads."""

    def __init__(self, store: Store, clock: Clock, timetable: Timetable, folder: Path) -> None:
        self._store, self._clock, self._timetable, self._folder = store, clock, timetable, folder
        self._told: dict[int, tuple[int, float | None]] = {}

    def look(self, address: str = "") -> SchedulesView:
        """Everything of one moment. Raises StoreBusy.

        ``address`` is where notebooks are read, up to the id of the retraining.
        """
        with self._store.read() as work:
            schedules = work.schedules.all()
            retrainings = [self._seen(work, one, address) for one in work.retrainings.latest(SHOWN)]
        seen = tuple(self._schedule(one) for one in schedules)
        return SchedulesView(self._clock.now(), seen, tuple(retrainings))

    def states(self) -> Mapping[RetrainingState, int]:
        """How many of the last thousand retrainings are in each state. Raises StoreBusy."""
        with self._store.read() as work:
            return Counter(one.state for one in work.retrainings.latest(MOST_COUNTED))

    def next_slots(self) -> Mapping[str, datetime]:
        """When each schedule that is not paused is due next, in UTC. Raises StoreBusy."""
        with self._store.read() as work:
            schedules = work.schedules.all()
        found = ((one.name, self._next(one, 1)) for one in schedules)
        return {name: slots[0] for name, slots in found if slots}

    def open_notebook(self, retraining_id: str, run: str, ending: str) -> IO[bytes] | None:
        """The notebook of an attempt of this retraining; None where there is none. Raises StoreBusy.

        ``run`` is ``<job>.<attempt>``. No link is followed on the way: the folder is not the api's.
        """
        numbers = RUN.fullmatch(run)
        if numbers is None or ending not in ENDINGS or not ID.fullmatch(retraining_id):
            return None
        job_id, attempt = (int(number) for number in numbers.groups())
        with self._store.read() as work:
            try:
                jobs = _jobs(work, work.retrainings.get(retraining_id))
            except RetrainingError:
                return None
        job = next((job for job in jobs if job.id == job_id), None)
        if job is None or attempt > job.attempt:
            return None
        return _open_below(self._folder, retraining_id, NOTEBOOKS, f"{job.kind.value}-{run}.{ending}")

    def _schedule(self, schedule: Schedule) -> ScheduleView:
        slots = self._next(schedule, NEXT_SLOTS)
        options = dict(schedule.options)
        return ScheduleView(schedule.name, schedule.cron, schedule.zone, options, schedule.is_paused, tuple(slots))

    def _next(self, schedule: Schedule, count: int) -> Sequence[datetime]:
        try:
            return self._timetable.next(schedule, count)
        except ScheduleError:  # a zone that this machine does not know
            return ()

    def _seen(self, work: Work, retraining: Retraining, address: str) -> RetrainingView:
        jobs = _jobs(work, retraining)
        steps = tuple(self._step(work, retraining, step, jobs, address) for step in STEPS)
        return RetrainingView(replace(retraining, notes={}), steps)  # what notebooks told is of any size

    def _step(self, work: Work, retraining: Retraining, step: JobKind, jobs: Sequence[Job], address: str) -> StepView:
        mine = [job for job in jobs if job.kind is step]
        if not mine:
            return StepView(step)
        last = mine[-1]
        state = last.state if retraining.is_open or last.state in ENDED else JobState.CANCELLED
        return StepView(
            step,
            state,
            last.attempt,
            last.failures,
            self._percent(work, last) if state is JobState.RUNNING else None,
            last.error or "",
            tuple(note for job in mine for note in self._notebooks(retraining, job, address)),
        )

    def _notebooks(self, retraining: Retraining, job: Job, address: str) -> list[NotebookView]:
        """Of the last attempts, those that left something."""
        found = []
        for attempt in range(max(1, job.attempt - MOST_ATTEMPTS_SHOWN + 1), job.attempt + 1):
            run = f"{job.id}.{attempt}"
            stem = self._folder / retraining.id / NOTEBOOKS / f"{job.kind.value}-{run}"
            there = [ending for ending in ENDINGS if stem.with_name(f"{stem.name}.{ending}").is_file()]
            paths = {ending: f"{address}/{retraining.id}/{run}/notebook.{ending}" for ending in there}
            if paths:
                found.append(NotebookView(run, paths.get("html"), paths.get("ipynb")))
        return found

    def _percent(self, work: Work, job: Job) -> float | None:
        """What the run said last of how far it is. Events that were read before are not read again."""
        after, percent = self._told.get(job.id, (0, None))
        while events := work.jobs.heard(job.id, after):
            after = events[-1].id
            for event in events:
                if event.kind is EventKind.STARTED:
                    percent = None
                elif event.kind is EventKind.PROGRESS:
                    percent = _share(event.body.get("percent"), percent)
        self._told = {job.id: (after, percent)}  # one is open at a time
        return percent


def _jobs(work: Work, retraining: Retraining) -> list[Job]:
    """The jobs of a retraining's steps, the earliest round first."""
    rounds = range(max(0, retraining.round - MOST_ROUNDS + 1), retraining.round + 1)
    keys = [f"retraining:{retraining.id}:{step.value}:{number}" for number in rounds for step in STEPS]
    return [job for key in keys if (job := work.jobs.get(key)) is not None]


def _share(percent: object, before: float | None) -> float | None:
    if isinstance(percent, int | float) and 0 <= percent <= 100:
        return float(percent)
    return before


def _open_below(folder: Path, *names: str) -> IO[bytes] | None:
    """A file below a folder, opened step by step, so that no link leads elsewhere. None where it is no plain file."""
    with ExitStack() as stack:
        try:
            here = os.open(folder, SEARCH)
            stack.callback(os.close, here)
            for name in names[:-1]:
                here = os.open(name, SEARCH | os.O_NOFOLLOW, dir_fd=here)
                stack.callback(os.close, here)
            file = os.open(names[-1], os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=here)
        except OSError:
            return None
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            return None
        return os.fdopen(file, "rb")
