"""What Stripe reports, by webhook or in its own list: kept first, answered then, and acted on by asking Stripe again.

A report is a hint, never a fact: any number of them, in any order, come to the same end. It is processed when that was
committed, after the deed; until then it comes back.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from tng.errors import OrderNotFound, PaymentMismatch, TngError
from tng.jobs import backoff
from tng.log import about, kind_of, told
from tng.money.refunds import RefundPump
from tng.money.till import Till
from tng.notices import Notice, NoticeKind, tell
from tng.orders import Order, OrderState
from tng.payments import EVENT_TYPES, Dispute, PaymentEvent
from tng.ports import Clock, PaymentGateway, Store, Work

logger = logging.getLogger(__name__)

AGAIN = timedelta(minutes=2)
"""A report in hand comes back after this long if its process dies: longer than Stripe takes with all its retries."""

MOST_TRIES = 900
"""About three days, as long as Stripe itself sends a webhook again."""

LOST_TRIES = 8
"""About four minutes: an order is stored before its page is opened, so one that is still not there never comes."""

PAID = frozenset({"checkout.session.completed", "checkout.session.async_payment_succeeded"})
"""What says that money may have come."""

KEPT = timedelta(days=35)
"""Stripe lists its events for 30 days: one that was acted on must be known for longer."""

KEPT_AT_STRIPE = timedelta(days=30)
"""How far Stripe's own list of events goes back (docs.stripe.com/api/events)."""

BEFORE_THE_FIRST_ORDER = timedelta(days=3)
"""How far a database looks back that has no order yet: what concerns it was paid before an older one was lost."""

OVERLAP = timedelta(hours=1)
"""What is read twice, because Stripe's clock is not ours, and its list may be a little behind."""

CHECKOUT = "checkout.session."
REFUND_REPORTS = frozenset({"refund.failed", "refund.updated"})
"""A refund that failed is told by the first, one that was cancelled on its way by the second alone."""


class Reports:
    """The inbox: webhooks go in, and what they hint at is looked into."""

    def __init__(self, store: Store, gateway: PaymentGateway, clock: Clock, till: Till, refunds: RefundPump) -> None:
        self._store, self._gateway, self._clock = store, gateway, clock
        self._till, self._refunds = till, refunds

    def receive(self, payload: bytes, signature: str | None) -> PaymentEvent:
        """Verify a webhook and keep it: once that is committed Stripe need not send it again. What it says.

        Raises SignatureInvalid, StoreBusy.
        """
        event = self._gateway.read_event(payload, signature, self._clock.now())
        facts = told(order=event.order_id, event=event.id, session=event.session_id, type=event.type)
        if event.type not in EVENT_TYPES:
            logger.info("webhook received, of a kind that nobody acts on", extra=facts)
            return event
        is_new = self._keep(event)
        logger.info("webhook received" if is_new else "webhook received again", extra=facts)
        return event

    def fetch_missed(self) -> int:
        """Put what Stripe lists, and no webhook brought, into the inbox; how many there were.

        Each look begins an hour before the end of the last, however long the house was down; a first one goes as far
        back as Stripe does. Raises GatewayUnavailable, StoreBusy.
        """
        began_at = self._clock.now()
        missed = [event for event in self._gateway.recent_events(self._unread_since(began_at)) if self._keep(event)]
        for event in missed:
            facts = told(order=event.order_id, event=event.id, session=event.session_id, type=event.type)
            logger.warning("no webhook brought this", extra=facts)
        with self._store.begin() as work:  # only now: a look that was broken off is begun again where it began
            work.inbox.list_until(began_at)
            work.commit()
        return len(missed)

    def _unread_since(self, now: datetime) -> datetime:
        """From when on Stripe's list may hold what was not received. The bookmark is a row, and in every backup."""
        with self._store.read() as work:
            until = work.inbox.listed_until()
            if until is None and work.orders.count(*OrderState) == 0:
                return now - BEFORE_THE_FIRST_ORDER
        farthest = now - KEPT_AT_STRIPE
        if until is None or until > now + OVERLAP:  # a clock that was wrong looked into the future, and saw nothing
            return farthest
        return max(until - OVERLAP, farthest)

    def run(self, limit: int = 20) -> int:
        """Act on what is due, at most ``limit`` of it; how many were processed. What does not work comes back."""
        with self._store.read() as work:  # nearly always none: no write lock for a look
            if not work.inbox.is_due(self._clock.now()):
                return 0
        done = 0
        for _ in range(limit):
            now = self._clock.now()
            with self._store.begin() as work:
                event = work.inbox.take(now, now + AGAIN)
                if event is None:
                    break
                work.commit()
            with about(order=event.order_id, event=event.id, session=event.session_id):
                done += self._tried(event)
        return done

    def forget_old(self) -> int:
        """Take away reports that were processed long ago; how many."""
        with self._store.begin() as work:
            gone = work.inbox.forget(self._clock.now() - KEPT)
            work.commit()
        return gone

    def _keep(self, event: PaymentEvent) -> bool:
        """Whether it is new. One that is known waits for no lock."""
        with self._store.read() as work:
            if work.inbox.knows(event.id):
                return False
        with self._store.begin() as work:
            is_new = work.inbox.receive(event, self._clock.now())
            work.commit()
        return is_new

    def _tried(self, event: PaymentEvent) -> bool:
        """Act on a report; whether it is processed."""
        try:
            known = self._act_on(event) is not None
        except PaymentMismatch as error:
            self._finish(event, f"A payment does not fit its order, and nothing was changed ({kind_of(error)}).")
            return True
        except TngError as error:
            facts = told(fault=kind_of(error), tries=event.tries)
            logger.warning("%s: not acted on yet: %s", event.type, error, extra=facts)
            return self._comes_back(event)
        if not known and event.order_id is not None and _asks_something(event):  # its order may not be there yet
            return self._comes_back(event)
        self._finish(event)
        return True

    def _act_on(self, event: PaymentEvent) -> Order | None:
        if event.type.startswith(CHECKOUT):
            return self._act_on_checkout(event)
        session_id = self._session_of(event)
        order = self._till.confirm_payment(session_id) if session_id is not None else None
        if order is not None and event.type in REFUND_REPORTS and not self._went_back(str(session_id)):
            self._refunds.came_back(order, event.payment_intent_id)
        return order

    def _act_on_checkout(self, event: PaymentEvent) -> Order | None:
        session_id = str(event.session_id)
        match event.type.removeprefix(CHECKOUT):
            case "completed" | "async_payment_succeeded":
                # paid on that page already: no more is to be learnt, for refunds and disputes have reports of their own
                return self._till.paid_on(session_id) or self._till.confirm_payment(session_id)
            case "expired":
                return self._till.give_up(session_id, failed=False)
            case "async_payment_failed":
                return self._till.give_up(session_id, failed=True)
        return None

    def _session_of(self, event: PaymentEvent) -> str | None:
        """The checkout of a charge, refund or dispute: our own row knows it, or else Stripe does."""
        if event.payment_intent_id is None:
            return None
        with self._store.read() as work:
            order = work.orders.find(payment_intent_id=event.payment_intent_id)
        if order is not None:
            return order.checkout_session_id
        return self._gateway.session_of(event.payment_intent_id)

    def _went_back(self, session_id: str) -> bool:
        """Whether the money of a page is with its customer after all, by a refund or by a bank."""
        payment = self._gateway.read_payment(session_id)
        return payment.refunded or payment.dispute is Dispute.LOST

    def _comes_back(self, event: PaymentEvent) -> bool:
        if event.tries >= MOST_TRIES:
            self._finish(event, "For three days nobody could act on a report of Stripe's.")
            return True
        with self._store.begin() as work:
            if event.tries == LOST_TRIES and event.type in PAID:
                self._tell_of_lost(work, event)
            work.inbox.put_off(event.id, self._clock.now() + backoff(event.tries))
            work.commit()
        return False

    def _tell_of_lost(self, work: Work, event: PaymentEvent) -> None:
        """Money for an order that is not here: paid after the backup that was restored, or another shop's."""
        if event.order_id is None or _is_there(work, event.order_id):
            return
        text = "Money came for an order that is not in the database. Unless it is another shop's, refund it at Stripe."
        facts = {"order": event.order_id, "event": event.id, "payment": event.payment_intent_id}
        now = self._clock.now()
        tell(work, Notice(NoticeKind.ODD_PAYMENT, "A paid order is not there", text, now, facts), (), now)
        logger.error("a paid order is not there", extra=told(fault="OrderNotFound"))

    def _finish(self, event: PaymentEvent, trouble: str = "") -> None:
        now = self._clock.now()
        with self._store.begin() as work:
            if trouble:
                facts = {"order": event.order_id, "event": event.id, "type": event.type}
                tell(work, Notice(NoticeKind.ODD_PAYMENT, "A payment needs a look", trouble, now, facts), (), now)
            work.inbox.finish(event.id, now)
            work.commit()


def _asks_something(event: PaymentEvent) -> bool:
    """Whether there is a page or a payment to ask Stripe about: ``payment_intent.succeeded`` never has."""
    return event.session_id is not None or event.payment_intent_id is not None


def _is_there(work: Work, order_id: str) -> bool:
    try:
        work.orders.get(order_id)
    except OrderNotFound:
        return False
    return True
