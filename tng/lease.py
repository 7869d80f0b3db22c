"""Keeps the lease of one run, carries its events to the database, and ends its kernel when the run may not go on."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextvars import copy_context
from enum import StrEnum
from pathlib import Path
from typing import Any

from tng.errors import JobCancelled, LeaseLost
from tng.jobs import EventKind
from tng.log import kind_of, told
from tng.ports import Event

BATCH_SECONDS = 0.2
"""Events are stored this often: a row for each token of a script would be thousands."""
YIELD_SECONDS = 0.7
"""Whether a run is to go on is asked no sooner than this after the last look: an order that is cancelled is heard of
within a second, however silent its notebook is."""
YIELD_AGAIN_SECONDS = 60.0
"""A kernel that is between two cells hears nothing: a run that goes on for so long is asked again."""
SILENT_SECONDS = 30.0
"""A kernel is asked to end when its run has said something, or after so long: one that starts would only die of it."""
GIVE_UP_PART = 0.8
"""The part of the lease after which a run that could not renew it is ended: before another worker may begin."""

logger = logging.getLogger(__name__)


class Verdict(StrEnum):
    """What became of the right to run."""

    KEPT = "kept"
    LOST = "lost"
    CANCELLED = "cancelled"
    STOPPED = "stopped"


FAULTS = {Verdict.LOST: "LeaseLost"}
"""The verdicts that are somebody's fault; a job may be cancelled, and a worker stopped."""


class LeaseKeeper:
    """The ``RunGuard`` of one run: a context manager, with a thread of its own while it is open.

    After it is closed, ``verdict`` says whether what the run did may be written, and ``yielded`` whether it was asked
    to end early.
    """

    def __init__(
        self,
        renew: Callable[[Sequence[Event]], None],
        *,
        lease_seconds: float,
        hurry: threading.Event,
        yields: Callable[[], bool] = lambda: False,
    ) -> None:
        """``renew`` stores events and renews the lease, or raises; ``hurry`` set means: end the run now.

        ``yields`` says whether the run should end early, and keep what it has: once it does, the kernel gets SIGINT.
        It raises LeaseLost or JobCancelled where the run counts no more: the kernel is ended then.
        """
        self._renew, self._lease_seconds, self._hurry, self._yields = renew, lease_seconds, hurry, yields
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._kernel: tuple[int, Path] | None = None
        self._over = threading.Event()
        self._renewed = self._looked = self._started = time.monotonic()
        self._has_spoken = self.yielded = False
        self._interrupted_at = -math.inf
        told_about = copy_context()  # a thread begins without one: its lines are about the same job
        self._thread = threading.Thread(target=told_about.run, args=(self._keep,), name="lease", daemon=True)
        self.verdict = Verdict.KEPT

    def __enter__(self) -> LeaseKeeper:
        self._renewed = self._looked = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop keeping, then store what was said last."""
        self._over.set()
        self._thread.join()
        self._kernel = None
        while self._events and self.verdict is Verdict.KEPT:
            self._beat()
            if self._events:
                time.sleep(BATCH_SECONDS)

    def started(self, kernel_pid: int, alive_file: Path) -> None:
        """The run has a kernel: keep it alive from now on, or end it at once where the run is over already."""
        with self._lock:
            alive_file.touch()
            self._kernel, self._started = (kernel_pid, alive_file), time.monotonic()
            over = self.verdict is not Verdict.KEPT
        if over:
            self._kill()

    def say(self, kind: EventKind, body: dict[str, Any]) -> None:
        """Take an event; it is stored with the next beat."""
        with self._lock:
            self._events.append((kind, body))
            self._has_spoken = True

    def _keep(self) -> None:
        while self.verdict is Verdict.KEPT and not self._over.wait(BATCH_SECONDS):
            if self._hurry.is_set():
                self._end(Verdict.STOPPED, "the worker is to stop now")
                return
            if self._events or time.monotonic() - self._renewed >= self._lease_seconds / 3:
                self._beat()
            if self.verdict is Verdict.KEPT and time.monotonic() - self._looked >= YIELD_SECONDS:
                self._look()

    def _look(self) -> None:
        """Is the run to end early? Asked until the answer is yes: then it stays so."""
        try:
            asked = self.yielded or self._yields()
        except LeaseLost as error:
            self._end(Verdict.LOST, str(error))
            return
        except JobCancelled as error:
            self._end(Verdict.CANCELLED, str(error))
            return
        except Exception as error:  # noqa: BLE001  whatever a database raises: it is asked again in a second
            asked = False
            logger.warning("nobody says whether the run is to end (%s)", kind_of(error))
        self._looked = time.monotonic()
        if asked and not self.yielded:
            logger.info("the run is asked to end early")
            self.yielded = True
        if self.yielded:
            self._interrupt()

    def _interrupt(self) -> None:
        """SIGINT, to the kernel alone: a training hears it between two steps, and saves what it has."""
        now = time.monotonic()
        hears = self._has_spoken or now - self._started >= SILENT_SECONDS
        if self._kernel is not None and hears and now - self._interrupted_at >= YIELD_AGAIN_SECONDS:
            self._interrupted_at = now
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._kernel[0], signal.SIGINT)

    def _beat(self) -> None:
        with self._lock:
            events, self._events = self._events, []
        asked_at = time.monotonic()  # the lease counts from before the database was asked
        try:
            self._renew(events)
        except LeaseLost as error:
            self._end(Verdict.LOST, str(error))
        except JobCancelled as error:
            self._end(Verdict.CANCELLED, str(error))
        except Exception as error:  # noqa: BLE001  whatever a database raises: it may be back in a moment
            with self._lock:
                self._events = [*events, *self._events]
            self._not_renewed(type(error).__name__)
        else:
            self._renewed = asked_at
            if self._kernel is not None:
                with contextlib.suppress(FileNotFoundError):  # the run ended meanwhile, and its folder is gone
                    os.utime(self._kernel[1])

    def _not_renewed(self, cause: str) -> None:
        """Only the class of the error is logged: its text may quote the events."""
        since = time.monotonic() - self._renewed
        words = "lease not renewed for %.1f s of %.1f (%s)"
        logger.warning(words, since, self._lease_seconds, cause, extra=told(fault=cause))
        if since >= self._lease_seconds * GIVE_UP_PART:
            self._end(Verdict.LOST, "the database does not answer, and the lease is about to end")

    def _end(self, verdict: Verdict, why: str) -> None:
        with self._lock:
            self.verdict = verdict
        logger.warning("run is %s: %s", verdict, why, extra=told(fault=FAULTS.get(verdict)))
        self._kill()

    def _kill(self) -> None:
        """SIGKILL: a cell may be deep inside C code that hears nothing else."""
        if self._kernel is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._kernel[0], signal.SIGKILL)
