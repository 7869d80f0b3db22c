"""Where money is counted: what a payment, once Stripe was asked again, does to its order.

Webhook, return page and reconciler all end in :meth:`Till.confirm_payment`, which may be called any number of
times, in any order, by any number of threads: Stripe is asked outside a unit of work, and PAID and the job's row are
one commit. What Stripe said before somebody else moved the order is asked again: an old answer undoes nothing newer.
It opens no page and takes no order; that is ``tng.shop``'s.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime
from typing import Any

from tng.errors import OrderNotFound, PaymentMismatch, PaymentRefused, StoreBusy
from tng.jobs import Job, JobKind
from tng.library.takes import end_jobs
from tng.log import about, kind_of, told
from tng.money.refunds import begin_again, extra_errand, owe_refund
from tng.notices import Notice, NoticeKind, tell
from tng.orders import MOVES, PAYABLE, Order, OrderState
from tng.payments import CheckoutStatus, Dispute, Payment, check_payment, job_key
from tng.ports import Clock, PaymentGateway, Store, Work

logger = logging.getLogger(__name__)

MOST_LOOKS = 5
"""Stripe is asked again, so often, where the order was moved in the meantime."""

FREEZABLE = frozenset(state for state, following in MOVES.items() if OrderState.DISPUTED in following)
"""States that a dispute freezes."""


class Till:
    """Money that arrives, goes back or is disputed, for the orders of a store."""

    def __init__(self, store: Store, gateway: PaymentGateway, clock: Clock) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock

    def order_of(self, session_id: str) -> Order | None:
        """The order of a page, as far as we know: Stripe is not asked. Raises StoreBusy."""
        with self._store.read() as work:
            return work.orders.find(session_id=session_id)

    def paid_on(self, session_id: str) -> Order | None:
        """The order that was paid on this page, whatever became of it since; one that was paid stays so."""
        order = self.order_of(session_id)
        return None if order is None or order.state in PAYABLE else order

    def confirm_payment(self, session_id: str, *, by: str = "stripe", waited_for: bool = False) -> Order | None:
        """Ask Stripe what became of a checkout, and act on it: PAID with its job, REFUNDED, DISPUTED, or nothing.

        None where neither Stripe nor we know the session, or it is not for an order of ours. ``waited_for``: see
        :class:`tng.ports.PaymentGateway`. Raises PaymentMismatch (nothing is changed then), PaymentRefused,
        GatewayUnavailable, StoreBusy.
        """
        with self._store.read() as work:
            known = work.orders.find(session_id=session_id)
            seen = _moves_of(work, known)
        for _ in range(MOST_LOOKS):
            try:
                payment = self._gateway.read_payment(session_id, waited_for=waited_for)
            except PaymentRefused as error:
                if known is not None:
                    raise
                logger.warning("checkout unknown to Stripe and to us: %s", error)
                return None
            with about(order=payment.order_id, session=payment.session_id):
                order, now_seen = self._settle(payment, by, seen, waited_for=waited_for)
            if now_seen == seen:
                return order
            seen = now_seen
        raise StoreBusy(f"checkout {session_id}: its order was moved {MOST_LOOKS} times while Stripe was asked")

    def _settle(self, payment: Payment, by: str, seen: int, *, waited_for: bool) -> tuple[Order | None, int]:
        """Bring the order in line with its payment, in one commit; and how many moves the order had before.

        Where these are not the ``seen`` ones nothing is done: what Stripe said may be older than what moved the order.
        """
        with self._store.begin() as work:
            before = _order_of(work, payment)
            stored = _moves_of(work, before)
            if before is None or stored != seen:
                return before, stored
            if _is_extra(before, payment):
                self._owe_extra(work, before, payment)
                return before, seen
            try:
                order = self._settled(before, payment, by)
            except PaymentMismatch as error:
                logger.error("%s", error, extra=told(order=before.id, fault=kind_of(error)))
                raise
            self._tell_of_dispute(work, before, payment)
            job = None
            if order != before:
                order = work.orders.save(order)
                job = self._settle_job(work, before, order)
                order = self._give_back_erased(work, order)
            work.commit()
        if order.state is not before.state:
            words = "payment confirmed: %s→%s" if order.state is OrderState.PAID else "%s→%s"
            facts = told(order=order.id, job=job and job.id)
            logger.info(words, before.state.name, order.state.name, extra=facts)
        if before.state in PAYABLE and before.checkout_session_id not in (None, order.checkout_session_id):
            # paid on another page: never twice
            self._gateway.close_checkout(str(before.checkout_session_id), waited_for=waited_for)
        return order, seen

    def _settled(self, order: Order, payment: Payment, by: str) -> Order:
        """What the order must be, given its payment. Money that came and went again starts no job."""
        if not payment.paid:
            return order
        if order.state in PAYABLE:  # a page whose answer was lost in a crash is taken up here
            order = replace(order, checkout_session_id=payment.session_id)
        check_payment(order, payment, livemode=self._gateway.livemode)
        if order.state in PAYABLE:
            order = self._paid(order, payment, by)
        if payment.refunded and OrderState.REFUNDED in MOVES[order.state]:
            why = "the money went back at Stripe"
            return order.moved(OrderState.REFUNDED, by=by, why=why, at=self._clock.now(), trouble=None)
        return self._disputed(order, payment, by)

    def _paid(self, order: Order, payment: Payment, by: str) -> Order:
        now = self._clock.now()
        return order.moved(
            OrderState.PAID,
            by=by,
            why=f"paid {payment.amount_cents} {payment.currency}",
            at=now,
            paid_at=now,
            paid_cents=payment.amount_cents,
            payment_intent_id=payment.payment_intent_id,
            checkout_url=None,
        )

    def _disputed(self, order: Order, payment: Payment, by: str) -> Order:
        """Frozen while a bank decides; then back to where it was, or its money is gone."""
        now, frozen = self._clock.now(), OrderState.DISPUTED
        if payment.dispute in (Dispute.OPEN, Dispute.LOST) and order.state in FREEZABLE:
            order = order.moved(frozen, by=by, why="the payment is disputed", at=now, before_dispute=order.state)
        if order.state is frozen and payment.dispute is Dispute.LOST:
            why = "the dispute is lost: the bank gave the money back"
            gone: dict[str, Any] = {"before_dispute": None, "trouble": None, "is_part": False}  # nor is a part kept
            return order.moved(OrderState.REFUNDED, by=by, why=why, at=now, **gone)
        if order.state is frozen and payment.dispute is Dispute.WON:
            before = order.before_dispute or OrderState.PAID
            state = OrderState.PAID if before is OrderState.WRITING else before
            # a refund may have been done, or sent back, while it was frozen: a key of its own finds out
            attempt = max(order.refund_attempt, 1) + 1 if state is OrderState.REFUNDING else order.refund_attempt
            why = "the dispute is won"
            return order.moved(state, by=by, why=why, at=now, before_dispute=None, refund_attempt=attempt)
        return order

    def _settle_job(self, work: Work, before: Order, order: Order) -> Job | None:
        """PAID owes a job; what is frozen or refunded owes none."""
        now = self._clock.now()
        if order.state is OrderState.PAID and before.state is not OrderState.PAID and order.erased_at is None:
            job = work.jobs.add(_job_for(order, now))
            work.jobs.revive(job.key, now)
            return job
        if order.state in (OrderState.DISPUTED, OrderState.REFUNDED):
            end_jobs(work, order, now)
        if order.state is OrderState.REFUNDING and before.state is OrderState.DISPUTED:
            begin_again(work, before, order, now)
        return None

    def _give_back_erased(self, work: Work, order: Order) -> Order:
        """Money for an order whose words were taken away: nobody can write it any more, and it goes back by itself."""
        if order.state is not OrderState.PAID or order.erased_at is None:
            return order
        return owe_refund(work, order, by="clock", why="what was asked for is erased", now=self._clock.now())

    def _owe_extra(self, work: Work, order: Order, payment: Payment) -> None:
        """The order was paid on another page before: this money goes back by itself."""
        if payment.paid and not payment.refunded and payment.payment_intent_id is not None:
            work.outbox.add(extra_errand(order, payment.payment_intent_id), self._clock.now())
            work.commit()
            logger.warning("paid a second time; it goes back", extra=told(order=order.id))

    def _tell_of_dispute(self, work: Work, order: Order, payment: Payment) -> None:
        """Once for each turn it takes: the same notice twice is told once."""
        if payment.dispute is None:
            return
        closed = payment.dispute in (Dispute.WON, Dispute.LOST)
        kind = NoticeKind.DISPUTE_CLOSED if closed else NoticeKind.DISPUTED
        text = {
            Dispute.INQUIRY: "A bank asks what a payment was for. No money has moved; answer it at Stripe.",
            Dispute.OPEN: "A bank asks for money back. The script is frozen; answer at Stripe.",
            Dispute.WON: "The bank decided for us. The order goes on.",
            Dispute.LOST: "The bank decided against us, and gave the money back. The order is refunded.",
        }[payment.dispute]
        facts = {"order": order.id, "payment": payment.payment_intent_id, "dispute": payment.dispute.value}
        notice = Notice(kind, f"A payment is disputed: {payment.dispute.value}", text, order.placed_at, facts)
        tell(work, notice, (), self._clock.now())

    def give_up(self, session_id: str, *, failed: bool, by: str = "stripe") -> Order | None:
        """EXPIRED, where Stripe agrees that the page is over; paid, where it turns out to be paid. The order, if ours.

        ``failed`` says that a bank refused afterwards: then a complete page is over too.
        """
        payment = self._gateway.read_payment(session_id)
        if payment.paid:
            return self.confirm_payment(session_id, by=by)
        over = payment.status is CheckoutStatus.EXPIRED or (payment.status is CheckoutStatus.COMPLETE and failed)
        with self._store.begin() as work:
            order = _order_of(work, payment)
            if order is None or not over or not _waits_on(order, session_id):
                return order
            why = "the bank refused" if failed else "the page is over, and nobody paid"
            order = work.orders.save(
                order.moved(OrderState.EXPIRED, by=by, why=why, at=self._clock.now(), checkout_url=None)
            )
            work.commit()
        logger.info("PLACED→EXPIRED", extra=told(order=order.id, session=session_id))
        return order


def _job_for(order: Order, now: datetime) -> Job:
    return Job(
        id=0,  # the store gives it
        key=job_key(order),
        kind=JobKind.WRITE_SCRIPT,
        order_id=order.id,
        parameters={"order_id": order.id, "premise_json": json.dumps(order.premise.to_fields())},
        ready_at=now,
    )


def _waits_on(order: Order, session_id: str) -> bool:
    return order.state is OrderState.PLACED and order.checkout_session_id == session_id


def _is_extra(order: Order, payment: Payment) -> bool:
    """Whether this is money of another page than the one that the order was paid on."""
    return order.state not in PAYABLE and payment.session_id != order.checkout_session_id


def _moves_of(work: Work, order: Order | None) -> int:
    return 0 if order is None else len(work.orders.history(order.id))


def _order_of(work: Work, payment: Payment) -> Order | None:
    """The order of a payment: by its session, else by the order's id that we wrote into it at Stripe."""
    known = work.orders.find(session_id=payment.session_id)
    if known is not None or payment.order_id is None:
        return known
    try:
        return work.orders.get(payment.order_id)
    except OrderNotFound:
        return None
