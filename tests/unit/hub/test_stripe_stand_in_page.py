"""The payment page of the stand-in for Stripe: what a buyer sees, and what never happens there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from hub.sandbox.stripe import cards
from hub.sandbox.stripe.__main__ import read_config
from hub.sandbox.stripe.config import ConfigError
from hub.sandbox.stripe.page import amount_text, find_fault, read_fields
from hub.sandbox.stripe.wire import Refusal
from tests.stripe_desk import buyer, desk

BANNER = "TEST MODE:</strong> a local stand-in for Stripe. No real card is charged."
SECRETS = {"STRIPE_STAND_IN_KEY": "sk_test_0123456789", "STRIPE_STAND_IN_WEBHOOK_SECRET": "whsec_0123456789"}


async def test_the_page_says_that_it_is_a_test_and_loads_nothing_from_elsewhere() -> None:
    async with desk() as here:
        page = await here.http.get(f"/c/pay/{(await here.session())['id']}")
        assert BANNER in page.text
        assert "http" not in page.text
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "form-action" not in page.headers["Content-Security-Policy"]
        assert page.headers["Cache-Control"] == "no-store"
        for field in ("email", "card", "exp", "cvc", "name"):
            assert f'<label for="{field}">' in page.text
            assert f'id="{field}"' in page.text
        assert (await here.http.get("/c/page.css")).headers["Content-Type"].startswith("text/css")


async def test_what_shop_and_buyer_say_is_text_and_never_markup() -> None:
    evil = '"><img src=x onerror=alert(1)>'
    async with desk() as here:
        line = "line_items[0][price_data][product_data][name]"
        session = await here.session(**{line: evil, "cancel_url": 'http://shop.test/"onmouseover="x'})
        page = await here.pay(session, name=evil, email=evil, card="4000000000000002")
        assert evil not in page.text
        assert '"onmouseover' not in page.text
        assert "&lt;img src=x onerror=alert(1)&gt;" in page.text
        asked = await here.pay(session, name=evil, card="4000002500003155")
        assert evil not in asked.text


async def test_a_payment_leads_back_to_the_shop_and_so_does_the_page_from_then_on() -> None:
    async with desk() as here:
        session = await here.session()
        way_back = f"http://shop.test/return?session_id={session['id']}"
        for answer in (
            await here.pay(session),
            await here.pay(session),
            await here.http.get(f"/c/pay/{session['id']}"),
        ):
            assert (answer.status_code, answer.headers["Location"]) == (303, way_back)
        assert len((await here.get("/v1/charges")).json()["data"]) == 1


async def test_a_button_pressed_eight_times_pays_once() -> None:
    async with desk() as here:
        session = await here.session()
        answers = await asyncio.gather(*(here.pay(session) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {303}
        assert len((await here.get("/v1/charges")).json()["data"]) == 1


@pytest.mark.parametrize(
    ("card", "message", "code"),
    [
        pytest.param("4000000000000002", "Your card was declined.", "card_declined", id="declined"),
        pytest.param("4000000000009995", "Your card has insufficient funds.", "card_declined", id="no-funds"),
        pytest.param("4000000000000069", "Your card has expired.", "expired_card", id="expired"),
    ],
)
async def test_a_decline_says_why_and_leaves_the_session_open(card: str, message: str, code: str) -> None:
    async with desk() as here:
        session = await here.session()
        page = await here.pay(session, card=card)
        assert page.status_code == 402
        assert f'role="alert">{message}<' in page.text
        now = (await here.get(f"/v1/checkout/sessions/{session['id']}", **{"expand[]": "payment_intent"})).json()
        assert (now["status"], now["payment_status"]) == ("open", "unpaid")
        assert now["payment_intent"]["last_payment_error"]["code"] == code
        assert (await here.pay(session)).status_code == 303
        paid = (await here.get(f"/v1/checkout/sessions/{session['id']}", **{"expand[]": "payment_intent"})).json()
        assert paid["payment_intent"]["id"] == now["payment_intent"]["id"]
        assert paid["payment_intent"]["last_payment_error"] is None
        assert paid["customer_details"]["email"] == "jlp@example.org"


async def test_3d_secure_asks_and_takes_no_for_an_answer() -> None:
    async with desk() as here:
        session, card = await here.session(), "4000002500003155"
        asked = await here.pay(session, card=card)
        assert "3-D Secure" in asked.text
        assert (await here.get("/v1/charges")).json()["data"] == []
        assert "could not confirm" in (await here.pay(session, card=card, auth="fail")).text
        assert (await here.pay(session, card=card, auth="complete")).status_code == 303


async def test_a_disputed_payment_is_announced_after_the_payment() -> None:
    async with desk() as here:
        await here.pay(await here.session(), card="4000000000000259")
        assert [event["type"] for event in await here.events(limit=3)] == [
            "charge.dispute.funds_withdrawn",
            "charge.dispute.created",
            "checkout.session.completed",
        ]
        dispute = (await here.get("/v1/disputes", **{"expand[]": "data.charge"})).json()["data"][0]
        assert dispute["charge"]["disputed"] is True


async def test_a_card_that_is_not_a_test_card_is_neither_kept_nor_shown() -> None:
    async with desk() as here:
        page = await here.pay(await here.session(), card="4111 1111 1111 1111")
        assert (page.status_code, "1111" in page.text) == (422, False)
        assert "never enter a real card" in page.text
        assert (await here.get("/v1/charges")).json()["data"] == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"card": "4242"}, "card"),
        ({"card": "4111111111111111"}, "card"),
        ({"card": ""}, "card"),
        ({"exp": "13 / 34"}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": "10 / 26"}, "exp"),
        ({"cvc": "12"}, "cvc"),
        ({"name": ""}, "name"),
    ],
    ids=str,
)
def test_a_form_with_a_fault_says_which_field(change: dict[str, str], field: str) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert find_fault(buyer(), now) is None
    fault = find_fault(buyer() | change, now)
    assert fault is not None
    assert fault.field == field


@pytest.mark.parametrize("exp", ["11/26", "1126", "11 / 2026", "1/27", "01/2027", "127"])
def test_an_expiry_date_may_be_written_in_many_ways(exp: str) -> None:
    assert find_fault(buyer(exp=exp), datetime(2026, 11, 30, tzinfo=UTC)) is None


async def test_a_faulty_field_is_marked_for_those_who_cannot_see_it() -> None:
    async with desk() as here:
        page = await here.pay(await here.session(), cvc="1")
        assert page.status_code == 422
        assert 'aria-invalid="true" aria-describedby="fault"' in page.text


async def test_an_unknown_and_an_expired_page_say_so() -> None:
    async with desk() as here:
        for answer in (await here.http.get("/c/pay/cs_test_x"), await here.http.post("/c/pay/cs_test_x", data=buyer())):
            assert (answer.status_code, "no such payment page" in answer.text) == (404, True)
        session = await here.session(cancel_url="http://shop.test/back")
        await here.post(f"/v1/checkout/sessions/{session['id']}/expire")
        page = await here.http.get(f"/c/pay/{session['id']}")
        assert (page.status_code, "has expired" in page.text, "http://shop.test/back" in page.text) == (410, True, True)


def test_a_form_of_another_shape_is_no_form() -> None:
    assert read_fields("card=1&card=2&x=y")["card"] == "2"
    assert len(read_fields("name=" + "x" * 999)["name"]) == 254
    with pytest.raises(Refusal):
        read_fields("&".join(f"f{n}=x" for n in range(60)))


@pytest.mark.parametrize(
    ("cents", "currency", "text"),
    [
        (299, "usd", "$2.99"),
        (123456, "eur", "€1,234.56"),
        (500, "jpy", "¥500"),
        (299, "chf", "2.99 CHF"),
        (9, "krw", "9 KRW"),
    ],
)
def test_an_amount_is_written_as_people_write_it(cents: int, currency: str, text: str) -> None:
    assert amount_text(cents, currency) == text


def test_every_card_that_the_page_explains_is_known() -> None:
    assert all(cards.find(card.spaced) is card for card in cards.SHOWN)


def test_the_command_line_and_the_environment_make_a_config() -> None:
    config = read_config(["--port", "8200", "--prefix", "/services/stripe", "--retries", "1", "2"], SECRETS)
    assert (config.page_base, config.retries) == ("http://127.0.0.1:8200/services/stripe", (1.0, 2.0))
    public = read_config(["--public-url", "http://127.0.0.1:8000/services/stripe/"], SECRETS)
    assert public.page_base == "http://127.0.0.1:8000/services/stripe"
    assert "0123456789" not in repr(config)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        pytest.param([], {}, id="no-secrets"),
        pytest.param([], SECRETS | {"STRIPE_STAND_IN_KEY": "sk_" + "live_0123456789"}, id="live-key"),
        pytest.param([], SECRETS | {"STRIPE_STAND_IN_KEY": "sk_test_"}, id="empty-key"),
        pytest.param([], SECRETS | {"STRIPE_STAND_IN_WEBHOOK_SECRET": "secret"}, id="no-webhook-secret"),
        pytest.param(["--host", "0.0.0.0"], SECRETS, id="all-interfaces"),  # noqa: S104
        pytest.param(["--host", "192.168.1.2"], SECRETS, id="the-network"),
        pytest.param(["--webhook-url", "https://example.org/"], SECRETS, id="webhook-elsewhere"),
        pytest.param(["--webhook-url", "file:///etc"], SECRETS, id="webhook-no-http"),
        pytest.param(["--prefix", "services"], SECRETS, id="prefix-without-slash"),
        pytest.param(["--prefix", "/services/"], SECRETS, id="prefix-with-last-slash"),
        pytest.param(["--retries", "-1"], SECRETS, id="negative-delay"),
    ],
)
def test_a_stand_in_that_could_be_more_than_a_test_does_not_start(
    arguments: list[str], environment: dict[str, str]
) -> None:
    read_config([], SECRETS)
    with pytest.raises(ConfigError):
        read_config(arguments, environment)
