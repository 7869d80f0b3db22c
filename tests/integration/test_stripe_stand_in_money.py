"""Money that takes its time, fails on its way, is fought over or not asked for: the stand-in through Stripe's SDK."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from tests.integration.test_stripe_stand_in import ORDER, Shop, open_session, paid_intent
from tests.stand_ins import (
    DEBIT_FAILS,
    DEBIT_PAYS,
    DISPUTED,
    INQUIRY,
    NOT_RECEIVED,
    REFUND_FAILS,
    REFUND_PENDS,
    StripeStandIn,
    stripe_stand_in,
)

MANY_RETRIES = {"max_network_retries": 2}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StripeStandIn]:
    """A stand-in without a webhook; its banks decide when they are told to."""
    with stripe_stand_in() as running:
        yield running


@pytest.fixture(autouse=True)
def _mended(stand_in: StripeStandIn) -> Iterator[None]:
    yield
    stand_in.mend()


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that listens."""
    listening = Shop()
    listening.open()
    yield listening
    listening.close()


def session_now(stand_in: StripeStandIn, session_id: str) -> stripe.checkout.Session:
    """A session as it stands, with its payment and charge."""
    return stand_in.client().v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent.latest_charge"]})


def paid_by(stand_in: StripeStandIn, card: str) -> str:
    """A session paid by this card; returns the payment's id."""
    session = open_session(stand_in)
    assert stand_in.pay(session.url, card).status_code == 303
    return str(stand_in.client().v1.checkout.sessions.retrieve(session.id).payment_intent)


def types_about(stand_in: StripeStandIn, since: str) -> list[str]:
    """The types of the events after one, oldest first."""
    events = stand_in.client().v1.events.list({"ending_before": since, "limit": 100}).data
    return [event.type for event in reversed(events)]


def last_event(stand_in: StripeStandIn) -> str:
    """The latest event's id."""
    return stand_in.client().v1.events.list({"limit": 1}).data[0].id


@pytest.mark.parametrize(
    ("account", "payment_status", "intent_status", "words"),
    [
        pytest.param(
            DEBIT_PAYS,
            "paid",
            "succeeded",
            ["charge.succeeded", "payment_intent.succeeded", "checkout.session.async_payment_succeeded"],
            id="pays",
        ),
        pytest.param(
            DEBIT_FAILS,
            "unpaid",
            "requires_payment_method",
            ["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"],
            id="fails",
        ),
    ],
)
def test_a_debit_completes_unpaid_and_is_decided_later(
    stand_in: StripeStandIn, account: str, payment_status: str, intent_status: str, words: list[str]
) -> None:
    session = open_session(stand_in)
    assert stand_in.pay_by_debit(session.url, account).status_code == 303
    now = session_now(stand_in, session.id)
    assert (now.status, now.payment_status) == ("complete", "unpaid")
    assert (now.payment_intent.status, now.payment_intent.latest_charge.status) == ("processing", "pending")
    with pytest.raises(stripe.InvalidRequestError):
        stand_in.client().v1.refunds.create({"payment_intent": now.payment_intent.id})
    before = last_event(stand_in)
    stand_in.clear(session.id)
    later = session_now(stand_in, session.id)
    assert (later.status, later.payment_status) == ("complete", payment_status)
    assert later.payment_intent.status == intent_status
    assert types_about(stand_in, before) == words
    with pytest.raises(httpx.HTTPStatusError):
        stand_in.clear(session.id)  # decided once


def test_a_debit_is_decided_by_itself_when_its_time_has_come(shop: Shop) -> None:
    with stripe_stand_in(shop.url, clear_seconds=0.1) as stand_in:
        stand_in.pay_by_debit(open_session(stand_in).url)
        types = [event.type for event in shop.events(stand_in, 6)]
        assert "checkout.session.async_payment_succeeded" in types


def test_a_refund_that_looked_good_can_fail_and_be_tried_again(stand_in: StripeStandIn) -> None:
    client, intent = stand_in.client(), paid_by(stand_in, REFUND_FAILS)
    refund = client.v1.refunds.create({"payment_intent": intent}, {"idempotency_key": f"{intent}-refund"})
    assert refund.status == "succeeded"
    assert client.v1.charges.retrieve(refund.charge).refunded is True
    before = last_event(stand_in)
    assert stand_in.clear(refund.id) == "failed"
    failed = client.v1.refunds.retrieve(refund.id)
    assert (failed.status, failed.failure_reason) == ("failed", "unknown")
    charge = client.v1.charges.retrieve(refund.charge)
    assert (charge.refunded, charge.amount_refunded) == (False, 0)
    assert types_about(stand_in, before) == ["charge.refund.updated", "refund.updated", "refund.failed"]
    replayed = client.v1.refunds.create({"payment_intent": intent}, {"idempotency_key": f"{intent}-refund"})
    assert (replayed.id, replayed.status) == (refund.id, "succeeded")  # the key says what it said
    assert client.v1.refunds.create({"payment_intent": intent}).id != refund.id


def test_a_refund_can_be_pending_and_succeed(stand_in: StripeStandIn) -> None:
    client = stand_in.client()
    refund = client.v1.refunds.create({"payment_intent": paid_by(stand_in, REFUND_PENDS)})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert stand_in.clear(refund.id) == "succeeded"
    assert client.v1.charges.retrieve(refund.charge).refunded is True


@pytest.mark.parametrize(
    ("evidence", "status", "words", "disputed_cents"),
    [
        pytest.param("winning_evidence", "won", ["updated", "funds_reinstated", "closed"], 0, id="won"),
        pytest.param("losing_evidence", "lost", ["updated", "closed"], 299, id="lost"),
        pytest.param("a letter", "under_review", ["updated"], 299, id="under-review"),
    ],
)
def test_evidence_decides_a_dispute(
    stand_in: StripeStandIn, evidence: str, status: str, words: list[str], disputed_cents: int
) -> None:
    intent = paid_by(stand_in, NOT_RECEIVED)
    dispute = stand_in.client().v1.disputes.list({"payment_intent": intent}).data[0]
    assert (dispute.reason, dispute.status) == ("product_not_received", "needs_response")
    assert stand_in.ledger()[intent]["disputed"] == 299
    before = last_event(stand_in)
    assert stand_in.dispute_outcome(intent, evidence) == status
    assert types_about(stand_in, before) == [f"charge.dispute.{word}" for word in words]
    assert stand_in.ledger()[intent]["disputed"] == disputed_cents
    assert stand_in.client().v1.charges.retrieve(dispute.charge).disputed is True


def test_an_accepted_dispute_is_lost_once(stand_in: StripeStandIn) -> None:
    intent, disputes = paid_by(stand_in, DISPUTED), stand_in.client().v1.disputes
    dispute = disputes.list({"payment_intent": intent}).data[0]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stand_in.client().v1.refunds.create({"payment_intent": intent})
    assert caught.value.code == "charge_disputed"
    assert disputes.close(dispute.id).status == "lost"
    with pytest.raises(stripe.InvalidRequestError):
        disputes.close(dispute.id)
    assert disputes.retrieve(dispute.id).status == "lost"


def test_an_inquiry_takes_no_money_until_it_is_escalated(stand_in: StripeStandIn) -> None:
    intent = paid_by(stand_in, INQUIRY)
    dispute = stand_in.client().v1.disputes.list({"payment_intent": intent}).data[0]
    assert (dispute.status, dispute.is_charge_refundable) == ("warning_needs_response", True)
    assert stand_in.ledger()[intent]["disputed"] == 0
    assert stand_in.dispute_outcome(intent, "escalate_inquiry_evidence") == "needs_response"
    assert stand_in.ledger()[intent]["disputed"] == 299


def test_an_inquiry_ends_by_a_refund_or_by_an_answer(stand_in: StripeStandIn) -> None:
    refunded, answered = paid_by(stand_in, INQUIRY), paid_by(stand_in, INQUIRY)
    assert stand_in.client().v1.refunds.create({"payment_intent": refunded}).status == "succeeded"
    assert stand_in.dispute_outcome(answered) == "warning_closed"


def with_codes(stand_in: StripeStandIn, cents: int = 299) -> stripe.checkout.Session:
    """A session whose page takes promotion codes."""
    order: Any = copy.deepcopy(ORDER) | {"allow_promotion_codes": True}
    order["line_items"][0]["price_data"]["unit_amount"] = cents
    return stand_in.client().v1.checkout.sessions.create(order)


def test_a_code_makes_it_cheaper(stand_in: StripeStandIn) -> None:
    session = with_codes(stand_in)
    assert stand_in.enter_code(session.url, "engage").status_code == 303
    assert "$2.39" in httpx.get(session.url).text
    stand_in.pay(session.url)
    paid = session_now(stand_in, session.id)
    assert (paid.amount_subtotal, paid.amount_total, paid.total_details.amount_discount) == (299, 239, 60)
    assert paid.payment_intent.amount_received == 239


def test_a_code_for_everything_needs_no_payment(stand_in: StripeStandIn) -> None:
    session = with_codes(stand_in)
    stand_in.enter_code(session.url, "WELCOME")
    assert stand_in.pay_nothing(session.url).status_code == 303
    done = session_now(stand_in, session.id)
    assert (done.status, done.payment_status) == ("complete", "no_payment_required")
    assert (done.amount_total, done.payment_intent) == (0, None)


def test_a_code_that_cannot_be_used_says_so_and_changes_nothing(stand_in: StripeStandIn) -> None:
    client = stand_in.client().v1
    coupon = client.coupons.create({"amount_off": 270, "currency": "usd", "duration": "once"})
    client.promotion_codes.create(
        {"code": "RUDE", "promotion": {"type": "coupon", "coupon": coupon.id}, "max_redemptions": 1}
    )
    session = with_codes(stand_in)
    for code, reason in (("NOTHING", "This code is invalid."), ("RUDE", "so small a rest cannot be charged")):
        page = stand_in.enter_code(session.url, code)
        assert (page.status_code, reason in page.text) == (422, True)
        assert client.checkout.sessions.retrieve(session.id).amount_total == 299
    dear = with_codes(stand_in, 600)
    assert stand_in.enter_code(dear.url, "RUDE").status_code == 303
    stand_in.pay(dear.url)
    assert stand_in.enter_code(with_codes(stand_in, 600).url, "RUDE").status_code == 422  # its one time is over


def test_a_code_comes_too_late_for_a_session_that_is_paid(stand_in: StripeStandIn) -> None:
    session = with_codes(stand_in)
    stand_in.pay(session.url)
    stand_in.enter_code(session.url, "WELCOME")
    assert session_now(stand_in, session.id).amount_total == 299


def test_the_choice_of_a_debit_outlasts_a_code(stand_in: StripeStandIn) -> None:
    session = with_codes(stand_in)
    form = {"apply": "1", "promotion": "ENGAGE", "method": "bank"}
    answer = httpx.post(session.url, data=form, follow_redirects=True)
    assert "Pay by bank debit" in answer.text
    assert stand_in.pay_by_debit(session.url, "DE89 3704 0044 0532 0130 00").status_code == 422


def test_without_the_parameter_the_page_takes_no_codes(stand_in: StripeStandIn) -> None:
    session = open_session(stand_in)
    assert "Promotion code" not in httpx.get(session.url).text
    stand_in.enter_code(session.url, "WELCOME")
    assert session_now(stand_in, session.id).amount_total == 299


def test_an_error_before_the_deed_is_not_kept_for_the_key(stand_in: StripeStandIn) -> None:
    intent, key = paid_intent(stand_in), {"idempotency_key": "error-before"}
    stand_in.fault("refunds.create", "error", status=503)
    refunds = stand_in.client().v1.refunds
    with pytest.raises(stripe.APIError):
        refunds.create({"payment_intent": intent}, key)
    assert refunds.list({"payment_intent": intent}).data == []
    assert refunds.create({"payment_intent": intent}, key).status == "succeeded"


def test_an_error_after_the_deed_is_what_the_key_repeats(stand_in: StripeStandIn) -> None:
    intent, key = paid_intent(stand_in), {"idempotency_key": "error-after"}
    stand_in.fault("refunds.create", "error_after")
    refunds = stand_in.client().v1.refunds
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            refunds.create({"payment_intent": intent}, key)
    assert len(refunds.list({"payment_intent": intent}).data) == 1


def test_too_many_calls_are_the_sdks_rate_limit_error(stand_in: StripeStandIn) -> None:
    stand_in.fault("events.list", "error", status=429)
    with pytest.raises(stripe.RateLimitError):
        stand_in.client().v1.events.list()


@pytest.mark.parametrize(("kind", "refunds"), [("answer_lost", 1), ("down", 0)])
def test_a_cut_line_is_no_answer_whether_or_not_it_was_done(stand_in: StripeStandIn, kind: str, refunds: int) -> None:
    intent, key = paid_intent(stand_in), {"idempotency_key": f"cut-{kind}"}
    stand_in.fault("refunds.create", kind)
    client = stand_in.client().v1.refunds
    with pytest.raises(stripe.APIConnectionError):
        client.create({"payment_intent": intent}, key)
    assert len(client.list({"payment_intent": intent}).data) == refunds
    client.create({"payment_intent": intent}, key)
    assert stand_in.ledger()[intent]["refunded"] == 299


def test_the_sdks_own_retries_get_over_a_cut_line(stand_in: StripeStandIn) -> None:
    intent = paid_intent(stand_in)
    stand_in.fault("refunds.create", "answer_lost")
    refunds = stand_in.client(**MANY_RETRIES).v1.refunds
    assert refunds.create({"payment_intent": intent}).status == "succeeded"
    assert len(refunds.list({"payment_intent": intent}).data) == 1


def test_a_slow_call_holds_no_other_call(stand_in: StripeStandIn) -> None:
    stand_in.fault("checkout.sessions.list", "slow", seconds=2.5)
    began = time.monotonic()
    slow = threading.Thread(target=lambda: stand_in.client().v1.checkout.sessions.list())
    slow.start()
    stand_in.client().v1.refunds.list()
    assert slow.is_alive()
    slow.join()
    assert time.monotonic() - began >= 2.5


def test_a_fault_that_would_never_come_is_refused(stand_in: StripeStandIn) -> None:
    for calls, kind in (("refunds.creat", "slow"), ("*", "moody")):
        with pytest.raises(httpx.HTTPStatusError):
            stand_in.fault(calls, kind)


def test_events_come_as_often_as_they_are_doubled(shop: Shop) -> None:
    with stripe_stand_in(shop.url) as stand_in:
        stand_in.double(3)
        session = open_session(stand_in)
        stand_in.client().v1.checkout.sessions.expire(session.id)
        assert len({event.id for event in shop.events(stand_in, 3)}) == 1


def test_events_come_in_the_order_in_which_they_are_released(shop: Shop) -> None:
    with stripe_stand_in(shop.url) as stand_in:
        stand_in.hold()
        stand_in.client().v1.refunds.create({"payment_intent": paid_intent(stand_in)})
        wanted = ["charge.refunded", "checkout.session.completed", "charge.succeeded"]
        assert len(stand_in.release(*wanted)) == 3
        assert [event.type for event in shop.events(stand_in, 3)] == wanted
        assert shop.got.empty()
        stand_in.release()
        assert len(shop.events(stand_in, 3)) == 3


def test_the_books_say_what_came_in_and_what_went_back(stand_in: StripeStandIn) -> None:
    intent = paid_intent(stand_in)
    stand_in.client().v1.refunds.create({"payment_intent": intent, "amount": 100})
    entry = stand_in.ledger()[intent]
    assert entry["order_id"] == "order-1"
    assert (entry["captured"], entry["refunded"], entry["disputed"], entry["currency"]) == (299, 100, 0, "usd")
