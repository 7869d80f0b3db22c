"""The customer's side of an order: place it, open its page, see it; and what keeps it in line with Stripe.

It writes no script; what a payment does to an order is ``tng.money.till``'s.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tng.errors import GatewayUnavailable, ShopClosed, StoreBusy, TngError, TooManyUnpaid
from tng.jobs import Job, JobEvent
from tng.library.reworking import Reworking
from tng.library.shelving import Shelving
from tng.log import about, kind_of, told
from tng.money.cancelling import Cancelling
from tng.money.refunds import RefundPump
from tng.money.reports import Reports
from tng.money.till import Till
from tng.orders import CUSTOMER, PAYABLE, Mark, Move, Order, OrderState
from tng.payments import CheckoutStatus, Payment, PaymentEvent, Price, job_key
from tng.ports import Clock, PaymentGateway, Store
from tng.script import Premise
from tng.standing import Standing, Standings

logger = logging.getLogger(__name__)

LEAST_PAGE = timedelta(minutes=30)
"""Stripe opens no page that would live shorter (docs.stripe.com/api/checkout/sessions/create, ``expires_at``)."""


SAME_PAGE = timedelta(minutes=2)
"""A page whose answer was lost is asked for again under the same key for so long."""

MOST_SILENT = 3
"""Silences of Stripe, one after the other, that end a pass: one of them may be about a single order."""

ASKED_AT_ONCE = 50

MOST_UNPAID = 10
"""Orders of one customer that may wait to be paid: open pages count in the queue, and nobody is to fill it alone."""


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
        self._refunds = RefundPump(store, gateway, clock)
        self._reports = Reports(store, gateway, clock, self._till, self._refunds)
        self._cancelling = Cancelling(store, gateway, clock, self._till)
        self._standings = Standings(store, clock)
        self.shelving, self.rework = Shelving(store, clock), Reworking(store, clock)
        self.price = price
        self._public_url = public_url
        self._gate = gate
        self._page_life = timedelta(minutes=checkout_minutes)

    # --- orders -------------------------------------------------------------------------------------------------

    def place_order(self, customer: str, premise: Premise, request_key: str) -> Order:
        """A new order at the price of the day; the same request key gives the same order.

        Raises ShopClosed, TooManyUnpaid, StoreBusy.
        """
        with self._store.read() as work:
            if known := work.orders.find(request=(customer, request_key)):
                return known
        self._gate()
        with self._store.begin() as work:
            if known := work.orders.find(request=(customer, request_key)):
                return known  # a double click came first
            if work.orders.count(OrderState.PLACED, customer=customer) >= MOST_UNPAID:
                raise TooManyUnpaid(f"{MOST_UNPAID} orders of one customer wait to be paid")
            now = self._clock.now()
            order = Order(
                id="ord_" + secrets.token_hex(16),
                customer=customer,
                request_key=request_key,
                premise=premise,
                amount_cents=self.price.amount_cents,
                currency=self.price.currency,
                placed_at=now,
                checkout_attempt=1,  # committed before Stripe is called: after a crash it gives the same page again
                checkout_expires_at=now + self._page_life,
                moves=(Move(now, CUSTOMER, "placed", None, OrderState.PLACED),),
            )
            order = work.orders.add(order)
            work.commit()
        with about(order=order.id):
            logger.info("PLACED", extra=told(amount_cents=order.amount_cents, currency=order.currency))
        return order

    def order(self, order_id: str, customer: str) -> Order:
        """The customer's order. Raises OrderNotFound, also for a stranger's."""
        with self._store.read() as work:
            return work.orders.get(order_id, customer)

    def orders(self, customer: str) -> Sequence[Order]:
        """The customer's orders, the newest first, their scripts left out."""
        with self._store.read() as work:
            return work.orders.of(customer)

    def standing(self, order: Order) -> Standing:
        """Its place among those that wait, and who ended it. Raises StoreBusy."""
        return self._standings.of(order)

    def cancel(self, order_id: str, customer: str) -> Order:
        """Take the order back, or stop its writing; see :meth:`tng.money.cancelling.Cancelling.cancel`."""
        return self._cancelling.cancel(order_id, customer)

    def why_closed(self) -> str | None:
        """The sentence for whoever would order now, and cannot; None where orders are taken."""
        try:
            self._gate()
        except ShopClosed as error:
            return error.user_message
        except StoreBusy:
            return None  # nobody knows; whoever orders is told
        return None

    def events(self, order_id: str, customer: str, after: int = 0) -> tuple[Order, Job | None, Sequence[JobEvent]]:
        """The order, its job and what its runs said since event ``after``, all of one moment. Raises OrderNotFound."""
        with self._store.read() as work:
            order = work.orders.get(order_id, customer)
            job = work.jobs.get(job_key(order))
            return order, job, work.jobs.heard(job.id, after) if job else ()

    def marks(self, order_ids: Collection[str]) -> Mapping[str, Mark]:
        """How far the story of each of these orders has come. Raises StoreBusy."""
        with self._store.read() as work:
            return work.orders.marks(order_ids)

    # --- checkout -----------------------------------------------------------------------------------------------

    def open_checkout(self, order_id: str, customer: str) -> Order:
        """The order with a ``checkout_url`` on which it can be paid.

        An open page is given again. An order that turns out to be paid is confirmed, and one that cannot be paid
        any more is returned as it is: both without a url. Raises OrderNotFound, ShopClosed, PaymentMismatch,
        PaymentRefused, GatewayUnavailable, StoreBusy.
        """
        order = self.order(order_id, customer)
        if order.state not in PAYABLE or order.erased_at is not None:
            return order
        with about(order=order.id):
            return self._open_checkout(order)

    def _open_checkout(self, order: Order) -> Order:
        if order.checkout_session_id is not None:
            payment = self._gateway.read_payment(order.checkout_session_id, waited_for=True)
            if payment.paid:
                return self._till.confirm_payment(order.checkout_session_id, waited_for=True) or order
            if not _is_over(order, payment):
                return order
        if not self._is_begun(order, self._clock.now()):
            self._gate()
            order = self._next_attempt(order)
        if order.state is not OrderState.PLACED or order.checkout_session_id is not None:
            return order  # somebody else was quicker
        logger.info("checkout asked for", extra=told(checkout=order.checkout_attempt))
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
            if order.state not in PAYABLE or order.checkout_session_id != seen.checkout_session_id or order.erased_at:
                return order
            if self._is_begun(order, now):
                return order  # its page was never answered for
            if order.state is OrderState.EXPIRED:
                order = order.moved(OrderState.PLACED, by=CUSTOMER, why="asks for a new page", at=now)
            order = replace(
                order,
                checkout_attempt=order.checkout_attempt + 1,
                checkout_session_id=None,
                checkout_url=None,
                checkout_expires_at=now + self._page_life,
            )
            order = work.orders.save(order)
            work.commit()
        return order

    def _is_begun(self, order: Order, now: datetime) -> bool:
        """Whether an attempt was begun, let in by the gate, that may be made under its key. Later it is another's turn.

        Stripe answers an old key as it did the first time, with a failure of its own, too. Nobody ever saw that page.
        """
        until = order.checkout_expires_at
        if order.state is not OrderState.PLACED or order.checkout_session_id is not None or until is None:
            return False
        return until - now >= max(LEAST_PAGE, self._page_life - SAME_PAGE)

    def _keep_page(self, opened: Order) -> Order:
        with self._store.begin() as work:
            order = work.orders.get(opened.id)
            is_ours = order.state is OrderState.PLACED and order.checkout_attempt == opened.checkout_attempt
            if is_ours:
                work.orders.save(opened)
                work.commit()
        if not is_ours:
            if order.checkout_session_id != opened.checkout_session_id and opened.checkout_session_id is not None:
                # cancelled meanwhile: nobody is to pay here
                self._gateway.close_checkout(opened.checkout_session_id, waited_for=True)
            return order
        logger.info("checkout opened", extra=told(checkout=opened.checkout_attempt, session=opened.checkout_session_id))
        return opened

    # --- payment, counted by the till ---------------------------------------------------------------------------

    def order_of(self, session_id: str) -> Order | None:
        """The order of a page, whosever it is, as far as we know; see :meth:`tng.money.till.Till.order_of`."""
        return self._till.order_of(session_id)

    def confirm_payment(self, session_id: str, *, waited_for: bool = False) -> Order | None:
        """Ask Stripe what became of a checkout, and act on it; see :meth:`tng.money.till.Till.confirm_payment`."""
        return self._till.confirm_payment(session_id, waited_for=waited_for)

    def receive_event(self, payload: bytes, signature: str | None) -> PaymentEvent:
        """Take a webhook, and keep it; see :meth:`tng.money.reports.Reports.receive`."""
        return self._reports.receive(payload, signature)

    def run_inbox(self, limit: int = 20) -> int:
        """Act on what Stripe reported; see :meth:`tng.money.reports.Reports.run`."""
        return self._reports.run(limit)

    def run_errands(self, limit: int = 10) -> int:
        """Give back money that is owed; see :meth:`tng.money.refunds.RefundPump.run`."""
        return self._refunds.run(limit)

    # --- what runs by itself ------------------------------------------------------------------------------------

    def reconcile(self) -> None:
        """Hold orders against Stripe: what no webhook brought, pages that are over, disputes, refunds that are due.

        One bad order stops nothing: it is logged. Where Stripe does not answer three times running, the rest waits for
        the next pass.
        """
        with self._store.read() as work:
            placed = work.orders.having(OrderState.PLACED)
            refunding = work.orders.having(OrderState.REFUNDING)
            disputed = work.orders.having(OrderState.DISPUTED)
        steps: list[tuple[str | None, Callable[[], object]]] = [(None, self._reports.fetch_missed)]
        steps += [(order.id, partial(self._refunds.owe_again, order.id)) for order in refunding]
        steps += [(order.id, partial(self._reconcile_frozen, order)) for order in disputed]
        steps += [(order.id, partial(self._reconcile, order)) for order in self._worth_asking(placed)]
        steps += [(None, self._reports.forget_old)]
        silent = 0
        for order_id, step in steps:
            with about(order=order_id):
                silent = 0 if _tried(step) else silent + 1
            if silent == MOST_SILENT:
                break

    def _worth_asking(self, placed: Sequence[Order]) -> Sequence[Order]:
        """Those whose time is over, and some of the others: what was paid stands in Stripe's list of events anyway."""
        now = self._clock.now()
        over = [order for order in placed if order.checkout_expires_at is None or now >= order.checkout_expires_at]
        return over + [order for order in placed if order not in over][:ASKED_AT_ONCE]

    def _reconcile_frozen(self, order: Order) -> None:
        if order.checkout_session_id is not None:
            self._till.confirm_payment(order.checkout_session_id, by="reconciler")

    def _reconcile(self, order: Order) -> None:
        now, session_id = self._clock.now(), order.checkout_session_id
        if session_id is None:
            if now - order.placed_at >= self._page_life and now >= (order.checkout_expires_at or now):
                self._expire_unopened(order)
            return
        if order.checkout_expires_at is not None and now >= order.checkout_expires_at:
            self._gateway.close_checkout(session_id)  # before giving up: nobody may pay what we call over
        self._till.give_up(session_id, failed=False, by="reconciler")

    def _expire_unopened(self, seen: Order) -> None:
        """An order that never had a page which anybody saw."""
        with self._store.begin() as work:
            order = work.orders.get(seen.id)
            if order != seen:
                return
            why = "it never had a page that anybody saw"
            work.orders.save(order.moved(OrderState.EXPIRED, by="clock", why=why, at=self._clock.now()))
            work.commit()
        logger.info("PLACED→EXPIRED")


def _tried(step: Callable[[], object]) -> bool:
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
