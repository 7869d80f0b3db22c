"""What an operator does about one order, beside its money: sees all that is known of it, and lets it go first."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from tng.errors import IllegalMove
from tng.jobs import Errand, Job, JobState
from tng.log import told
from tng.orders import Move, Order
from tng.payments import job_key
from tng.ports import Store

logger = logging.getLogger(__name__)

SOONER = -10
"""Before everything ordinary."""


@dataclass(frozen=True, slots=True)
class OrderFile:
    """An order, the job that writes it, how it came to its state, what is owed for it, and how many go before it."""

    order: Order
    job: Job | None
    history: Sequence[Move]
    errands: Sequence[Errand]
    place: int | None


class OrderDesk:
    """It needs the database, and no key."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def look_up(self, order_id: str) -> OrderFile:
        """All that is known of it, of one moment. Raises OrderNotFound, StoreBusy."""
        with self._store.read() as work:
            order = work.orders.get(order_id)
            key = job_key(order)
            job, place = work.jobs.get(key), work.jobs.place(key)
            return OrderFile(order, job, work.orders.history(order_id), work.outbox.of(order_id), place)

    def hurry(self, order_id: str) -> int:
        """Let it be written before what is ordinary; how many go before it now.

        Raises OrderNotFound, IllegalMove where it does not wait, StoreBusy.
        """
        with self._store.begin() as work:
            order = work.orders.get(order_id)
            job = work.jobs.get(job_key(order))
            if job is None or job.state is not JobState.QUEUED:
                state = job.state.value if job else "not there"
                raise IllegalMove(f"order {order_id} does not wait to be written: its job is {state}")
            work.jobs.hurry(job.key, SOONER)
            place = work.jobs.place(job.key)
            work.commit()
        logger.info("it goes first", extra=told(order=order_id, job=job.id))
        return place or 0
