"""The stand-in for Stripe as a process, through Stripe's own SDK: all that the shop relies on, the whole way."""

from __future__ import annotations

import copy
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from tests.stand_ins import (
    ASKS_3DS,
    DECLINED,
    DISPUTED,
    NO_FUNDS,
    ROOT,
    StripeStandIn,
    free_port,
    stripe_stand_in,
)

ORDER: dict[str, Any] = {
    "mode": "payment",
    "line_items": [
        {
            "quantity": 1,
            "price_data": {"currency": "usd", "unit_amount": 299, "product_data": {"name": "TNG script: The Flame"}},
        }
    ],
    "client_reference_id": "order-1",
    "metadata": {"order_id": "order-1"},
    "payment_intent_data": {"metadata": {"order_id": "order-1"}, "statement_descriptor_suffix": "TNG SCRIPT"},
    "success_url": "http://127.0.0.1:1/return?session_id={CHECKOUT_SESSION_ID}",
    "cancel_url": "http://127.0.0.1:1/cancel?order=1",
}


@dataclass
class Shop:
    """A shop's webhook on a port of its own: every request it gets, and what it answers."""

    port: int = field(default_factory=free_port)
    got: queue.Queue[tuple[bytes, str]] = field(default_factory=queue.Queue)
    server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where the events go."""
        return f"http://127.0.0.1:{self.port}/webhook"

    def open(self) -> None:
        """Begin to listen."""
        got = self.got

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.put((body, self.headers["Stripe-Signature"]))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Hook)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop to listen: whoever comes is refused."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def events(self, stand_in: StripeStandIn, count: int) -> list[stripe.Event]:
        """The next events, each verified by the SDK; fails when one does not come within ten seconds."""
        client = stand_in.client()
        got = [self.got.get(timeout=10) for _ in range(count)]
        return [client.construct_event(body, header, stand_in.webhook_secret) for body, header in got]


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StripeStandIn]:
    """A stand-in without a webhook, for the tests that need none."""
    with stripe_stand_in() as running:
        yield running


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop that listens."""
    listening = Shop()
    listening.open()
    yield listening
    listening.close()


def open_session(stand_in: StripeStandIn, **options: Any) -> stripe.checkout.Session:
    """Open a checkout as the shop does."""
    return stand_in.client().v1.checkout.sessions.create(copy.deepcopy(ORDER), options)


def paid_intent(stand_in: StripeStandIn) -> str:
    """Open a checkout and pay it; returns the payment's id."""
    session = open_session(stand_in)
    assert stand_in.pay(session.url).status_code == 303
    return str(stand_in.client().v1.checkout.sessions.retrieve(session.id).payment_intent)


def test_a_paid_session_tells_the_shop_all_it_compares(stand_in: StripeStandIn) -> None:
    session = open_session(stand_in)
    assert (session.status, session.payment_intent, session.livemode) == ("open", None, False)
    answer = stand_in.pay(session.url)
    assert answer.headers["Location"] == f"http://127.0.0.1:1/return?session_id={session.id}"
    expand = {"expand": ["line_items", "payment_intent.latest_charge"]}
    paid = stand_in.client().v1.checkout.sessions.retrieve(session.id, expand)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    assert (paid.amount_total, paid.currency, paid.client_reference_id) == (299, "usd", "order-1")
    assert paid.metadata.order_id == "order-1"
    assert paid.line_items.data[0].description == "TNG script: The Flame"
    assert paid.payment_intent.metadata.order_id == "order-1"
    charge = paid.payment_intent.latest_charge
    assert (charge.refunded, charge.disputed, charge.payment_method_details.card.last4) == (False, False, "4242")


@pytest.mark.parametrize(
    ("card", "reason"),
    [
        pytest.param(DECLINED, "Your card was declined.", id="declined"),
        pytest.param(NO_FUNDS, "Your card has insufficient funds.", id="no-funds"),
        pytest.param(ASKS_3DS, "The bank could not confirm that it was you.", id="3d-secure-failed"),
    ],
)
def test_a_buyer_who_was_refused_can_still_pay(stand_in: StripeStandIn, card: str, reason: str) -> None:
    session = open_session(stand_in)
    page = stand_in.pay(session.url, card, authenticate=False)
    assert f'role="alert">{reason}' in page.text
    assert stand_in.client().v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    assert stand_in.pay(session.url, ASKS_3DS, authenticate=True).status_code == 303


def test_money_goes_back_once(stand_in: StripeStandIn) -> None:
    client, intent = stand_in.client(), paid_intent(stand_in)
    wish, key = {"payment_intent": intent, "reason": "requested_by_customer"}, {"idempotency_key": f"refund-{intent}"}
    refund = client.v1.refunds.create(wish, key)
    assert (refund.status, refund.amount) == ("succeeded", 299)
    assert client.v1.refunds.create(wish, key).id == refund.id
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.refunds.create(wish)
    assert caught.value.code == "charge_already_refunded"
    assert [each.id for each in client.v1.refunds.list({"payment_intent": intent}).data] == [refund.id]
    assert client.v1.charges.retrieve(refund.charge).refunded is True


def test_one_key_opens_one_session_though_many_ask(stand_in: StripeStandIn) -> None:
    with ThreadPoolExecutor(6) as crowd:
        sessions = list(crowd.map(lambda _: open_session(stand_in, idempotency_key="one"), range(6)))
    assert len({session.id for session in sessions}) == 1
    replays = [session.last_response.headers.get("Idempotent-Replayed") for session in sessions]
    assert sorted(map(str, replays)) == ["None"] + ["true"] * 5
    with pytest.raises(stripe.IdempotencyError):
        stand_in.client().v1.checkout.sessions.create(ORDER | {"client_reference_id": "2"}, {"idempotency_key": "one"})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param({"payment_method_types": ["card"]}, "parameter_unknown", id="removed-in-16"),
        pytest.param({"ui_mode": "hosted"}, "parameter_invalid", id="old-word"),
        pytest.param({"success_url": "javascript:alert(1)"}, "url_invalid", id="script-as-address"),
        pytest.param({"line_items": []}, "parameter_missing", id="nothing-to-sell"),
        pytest.param(
            {"line_items": [{"price_data": {"currency": "usd", "unit_amount": 47, "product_data": {"name": "n"}}}]},
            "amount_too_small",
            id="47-cents",
        ),
    ],
)
def test_the_traps_of_the_contract_are_set(stand_in: StripeStandIn, change: dict[str, Any], code: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stand_in.client().v1.checkout.sessions.create({**ORDER, **change})
    assert (caught.value.http_status, caught.value.code) == (400, code)


def test_a_wrong_key_and_a_wrong_id_are_the_errors_of_the_sdk(stand_in: StripeStandIn) -> None:
    stranger = stripe.StripeClient("sk_test_stranger", base_addresses={"api": stand_in.api_base})
    with pytest.raises(stripe.AuthenticationError):
        stranger.v1.events.list()
    with pytest.raises(stripe.InvalidRequestError) as caught:
        stand_in.client().v1.checkout.sessions.retrieve("cs_test_nothing")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")


def test_a_session_expires_once(stand_in: StripeStandIn) -> None:
    session, sessions = open_session(stand_in), stand_in.client().v1.checkout.sessions
    assert (sessions.expire(session.id).status, httpx.get(session.url).status_code) == ("expired", 410)
    with pytest.raises(stripe.InvalidRequestError):
        sessions.expire(session.id)


def test_events_can_be_walked_through_page_by_page(stand_in: StripeStandIn) -> None:
    paid_intent(stand_in)
    events = stand_in.client().v1.events
    walked = [event.id for event in events.list({"limit": 2}).auto_paging_iter()]
    assert walked == [event.id for event in events.list({"limit": 100}).data]
    assert len(walked) == len(set(walked)) >= 3
    completed = events.list({"types": ["checkout.session.completed"], "created": {"gte": 1}, "limit": 1}).data
    assert completed[0].data.object.payment_status == "paid"


def test_the_shop_is_told_before_the_buyer_is_back(shop: Shop) -> None:
    with stripe_stand_in(shop.url) as stand_in:
        session = open_session(stand_in)
        stand_in.pay(session.url, DISPUTED)
        types = {event.type for event in shop.events(stand_in, 5)}
        assert types == {
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
        }


def test_a_shop_that_was_away_is_told_when_it_is_back() -> None:
    shop = Shop()
    with stripe_stand_in(shop.url, retries=(0.2,) * 100) as stand_in:
        session = open_session(stand_in)
        stand_in.client().v1.checkout.sessions.expire(session.id)
        shop.open()
        try:
            assert [event.type for event in shop.events(stand_in, 1)] == ["checkout.session.expired"]
        finally:
            shop.close()


def test_held_webhooks_are_found_by_the_reconciler_and_come_after_all(shop: Shop) -> None:
    with stripe_stand_in(shop.url) as stand_in:
        stand_in.pause()
        stand_in.pay(open_session(stand_in).url)
        lost = stand_in.client().v1.events.list({"delivery_success": False, "types": ["checkout.session.completed"]})
        assert [event.pending_webhooks for event in lost.data] == [1]
        assert shop.got.empty()
        stand_in.resume()
        assert lost.data[0].id in {event.id for event in shop.events(stand_in, 3)}
        stand_in.resend(lost.data[0].id)
        assert [event.id for event in shop.events(stand_in, 1)] == [lost.data[0].id]


def test_a_stand_in_that_was_killed_forgets_nothing(tmp_path: Path) -> None:
    shop = Shop()
    with stripe_stand_in(shop.url, db=tmp_path / "stripe.sqlite", retries=(3600.0,)) as stand_in:
        session = open_session(stand_in, idempotency_key="kept")
        stand_in.pay(session.url)
        shop.open()
        try:
            stand_in.restart(kill=True)
            assert {event.type for event in shop.events(stand_in, 3)} >= {"checkout.session.completed"}
        finally:
            shop.close()
        assert open_session(stand_in, idempotency_key="kept").id == session.id
        assert stand_in.client().v1.checkout.sessions.retrieve(session.id).payment_status == "paid"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param(["--host", "0.0.0.0"], "not a loopback address", id="all-interfaces"),  # noqa: S104
        pytest.param(["--db", "/nowhere/stripe.sqlite"], "cannot be used", id="no-such-folder"),
    ],
)
def test_a_start_that_cannot_be_is_refused_in_one_sentence(options: list[str], sentence: str) -> None:
    secrets = {"STRIPE_STAND_IN_KEY": "sk_test_0123456789", "STRIPE_STAND_IN_WEBHOOK_SECRET": "whsec_0123456789"}
    command = [sys.executable, "-m", "hub.sandbox.stripe", "--port", str(free_port()), *options]
    ended = subprocess.run(
        command, cwd=ROOT, env=os.environ | secrets, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "0123456789" not in ended.stderr
