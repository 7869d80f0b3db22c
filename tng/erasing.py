"""Private words, taken away: what a customer asked for, what was written, and what its runs were told and said.

What accounting needs stays: amounts, times, states, the audit, the ids of payments. The notebooks of its runs hold the
words, too: they go before the row says that they are gone, so that a crash between the two leaves nothing behind.
"""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from tng.gpus.rules import WEEK
from tng.jobs import ENDED, WRITING, Job
from tng.library.shelf import BIN_KEPT
from tng.library.takes import end_jobs
from tng.log import told
from tng.orders import Order, OrderState
from tng.ports import Clock, Store, Work
from tng.script import Premise

logger = logging.getLogger(__name__)

NOTHING_ASKED = Premise(title="Erased")
"""What stands where a premise was."""

NUMBERS = ("release", "gates", "copied")
"""What stays of how a script came about: the canary counts it, and no word of the customer is in it."""

BATCH = 100
EVENTS_KEPT = timedelta(days=1)
"""The story of a run can be told again for so long; the script itself stands in the order."""

_RUN = re.compile(r"(\d{1,18})\.(\d{1,9})")


def erase(work: Work, order: Order, runs: Path, now: datetime, *, customer: str | None = None) -> Order:
    """Take the words of an order away, and its customer's name where another is given. The caller commits.

    ``runs`` is the folder of the runs of this machine.
    """
    end_jobs(work, order, now)
    remove_runs(runs, [job.id for job in work.jobs.forget(order.id)])
    work.editions.forget(order.id)
    work.shelf.forget(order.id)
    numbers = {name: value for name, value in (order.provenance or {}).items() if name in NUMBERS}
    return work.orders.save(
        replace(
            order,
            customer=customer or order.customer,
            premise=NOTHING_ASKED,
            script_text=None,
            provenance=numbers or None,
            checkout_url=None,
            erased_at=order.erased_at or now,
        )
    )


def remove_runs(runs: Path, job_ids: Iterable[int]) -> None:
    """Remove every attempt of these jobs. Raises OSError where the disk does not let go of one."""
    for job_id in job_ids:
        for folder in runs.glob(f"{job_id}.*"):
            if _RUN.fullmatch(folder.name) and not folder.is_symlink():
                shutil.rmtree(folder)


class Sweep:
    """What is kept no longer than the house says. Any number of processes may do it at once.

    ``days`` is how long after its end an order keeps its words, 0 for ever; ``expired_days`` the same for one that was
    never paid; ``run_days`` how long the notebook of a run is kept. ``runs`` is the folder of this machine's runs.
    """

    def __init__(self, store: Store, clock: Clock, runs: Path, *, days: int, expired_days: int, run_days: int) -> None:
        self._store, self._clock, self._runs = store, clock, runs
        self._rules = ((expired_days, (OrderState.EXPIRED,)), (days, (OrderState.DELIVERED, OrderState.REFUNDED)))
        self._run_days = run_days

    def run(self) -> dict[str, int]:
        """Do all of it: how many orders, events, uses of GPUs and folders went. Raises StoreBusy, OSError."""
        erased = sum(self._erase(timedelta(days=days), states) for days, states in self._rules if days)
        erased += self._empty_bin()
        gone = {"orders": erased, "events": self._hush(), "uses": self._forget_uses(), "runs": self.prune()}
        if any(gone.values()):
            logger.info("what is old is gone", extra=told(**gone))
        return gone

    def prune(self) -> int:
        """Remove the runs of this machine that are old, or whose order is erased: how many."""
        before = self._clock.now() - timedelta(days=self._run_days)
        gone = [folder for folder, job in self._kept() if job is not None and _may_go(folder, job, before)]
        for folder in gone:
            shutil.rmtree(folder)
        return len(gone)

    def _erase(self, age: timedelta, states: tuple[OrderState, ...]) -> int:
        """A batch a unit: nobody waits long for the lock."""
        erased = 0
        while True:
            now = self._clock.now()
            with self._store.begin() as work:
                batch = work.orders.ended_before(now - age, *states, limit=BATCH)
                for order in batch:
                    erase(work, order, self._runs, now)
                work.commit()
            erased += len(batch)
            if len(batch) < BATCH:
                return erased

    def _empty_bin(self) -> int:
        """What customers threw away, and did not have back in time."""
        erased = 0
        while True:
            now = self._clock.now()
            with self._store.begin() as work:
                binned = work.shelf.binned_before(now - BIN_KEPT, BATCH)
                for order_id in binned:
                    erase(work, work.orders.get(order_id), self._runs, now)
                work.commit()
            erased += len(binned)
            if len(binned) < BATCH:
                return erased

    def _hush(self) -> int:
        with self._store.begin() as work:
            gone = work.jobs.hush(self._clock.now() - EVENTS_KEPT)
            work.commit()
        return gone

    def _forget_uses(self) -> int:
        """Who used a GPU, once it counts against nobody's hours any more."""
        with self._store.begin() as work:
            gone = work.gpus.forget(self._clock.now() - WEEK)
            work.commit()
        return gone

    def _kept(self) -> Iterator[tuple[Path, Job | None]]:
        """Every run of this machine, with its job; None where the database knows of none, as after a restore."""
        for folder in sorted(self._runs.iterdir()) if self._runs.is_dir() else ():
            name = _RUN.fullmatch(folder.name)
            if name and folder.is_dir() and not folder.is_symlink():
                with self._store.read() as work:
                    yield folder, work.jobs.find(int(name[1]))


def _may_go(folder: Path, job: Job, before: datetime) -> bool:
    """A retraining's runs are kept and removed with the retraining; one under way is nobody's to remove."""
    if job.kind not in WRITING or (job.state not in ENDED and folder.name == f"{job.id}.{job.attempt}"):
        return False
    is_erased = job.state in ENDED and not job.parameters
    return is_erased or folder.stat().st_mtime < before.timestamp()
