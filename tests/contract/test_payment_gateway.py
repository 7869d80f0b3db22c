"""What every PaymentGateway promises: over the fake, and over the real StripeGateway against the local stand-in."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from tests.contract.conftest import Till
from tests.samples import an_order
from tng.errors import GatewayUnavailable, PaymentRefused, SignatureInvalid
from tng.orders import Order
from tng.payments import Checkout, CheckoutStatus

URLS = {"return_url": "https://tng.example/r?session_id={CHECKOUT_SESSION_ID}", "cancel_url": "https://tng.example/c"}


def new_order(till: Till, **changes: Any) -> Order:
    """An order that no other test has opened a page for; its end is in whole seconds, as Stripe's are."""
    end = (till.now() + timedelta(minutes=60)).replace(microsecond=0)
    values: dict[str, Any] = {"checkout_attempt": 1, "checkout_expires_at": end, "id": "ord_" + secrets.token_hex(16)}
    return an_order(**values | changes)


def open_page(till: Till, order: Order) -> Checkout:
    """The page of an order."""
    return till.gateway.open_checkout(order, **URLS)


def paid_page(till: Till, order: Order) -> Checkout:
    """A page on which the customer paid."""
    page = open_page(till, order)
    till.pay(page.session_id, page.url)
    return page


class TestCheckout:
    def test_an_open_page_is_not_a_payment(self, till: Till) -> None:
        order = new_order(till)
        page = open_page(till, order)
        payment = till.gateway.read_payment(page.session_id)
        assert page.url.startswith("http")
        assert page.expires_at == order.checkout_expires_at
        assert (payment.session_id, payment.order_id) == (page.session_id, order.id)
        assert (payment.status, payment.paid) == (CheckoutStatus.OPEN, False)

    def test_the_same_attempt_gives_the_same_page(self, till: Till) -> None:
        order = new_order(till)
        assert open_page(till, order) == open_page(till, order)

    def test_another_attempt_gives_another_page(self, till: Till) -> None:
        order = new_order(till)
        again = new_order(till, id=order.id, checkout_attempt=2)
        assert open_page(till, order).session_id != open_page(till, again).session_id

    def test_a_closed_page_stays_closed(self, till: Till) -> None:
        page = open_page(till, new_order(till))
        till.gateway.close_checkout(page.session_id)
        till.gateway.close_checkout(page.session_id)
        payment = till.gateway.read_payment(page.session_id)
        assert (payment.status, payment.paid) == (CheckoutStatus.EXPIRED, False)

    def test_closing_a_paid_page_leaves_it_paid(self, till: Till) -> None:
        page = paid_page(till, new_order(till))
        till.gateway.close_checkout(page.session_id)
        assert till.gateway.read_payment(page.session_id).paid

    @pytest.mark.parametrize("session_id", ["cs_test_unknown", "", "../charges", "cs_test_ü", "cs_" + "a" * 400])
    def test_a_page_that_is_not_there_is_refused(self, till: Till, session_id: str) -> None:
        with pytest.raises(PaymentRefused):
            till.gateway.read_payment(session_id)


class TestPayment:
    def test_says_everything_that_is_checked(self, till: Till) -> None:
        order = new_order(till)
        payment = till.gateway.read_payment(paid_page(till, order).session_id)
        assert (payment.status, payment.paid, payment.order_id) == (CheckoutStatus.COMPLETE, True, order.id)
        assert (payment.amount_cents, payment.currency, payment.livemode) == (299, "usd", False)
        assert payment.payment_intent_id
        assert (payment.refunded, payment.dispute) == (False, None)

    def test_a_declined_card_leaves_the_page_open(self, till: Till) -> None:
        page = open_page(till, new_order(till))
        till.decline(page.session_id, page.url)
        assert till.gateway.read_payment(page.session_id).status is CheckoutStatus.OPEN
        till.pay(page.session_id, page.url)
        assert till.gateway.read_payment(page.session_id).paid

    def test_is_refunded_once_however_often_it_is_asked(self, till: Till) -> None:
        order = new_order(till)
        session_id = paid_page(till, order).session_id
        intent = till.gateway.read_payment(session_id).payment_intent_id
        assert intent
        for key in ("one", "one", "two"):  # the same key, and a charge that is refunded already
            till.gateway.refund(intent, order_id=order.id, key=f"{order.id}-{key}")
        payment = till.gateway.read_payment(session_id)
        assert (payment.paid, payment.refunded) == (True, True)

    def test_silence_is_told_from_a_refusal(self, till: Till) -> None:
        gateway = till.down()
        with pytest.raises(GatewayUnavailable):
            gateway.read_payment("cs_test_1")
        with pytest.raises(GatewayUnavailable):
            gateway.open_checkout(new_order(till), **URLS)

    def test_who_is_waited_for_is_told_of_silence_where_others_wait_for_the_answer(self, till: Till) -> None:
        session_id = paid_page(till, new_order(till)).session_id
        quick = till.gateway.read_payment(session_id, waited_for=True)
        till.slow()
        with pytest.raises(GatewayUnavailable):
            till.gateway.read_payment(session_id, waited_for=True)
        till.slow()
        assert till.gateway.read_payment(session_id) == quick


class TestWebhook:
    SESSION: ClassVar[dict[str, Any]] = {
        "id": "cs_1",
        "object": "checkout.session",
        "payment_intent": "pi_1",
        "metadata": {"order_id": "o"},
    }
    EVENT: ClassVar[dict[str, Any]] = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "data": {"object": SESSION},
    }
    PAYLOAD = json.dumps(EVENT).encode()

    def test_says_what_happened_to_which_order(self, till: Till) -> None:
        event = till.gateway.read_event(self.PAYLOAD, till.sign(self.PAYLOAD, till.now()), till.now())
        assert (event.id, event.type) == ("evt_1", "checkout.session.completed")
        assert (event.session_id, event.payment_intent_id, event.order_id) == ("cs_1", "pi_1", "o")

    def test_a_charge_names_no_session(self, till: Till) -> None:
        charge = {"id": "ch_1", "object": "charge"}
        payload = json.dumps(self.EVENT | {"type": "charge.refunded", "data": {"object": charge}}).encode()
        event = till.gateway.read_event(payload, till.sign(payload, till.now()), till.now())
        assert (event.session_id, event.payment_intent_id, event.order_id) == (None, None, None)

    @pytest.mark.parametrize("seconds", [-299, 299])
    def test_a_clock_may_be_a_little_off(self, till: Till, seconds: int) -> None:
        signature = till.sign(self.PAYLOAD, till.now() + timedelta(seconds=seconds))
        assert till.gateway.read_event(self.PAYLOAD, signature, till.now()).id == "evt_1"

    @pytest.mark.parametrize("seconds", [-305, 305, -86_400, 86_400])
    def test_one_of_another_time_is_refused(self, till: Till, seconds: int) -> None:
        signature = till.sign(self.PAYLOAD, till.now() + timedelta(seconds=seconds))
        with pytest.raises(SignatureInvalid):
            till.gateway.read_event(self.PAYLOAD, signature, till.now())

    def test_an_old_one_gets_no_younger_by_a_second_time(self, till: Till) -> None:
        now, old = till.now(), till.now() - timedelta(days=1)
        replayed = f"{till.sign(self.PAYLOAD, old)},t={now.timestamp():.0f}"
        with pytest.raises(SignatureInvalid):
            till.gateway.read_event(self.PAYLOAD, replayed, now)

    @pytest.mark.parametrize(
        "signature",
        [
            pytest.param(None, id="none"),
            pytest.param("", id="empty"),
            pytest.param("t=1,v1=", id="no-signature"),
            pytest.param("t=x,v1=00", id="no-number"),
            pytest.param("v1=00", id="no-time"),
            pytest.param("ü", id="nonsense"),
            pytest.param("t=1,v1=ü", id="no-ascii"),
        ],
    )
    def test_a_forged_one_is_refused(self, till: Till, signature: str | None) -> None:
        with pytest.raises(SignatureInvalid):
            till.gateway.read_event(self.PAYLOAD, signature, till.now())

    def test_a_changed_body_is_refused(self, till: Till) -> None:
        signature = till.sign(self.PAYLOAD, till.now())
        with pytest.raises(SignatureInvalid):
            till.gateway.read_event(self.PAYLOAD.replace(b"cs_1", b"cs_2"), signature, till.now())

    @pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"{}", b"null", b'{"id": "e", "type": "t", "data": 3}'])
    def test_a_signed_body_that_is_no_event_is_refused(self, till: Till, payload: bytes) -> None:
        with pytest.raises(SignatureInvalid):
            till.gateway.read_event(payload, till.sign(payload, till.now()), till.now())

    def test_a_body_that_is_no_text_is_refused(self, till: Till) -> None:
        with pytest.raises(SignatureInvalid):
            till.gateway.read_event(b"\xff\xfe", "t=1,v1=00", till.now())
