"""Where a worker gets its jobs, and where it brings what became of them: one desk for orders, one for training.

A worker knows notebooks, kernels and leases; what is owed, with what, and what counts as done, its desk knows.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tng.errors import ReleaseError, RunFailed, ScriptError, TngError
from tng.fulfilment import Fulfilment
from tng.jobs import Job, JobKind
from tng.ports import Event
from tng.promotion.canary import Canary
from tng.promotion.ledger import ReleaseLedger
from tng.releases import digest
from tng.script import Scene, parse, parse_scene, render_scene

RECORD = "notebook.ipynb"
RELEASE_CAUSES = frozenset({"ReleaseDamaged", "ReleaseMissing"})
"""Causes that no repetition cures, and only an operator can."""
RELEASE_GONE = "ReleaseGone"
"""The cause where a take cannot be written with the release of its script: the next attempt writes with another."""

logger = logging.getLogger(__name__)


class Desk(Protocol):
    """Each write names the job's fencing token: it raises LeaseLost or JobCancelled where the run counts no more."""

    def claim(self, worker: str) -> Job | None:
        """Take the next job that is due, or None. Raises StoreBusy."""
        ...

    def explain(self, job: Job) -> Mapping[str, object]:
        """What every line of the log about this run carries, beside its words."""
        ...

    def parameters(self, job: Job) -> dict[str, Any]:
        """What its notebook is run with. Raises RunError where it cannot be run."""
        ...

    def heartbeat(self, job: Job, events: Sequence[Event] = ()) -> None:
        """Renew the lease and store what the run said."""
        ...

    def yields(self, job: Job) -> bool:
        """Whether the run should end early, and keep what it has; asked about once a second, on another thread.

        Raises LeaseLost or JobCancelled where it counts no more: it is ended at once then.
        """
        ...

    def accept(self, job: Job, result: Mapping[str, Any], run_folder: Path) -> None:
        """Record what the notebook came to. Raises RunError where that is not what was owed, StoreBusy.

        It may be called again with the same result after it raised something else.
        """
        ...

    def fail(self, job: Job, error: TngError) -> None:
        """Record that the run raised. Raises StoreBusy."""
        ...

    def give_back(self, job: Job) -> None:
        """Let the job be taken again; this attempt is not held against it. Raises StoreBusy."""
        ...


class WritingDesk:
    """The scripts that were paid for, and scenes of theirs again.

    Each attempt writes with the release that was current when it was claimed; for a scene the one of its script.
    """

    def __init__(self, fulfilment: Fulfilment, ledger: ReleaseLedger, canary: Canary | None = None) -> None:
        self._fulfilment, self._ledger, self._canary = fulfilment, ledger, canary

    def claim(self, worker: str) -> Job | None:
        """The next paid script, or a scene where none is owed. Raises StoreBusy."""
        return self._fulfilment.claim(worker)

    def explain(self, job: Job) -> Mapping[str, object]:
        """Its order, and the release that this attempt writes with."""
        return {"order": job.order_id, "job": job.id, "attempt": job.attempt, "release": job.release_id}

    def parameters(self, job: Job) -> dict[str, Any]:
        """The premise, and the folder of the release. Raises RunFailed where this machine does not have it, whole.

        It is tried again: another machine may have it, and after a rollback another release writes.
        """
        try:
            release = self._ledger.release_of(job.promotion_id)
        except ReleaseError as error:
            cause = RELEASE_GONE if _is_take(job) else type(error).__name__
            raise RunFailed(str(error), cause=cause) from None
        given = {**job.parameters, "release_folder": str(release.folder)}
        return {**given, "script_text": self._fulfilment.script_of(job)} if _is_take(job) else given

    def heartbeat(self, job: Job, events: Sequence[Event] = ()) -> None:
        """Renew the lease and store what the run said."""
        self._fulfilment.heartbeat(job, events)

    def yields(self, job: Job) -> bool:
        """Never: a customer waits. Raises JobCancelled within a second of their saying that they do not any more."""
        self._fulfilment.check(job)
        return False

    def accept(self, job: Job, result: Mapping[str, Any], run_folder: Path) -> None:
        """Deliver the script, or the scene. Raises RunFailed where it is none, or another release's; StoreBusy."""
        if _is_take(job):
            with as_run_error():
                take = take_of(result)
            self._fulfilment.deliver_take(job, **take)
            return
        with as_run_error():
            delivery = delivery_of(result, run_folder)
        self._fulfilment.deliver(job, **delivery)
        self._look(job)

    def fail(self, job: Job, error: TngError) -> None:
        """Try it again later, or owe the money back. Raises StoreBusy."""
        if _is_take(job) and isinstance(error, RunFailed) and error.cause in RELEASE_CAUSES:
            error = RunFailed(str(error), cause=RELEASE_GONE)  # the next attempt writes with the current one
        self._fulfilment.fail(job, error)
        self._look(job)

    def give_back(self, job: Job) -> None:
        """It is due at once. Raises StoreBusy."""
        self._fulfilment.give_back(job)

    def _look(self, job: Job) -> None:
        """The job has come to an end: was its release promoted lately, and does it keep what it promised?"""
        if self._canary is not None and not _is_take(job):
            self._canary.look(job)


def _is_take(job: Job) -> bool:
    return job.kind is JobKind.WRITE_SCENE


@contextmanager
def as_run_error() -> Iterator[None]:
    """What is raised inside and is no error of ours becomes RunFailed: a full disk, a bug. The job must hear of it."""
    try:
        yield
    except TngError:
        raise
    except Exception as error:  # noqa: BLE001  whatever it is
        # The place, not the text: an exception may quote what it was working on.
        where = "".join(traceback.format_tb(error.__traceback__))
        name = type(error).__name__
        logger.error("%s in the worker itself\n%s", name, where)
        raise RunFailed(f"{name} in the worker itself", cause=name) from None


def delivery_of(result: Mapping[str, Any], run_folder: Path) -> dict[str, Any]:
    """Check what the notebook calls a script: what ``Fulfilment.deliver`` is told of it. Raises RunFailed.

    The seed is the order's, so that a repetition would write the same: it is not tried again.
    """
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
    return {
        "script_text": text,
        "release_id": release_id,
        "run_sha256": digest(run_folder / RECORD),
        "provenance": provenance if isinstance(provenance, dict) else None,  # worth delivering without it
    }


def take_of(result: Mapping[str, Any]) -> dict[str, str]:
    """Check what the notebook calls a scene: what ``Fulfilment.deliver_take`` is told of it. Raises RunFailed."""
    text, release_id = result.get("scene_text"), result.get("release_id")
    if not isinstance(text, str) or not isinstance(release_id, str):
        raise RunFailed("the result names no scene_text or no release_id", cause="NoScene", retryable=False)
    try:
        scene = parse_scene(text)
    except ScriptError:
        scene = Scene("")
    if not scene.elements or parse_scene(render_scene(scene)) != scene:
        raise RunFailed("the result is not a scene", cause="NoScene", retryable=False)
    return {"text": render_scene(scene), "release_id": release_id}
