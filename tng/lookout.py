"""The operator's view of orders, jobs and workers, and what a process says of itself for it. It changes no order."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from tng.faults import Fault
from tng.gpus.rules import Claim, living, waiting
from tng.jobs import REFUND, Job
from tng.log import FaultCounter, kind_of
from tng.overview import GpuUse, Health, Lease, Machine, Overview, PartHealth, Presence, Queue
from tng.ports import Clock, Store, Work

logger = logging.getLogger(__name__)

REPORT_SECONDS = 5.0
"""How often a process says that it is there, and what went wrong in it."""

Around = Callable[[], tuple[Machine | None, Sequence[PartHealth]]]

GOOGLE = PartHealth("Google", Health.UNKNOWN, "is not asked: whether people can sign in stands in the hub's log")

MOST_FAULTS = 20
"""How many kinds of fault a page shows."""


class Lookout:
    """Looks at the store, and around.

    ``lease_seconds`` is how long a worker's claim holds without a heartbeat; ``around`` tells of the machine and of the
    parts that are not in the store.
    """

    def __init__(self, store: Store, clock: Clock, *, lease_seconds: float, around: Around | None = None) -> None:
        self._store, self._clock, self._around = store, clock, around
        self._lease = timedelta(seconds=lease_seconds)

    def look_around(self) -> Overview:
        """The same as ``look``, with the machine, and how each part of the house is. Raises StoreBusy."""
        seen = self.look()
        machine, health = self._around() if self._around else (None, ())
        ours = (PartHealth("api", Health.WELL, "answers"), *health, _workers_health(seen))
        return replace(seen, machine=machine, health=(*ours, GOOGLE), faults=seen.faults[:MOST_FAULTS])

    def look(self) -> Overview:
        """Orders, queue, leases, workers and faults, all of one moment. Raises StoreBusy."""
        now = self._clock.now()
        with self._store.read() as work:
            workers = tuple(work.watch.workers())
            claims = living(work.gpus.claims(), now)
            return Overview(
                at=now,
                orders=work.counts.orders(),
                queue=_queue(work, workers, now),
                leases=tuple(self._lease_of(job) for job in work.counts.running()),
                workers=workers,
                gpus=tuple(use for claim in claims for use in _uses(claim)),
                gpus_waiting=len(waiting(work.gpus.wishes(), now)),
                faults=tuple(work.watch.faults()),
            )

    def note(self, faults: Sequence[Fault]) -> None:
        """Add to what went wrong. Raises StoreBusy."""
        if faults:
            with self._store.begin() as work:
                work.watch.note(faults)
                work.commit()

    def report(self, presence: Presence) -> None:
        """A worker is there. Raises StoreBusy."""
        with self._store.begin() as work:
            work.watch.report(presence)
            work.commit()

    def leave(self, name: str) -> None:
        """A worker has ended. Raises StoreBusy."""
        with self._store.begin() as work:
            work.watch.leave(name)
            work.commit()

    def now(self) -> datetime:
        """The time now, aware UTC."""
        return self._clock.now()

    def _lease_of(self, job: Job) -> Lease:
        until = job.lease_until or self._clock.now()
        heard_at = until - self._lease
        worker, release_id = job.worker or "", job.release_id
        return Lease(worker, job.id, job.order_id, job.attempt, job.failures, until, heard_at, release_id)


class Attendance:
    """Says in a thread of its own that a worker is there and what went wrong in it, for as long as it is open.

    A database that is away costs a warning: the next report brings what this one could not.
    """

    def __init__(
        self, lookout: Lookout, name: str, faults: FaultCounter, *, report_seconds: float = REPORT_SECONDS
    ) -> None:
        self._lookout, self._name, self._faults = lookout, name, faults
        self._report_seconds = report_seconds
        self._started_at = lookout.now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="attendance", daemon=True)

    def __enter__(self) -> Attendance:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Report a last time what went wrong, and leave."""
        self._over.set()
        self._thread.join()
        _try("leave", lambda: hand_over(self._faults, self._lookout))
        _try("leave", lambda: self._lookout.leave(self._name))

    def report(self) -> None:
        """Say it now. Raises StoreBusy."""
        self._lookout.report(Presence(self._name, self._started_at, self._lookout.now()))
        hand_over(self._faults, self._lookout)

    def _keep(self) -> None:
        while True:
            _try("report", self.report)
            if self._over.wait(self._report_seconds):
                return


def hand_over(faults: FaultCounter, lookout: Lookout) -> None:
    """Store what was counted; where that fails, it is counted on. Raises StoreBusy."""
    counted = faults.take()
    try:
        lookout.note(counted)
    except BaseException:
        faults.add(counted)
        raise


def _try(what: str, action: Callable[[], None]) -> None:
    try:
        action()
    except Exception as error:  # noqa: BLE001  whatever a database raises: it may be back in a moment
        logger.warning("attendance: no %s (%s)", what, kind_of(error))


def _uses(claim: Claim) -> list[GpuUse]:
    return [GpuUse(gpu, claim.kind.value, claim.holder, claim.since_at, claim.until_at) for gpu in claim.gpus]


def _workers_health(seen: Overview) -> PartHealth:
    here = sum(worker.here(seen.at) for worker in seen.workers)
    if here:
        return PartHealth("worker", Health.WELL, f"{here} of {len(seen.workers)} seen lately")
    return PartHealth("worker", Health.UNWELL, "none was seen lately: nothing is written")


def _queue(work: Work, workers: Sequence[Presence], now: datetime) -> Queue:
    """The estimate is the mean of the last runs for each job that is owed, shared among the workers that are here."""
    waiting, oldest_at = work.counts.waiting()
    run_seconds, here = work.counts.run_seconds(), sum(worker.here(now) for worker in workers)
    return Queue(
        waiting=waiting,
        oldest_seconds=max(0.0, (now - oldest_at).total_seconds()) if oldest_at else 0.0,
        estimate_seconds=waiting * run_seconds / here if run_seconds is not None and here else None,
        refunds_waiting=work.counts.errands(REFUND),
        reports_waiting=work.inbox.waiting(),
    )
