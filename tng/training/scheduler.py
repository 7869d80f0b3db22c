"""The process of the schedules: it looks whether a slot has come, runs the steps of retrainings, and tells operators.

Any number may run, and each may be killed at any moment: what is owed stands in the database.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tng.log import kind_of, told
from tng.ports import NotebookRunner, RunGuard
from tng.training.desk import TrainingDesk
from tng.worker import Worker

NICE = 10
"""How far training stands back for everything else on the machine."""

LOOK_SECONDS = 0.5

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done again and again. What it raises is logged, and it is tried again."""

    name: str
    every_seconds: float
    do: Callable[[], object]


class Chores:
    """Does each chore at once, and then again when its time has come, until stopped. It uses no wall clock."""

    def __init__(self, chores: Sequence[Chore]) -> None:
        self._due_at = dict.fromkeys(chores, -float("inf"))

    def run(self, stopping: threading.Event) -> None:
        """Go on until that is set."""
        while not stopping.is_set():
            for chore, due_at in self._due_at.items():
                if due_at <= time.monotonic() and not stopping.is_set():
                    _do(chore)
                    self._due_at[chore] = time.monotonic() + chore.every_seconds
            stopping.wait(LOOK_SECONDS)


class LazyRunner:
    """A runner that is built when the first notebook is run: until then the process stays small."""

    def __init__(self, build: Callable[[], NotebookRunner]) -> None:
        self._build = build
        self._runner: NotebookRunner | None = None

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        """See ``tng.ports.NotebookRunner``."""
        self._runner = self._runner or self._build()
        return self._runner.run(notebook, parameters, run_folder=run_folder, guard=guard)

    def close(self) -> None:
        """End what was begun."""
        if self._runner is not None:
            self._runner.close()


class Scheduler:
    """``worker`` runs the steps in a thread of its own; each group of ``chores`` has one, too, so that none waits
    for another's mail server. ``stopping`` is set when the process is to end.
    """

    def __init__(
        self, worker: Worker, desk: TrainingDesk, chores: Sequence[Sequence[Chore]], stopping: threading.Event
    ) -> None:
        self._worker, self._desk, self._stopping = worker, desk, stopping
        self._chores = [Chores(group) for group in chores]

    def stop(self) -> None:
        """Once: the step in hand is asked to end, and keeps what it has. Twice: it is ended. From any thread."""
        self._desk.end_early()
        self._worker.stop()
        self._stopping.set()

    def run_forever(self) -> None:
        """Work until stopped. It ends by itself where the thread of the steps has died: it is to be started again."""
        steps = threading.Thread(target=self._run_steps, name="steps", daemon=True)
        steps.start()
        for chores in self._chores:
            threading.Thread(target=chores.run, args=(self._stopping,), name="chores", daemon=True).start()
        while steps.is_alive() and not self._stopping.wait(LOOK_SECONDS):
            pass
        if not self._stopping.is_set():
            logger.error("the steps of retrainings are run no more; the process ends")
        steps.join()

    def _run_steps(self) -> None:
        """Linux keeps the niceness of each thread: kernels are started by this one, and inherit it."""
        me = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, me, max(NICE, os.getpriority(os.PRIO_PROCESS, me)))
        self._worker.run_forever()


def _do(chore: Chore) -> None:
    try:
        chore.do()
    except Exception as error:  # noqa: BLE001  whatever a database raises: it may be back in a moment
        kind = kind_of(error)
        logger.warning("%s: not done (%s); trying again", chore.name, kind, extra=told(fault=kind))
