"""Money that is owed back: who may owe it, how it is given, and what becomes of a refund that does not work.

What is owed is a row of the outbox, written with the state that owes it, in one commit. Its key is Stripe's idempotency
key: owed twice, asked for twice, or asked for again after a crash, the money goes back once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tng.customer_mails import MailKind, owe_mail
from tng.errors import GatewayUnavailable, IllegalMove, PaymentError, StoreBusy
from tng.jobs import REFUND, Errand, backoff
from tng.library.takes import end_jobs
from tng.log import about, kind_of, told
from tng.notices import Notice, NoticeKind, again_after, tell
from tng.orders import Order, OrderState
from tng.ports import Clock, PaymentGateway, Store, Work

logger = logging.getLogger(__name__)

ERRAND_AGAIN = timedelta(minutes=2)
"""An errand in hand comes back after this long if its process dies: longer than the gateway takes, retries and all."""

KEYS_KEPT = timedelta(hours=23)
"""Stripe knows an idempotency key for 24 hours at least (docs.stripe.com/api/idempotent_requests)."""

DISPUTED_AGAIN = timedelta(hours=1)
"""While a bank decides about the money, nothing can be given back."""


def refund_errand(order: Order) -> Errand:
    """The money of an order, owed back; a second attempt, after one that the bank sent back, has a key of its own."""
    again = f"-{order.refund_attempt}" if order.refund_attempt > 1 else ""
    body = {"order_id": order.id, "payment_intent_id": order.payment_intent_id}
    return Errand(f"order-{order.id}-refund{again}", REFUND, body)


def extra_errand(order: Order, payment_intent_id: str) -> Errand:
    """Money that came a second time for the same order, owed back. The order goes its way."""
    body = {"order_id": order.id, "payment_intent_id": payment_intent_id, "extra": True}
    return Errand(f"order-{order.id}-extra-{payment_intent_id}", REFUND, body)


def owe_refund(work: Work, order: Order, *, by: str, why: str, now: datetime, **changes: object) -> Order:
    """REFUNDING, the errand, and the end of its job: nobody can forget the refund. Raises IllegalMove.

    The caller commits.
    """
    attempt = order.refund_attempt + 1
    moved = order.moved(OrderState.REFUNDING, by=by, why=why, at=now, refund_attempt=attempt, **changes)
    saved = work.orders.save(moved)
    end_jobs(work, order, now)
    work.outbox.add(refund_errand(saved), now)
    return saved


def begin_again(work: Work, before: Order, order: Order, now: datetime) -> None:
    """Another attempt, with a key of its own, takes the place of the one before. The caller commits."""
    _end_errand(work, before, now)
    work.outbox.add(refund_errand(order), now)


def _end_errand(work: Work, order: Order, now: datetime) -> None:
    """Its refund is owed no more, whether it was written down or not: what is finished must be there."""
    work.outbox.add(refund_errand(order), now)
    work.outbox.finish(refund_errand(order).key)


class Refunds:
    """What an operator may do about money that is owed back. It needs the database, and no key.

    With ``mails``, a customer is written to whose money an operator gives back.
    """

    def __init__(self, store: Store, clock: Clock, *, mails: bool = False) -> None:
        self._store, self._clock, self._mails = store, clock, mails

    def refund(self, order_id: str, *, by: str, why: str) -> Order:
        """Owe the customer the whole price: the job ends, and the api gives the money back within seconds.

        Where a refund did not work, it is tried once more. Raises OrderNotFound, IllegalMove, StoreBusy.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            order = work.orders.get(order_id)
            if order.state is OrderState.REFUNDING:
                saved = self._again(work, order, now)
            else:
                saved = owe_refund(work, order, by=by, why=why, now=now)
                if self._mails:
                    owe_mail(work, saved, MailKind.GIVEN_BACK, now)
            work.commit()
        logger.info("refund owed: %s→REFUNDING, by %s", order.state.name, by, extra=told(order=order_id))
        return saved

    def settle(self, order_id: str, *, by: str, why: str) -> Order:
        """The operator gave the money back another way. Raises OrderNotFound, IllegalMove, StoreBusy."""
        now = self._clock.now()
        with self._store.begin() as work:
            order = work.orders.get(order_id)
            if order.state is not OrderState.REFUNDING:
                raise IllegalMove(f"order {order_id} is {order.state.value}: no money is owed back for it")
            saved = work.orders.save(order.moved(OrderState.REFUNDED, by=by, why=why, at=now, trouble=None))
            _end_errand(work, order, now)
            work.commit()
        logger.info("REFUNDING→REFUNDED by hand, by %s", by, extra=told(order=order_id))
        return saved

    def _again(self, work: Work, order: Order, now: datetime) -> Order:
        if order.trouble is None:
            work.outbox.add(refund_errand(order), now)
            return order
        saved = work.orders.save(replace(order, refund_attempt=max(order.refund_attempt, 1) + 1, trouble=None))
        begin_again(work, order, saved, now)
        return saved


class RefundPump:
    """Gives back what is owed: in the api, the only process that may."""

    def __init__(self, store: Store, gateway: PaymentGateway, clock: Clock) -> None:
        self._store, self._gateway, self._clock = store, gateway, clock

    def run(self, limit: int = 10) -> int:
        """At most ``limit`` errands; how many were done. What Stripe does not answer, or refuses, stays due."""
        with self._store.read() as work:  # nearly always none: no write lock for a look
            if not work.outbox.is_due(self._clock.now(), REFUND):
                return 0
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

    def owe_again(self, order_id: str) -> None:
        """Whatever became of its errand, an order that is REFUNDING has one; not where an operator must act first."""
        with self._store.begin() as work:
            order = work.orders.get(order_id)
            if order.state is OrderState.REFUNDING and order.trouble is None:
                work.outbox.add(refund_errand(order), self._clock.now())
                work.commit()

    def came_back(self, seen: Order, payment_intent_id: str | None) -> None:
        """A bank sent a refund back, days later perhaps: the money is with us, and an operator must find a way.

        ``seen`` is the order before Stripe was asked. Raises StoreBusy where it was moved since: ask again.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            order = work.orders.get(seen.id)
            if order.payment_intent_id != payment_intent_id:
                tell(work, _extra_notice(order, payment_intent_id, "The bank sent the refund back."), (), now)
            elif (order.state, order.refund_attempt) != (seen.state, seen.refund_attempt):
                raise StoreBusy(f"order {order.id} was moved while Stripe was asked about its refund")
            elif order.state is not OrderState.REFUNDED or _was_settled(work, order):
                return  # not given back yet: what becomes of the errand says more; or given back another way
            else:
                why = "the refund failed afterwards"
                order = order.moved(OrderState.REFUNDING, by="stripe", why=why, at=now)
                self._tell(work, order, "The bank sent the refund back.")
            work.commit()
        logger.error("a refund came back, the money is still here", extra=told(order=seen.id, fault="RefundFailed"))

    def _tried(self, errand: Errand) -> bool:
        """Run an errand; whether it is done."""
        logger.info("refund asked for", extra=told(tries=errand.tries))
        try:
            return self._run(errand)
        except GatewayUnavailable as error:
            self._stays_due(errand, error, backoff(errand.tries))
        except PaymentError as error:
            self._stays_due(errand, error, again_after(errand.tries), self._refused)
        return False

    def _run(self, errand: Errand) -> bool:
        order_id, payment_intent_id = str(errand.body["order_id"]), errand.body["payment_intent_id"]
        if self._is_frozen(order_id):
            self._put_off(errand, DISPUTED_AGAIN)
            return False
        if payment_intent_id is not None:  # a promotion code may have left nothing to pay, and nothing to give back
            old = errand.owed_at is None or self._clock.now() - errand.owed_at > KEYS_KEPT
            self._gateway.refund(str(payment_intent_id), order_id=order_id, key=errand.key, look_first=old)
        with self._store.begin() as work:
            before, is_extra = work.orders.get(order_id), bool(errand.body.get("extra"))
            if before.state is OrderState.REFUNDING and not is_extra:
                why = "the money is on its way back"
                work.orders.save(
                    before.moved(OrderState.REFUNDED, by="stripe", why=why, at=self._clock.now(), trouble=None)
                )
            work.outbox.finish(errand.key)
            work.commit()
        if is_extra:
            logger.info("refund done: what was paid a second time")
        else:
            logger.info("refund done: %s→REFUNDED", before.state.name)
        return True

    def _is_frozen(self, order_id: str) -> bool:
        with self._store.read() as work:
            return work.orders.get(order_id).state is OrderState.DISPUTED

    def _stays_due(
        self,
        errand: Errand,
        error: PaymentError,
        wait: timedelta,
        also: Callable[[Work, Errand, PaymentError], None] | None = None,
    ) -> None:
        logger.error("errand %s stays due: %s", errand.key, error, extra=told(tries=errand.tries, fault=kind_of(error)))
        self._put_off(errand, wait, also and (lambda work: also(work, errand, error)))

    def _put_off(self, errand: Errand, wait: timedelta, also: Callable[[Work], None] | None = None) -> None:
        with self._store.begin() as work:
            work.outbox.put_off(errand.key, self._clock.now() + wait)
            if also is not None:
                also(work)
            work.commit()

    def _refused(self, work: Work, errand: Errand, error: PaymentError) -> None:
        """Stripe said no. It is tried again, and an operator is told, once."""
        order = work.orders.get(str(errand.body["order_id"]))
        trouble = f"Stripe refused to give the money back ({kind_of(error)})."
        if errand.body.get("extra"):
            tell(work, _extra_notice(order, errand.body["payment_intent_id"], trouble), (), self._clock.now())
        elif order.trouble is None:
            self._tell(work, order, trouble)

    def _tell(self, work: Work, order: Order, trouble: str) -> None:
        now = self._clock.now()
        work.orders.save(replace(order, trouble=trouble))
        advice = "Try again with `tng orders refund`, or give it back another way and say `tng orders settle`."
        facts = {"order": order.id, "payment": order.payment_intent_id, "cents": order.paid_cents}
        notice = Notice(NoticeKind.REFUND_FAILED, "A refund does not work", f"{trouble} {advice}", now, facts)
        tell(work, notice, (), now)


def _extra_notice(order: Order, payment_intent_id: str | None, trouble: str) -> Notice:
    """About money that came a second time: the order's own refund is another one. The same notice is told once."""
    text = f"{trouble} It is money that came a second time for its order; give it back at Stripe."
    facts = {"order": order.id, "payment": payment_intent_id}
    return Notice(NoticeKind.REFUND_FAILED, "A refund does not work", text, order.placed_at, facts)


def _was_settled(work: Work, order: Order) -> bool:
    """Whether an operator gave the money back another way; see :meth:`Refunds.settle`."""
    history = work.orders.history(order.id)
    return bool(history) and history[-1].actor.startswith("operator")
