"""What the Stripe gateway makes of Stripe's errors, and what it refuses before it asks. No server is needed here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import stripe

from tests.samples import an_order
from tng.adapters.clock import SystemClock
from tng.adapters.stripe_gateway import StripeGateway
from tng.errors import GatewayUnavailable, PaymentRefused, SettingsError, SignatureInvalid, TngError
from tng.payments import Dispute, PaymentEvent

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

    create = retrieve = expire = list = call


def gateway(answer: object, statement: str = "", **others: object) -> tuple[StripeGateway, FakeSessions]:
    """A gateway whose SDK is cut off from the net; ``others`` are the answers of its other services."""
    service = FakeSessions(answer)
    ours = StripeGateway("sk_test_x", "whsec_x", product="Lantern Scripts", statement=statement)
    services = {"refunds": service} | {name: FakeSessions(each) for name, each in others.items()}
    v1 = SimpleNamespace(checkout=SimpleNamespace(sessions=service), **services)
    ours._client = ours._waited_for = SimpleNamespace(v1=v1)  # type: ignore[assignment]
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


@pytest.mark.parametrize("waited_for", [False, True], ids=["patient", "waited-for"])
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda g, w: g.read_payment("cs_1", waited_for=w), id="read"),
        pytest.param(lambda g, w: g.close_checkout("cs_1", waited_for=w), id="close"),
    ],
)
def test_every_question_of_a_call_has_the_patience_of_its_caller(
    call: Callable[[StripeGateway, bool], object], waited_for: bool
) -> None:
    facts = session(**charged(refunded=True, disputed=True))
    ours, asked = gateway(facts, disputes=listed(SimpleNamespace(status="won")), refunds=listed())
    of_the_other_kind: Any = SimpleNamespace()  # nothing can be asked there
    if waited_for:
        ours._client = of_the_other_kind
    else:
        ours._waited_for = of_the_other_kind
    call(ours, waited_for)
    assert len(asked.asked) == 1


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


def listed(*things: object) -> SimpleNamespace:
    """A list as the SDK gives it."""
    return SimpleNamespace(data=list(things))


def charged(**changes: Any) -> dict[str, Any]:
    """The change of a session whose payment has this charge."""
    charge = SimpleNamespace(**{"id": "ch_1", "amount": 299, "refunded": False, "disputed": False} | changes)
    return {"payment_intent": SimpleNamespace(id="pi_1", latest_charge=charge)}


@pytest.mark.parametrize(
    ("refunds", "is_back"),
    [
        pytest.param([("succeeded", 299)], True, id="whole"),
        pytest.param([("pending", 299)], True, id="on-its-way"),
        pytest.param([("succeeded", 100), ("succeeded", 199)], True, id="in-parts"),
        pytest.param([("failed", 299)], False, id="failed-afterwards"),
        pytest.param([("failed", 299), ("succeeded", 299)], True, id="the-second-try"),
        pytest.param([("canceled", 199), ("succeeded", 100)], False, id="a-part-was-cancelled"),
    ],
)
def test_money_is_back_where_refunds_that_did_not_fail_make_it_whole(
    refunds: list[tuple[str, int]], is_back: bool
) -> None:
    some = listed(*(SimpleNamespace(status=status, amount=amount) for status, amount in refunds))
    ours, _ = gateway(session(**charged(refunded=True)), refunds=some)
    assert ours.read_payment("cs_1").refunded is is_back


@pytest.mark.parametrize(
    ("status", "dispute"),
    [
        ("warning_needs_response", Dispute.INQUIRY),
        ("warning_under_review", Dispute.INQUIRY),
        ("warning_closed", Dispute.INQUIRY),
        ("needs_response", Dispute.OPEN),
        ("under_review", Dispute.OPEN),
        ("appeal_needs_response", Dispute.OPEN),
        ("a_status_of_next_year", Dispute.OPEN),
        ("won", Dispute.WON),
        ("lost", Dispute.LOST),
        ("prevented", Dispute.LOST),
    ],
)
def test_a_dispute_is_what_its_status_says(status: str, dispute: Dispute) -> None:
    ours, _ = gateway(session(**charged(disputed=True)), disputes=listed(SimpleNamespace(status=status)))
    assert ours.read_payment("cs_1").dispute is dispute


def test_a_charge_without_a_dispute_is_asked_about_none() -> None:
    ours, _ = gateway(session(**charged()))  # there is no service of disputes to ask
    assert ours.read_payment("cs_1").dispute is None


@pytest.mark.parametrize(("refunded", "asked"), [(True, 0), (False, 1)], ids=["whole", "in-part"])
def test_an_old_errand_looks_first_and_a_part_that_went_back_is_not_all(refunded: bool, asked: int) -> None:
    intent = charged(refunded=refunded)["payment_intent"]
    given = SimpleNamespace(id="re_1", status="succeeded")
    ours, refunds = gateway(given, payment_intents=intent)
    refunds.list = lambda *_: listed(SimpleNamespace(status="succeeded", amount=299))  # type: ignore[method-assign]
    ours.refund("pi_1", order_id="o", key="k", look_first=True)
    assert len([call for call in refunds.asked if len(call) == 2]) == asked


def test_a_page_takes_promotion_codes_where_it_is_told_to() -> None:
    for promotion_codes in (False, True):
        ours, service = gateway(SimpleNamespace(id="cs_1", url="https://pay.example", expires_at=1, status="open"))
        told = StripeGateway("sk_test_x", "whsec_x", product="Lantern Scripts", promotion_codes=promotion_codes)
        told._client = told._waited_for = ours._client
        told.open_checkout(ORDER, **URLS)
        assert service.asked[0][0].get("allow_promotion_codes", False) is promotion_codes


class TestWebhooks:
    """What is signed by Stripe and still none of ours."""

    BODY: ClassVar[dict[str, Any]] = {
        "id": "evt_1",
        "object": "event",
        "type": "charge.dispute.created",
        "created": 1_795_521_600,
        "livemode": False,
        "data": {"object": {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1", "metadata": {}}},
    }
    NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def read(self, body: object, *, key: str = "sk_test_x", signature: str | None = None) -> PaymentEvent:
        payload = json.dumps(body)
        stamp = int(self.NOW.timestamp())
        signed = stripe.WebhookSignature.generate_signature_header(payload, "whsec_x", timestamp=stamp)
        ours = StripeGateway(key, "whsec_x", product="Lantern Scripts")
        return ours.read_event(payload.encode(), signature or str(signed), self.NOW)

    def test_a_dispute_names_its_payment_and_no_order(self) -> None:
        event = self.read(self.BODY)
        assert (event.id, event.session_id, event.payment_intent_id, event.order_id) == ("evt_1", None, "pi_1", None)
        assert event.created_at == datetime.fromtimestamp(1_795_521_600, UTC)

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"livemode": True}, id="live-money-at-a-test-shop"),
            pytest.param({"account": "acct_another"}, id="another-account"),
            pytest.param({"object": "v2.core.event"}, id="a-thin-event"),
            pytest.param({"data": None}, id="no-data"),
            pytest.param({"data": {"object": None}}, id="no-object"),
            pytest.param({"data": {"object": []}}, id="a-list"),
            pytest.param({"id": None, "type": None, "data": {}}, id="nothing"),
        ],
    )
    def test_one_of_another_kind_is_refused(self, changes: dict[str, Any]) -> None:
        with pytest.raises(SignatureInvalid):
            self.read(self.BODY | changes)

    @pytest.mark.parametrize("body", [[], "text", 7, None], ids=str)
    def test_json_that_is_no_event_is_refused(self, body: object) -> None:
        with pytest.raises(SignatureInvalid):
            self.read(body)

    def test_test_money_at_a_live_shop_is_refused(self) -> None:
        with pytest.raises(SignatureInvalid, match="another kind of money"):
            self.read(self.BODY, key="rk_live_x")
        self.read(self.BODY | {"livemode": True}, key="rk_live_x")  # the control

    def test_a_second_time_in_a_signature_makes_no_old_one_new(self) -> None:
        payload = json.dumps(self.BODY)
        old = int(self.NOW.timestamp()) - 900
        signed = stripe.WebhookSignature.generate_signature_header(payload, "whsec_x", timestamp=old)
        with pytest.raises(SignatureInvalid):
            self.read(self.BODY, signature=f"{signed},t={int(self.NOW.timestamp())}")


def session(**changes: Any) -> SimpleNamespace:
    """A session as the SDK gives it; a missing field is an AttributeError there too."""
    charge = SimpleNamespace(refunded=False, disputed=False)
    values = {
        "id": "cs_1",
        "status": "complete",
        "payment_status": "paid",
        "amount_total": 299,
        "amount_subtotal": 299,
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
