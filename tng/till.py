"""Where money is counted: what a payment, a webhook or a refund that is owed does to an order.

Webhook, return page and reconciler all end in :meth:`Till.confirm_payment`, which may be called any number of
times, in any order, by any number of threads: Stripe is asked again outside a unit of work, and PAID and the
job's row are one commit. It opens no page and takes no order; that is ``tng.shop``'s.
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from datetime import datetime, timedelta

from tng.errors import OrderNotFound, PaymentError, PaymentMismatch, PaymentRefused
from tng.jobs import REFUND, Errand, Job, JobKind
from tng.log import about, kind_of, told
from tng.orders import MOVES, Order, OrderState
from tng.payments import CheckoutStatus, Payment, PaymentEvent, check_payment
from tng.ports import Clock, PaymentGateway, Store, Work

logger = logging.getLogger(__name__)

PAYABLE = frozenset({OrderState.PLACED, OrderState.EXPIRED})
"""States in which money may still arrive for an order."""

ERRAND_AGAIN = timedelta(minutes=2)
"""An errand comes back after this long unless it is done: longer than the gateway takes with all its retries."""


class Till:
    """Money in and money out, for the orders of a store."""

    def __init__(self, store: Store, gateway: PaymentGateway, clock: Clock) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock

    def confirm_payment(self, session_id: str) -> Order | None:
        """Ask Stripe what became of a checkout, and act on it: PAID with its job, REFUNDED, or nothing at all.

        None where neither Stripe nor we know the session, or it is not for an order of ours. Raises
        PaymentMismatch (nothing is changed then), PaymentRefused, GatewayUnavailable, StoreBusy.
        """
        with self._store.read() as work:
            known = work.orders.find(session_id=session_id)
        try:
            payment = self._gateway.read_payment(session_id)
        except PaymentRefused as error:
            if known is not None:
                raise
            logger.warning("checkout unknown to Stripe and to us: %s", error)
            return None
        return self.settle(payment)

    def settle(self, payment: Payment) -> Order | None:
        """Bring the order in line with its payment, in one commit."""
        with about(order=payment.order_id, session=payment.session_id):
            return self._settle(payment)

    def _settle(self, payment: Payment) -> Order | None:
        with self._store.begin() as work:
            before = _order_of(work, payment)
            if before is None:
                return None
            try:
                order = self._settled(before, payment)
            except PaymentMismatch as error:
                logger.error("%s", error, extra=told(order=before.id, fault=kind_of(error)))
                raise
            if order == before:
                return before
            work.orders.save(order)
            paid = order.state is OrderState.PAID
            job = work.jobs.add(_job_for(order, self._clock.now())) if paid else None
            work.commit()
        words = "payment confirmed: %s→%s" if order.state is OrderState.PAID else "%s→%s"
        logger.info(words, before.state.name, order.state.name, extra=told(order=order.id, job=job and job.id))
        if before.checkout_session_id not in (None, payment.session_id):
            self._gateway.close_checkout(str(before.checkout_session_id))  # paid on another page: never twice
        return order

    def _settled(self, order: Order, payment: Payment) -> Order:
        """What the order must be, given its payment. Money that came and went again starts no job."""
        if not payment.paid:
            return order
        if order.state in PAYABLE:  # a page whose answer was lost in a crash is taken up here
            order = replace(order, checkout_session_id=payment.session_id)
        check_payment(order, payment, livemode=self._gateway.livemode)
        if order.state in PAYABLE:
            order = order.moved(
                OrderState.PAID,
                paid_at=self._clock.now(),
                payment_intent_id=payment.payment_intent_id,
                checkout_url=None,
            )
            if payment.disputed and not payment.refunded:
                return order.moved(OrderState.DISPUTED)
        if payment.refunded and OrderState.REFUNDED in MOVES[order.state]:
            return order.moved(OrderState.REFUNDED)
        return order

    def give_up(self, session_id: str, *, failed: bool) -> None:
        """EXPIRED, where Stripe agrees that the page is over; paid, where it turns out to be paid.

        ``failed`` says that a bank refused afterwards: then a complete page is over too.
        """
        payment = self._gateway.read_payment(session_id)
        if payment.paid:
            self.settle(payment)
            return
        if payment.status is CheckoutStatus.OPEN or (payment.status is CheckoutStatus.COMPLETE and not failed):
            return
        with self._store.begin() as work:
            order = work.orders.find(session_id=session_id)
            if order is None or order.state is not OrderState.PLACED:
                return
            work.orders.save(order.moved(OrderState.EXPIRED, checkout_url=None))
            work.commit()
        logger.info("PLACED→EXPIRED", extra=told(order=order.id, session=session_id))

    def receive_event(self, payload: bytes, signature: str | None) -> PaymentEvent:
        """Take a webhook: verify it, act by asking Stripe again, and only then mark it as handled. What it says.

        Raises SignatureInvalid; GatewayUnavailable, PaymentRefused and StoreBusy, upon which Stripe is to send it
        again. A payment that does not match is logged and not worth another try.
        """
        event = self._gateway.read_event(payload, signature, self._clock.now())
        with about(order=event.order_id, event=event.id, session=event.session_id):
            logger.info("webhook received", extra=told(type=event.type))
            self._handle(event)
        return event

    def _handle(self, event: PaymentEvent) -> None:
        with self._store.read() as work:
            if work.inbox.handled(event.id):
                return
        try:
            self._act_on(event)
        except PaymentMismatch:
            logger.error("webhook %s: the payment does not match, see above", event.type)
        with self._store.begin() as work:
            work.inbox.record(event, self._clock.now())
            work.commit()

    def _act_on(self, event: PaymentEvent) -> None:
        session_id = event.session_id
        if event.type == "charge.refunded":  # it names no session: our own word in it names the order
            with self._store.read() as work:
                order = _find(work, event.order_id)
            session_id = order.checkout_session_id if order else None
        if event.type == "refund.failed":  # Stripe cannot try again: a person has to find another way
            logger.error("a refund came back, the money is still here", extra=told(fault="RefundFailed"))
        if session_id is None:
            return
        match event.type:
            case "checkout.session.completed" | "checkout.session.async_payment_succeeded" | "charge.refunded":
                self.confirm_payment(session_id)
            case "checkout.session.expired":
                self.give_up(session_id, failed=False)
            case "checkout.session.async_payment_failed":
                self.give_up(session_id, failed=True)

    def run_errands(self, limit: int = 10) -> int:
        """Give back money that is owed, at most ``limit`` times. Returns how many errands were done.

        Where Stripe does not answer, or refuses, the errand stays due and is logged.
        """
        done = 0
        for _ in range(limit):
            now = self._clock.now()
            with self._store.begin() as work:
                errand = work.outbox.take(now, now + ERRAND_AGAIN, REFUND)
                if errand is None:
                    break
                work.commit()
            with about(order=errand.body["order_id"]):
                done += self._tried(errand)
        return done

    def _tried(self, errand: Errand) -> bool:
        """Run an errand; whether it is done."""
        logger.info("refund asked for", extra=told(tries=errand.tries))
        try:
            self._run(errand)
        except PaymentError as error:
            facts = told(tries=errand.tries, fault=kind_of(error))
            logger.error("errand %s stays due: %s", errand.key, error, extra=facts)
            return False
        return True

    def _run(self, errand: Errand) -> None:
        order_id = str(errand.body["order_id"])
        self._gateway.refund(str(errand.body["payment_intent_id"]), order_id=order_id, key=errand.key)
        with self._store.begin() as work:
            before = work.orders.get(order_id)
            if OrderState.REFUNDED in MOVES[before.state]:
                work.orders.save(before.moved(OrderState.REFUNDED))
            work.outbox.finish(errand.key)
            work.commit()
        logger.info("refund done: %s→REFUNDED", before.state.name)


def job_key(order: Order) -> str:
    """The unique key of the job that an order owes."""
    return f"order:{order.id}"


def _job_for(order: Order, now: datetime) -> Job:
    return Job(
        id=0,  # the store gives it
        key=job_key(order),
        kind=JobKind.WRITE_SCRIPT,
        order_id=order.id,
        parameters={"order_id": order.id, "premise_json": json.dumps(order.premise.to_fields())},
        ready_at=now,
    )


def _order_of(work: Work, payment: Payment) -> Order | None:
    """The order of a payment: by its session, else by the order's id that we wrote into it at Stripe."""
    return work.orders.find(session_id=payment.session_id) or _find(work, payment.order_id)


def _find(work: Work, order_id: str | None) -> Order | None:
    if order_id is None:
        return None
    try:
        return work.orders.get(order_id)
    except OrderNotFound:
        return None
