"""What a customer may take back: an order before it is written, and the rest of one that is being written.

The rule, as it is told on the page: before the writing begins the whole price goes back. Once it has begun it can be
stopped, and what is written is kept: with fewer than half of the planned scenes the whole price goes back, too; from
half on the part is delivered as it stands.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from tng.errors import IllegalMove, StoreBusy
from tng.jobs import JobEvent
from tng.log import about, told
from tng.money.refunds import owe_refund
from tng.money.till import Till
from tng.orders import CUSTOMER, Move, Order, OrderState
from tng.payments import CheckoutStatus, Payment, job_key
from tng.ports import Clock, PaymentGateway, Store, Work
from tng.script_part import ScriptPart

logger = logging.getLogger(__name__)

MOST_LOOKS = 4
"""An order that was moved between the look and the lock is looked at again, so often."""

ON_ITS_WAY = (
    "Your bank is still moving the money for this order, so it cannot be cancelled now. "
    "Please come back once it has arrived, or has been refused."
)
DELIVERED = "This script is delivered already, so there is nothing left to cancel."
HELD = "The payment of this order is disputed at the bank: until that is settled, it cannot be cancelled."


class Cancelling:
    """Cancels and stops. Safe to be called any number of times, beside a worker, a webhook and the clock."""

    def __init__(self, store: Store, gateway: PaymentGateway, clock: Clock, till: Till) -> None:
        self._store, self._gateway, self._clock, self._till = store, gateway, clock, till

    def cancel(self, order_id: str, customer: str) -> Order:
        """The order, as it is after its customer took it back; one that was taken back before stays as it is.

        Raises OrderNotFound, also for a stranger's; IllegalMove where it is too late, or too early; PaymentMismatch,
        GatewayUnavailable, StoreBusy.
        """
        with about(order=order_id):
            for _ in range(MOST_LOOKS):
                order = self._once(order_id, customer)
                if order is not None:
                    return order
        raise StoreBusy(f"order {order_id} was moved {MOST_LOOKS} times while it was to be cancelled; try again")

    def _once(self, order_id: str, customer: str) -> Order | None:
        """Look, close its page, and end it under the lock; None where it has moved in between."""
        with self._store.read() as work:
            seen = work.orders.get(order_id, customer)
        if seen.state is OrderState.PLACED and seen.checkout_session_id is not None:
            payment = self._closed(seen.checkout_session_id)
            if payment.paid:
                # it was paid all the while: PAID, and then its money goes back
                self._till.confirm_payment(payment.session_id, by=CUSTOMER, waited_for=True)
                return None
        with self._store.begin() as work:
            before = work.orders.get(order_id, customer)
            if before.state is OrderState.PLACED and _page(before) != _page(seen):
                return None
            after = self._ended(work, before)
            work.commit()
        if after.state is not before.state:
            logger.info("%s→%s, by its customer", before.state.name, after.state.name, extra=told(order=order_id))
        return after

    def _closed(self, session_id: str) -> Payment:
        """What became of the page, which nobody can pay on any more. Raises IllegalMove while a bank moves money."""
        payment = self._gateway.read_payment(session_id, waited_for=True)
        if payment.status is CheckoutStatus.OPEN and not payment.paid:
            self._gateway.close_checkout(session_id, waited_for=True)
            # it may have been paid at the last moment
            payment = self._gateway.read_payment(session_id, waited_for=True)
        if payment.status is CheckoutStatus.COMPLETE and not payment.paid:
            raise IllegalMove(f"checkout {session_id} is complete and not paid yet", user_message=ON_ITS_WAY)
        return payment

    def _ended(self, work: Work, order: Order) -> Order:
        now = self._clock.now()
        match order.state:
            case OrderState.PLACED:
                why = "cancelled before it was paid"
                return work.orders.save(
                    order.moved(OrderState.EXPIRED, by=CUSTOMER, why=why, at=now, checkout_url=None)
                )
            case OrderState.PAID:
                return owe_refund(work, order, by=CUSTOMER, why="cancelled before it was begun", now=now)
            case OrderState.WRITING:
                return self._stopped(work, order)
            case OrderState.DISPUTED:
                raise IllegalMove(f"order {order.id} is disputed: it cannot be cancelled", user_message=HELD)
            case OrderState.DELIVERED if not order.is_part:
                raise IllegalMove(f"order {order.id} is delivered: it cannot be cancelled", user_message=DELIVERED)
            case _:
                return order

    def _stopped(self, work: Work, order: Order) -> Order:
        """What is written stays; whether the money does, its share of the plan decides."""
        now, job = self._clock.now(), work.jobs.get(job_key(order))
        part = ScriptPart.read(_said(work, job.id), job.attempt) if job else ScriptPart()
        kept: dict[str, Any] = {}
        if part.scenes:
            release_id = job.release_id if job else None
            kept = {
                "script_text": part.text(order.premise.title),
                "is_part": not part.is_whole,
                "release_id": release_id,
                "run_sha256": None,
                "provenance": part.provenance(release_id, order.premise.seed),
            }
        why = f"stopped: {part.written} of {part.planned} scenes were written"
        if not part.is_half:
            return owe_refund(work, order, by=CUSTOMER, why=why, now=now, **kept)
        moved = order.moved(OrderState.DELIVERED, by=CUSTOMER, why=why, at=now, delivered_at=now, **kept)
        work.jobs.cancel(job_key(order), now)
        return work.orders.save(moved)


def was_cancelled(order: Order, history: Sequence[Move]) -> bool:
    """Whether it was its customer who ended the order, and not time or a failure."""
    if order.state is OrderState.EXPIRED:
        return bool(history) and history[-1].actor == CUSTOMER
    if order.state not in (OrderState.REFUNDING, OrderState.REFUNDED):
        return False
    return any(move.after is OrderState.REFUNDING and move.actor == CUSTOMER for move in history)


def _said(work: Work, job_id: int) -> Iterator[JobEvent]:
    """All that the runs of a job said: it is read in parts."""
    after = 0
    while heard := work.jobs.heard(job_id, after):
        yield from heard
        after = heard[-1].id


def _page(order: Order) -> tuple[int, str | None]:
    return order.checkout_attempt, order.checkout_session_id
