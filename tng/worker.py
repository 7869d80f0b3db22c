"""A worker: takes one job after the other from its desk, has its notebook run, and brings back what came of it.

It owns a job only under a lease, and may die at any moment: whatever it had not delivered is done again by another.
It holds no Stripe key.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tng.bell import Bell
from tng.desk import RELEASE_CAUSES, Desk, as_run_error
from tng.errors import LeaseError, RunError, RunFailed, StoreBusy, TngError
from tng.jobs import Job
from tng.lease import LeaseKeeper, Verdict
from tng.log import about, kind_of, told
from tng.ports import NotebookRunner

IDLE_SECONDS = 0.5
IDLE_LIMIT_SECONDS = 8.0
AGAIN_SECONDS = 0.5
INTERRUPTED = "KeyboardInterrupt"
"""The cause of a run that was asked to end, and had nothing to keep."""

logger = logging.getLogger(__name__)

Outcome = dict[str, Any] | RunError | StoreBusy
"""The result that the notebook displayed, or why there is none: StoreBusy where it could not even be begun."""


class Worker:
    """One job at a time, for as long as it is not stopped. ``bell`` rings when there may be one."""

    def __init__(
        self,
        desk: Desk,
        runner: NotebookRunner,
        *,
        name: str,
        runs_folder: Path,
        lease_seconds: float,
        bell: Bell | None = None,
    ) -> None:
        self._desk, self._runner, self._bell = desk, runner, bell or Bell()
        self.name, self._runs_folder, self._lease_seconds = name, runs_folder, lease_seconds
        self._stopping, self._hurry = threading.Event(), threading.Event()

    def stop(self) -> None:
        """Once: take no new job, finish this one. Twice: end this one now and give it back. From any thread."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()
        self._bell.ring()

    def run_forever(self) -> None:
        """Work until stopped, then end the spare kernels. A database that is away is waited for."""
        logger.info("worker %s is ready", self.name)
        idle_seconds = IDLE_SECONDS
        try:
            while not self._stopping.is_set():
                try:
                    worked, idle_seconds = self.run_one(), IDLE_SECONDS
                except Exception as error:  # noqa: BLE001  whatever a database raises: the worker must outlive it
                    kind = kind_of(error)
                    logger.error("no job could be taken (%s); trying again", kind, extra=told(fault=kind))
                    worked, idle_seconds = False, min(idle_seconds * 2, IDLE_LIMIT_SECONDS)
                if not worked:
                    self._bell.wait(idle_seconds)
        finally:
            self._runner.close()
            self._bell.close()
            logger.info("worker %s has ended", self.name)

    def run_one(self) -> bool:
        """Take a job and bring it to an end: whether there was one. Raises StoreBusy where none could be asked for."""
        job = self._desk.claim(self.name)
        if job is None:
            return False
        with about(**self._desk.explain(job)):
            self._bring_to_an_end(job)
        return True

    def run_folder(self, job: Job) -> Path:
        """Where the executed notebook of this attempt is kept: one an attempt, a late one overwrites nothing."""
        return self._runs_folder / f"{job.id}.{job.attempt}"

    def _bring_to_an_end(self, job: Job) -> None:
        renew, yields = partial(self._desk.heartbeat, job), partial(self._desk.yields, job)
        with LeaseKeeper(renew, lease_seconds=self._lease_seconds, hurry=self._hurry, yields=yields) as keeper:
            outcome = self._attempt(job, keeper)
        if keeper.verdict in (Verdict.KEPT, Verdict.STOPPED):  # otherwise the job is another's, or nobody's
            self._settle(job, self._ending(job, outcome, keeper))

    def _attempt(self, job: Job, keeper: LeaseKeeper) -> Outcome:
        """Run the notebook of the job. Whatever goes wrong is given back, not raised: it is recorded on the job."""
        try:
            with as_run_error():
                parameters = self._desk.parameters(job)
                return self._runner.run(job.kind.value, parameters, run_folder=self.run_folder(job), guard=keeper)
        except (RunError, StoreBusy) as error:
            return error
        except TngError as error:
            return RunFailed(str(error), cause=type(error).__name__, retryable=error.retryable)

    def _ending(self, job: Job, outcome: Outcome, keeper: LeaseKeeper) -> Callable[[], object]:
        """What is to be written. A run that was stopped, but was through already, is accepted all the same.

        One that was not begun for want of the database is given back: the notebook failed in nothing.
        """
        if isinstance(outcome, StoreBusy):
            logger.warning("the run was not begun: %s", outcome, extra=told(fault=kind_of(outcome)))
            return partial(self._desk.give_back, job)
        if not isinstance(outcome, RunError):
            return partial(self._desk.accept, job, outcome, self.run_folder(job))
        if keeper.verdict is Verdict.STOPPED or (keeper.yielded and _is_interrupted(outcome)):
            return partial(self._desk.give_back, job)
        return self._failing(job, outcome)

    def _failing(self, job: Job, error: RunError) -> Callable[[], object]:
        if isinstance(error, RunFailed) and error.cause in RELEASE_CAUSES:
            logger.error("nothing can be written until somebody acts: %s", error)
        return partial(self._desk.fail, job, error)

    def _settle(self, job: Job, write: Callable[[], object]) -> None:
        """Write the end of a run, for as long as the lease may hold; afterwards the job is taken again anyway."""
        until = time.monotonic() + self._lease_seconds
        while True:
            try:
                write()
            except RunError as error:  # the result is not what was owed
                write = self._failing(job, error)
                continue
            except LeaseError as error:
                logger.warning("this attempt counts no more: %s", error, extra=told(fault=kind_of(error)))
            except Exception as error:  # noqa: BLE001  whatever a database raises: it may be back in a moment
                again = not isinstance(error, TngError) or error.retryable
                kind = kind_of(error)
                logger.error("the end of the run is not recorded (%s)", kind, extra=told(fault=kind))
                if again and time.monotonic() < until:
                    time.sleep(AGAIN_SECONDS)
                    continue
            return


def _is_interrupted(error: RunError) -> bool:
    return isinstance(error, RunFailed) and error.cause == INTERRUPTED
