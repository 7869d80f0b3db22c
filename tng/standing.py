"""How an order stands, beside its row: its place in the queue, who ended it, its name. It changes nothing.

A customer learns a number, and nothing of the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tng.jobs import JobKind
from tng.library.shelf import ORDINARY, Shelved
from tng.money.cancelling import was_cancelled
from tng.orders import Order, OrderState
from tng.payments import job_key
from tng.ports import Clock, Store, Work

FIGURES_KEPT = timedelta(seconds=2)
"""What is the same for everybody who waits is asked for so often, however many wait."""

ENDED_BY_SOMEBODY = (OrderState.EXPIRED, OrderState.REFUNDING, OrderState.REFUNDED)


@dataclass(frozen=True, slots=True)
class Turn:
    """``place`` is 1 for the next one. ``estimate_seconds`` is about until it is written; None where nobody knows."""

    place: int
    estimate_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """``turn`` while the order waits for a worker; ``cancelled`` where its customer ended it; what they noted of it."""

    turn: Turn | None = None
    cancelled: bool = False
    shelved: Shelved = ORDINARY


@dataclass(frozen=True, slots=True)
class Figures:
    """How many scripts are being written, how many workers are here, and how long the last runs took."""

    running: int
    workers: int
    run_seconds: float | None

    def turn(self, before: int) -> Turn:
        """The turn of a script with so many waiting before it. Those being written count, too.

        A worker is free for it once all but ``workers - 1`` of those before it are done; they are done at
        ``workers`` in ``run_seconds``; and then it takes that long itself.
        """
        ahead = before + self.running
        if not self.workers or self.run_seconds is None:
            return Turn(ahead + 1)
        rounds = max(ahead - self.workers + 1, 0) / self.workers
        return Turn(ahead + 1, (rounds + 1) * self.run_seconds)


class Standings:
    """Looks up how orders stand. Use it from any thread."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._known: tuple[datetime, Figures] | None = None

    def of(self, order: Order) -> Standing:
        """How it stands now. Raises StoreBusy."""
        with self._store.read() as work:
            shelved = work.shelf.get(order.id)
            if order.state is OrderState.PAID:
                before = work.jobs.place(job_key(order))
                return Standing(None if before is None else self._figures(work).turn(before), shelved=shelved)
            by_them = order.state in ENDED_BY_SOMEBODY and was_cancelled(order, work.orders.history(order.id))
            return Standing(cancelled=by_them, shelved=shelved)

    def _figures(self, work: Work) -> Figures:
        now, known = self._clock.now(), self._known
        if known is None or not timedelta(0) <= now - known[0] < FIGURES_KEPT:
            running = sum(job.kind is JobKind.WRITE_SCRIPT for job in work.counts.running())
            here = sum(worker.here(now) for worker in work.watch.workers())
            known = self._known = now, Figures(running, here, work.counts.run_seconds())
        return known[1]
