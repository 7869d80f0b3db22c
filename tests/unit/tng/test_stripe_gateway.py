"""What the Stripe gateway makes of Stripe's errors, and what it refuses before it asks. No server is needed here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import stripe

from tests.samples import an_order
from tng.adapters.clock import SystemClock
from tng.adapters.stripe_gateway import StripeGateway
from tng.errors import GatewayUnavailable, PaymentRefused, SettingsError, TngError

URLS = {"return_url": "https://tng.example/r", "cancel_url": "https://tng.example/c"}
ORDER = an_order(
    customer="worf@example.com", checkout_attempt=3, checkout_expires_at=datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
)


class FakeSessions:
    """Stands where the SDK's service of checkout sessions and refunds stands: remembers, answers or raises."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[tuple[Any, ...]] = []

    def call(self, *given: Any) -> Any:
        """Any of the SDK's methods."""
        self.asked.append(given)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    create = retrieve = expire = call


def gateway(answer: object, statement: str = "") -> tuple[StripeGateway, FakeSessions]:
    """A gateway whose SDK is cut off from the net."""
    service = FakeSessions(answer)
    ours = StripeGateway("sk_test_x", "whsec_x", product="Lantern Scripts", statement=statement)
    v1 = SimpleNamespace(checkout=SimpleNamespace(sessions=service), refunds=service)
    ours._client = SimpleNamespace(v1=v1)  # type: ignore[assignment]
    return ours, service


@pytest.mark.parametrize(("key", "secret"), [("", "whsec_x"), ("sk_test_x", ""), (" ", "whsec_x"), ("sk_test_x", " ")])
def test_does_not_start_without_its_keys(key: str, secret: str) -> None:
    with pytest.raises(SettingsError):
        StripeGateway(key, secret, product="Lantern Scripts")


@pytest.mark.parametrize("key", ["sk_live_x", "rk_live_x"])
def test_a_live_key_goes_to_stripe_alone(key: str) -> None:
    assert StripeGateway(key, "whsec_x", product="Lantern Scripts").livemode
    with pytest.raises(SettingsError, match="live key"):
        StripeGateway(key, "whsec_x", product="Lantern Scripts", api_base="http://127.0.0.1:1")


def test_asks_for_what_the_order_says() -> None:
    ours, service = gateway(
        SimpleNamespace(id="cs_1", url="https://pay.example", expires_at=1_795_525_200, status="open")
    )
    page = ours.open_checkout(ORDER, **URLS)
    wanted, options = service.asked[0]
    assert options == {"idempotency_key": f"order-{ORDER.id}-checkout-3"}
    assert wanted["line_items"][0]["price_data"]["unit_amount"] == 299
    assert wanted["line_items"][0]["price_data"]["product_data"] == {"name": "Lantern Scripts: The Quiet Hours"}
    assert wanted["metadata"] == wanted["payment_intent_data"]["metadata"] == {"order_id": ORDER.id}
    assert wanted["expires_at"] == ORDER.checkout_expires_at.timestamp()  # type: ignore[union-attr]
    assert "payment_method_types" not in wanted  # Stripe refuses it since 2026-09-30
    assert "worf" not in str(wanted)
    assert page.expires_at.tzinfo is not None


@pytest.mark.parametrize(
    ("statement", "sent"),
    [("LANTERN", {"statement_descriptor_suffix": "LANTERN"}), ("", {})],
    ids=["the-shows", "the-accounts-own"],
)
def test_a_cards_statement_says_what_the_show_says(statement: str, sent: dict[str, str]) -> None:
    ours, service = gateway(
        SimpleNamespace(id="cs_1", url="https://pay.example", expires_at=1, status="open"), statement
    )
    ours.open_checkout(ORDER, **URLS)
    wanted, _ = service.asked[0]
    assert wanted["payment_intent_data"] == {"metadata": {"order_id": ORDER.id}, **sent}


def test_an_order_without_an_end_of_its_page_is_a_slip() -> None:
    ours, _ = gateway(None)
    with pytest.raises(ValueError, match="end of its checkout"):
        ours.open_checkout(an_order(), **URLS)


def test_a_repeated_answer_without_a_page_is_refused() -> None:
    ours, _ = gateway(SimpleNamespace(id="cs_1", url=None, expires_at=1, status="expired"))
    with pytest.raises(PaymentRefused, match="has no page"):
        ours.open_checkout(ORDER, **URLS)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        pytest.param(stripe.InvalidRequestError("No such customer: Jean-Luc", "id"), PaymentRefused, id="invalid"),
        pytest.param(stripe.IdempotencyError("other parameters"), PaymentRefused, id="idempotency"),
        pytest.param(stripe.CardError("declined", None, "card_declined"), PaymentRefused, id="card"),
        pytest.param(stripe.APIConnectionError("refused"), GatewayUnavailable, id="connection"),
        pytest.param(stripe.RateLimitError("slow down"), GatewayUnavailable, id="rate"),
        pytest.param(stripe.APIError("oops"), GatewayUnavailable, id="server"),
        pytest.param(stripe.AuthenticationError("Invalid API Key provided: sk_test_x"), GatewayUnavailable, id="key"),
        pytest.param(stripe.PermissionError("no"), GatewayUnavailable, id="permission"),
    ],
)
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda g: g.open_checkout(ORDER, **URLS), id="open"),
        pytest.param(lambda g: g.read_payment("cs_1"), id="read"),
        pytest.param(lambda g: g.close_checkout("cs_1"), id="close"),
        pytest.param(lambda g: g.refund("pi_1", order_id="o", key="k"), id="refund"),
    ],
)
def test_stripes_errors_become_ours(
    call: Callable[[StripeGateway], object], error: Exception, ours: type[TngError]
) -> None:
    with pytest.raises(ours) as caught:
        call(gateway(error)[0])
    assert caught.value.retryable is (ours is GatewayUnavailable)
    assert "sk_test_x" not in str(caught.value)  # Stripe's own texts are not repeated
    assert "Jean-Luc" not in str(caught.value)


def test_a_charge_that_was_refunded_already_is_refunded() -> None:
    error = stripe.InvalidRequestError("already", None, "charge_already_refunded")
    gateway(error)[0].refund("pi_1", order_id="o", key="k")
    with pytest.raises(PaymentRefused):  # the control
        gateway(stripe.InvalidRequestError("no", None, "other"))[0].refund("pi_1", order_id="o", key="k")


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_a_refund_that_failed_gave_nothing_back(status: str) -> None:
    with pytest.raises(PaymentRefused, match=f"re_1 is {status}"):
        gateway(SimpleNamespace(id="re_1", status=status))[0].refund("pi_1", order_id="o", key="k")


@pytest.mark.parametrize("status", ["succeeded", "pending", None])
def test_a_refund_that_is_on_its_way_is_given(status: str | None) -> None:
    gateway(SimpleNamespace(id="re_1", status=status))[0].refund("pi_1", order_id="o", key="k")


def session(**changes: Any) -> SimpleNamespace:
    """A session as the SDK gives it; a missing field is an AttributeError there too."""
    charge = SimpleNamespace(refunded=False, disputed=False)
    values = {
        "id": "cs_1",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 299,
        "currency": "usd",
        "livemode": False,
        "metadata": SimpleNamespace(order_id="ord_1"),
        "client_reference_id": "ord_1",
        "payment_intent": SimpleNamespace(id="pi_1", latest_charge=charge),
    }
    return SimpleNamespace(**values | changes)


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        pytest.param({}, "paid", True, id="paid"),
        pytest.param({"payment_status": "unpaid"}, "paid", False, id="complete-is-not-paid"),
        pytest.param({"status": None}, "status", "open", id="no-status"),
        pytest.param({"payment_intent": None}, "payment_intent_id", None, id="no-intent"),
        pytest.param({"payment_intent": "pi_2"}, "payment_intent_id", "pi_2", id="intent-not-expanded"),
        pytest.param({"metadata": None}, "order_id", "ord_1", id="reference-only"),
        pytest.param({"metadata": SimpleNamespace(), "client_reference_id": None}, "order_id", None, id="no-order"),
        pytest.param({"amount_total": None}, "amount_cents", 0, id="no-amount"),
        pytest.param(
            {"payment_intent": SimpleNamespace(id="pi", latest_charge=SimpleNamespace(refunded=True, disputed=False))},
            "refunded",
            True,
            id="refunded",
        ),
        pytest.param(
            {"payment_intent": SimpleNamespace(id="pi", latest_charge=SimpleNamespace(refunded=False, disputed=True))},
            "disputed",
            True,
            id="disputed",
        ),
        pytest.param(
            {"payment_intent": SimpleNamespace(id="pi", latest_charge=None)}, "refunded", False, id="no-charge"
        ),
    ],
)
def test_reads_a_session(changes: dict[str, Any], field: str, value: object) -> None:
    payment = gateway(session(**changes))[0].read_payment("cs_1")
    assert getattr(payment, field) == value


def test_the_real_clock_is_aware_and_of_now() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(seconds=5)
