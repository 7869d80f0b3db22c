"""A worker: takes one job after the other, has its notebook run, and delivers the script. It holds no Stripe key.

It owns a job only under a lease, and may die at any moment: whatever it had not delivered is done again by another.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tng.errors import LeaseError, RunError, RunFailed, ScriptError, TngError
from tng.fulfilment import Fulfilment
from tng.jobs import Job
from tng.lease import LeaseKeeper, Verdict
from tng.log import about, kind_of, told
from tng.ports import NotebookRunner
from tng.releases import digest
from tng.script import parse

RECORD = "notebook.ipynb"
IDLE_SECONDS = 0.5
IDLE_LIMIT_SECONDS = 8.0
AGAIN_SECONDS = 0.5
OPERATOR_CAUSES = frozenset({"ReleaseDamaged", "ReleaseMissing"})
"""What no repetition cures, and only an operator can."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a run that succeeded hands over."""

    script_text: str
    release_id: str
    run_sha256: str
    provenance: dict[str, Any] | None


class Worker:
    """One job at a time, for as long as it is not stopped."""

    def __init__(
        self,
        fulfilment: Fulfilment,
        runner: NotebookRunner,
        *,
        name: str,
        release_folder: Path,
        runs_folder: Path,
        lease_seconds: float,
    ) -> None:
        self._fulfilment, self._runner = fulfilment, runner
        self.name, self._release_folder, self._runs_folder = name, release_folder, runs_folder
        self._lease_seconds = lease_seconds
        self._stopping, self._hurry = threading.Event(), threading.Event()

    def stop(self) -> None:
        """Once: take no new job, finish this one. Twice: end this one now and give it back. From any thread."""
        if self._stopping.is_set():
            self._hurry.set()
        self._stopping.set()

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
                    self._stopping.wait(idle_seconds)
        finally:
            self._runner.close()
            logger.info("worker %s has ended", self.name)

    def run_one(self) -> bool:
        """Take a job and bring it to an end: whether there was one. Raises StoreBusy where none could be asked for."""
        job = self._fulfilment.claim(self.name)
        if job is None:
            return False
        with about(order=job.order_id, job=job.id, attempt=job.attempt):
            self._bring_to_an_end(job)
        return True

    def _bring_to_an_end(self, job: Job) -> None:
        renew = partial(self._fulfilment.heartbeat, job)
        with LeaseKeeper(renew, lease_seconds=self._lease_seconds, hurry=self._hurry) as keeper:
            outcome = self._attempt(job, keeper)
        if keeper.verdict in (Verdict.KEPT, Verdict.STOPPED):  # otherwise the job is another's, or nobody's
            self._settle(self._ending(job, outcome, keeper.verdict))

    def _attempt(self, job: Job, keeper: LeaseKeeper) -> Delivery | RunError:
        """Run the notebook of the job. Whatever goes wrong is given back, not raised: it is recorded on the job."""
        run_folder = self._runs_folder / f"{job.id}.{job.attempt}"  # one an attempt: a late one overwrites nothing
        parameters = {**job.parameters, "release_folder": str(self._release_folder)}
        try:
            result = self._runner.run(job.kind.value, parameters, run_folder=run_folder, guard=keeper)
            return _delivery(result, run_folder)
        except RunError as error:
            return error
        except Exception as error:  # noqa: BLE001  a full disk, a bug: the job must hear of it, whatever it is
            # The place, not the text: an exception may quote what it was working on.
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("%s in the worker itself\n%s", type(error).__name__, where)
            return RunFailed(f"{type(error).__name__} in the worker itself", cause=type(error).__name__)

    def _ending(self, job: Job, outcome: Delivery | RunError, verdict: Verdict) -> Callable[[], Any]:
        """What is to be written. A run that was stopped, but was through already, is delivered all the same."""
        if isinstance(outcome, Delivery):
            return partial(self._fulfilment.deliver, job, **asdict(outcome))
        if verdict is Verdict.STOPPED:
            return partial(self._fulfilment.give_back, job)
        if isinstance(outcome, RunFailed) and outcome.cause in OPERATOR_CAUSES:
            logger.error("nothing can be written until somebody acts: %s", outcome)
        return partial(self._fulfilment.fail, job, outcome)

    def _settle(self, write: Callable[[], Any]) -> None:
        """Write the end of a run, for as long as the lease may hold; afterwards the job is taken again anyway."""
        until = time.monotonic() + self._lease_seconds
        while True:
            try:
                write()
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


def _delivery(result: dict[str, Any], run_folder: Path) -> Delivery:
    """Check what the notebook calls a script. The seed is the order's, so that a repetition would write the same."""
    text, release_id = result.get("script_text"), result.get("release_id")
    if not isinstance(text, str) or not isinstance(release_id, str):
        raise RunFailed("the result names no script_text or no release_id", cause="NoScript", retryable=False)
    try:
        scenes = parse(text).scenes
    except ScriptError as error:
        raise RunFailed("the result is not a script", cause=type(error).__name__, retryable=False) from None
    if not scenes:
        raise RunFailed("the script has no scene", cause="NoScript", retryable=False)
    provenance = result.get("provenance")
    told = provenance if isinstance(provenance, dict) else None  # a script is worth delivering without it
    return Delivery(text, release_id, digest(run_folder / RECORD), told)
