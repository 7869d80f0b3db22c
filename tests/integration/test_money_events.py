"""Every event of Stripe's for real: sent by the stand-in, kept by the real database, acted on by the shop."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.house import COMPLETED, session_of
from tests.samples import PREMISE, the_job, the_order
from tests.stand_ins import (
    DEBIT_FAILS,
    DEBIT_PAYS,
    DISPUTED,
    INQUIRY,
    PAYS,
    REFUND_FAILS,
    REFUND_PENDS,
    StripeStandIn,
    stripe_stand_in,
)
from tng.adapters.clock import SystemClock
from tng.adapters.database.store import SqlStore
from tng.adapters.stripe_gateway import StripeGateway
from tng.app import build_shop, build_store
from tng.errors import SignatureInvalid, StoreBusy
from tng.jobs import NOTICE, JobState
from tng.money.refunds import Refunds
from tng.orders import Order, OrderState
from tng.payments import job_key
from tng.settings import Settings
from tng.shop import Shop

PRICE = 299
CREATED, CLOSED = "charge.dispute.created", "charge.dispute.closed"
REFUNDED, FAILED = "charge.refunded", "refund.failed"


class Receiver(ThreadingHTTPServer):
    """The webhook of whichever shop a test has."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.shop: Shop | None = None
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/webhook"


class Answer(BaseHTTPRequestHandler):
    """200 once it is kept, as the api does."""

    server: Receiver

    def do_POST(self) -> None:
        """One event."""
        payload = self.rfile.read(int(self.headers["Content-Length"]))
        status = 200
        try:
            if self.server.shop is not None:
                self.server.shop.receive_event(payload, self.headers["Stripe-Signature"])
        except SignatureInvalid:
            status = 400
        except StoreBusy:
            status = 503
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@dataclass
class Till:
    """A shop, its operator, and Stripe."""

    shop: Shop
    store: SqlStore
    stripe: StripeStandIn
    refunds: Refunds

    def placed(self) -> Order:
        """An order with an open page."""
        order = self.shop.place_order("ada", PREMISE, "key-1")
        return self.shop.open_checkout(order.id, "ada")

    def paid(self, card: str = PAYS) -> Order:
        """An order that was paid, and heard of."""
        order = self.placed()
        assert self.stripe.pay(str(order.checkout_url), card).status_code == 303
        return self.told(order, COMPLETED)

    def told(self, order: Order, *kinds: str) -> Order:
        """The order after these events came, in this order, and were acted on."""
        for kind in kinds:
            assert self.stripe.release(kind), f"Stripe has no {kind} to tell"
            self.shop.run_inbox()
        return the_order(self.store, order.id)

    def given_back(self, order: Order) -> Order:
        """The order after an operator gave its money back."""
        self.refunds.refund(order.id, by="operator ola", why="asked for")
        self.shop.run_errands()
        return the_order(self.store, order.id)

    def books(self, order: Order) -> tuple[int, int]:
        """What Stripe took and gave back, in cents."""
        line = self.stripe.ledger()[str(order.payment_intent_id)]
        return line["captured"], line["refunded"]

    def refund_ids(self, order: Order) -> list[str]:
        """The refunds of an order at Stripe, the oldest first."""
        found = self.stripe.client().v1.refunds.list({"payment_intent": str(order.payment_intent_id)}).data
        return [refund.id for refund in reversed(found)]

    def notices(self) -> list[str]:
        """The kinds of what operators are to be told."""
        kinds, now = [], SystemClock().now()
        with self.store.begin() as work:
            while errand := work.outbox.take(now, now, NOTICE):
                kinds.append(errand.body["kind"])
                work.outbox.finish(errand.key)
            work.commit()
        return kinds


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def stand_in(receiver: Receiver) -> Iterator[StripeStandIn]:
    with stripe_stand_in(receiver.url) as running:
        yield running


@pytest.fixture
def till(tmp_path: Path, stand_in: StripeStandIn, receiver: Receiver) -> Iterator[Till]:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    settings = Settings.read(
        home=tmp_path / "home",
        release=tmp_path,
        free_disk_mb=0,
        promotion_codes=True,
        stripe_secret_key=stand_in.key,
        stripe_webhook_secret=stand_in.webhook_secret,
        stripe_api_base=stand_in.api_base,
    )
    store = build_store(settings)
    shop = build_shop(settings, store=store, clock=SystemClock())
    receiver.shop = None
    stand_in.release()  # what earlier tests left
    stand_in.hold()
    receiver.shop = shop
    yield Till(shop, store, stand_in, Refunds(store, SystemClock()))
    receiver.shop = None
    stand_in.mend()
    stand_in.double(1)
    store.close()


class TestPayments:
    def test_a_card_that_pays_owes_a_script(self, till: Till) -> None:
        order = till.paid()
        assert (order.state, order.paid_cents) == (OrderState.PAID, PRICE)
        assert the_job(till.store, job_key(order)).state is JobState.QUEUED
        with till.store.read() as work:
            assert [(move.actor, move.after) for move in work.orders.history(order.id)] == [
                ("customer", OrderState.PLACED),
                ("stripe", OrderState.PAID),
            ]

    def test_a_bank_that_takes_its_time_owes_nothing_until_the_money_is_there(self, till: Till) -> None:
        order = till.placed()
        assert till.stripe.pay_by_debit(str(order.checkout_url), DEBIT_PAYS).status_code == 303
        assert till.told(order, COMPLETED).state is OrderState.PLACED
        till.stripe.clear(session_of(order))
        assert till.told(order, "checkout.session.async_payment_succeeded").state is OrderState.PAID

    def test_a_bank_that_refuses_in_the_end_is_the_orders_end(self, till: Till) -> None:
        order = till.placed()
        assert till.stripe.pay_by_debit(str(order.checkout_url), DEBIT_FAILS).status_code == 303
        assert till.told(order, COMPLETED).state is OrderState.PLACED
        till.stripe.clear(session_of(order))
        assert till.told(order, "checkout.session.async_payment_failed").state is OrderState.EXPIRED

    def test_a_page_that_is_over_is_the_orders_end(self, till: Till) -> None:
        order = till.placed()
        till.stripe.client().v1.checkout.sessions.expire(session_of(order))
        assert till.told(order, "checkout.session.expired").state is OrderState.EXPIRED

    def test_every_event_five_times_at_once_is_one_job(self, till: Till) -> None:
        till.stripe.double(5)
        order = till.paid()
        with till.store.read() as work:
            assert work.counts.orders() == {OrderState.PAID: 1}
            assert work.counts.waiting()[0] == 1
            assert work.inbox.waiting() == 0
        assert the_order(till.store, order.id).state is OrderState.PAID

    def test_what_no_webhook_brings_is_found_in_stripes_own_list(self, till: Till) -> None:
        order = till.placed()
        till.stripe.pay(str(order.checkout_url), DISPUTED)  # and every event is held back
        till.shop.reconcile()
        till.shop.run_inbox(500)  # with what earlier tests left in the list
        assert the_order(till.store, order.id).state is OrderState.DISPUTED


class TestPromotionCodes:
    def test_a_fifth_off_is_paid_and_given_back_as_paid(self, till: Till) -> None:
        order = till.placed()
        assert till.stripe.enter_code(str(order.checkout_url), "ENGAGE").status_code < 400
        assert till.stripe.pay(str(order.checkout_url)).status_code == 303
        order = till.told(order, COMPLETED)
        assert (order.state, order.amount_cents, order.paid_cents) == (OrderState.PAID, PRICE, 239)
        assert till.given_back(order).state is OrderState.REFUNDED
        assert till.books(order) == (239, 239)

    def test_all_off_is_paid_without_a_payment_and_nothing_is_given_back(self, till: Till) -> None:
        order = till.placed()
        assert till.stripe.enter_code(str(order.checkout_url), "WELCOME").status_code < 400
        assert till.stripe.pay_nothing(str(order.checkout_url)).status_code == 303
        order = till.told(order, COMPLETED)
        assert (order.state, order.paid_cents, order.payment_intent_id) == (OrderState.PAID, 0, None)
        assert till.given_back(order).state is OrderState.REFUNDED


class TestRefunds:
    @pytest.mark.parametrize("card", [PAYS, REFUND_PENDS], ids=["at-once", "pending"])
    def test_money_goes_back_once(self, till: Till, card: str) -> None:
        order = till.paid(card)
        assert till.given_back(order).state is OrderState.REFUNDED
        assert till.told(order, REFUNDED).state is OrderState.REFUNDED
        assert till.books(order) == (PRICE, PRICE)

    def test_a_refund_made_at_stripe_stops_the_order_and_a_part_of_it_does_not(self, till: Till) -> None:
        order = till.paid()
        refunds = till.stripe.client().v1.refunds
        refunds.create({"payment_intent": str(order.payment_intent_id), "amount": 100})
        assert till.told(order, REFUNDED).state is OrderState.PAID
        refunds.create({"payment_intent": str(order.payment_intent_id)})
        assert till.told(order, REFUNDED).state is OrderState.REFUNDED
        assert the_job(till.store, job_key(order)).state is JobState.CANCELLED

    def test_a_refund_that_fails_days_later_is_owed_again_and_tried_again(self, till: Till) -> None:
        order = till.paid(REFUND_FAILS)
        assert till.given_back(order).state is OrderState.REFUNDED
        till.stripe.clear(till.refund_ids(order)[0])
        back = till.told(order, FAILED)
        assert (back.state, bool(back.trouble)) == (OrderState.REFUNDING, True)
        assert till.notices() == ["refund_failed"]
        assert till.books(order) == (PRICE, 0)
        again = till.given_back(order)
        assert (again.state, again.refund_attempt) == (OrderState.REFUNDED, 2)
        assert len(till.refund_ids(order)) == 2

    @pytest.mark.parametrize("kind", ["answer_lost", "error_after"])
    def test_an_answer_that_is_lost_gives_nothing_back_twice(self, till: Till, kind: str) -> None:
        order = till.paid()
        till.stripe.fault("refunds.create", kind, times=3)  # as often as the gateway asks
        assert till.given_back(order).state is OrderState.REFUNDING
        till.stripe.mend()
        till.shop.reconcile()
        till.shop.run_inbox(500)  # Stripe's own list tells of it, and of earlier tests
        assert the_order(till.store, order.id).state is OrderState.REFUNDED
        assert till.books(order) == (PRICE, PRICE)

    def test_a_repeated_answer_that_became_untrue_is_not_believed(self, till: Till) -> None:
        order = till.paid(REFUND_FAILS)
        gateway = StripeGateway(
            till.stripe.key, till.stripe.webhook_secret, product="Scripts", api_base=till.stripe.api_base
        )
        # a process that asked and died before it wrote anything down; and then the bank sent the money back
        gateway.refund(str(order.payment_intent_id), order_id=order.id, key=f"order-{order.id}-refund")
        till.stripe.clear(till.refund_ids(order)[0])
        after = till.given_back(order)  # the same key: Stripe repeats that it succeeded
        assert (after.state, bool(after.trouble)) == (OrderState.REFUNDING, True)
        assert till.notices() == ["refund_failed"]


class TestDisputes:
    @pytest.mark.parametrize(
        ("evidence", "state", "job"),
        [
            ("winning_evidence", OrderState.PAID, JobState.QUEUED),
            ("losing_evidence", OrderState.REFUNDED, None),
        ],
    )
    def test_freezes_until_the_bank_has_decided(
        self, till: Till, evidence: str, state: OrderState, job: JobState | None
    ) -> None:
        order = till.paid(DISPUTED)  # Stripe is asked again, and knows of the dispute already
        assert order.state is OrderState.DISPUTED
        till.stripe.dispute_outcome(str(order.payment_intent_id), evidence)
        assert till.told(order, CREATED, CLOSED).state is state
        with till.store.read() as work:
            owed = work.jobs.get(job_key(order))
        assert (owed and owed.state) is job
        till.shop.run_errands()
        assert till.books(order) == (PRICE, 0)  # a lost one was the bank's to give back
        assert till.notices() == ["disputed", "dispute_closed"]

    @pytest.mark.parametrize("kinds", list(itertools.permutations([COMPLETED, CREATED, CLOSED])), ids=",".join)
    def test_any_order_of_events_comes_to_the_same_end(self, till: Till, kinds: tuple[str, ...]) -> None:
        order = till.placed()
        till.stripe.pay(str(order.checkout_url), DISPUTED)
        (intent,) = [name for name, line in till.stripe.ledger().items() if line["order_id"] == order.id]
        till.stripe.dispute_outcome(intent, "losing_evidence")
        assert till.told(order, *kinds).state is OrderState.REFUNDED

    def test_an_inquiry_freezes_nothing(self, till: Till) -> None:
        order = till.paid(INQUIRY)
        assert till.told(order, CREATED).state is OrderState.PAID
        assert till.notices() == ["disputed"]

    def test_an_inquiry_that_grows_into_a_dispute_freezes(self, till: Till) -> None:
        order = till.paid(INQUIRY)
        till.stripe.dispute_outcome(str(order.payment_intent_id), "escalate_inquiry_evidence")
        assert till.told(order, CREATED).state is OrderState.DISPUTED
