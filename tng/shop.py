"""The customer's side of an order: place it, open its page, see it; and what keeps it in line with Stripe.

It writes no script; what a payment does to an order is ``tng.till``'s.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from tng.errors import GatewayUnavailable, TngError
from tng.fulfilment import refund_errand
from tng.jobs import Job, JobEvent
from tng.log import about, kind_of, told
from tng.orders import Order, OrderState
from tng.payments import CheckoutStatus, Payment, PaymentEvent, Price
from tng.ports import Clock, PaymentGateway, Store
from tng.script import Premise
from tng.till import PAYABLE, Till, job_key

logger = logging.getLogger(__name__)

LEAST_PAGE = timedelta(minutes=30)
"""Stripe opens no page that would live shorter (docs.stripe.com/api/checkout/sessions/create, ``expires_at``)."""


class Shop:
    """Everything that the api may do with orders and money.

    ``price`` is what an order costs that is placed now. ``gate`` raises ShopClosed while no new order may be taken.
    ``public_url`` is the address customers see, without a slash at its end. ``checkout_minutes`` is how long a page at
    Stripe can be paid.
    """

    def __init__(
        self,
        store: Store,
        gateway: PaymentGateway,
        clock: Clock,
        *,
        price: Price,
        public_url: str,
        gate: Callable[[], None],
        checkout_minutes: int,
    ) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._till = Till(store, gateway, clock)
        self.price = price
        self._public_url = public_url
        self._gate = gate
        self._page_life = timedelta(minutes=checkout_minutes)

    # --- orders -------------------------------------------------------------------------------------------------

    def place_order(self, customer: str, premise: Premise, request_key: str) -> Order:
        """A new order at the price of the day; the same request key gives the same order.

        Raises ShopClosed, StoreBusy.
        """
        with self._store.read() as work:
            if known := work.orders.find(request=(customer, request_key)):
                return known
        self._gate()
        with self._store.begin() as work:
            if known := work.orders.find(request=(customer, request_key)):
                return known  # a double click came first
            order = Order(
                id="ord_" + secrets.token_hex(16),
                customer=customer,
                request_key=request_key,
                premise=premise,
                amount_cents=self.price.amount_cents,
                currency=self.price.currency,
                placed_at=self._clock.now(),
            )
            work.orders.add(order)
            work.commit()
        with about(order=order.id):
            logger.info("PLACED", extra=told(amount_cents=order.amount_cents, currency=order.currency))
        return order

    def order(self, order_id: str, customer: str) -> Order:
        """The customer's order. Raises OrderNotFound, also for a stranger's."""
        with self._store.read() as work:
            return work.orders.get(order_id, customer)

    def orders(self, customer: str) -> Sequence[Order]:
        """The customer's orders, the newest first."""
        with self._store.read() as work:
            return work.orders.of(customer)

    def events(self, order_id: str, customer: str, after: int = 0) -> tuple[Order, Job | None, Sequence[JobEvent]]:
        """The order, its job and what its runs said since event ``after``, all of one moment. Raises OrderNotFound."""
        with self._store.read() as work:
            order = work.orders.get(order_id, customer)
            job = work.jobs.get(job_key(order))
            return order, job, work.jobs.heard(job.id, after) if job else ()

    # --- checkout -----------------------------------------------------------------------------------------------

    def open_checkout(self, order_id: str, customer: str) -> Order:
        """The order with a ``checkout_url`` on which it can be paid.

        An open page is given again. An order that turns out to be paid is confirmed, and one that cannot be paid
        any more is returned as it is: both without a url. Raises OrderNotFound, ShopClosed, PaymentMismatch,
        PaymentRefused, GatewayUnavailable, StoreBusy.
        """
        order = self.order(order_id, customer)
        if order.state not in PAYABLE:
            return order
        with about(order=order.id):
            return self._open_checkout(order)

    def _open_checkout(self, order: Order) -> Order:
        if order.checkout_session_id is not None:
            payment = self._gateway.read_payment(order.checkout_session_id)
            if payment.paid:
                return self._till.settle(payment) or order
            if not _is_over(order, payment):
                return order
        self._gate()
        order = self._next_attempt(order)
        if order.state is not OrderState.PLACED or order.checkout_session_id is not None:
            return order  # somebody else was quicker
        checkout = self._gateway.open_checkout(
            order,
            return_url=f"{self._public_url}/services/api/pay/return?session_id={{CHECKOUT_SESSION_ID}}",
            cancel_url=f"{self._public_url}/services/api/pay/cancel?order={order.id}",
        )
        return self._keep_page(
            replace(
                order,
                checkout_session_id=checkout.session_id,
                checkout_url=checkout.url,
                checkout_expires_at=checkout.expires_at,
            )
        )

    def _next_attempt(self, seen: Order) -> Order:
        """Commit the attempt's number and end before Stripe is called: after a crash it gives the same page again."""
        now = self._clock.now()
        with self._store.begin() as work:
            order = work.orders.get(seen.id)
            if order.state not in PAYABLE or order.checkout_session_id != seen.checkout_session_id:
                return order
            lost = order.state is OrderState.PLACED and order.checkout_session_id is None
            if lost and order.checkout_expires_at is not None and order.checkout_expires_at - now >= LEAST_PAGE:
                return order  # its page was never answered for
            if order.state is OrderState.EXPIRED:
                order = order.moved(OrderState.PLACED)
            order = replace(
                order,
                checkout_attempt=order.checkout_attempt + 1,
                checkout_session_id=None,
                checkout_url=None,
                checkout_expires_at=now + self._page_life,
            )
            work.orders.save(order)
            work.commit()
        logger.info("checkout asked for", extra=told(checkout=order.checkout_attempt))
        return order

    def _keep_page(self, opened: Order) -> Order:
        with self._store.begin() as work:
            order = work.orders.get(opened.id)
            if order.state is not OrderState.PLACED or order.checkout_attempt != opened.checkout_attempt:
                return order
            work.orders.save(opened)
            work.commit()
        logger.info("checkout opened", extra=told(checkout=opened.checkout_attempt, session=opened.checkout_session_id))
        return opened

    # --- payment, counted by the till ---------------------------------------------------------------------------

    def confirm_payment(self, session_id: str) -> Order | None:
        """Ask Stripe what became of a checkout, and act on it; see :meth:`tng.till.Till.confirm_payment`."""
        return self._till.confirm_payment(session_id)

    def receive_event(self, payload: bytes, signature: str | None) -> PaymentEvent:
        """Take a webhook; see :meth:`tng.till.Till.receive_event`."""
        return self._till.receive_event(payload, signature)

    def run_errands(self, limit: int = 10) -> int:
        """Give back money that is owed; see :meth:`tng.till.Till.run_errands`."""
        return self._till.run_errands(limit)

    # --- what runs by itself ------------------------------------------------------------------------------------

    def reconcile(self) -> None:
        """Hold orders against Stripe: confirm what was paid, expire what is over, owe every refund that is due.

        One bad order stops nothing: it is logged. Where Stripe does not answer, the rest waits for the next pass.
        """
        with self._store.read() as work:
            placed = work.orders.having(OrderState.PLACED)
            refunding = work.orders.having(OrderState.REFUNDING)
        owing = [(self._owe_refund, order) for order in refunding]
        for step, order in owing + [(self._reconcile, order) for order in placed]:
            with about(order=order.id):
                if not _tried(partial(step, order)):
                    break

    def _reconcile(self, order: Order) -> None:
        now, session_id = self._clock.now(), order.checkout_session_id
        if session_id is None:
            if now - order.placed_at >= self._page_life and now >= (order.checkout_expires_at or now):
                self._expire_unopened(order)
            return
        if order.checkout_expires_at is not None and now >= order.checkout_expires_at:
            self._gateway.close_checkout(session_id)  # before giving up: nobody may pay what we call over
        self._till.give_up(session_id, failed=False)

    def _expire_unopened(self, seen: Order) -> None:
        """An order that never had a page which anybody saw."""
        with self._store.begin() as work:
            order = work.orders.get(seen.id)
            if order != seen:
                return
            work.orders.save(order.moved(OrderState.EXPIRED))
            work.commit()
        logger.info("PLACED→EXPIRED")

    def _owe_refund(self, seen: Order) -> None:
        with self._store.begin() as work:
            order = work.orders.get(seen.id)
            if order.state is OrderState.REFUNDING:
                work.outbox.add(refund_errand(order), self._clock.now())
                work.commit()


def _tried(step: Callable[[], None]) -> bool:
    """Hold one order against Stripe; whether Stripe answers. Whatever else goes wrong is logged."""
    try:
        step()
    except GatewayUnavailable as error:
        logger.warning("reconciling waits: %s", error, extra=told(fault=kind_of(error)))
        return False
    except TngError as error:
        logger.error("not reconciled: %s", error, extra=told(fault=kind_of(error)))
    except Exception as error:  # noqa: BLE001  whatever it is, the next order has a right to be looked at
        # The place, not the text: an exception may quote what it was working on.
        where = "".join(traceback.format_tb(error.__traceback__))
        logger.error("not reconciled: %s\n%s", type(error).__name__, where, extra=told(fault=kind_of(error)))
    return True


def _is_over(order: Order, payment: Payment) -> bool:
    """Whether an unpaid page is of no more use. A complete one may still be paid by a slow bank, until it failed."""
    if payment.status is CheckoutStatus.COMPLETE:
        return order.state is OrderState.EXPIRED
    return payment.status is CheckoutStatus.EXPIRED
