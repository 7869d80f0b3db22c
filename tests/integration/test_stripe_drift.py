"""What the product relies on, asked of the stand-in always, and of Stripe's own test mode where a key is given.

``STRIPE_TEST_SECRET_KEY=sk_test_… pytest tests/integration/test_stripe_drift.py`` shows whether the stand-in has
drifted away from Stripe. Nobody can fill in Stripe's hosted page by a program, so payments are made there without it,
by a named test card. Unproved stay: the page itself, what a paid session looks like, and the webhooks' delivery.
"""

from __future__ import annotations

import copy
import os
import secrets
import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.integration.test_stripe_stand_in import ORDER
from tests.stand_ins import stripe_stand_in

REAL_KEY = os.environ.get("STRIPE_TEST_SECRET_KEY", "")
KINDS = [
    "stand-in",
    pytest.param(
        "stripe",
        marks=pytest.mark.skipif(
            not REAL_KEY.startswith("sk_test_"), reason="STRIPE_TEST_SECRET_KEY (sk_test_…) is not set"
        ),
    ),
]


@pytest.fixture(scope="module", params=KINDS)
def client(request: pytest.FixtureRequest) -> Iterator[stripe.StripeClient]:
    """Stripe's SDK, pointed at the stand-in or at Stripe's test mode."""
    if request.param == "stripe":
        yield stripe.StripeClient(REAL_KEY, max_network_retries=2)
        return
    with stripe_stand_in() as running:
        yield running.client()


def key() -> dict[str, Any]:
    """An idempotency key that no earlier run has used."""
    return {"idempotency_key": f"drift-{secrets.token_hex(8)}"}


def paid(client: stripe.StripeClient, method: str = "pm_card_visa") -> stripe.PaymentIntent:
    """A payment of $2.99, without a page."""
    return client.v1.payment_intents.create(
        {
            "amount": 299,
            "currency": "usd",
            "payment_method": method,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": {"order_id": "drift"},
        }
    )


def test_a_session_opens_unpaid_and_can_be_read_again(client: stripe.StripeClient) -> None:
    closes = int(time.time()) + 3600
    order: Any = copy.deepcopy(ORDER) | {"expires_at": closes, "allow_promotion_codes": True}
    session = client.v1.checkout.sessions.create(order, key())
    read = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})
    assert session.id.startswith("cs_test_")
    assert (read.status, read.payment_status, read.payment_intent) == ("open", "unpaid", None)
    assert (read.amount_subtotal, read.amount_total, read.currency) == (299, 299, "usd")
    assert (read.client_reference_id, read.metadata["order_id"]) == ("order-1", "order-1")
    assert (read.livemode, read.expires_at) == (False, closes)
    assert read.url.startswith("http")


def test_an_expired_session_has_no_page_and_expires_once(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(copy.deepcopy(ORDER))
    ended = client.v1.checkout.sessions.expire(session.id)
    assert (ended.status, ended.url) == ("expired", None)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.expire(session.id)
    assert caught.value.http_status == 400


def test_one_key_makes_one_session_and_takes_no_other_order(client: stripe.StripeClient) -> None:
    options = key()
    first = client.v1.checkout.sessions.create(copy.deepcopy(ORDER), options)
    again = client.v1.checkout.sessions.create(copy.deepcopy(ORDER), options)
    assert again.id == first.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.checkout.sessions.create({**copy.deepcopy(ORDER), "client_reference_id": "other"}, options)


def test_a_payment_is_refunded_once_and_the_key_repeats_it(client: stripe.StripeClient) -> None:
    intent, options = paid(client), key()
    assert intent.status == "succeeded"
    wish: Any = {"payment_intent": intent.id, "reason": "requested_by_customer", "metadata": {"order_id": "drift"}}
    refund = client.v1.refunds.create(wish, options)
    assert (refund.status, refund.amount) == ("succeeded", 299)
    assert client.v1.refunds.create(wish, options).id == refund.id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create(wish)
    assert caught.value.code == "charge_already_refunded"
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.refunded, charge.amount_refunded) == (True, 299)
    assert [each.id for each in client.v1.refunds.list({"charge": charge.id}).data] == [refund.id]


def test_a_pending_refund_begins_so(client: stripe.StripeClient) -> None:
    intent = paid(client, "pm_card_pendingRefund")
    assert client.v1.refunds.create({"payment_intent": intent.id}).status == "pending"


def test_a_refund_that_will_fail_looks_good_at_first(client: stripe.StripeClient) -> None:
    intent = paid(client, "pm_card_refundFail")
    assert client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"


def test_a_declined_card_is_a_card_error(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as caught:
        paid(client, "pm_card_chargeDeclined")
    assert (caught.value.http_status, caught.value.code) == (402, "card_declined")


def test_events_can_be_walked_through_by_type_and_time(client: stripe.StripeClient) -> None:
    since = int(time.time()) - 60
    session = client.v1.checkout.sessions.create(copy.deepcopy(ORDER))
    client.v1.checkout.sessions.expire(session.id)
    wish: Any = {"types": ["checkout.session.expired", "charge.refunded"], "created": {"gte": since}, "limit": 1}
    deadline = time.monotonic() + 20  # Stripe's own list is a moment behind
    while True:
        events = list(client.v1.events.list(wish).auto_paging_iter())
        mine = [event for event in events if event.data.object.id == session.id]
        if mine or time.monotonic() > deadline:
            break
        time.sleep(1)
    assert [event.type for event in mine] == ["checkout.session.expired"]
    assert (mine[0].livemode, isinstance(mine[0].api_version, str)) == (False, True)
    assert mine[0].created >= since


def test_sessions_can_be_listed_by_state_and_payment(client: stripe.StripeClient) -> None:
    session = client.v1.checkout.sessions.create(copy.deepcopy(ORDER))
    listed = client.v1.checkout.sessions.list({"status": "open", "created": {"gte": session.created}, "limit": 100})
    assert session.id in [each.id for each in listed.data]
    assert client.v1.checkout.sessions.list({"payment_intent": paid(client).id}).data == []


def test_a_dispute_is_listed_by_charge(client: stripe.StripeClient) -> None:
    intent = paid(client, "pm_card_createDispute")
    deadline = time.monotonic() + 20
    while not (found := client.v1.disputes.list({"charge": str(intent.latest_charge)}).data):
        assert time.monotonic() < deadline
        time.sleep(1)
    assert (found[0].status, found[0].reason, found[0].is_charge_refundable) == ("needs_response", "fraudulent", False)
    assert client.v1.charges.retrieve(str(intent.latest_charge)).disputed is True


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"payment_method_types": ["card"]}, id="removed-parameter"),
        pytest.param({"ui_mode": "hosted"}, id="old-word"),
        pytest.param(
            {"line_items": [{"price_data": {"currency": "usd", "unit_amount": 47, "product_data": {"name": "n"}}}]},
            id="47-cents",
        ),
    ],
)
def test_a_wrong_order_is_an_invalid_request(client: stripe.StripeClient, change: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.create({**copy.deepcopy(ORDER), **change})
    assert caught.value.http_status == 400


def test_an_unknown_id_and_a_wrong_key_have_their_own_errors(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.checkout.sessions.retrieve("cs_test_nothing")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.AuthenticationError):
        client.v1.events.list({"limit": 1}, {"api_key": "sk_test_stranger"})
