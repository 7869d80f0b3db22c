"""Money reaches an order by Stripe's word alone, whichever way it is told first."""

from __future__ import annotations

import asyncio
import gzip
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes import START
from tests.log_lines import logged
from tests.samples import forced
from tests.unit.tng.api_support import House, make_house, visiting
from tng.api.stripe_room import StripeRoom
from tng.orders import PAYABLE, OrderState

HOME = "http://house.test/hub/user-redirect/"


@pytest.fixture
def house() -> House:
    return make_house()


async def test_a_checkout_is_opened_once_and_given_again(house: House) -> None:
    order = house.order()
    async with visiting(house) as ada:
        first, second = [(await ada.post(f"/orders/{order.id}/checkout")).json() for _ in range(2)]
    assert first["checkout_url"] == second["checkout_url"] == order.checkout_url


async def test_who_paid_comes_back_to_the_order_and_it_is_paid(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    async with visiting(house) as ada:
        back = await ada.get("/pay/return", params={"session_id": order.checkout_session_id})
    assert (back.status_code, back.headers["location"]) == (303, f"{HOME}?order={order.id}")
    assert house.store.tables.orders[order.id].state is OrderState.PAID


async def test_who_did_not_pay_comes_back_and_it_is_not_paid(house: House) -> None:
    order = house.order()
    async with visiting(house) as ada:
        back = await ada.get("/pay/return", params={"session_id": order.checkout_session_id})
    assert back.headers["location"] == f"{HOME}?order={order.id}&returned=1"
    assert house.store.tables.orders[order.id].state is OrderState.PLACED


async def test_with_stripe_away_the_way_back_still_leads_to_the_order(house: House) -> None:
    order = house.order()
    house.gateway.down = True
    async with visiting(house) as ada:
        back = await ada.get("/pay/return", params={"session_id": order.checkout_session_id})
    assert back.headers["location"] == f"{HOME}?order={order.id}&returned=1"


async def test_with_stripe_slow_nobody_waits_for_it_who_comes_back_and_the_money_is_found_later(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    house.gateway.report("checkout.session.completed", str(order.checkout_session_id))
    house.gateway.slow = True
    async with visiting(house) as ada:
        back = await ada.get("/pay/return", params={"session_id": order.checkout_session_id})
    assert back.headers["location"] == f"{HOME}?order={order.id}&returned=1"
    assert house.store.tables.orders[order.id].state is OrderState.PLACED
    house.shop.reconcile()  # a loop has the patience
    assert house.store.tables.orders[order.id].state is OrderState.PAID


@pytest.mark.parametrize("state", [state for state in OrderState if state not in PAYABLE], ids=str)
async def test_where_a_webhook_was_quicker_nothing_is_asked_of_stripe(house: House, state: OrderState) -> None:
    order = house.pay(house.order())
    house.store.tables.orders[order.id] = replace(order, state=state)
    house.gateway.calls.clear()
    async with visiting(house) as ada, visiting(house, "ben-token") as ben:
        back = await ada.get("/pay/return", params={"session_id": order.checkout_session_id})
        strange = await ben.get("/pay/return", params={"session_id": order.checkout_session_id})
    assert (back.headers["location"], strange.headers["location"]) == (f"{HOME}?order={order.id}", HOME)
    assert house.gateway.calls == []


async def test_a_strangers_session_leads_home_and_tells_nothing(house: House) -> None:
    order = house.order()
    house.gateway.calls.clear()
    async with visiting(house, "ben-token") as ben:
        back = await ben.get("/pay/return", params={"session_id": order.checkout_session_id})
    assert back.headers["location"] == HOME
    assert house.gateway.calls == []


async def test_with_no_place_free_the_way_back_leads_to_the_order_and_a_click_is_told_to_come_again(
    house: House,
) -> None:
    order = house.order()
    house.app.state.stripe_room = StripeRoom(places=1, patience_seconds=0.05)
    taken, over = threading.Event(), threading.Event()
    held = asyncio.create_task(house.app.state.stripe_room.ask(lambda: (taken.set(), over.wait(10))))
    await asyncio.to_thread(taken.wait, 10)
    async with visiting(house) as ada:
        back = await ada.get("/pay/return", params={"session_id": order.checkout_session_id})
        page = await ada.get(f"/orders/{order.id}")
        clicks = [await ada.post(f"/orders/{order.id}/{verb}") for verb in ("checkout", "cancel")]
        over.set()
        await held
        again = await ada.post(f"/orders/{order.id}/checkout")
    assert back.headers["location"] == f"{HOME}?order={order.id}&returned=1"
    assert (page.status_code, again.status_code) == (200, 200)
    assert [(each.status_code, each.json()["error"]) for each in clicks] == [(503, "GatewayUnavailable")] * 2
    assert all(each.headers["retry-after"] and "Nothing was charged" in each.json()["message"] for each in clicks)


async def test_a_place_is_free_again_whatever_became_of_the_call() -> None:
    room = StripeRoom(places=1, patience_seconds=0.05)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await room.ask(lambda: 1 // 0)
    assert await room.ask(lambda: 7) == 7


@pytest.mark.parametrize("session_id", ["", "x", "cs_../../v1/refunds", "cs_unknown", "pi_123", "cs_a?b", "cs_a\n"])
async def test_a_session_that_is_none_leads_home(house: House, session_id: str) -> None:
    async with visiting(house) as ada:
        back = await ada.get("/pay/return", params={"session_id": session_id})
    assert (back.status_code, back.headers["location"]) == (303, HOME)
    if session_id != "cs_unknown":
        assert house.gateway.calls == []


async def test_a_browser_that_nobody_signed_in_is_sent_to_sign_in_first(house: House) -> None:
    async with visiting(house, None) as browser:
        sent = await browser.get("/pay/return", params={"session_id": "cs_1"}, headers={"Accept": "text/html"})
    assert sent.status_code == 302
    assert sent.headers["location"].startswith("/hub/api/oauth2/authorize?")


async def test_who_turned_back_comes_back_to_the_order(house: House) -> None:
    async with visiting(house, None) as anyone:
        back = await anyone.get("/pay/cancel", params={"order": "ord_1"})
    assert (back.status_code, back.headers["location"]) == (303, f"{HOME}?order=ord_1&cancelled=1")


@pytest.mark.parametrize("order", ["", "//evil.test", "x&y=1", "a\r\nb", "<script>", "x" * 90])
async def test_an_order_that_is_none_is_not_sent_on(house: House, order: str) -> None:
    async with visiting(house, None) as anyone:
        back = await anyone.get("/pay/cancel", params={"order": order})
    assert back.headers["location"] == f"{HOME}?cancelled=1"


async def test_a_webhook_pays_once_however_often_it_comes(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    payload, signature = house.gateway.webhook("checkout.session.completed", str(order.checkout_session_id))
    async with visiting(house, None) as stripe:
        for _ in range(3):
            answer = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
            assert answer.status_code == 200
    assert house.store.tables.orders[order.id].state is OrderState.PAID
    assert len(house.store.tables.jobs) == 1


@pytest.mark.parametrize("case", ["none", "forged", "of another body", "old", "future", "no json"])
async def test_a_webhook_that_stripe_did_not_send_changes_nothing_and_leaves_a_line_in_the_log(
    house: House, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    kind, session = "checkout.session.completed", str(order.checkout_session_id)
    payload, signature = house.gateway.webhook(kind, session)
    if case == "forged":
        signature = signature[:-4] + "0000"
    elif case == "of another body":
        payload = payload.replace(b"completed", b"completex")
    elif case in ("old", "future"):
        at = START + timedelta(seconds=-301 if case == "old" else 301)
        payload, signature = house.gateway.webhook(kind, session, at=at)
    elif case == "no json":
        payload, signature = b"{", house.gateway.sign(b"{", START)
    headers = {} if case == "none" else {"Stripe-Signature": signature}
    async with visiting(house, None) as stripe:
        answer = await stripe.post("/stripe/webhook", content=payload, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["error"] == "SignatureInvalid"
    assert "STRIPE_WEBHOOK_SECRET" in caplog.text
    assert house.store.tables.orders[order.id].state is OrderState.PLACED


async def test_a_webhook_is_asked_for_again_while_we_are_busy(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    payload, signature = house.gateway.webhook("checkout.session.completed", str(order.checkout_session_id))
    async with visiting(house, None) as stripe:
        house.store.busy = True
        answer = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
        house.store.busy = False
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        answer = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
    assert answer.status_code == 200
    assert house.store.tables.orders[order.id].state is OrderState.PAID


async def test_a_webhook_is_kept_while_stripe_is_away_and_acted_on_later(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    payload, signature = house.gateway.webhook("checkout.session.completed", str(order.checkout_session_id))
    house.gateway.down = True
    async with visiting(house, None) as stripe:
        answer = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
    assert answer.status_code == 200
    assert house.store.tables.orders[order.id].state is OrderState.PLACED
    house.gateway.down = False
    house.clock.advance(seconds=2)
    house.shop.run_inbox()
    assert house.store.tables.orders[order.id].state is OrderState.PAID


async def test_a_refund_that_came_back_is_said_aloud(house: House) -> None:
    order = house.order()
    session_id = str(order.checkout_session_id)
    house.gateway.pay(session_id)
    house.shop.confirm_payment(session_id)
    with house.store.begin() as work:
        work.orders.save(forced(work.orders.get(order.id), OrderState.REFUNDED))
        work.commit()
    payload, signature = house.gateway.webhook("refund.failed", session_id)
    with logged() as lines:
        async with visiting(house, None) as stripe:
            answer = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
    assert answer.status_code == 200
    said = lines.about(" ERROR ")
    assert len(said) == 1
    assert "a refund came back" in said[0]
    assert f"order={order.id} event=evt_refund.failed" in said[0]


async def test_a_webhook_beyond_256_kb_is_refused(house: House) -> None:
    async with visiting(house, None) as stripe:
        answer = await stripe.post("/stripe/webhook", content=b" " * (256 * 1024 + 1))
        almost = await stripe.post("/stripe/webhook", content=b" " * (256 * 1024))
    assert answer.status_code == 413
    assert almost.status_code == 400


async def test_a_packed_webhook_is_not_unpacked(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    payload, signature = house.gateway.webhook("checkout.session.completed", str(order.checkout_session_id))
    headers = {"Stripe-Signature": signature, "Content-Encoding": "gzip"}
    async with visiting(house, None) as stripe:
        packed = await stripe.post("/stripe/webhook", content=gzip.compress(payload), headers=headers)
        bomb = await stripe.post("/stripe/webhook", content=gzip.compress(b" " * 10_000_000), headers=headers)
    assert (packed.status_code, bomb.status_code) == (400, 400)
    assert house.store.tables.orders[order.id].state is OrderState.PLACED


async def test_one_event_fifty_times_at_once_is_one_job(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    payload, signature = house.gateway.webhook("checkout.session.completed", str(order.checkout_session_id))
    async with visiting(house, None) as stripe:
        sent = [
            stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature}) for _ in range(50)
        ]
        answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} == {200}
    assert (len(house.store.tables.jobs), len(house.store.tables.inbox)) == (1, 1)
    assert house.store.tables.orders[order.id].state is OrderState.PAID


async def test_an_answer_to_a_webhook_tells_nothing(house: House) -> None:
    order = house.order()
    payload, signature = house.gateway.webhook("checkout.session.completed", str(order.checkout_session_id))
    async with visiting(house, None) as stripe:
        answer = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
    assert answer.json() == {"ok": True}
    assert order.id not in str(answer.headers)
    assert not {"server", "x-powered-by"} & set(answer.headers)


async def test_an_order_says_what_was_paid_where_a_code_made_it_less(house: House) -> None:
    order = house.order()
    house.gateway.change(str(order.checkout_session_id), subtotal_cents=order.amount_cents, amount_cents=239)
    async with visiting(house) as ada:
        before = (await ada.get(f"/orders/{order.id}")).json()
        house.gateway.pay(str(order.checkout_session_id))
        house.shop.confirm_payment(str(order.checkout_session_id))
        after = (await ada.get(f"/orders/{order.id}")).json()
    assert before["paid"] is None
    assert (after["price"]["amount_cents"], after["paid"]["amount_cents"]) == (order.amount_cents, 239)
