"""The api of the stand-in for Stripe: who comes in, what happens, and how often."""

from __future__ import annotations

import asyncio
import base64

import pytest

from hub.sandbox.stripe import cards
from hub.sandbox.stripe.account import Account, Verdict
from hub.sandbox.stripe.objects import Attempt
from hub.sandbox.stripe.store import Store
from tests.stripe_desk import KEY, desk, order

SESSIONS = "/v1/checkout/sessions"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer sk_test_other",
        "Bearer ",
        f"Bearer {KEY}x",
        "Basic !!",
        "Basic " + base64.b64encode(b"\xff:").decode(),
        "Bearer ké",
    ],
)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/nothing", "/_sandbox/deliveries"])
async def test_without_the_key_nothing_is_told(authorization: str, path: str) -> None:
    async with desk() as here:
        answer = await here.http.get(path, headers={"Authorization": authorization.encode()})
        assert answer.status_code == 401
        assert "sk_test" not in answer.text
        basic = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        assert (await here.http.get(path, headers={"Authorization": basic})).status_code in (200, 404)


async def test_health_needs_no_key() -> None:
    async with desk() as here:
        assert (await here.http.get("/")).json() == {"stand_in": "stripe", "livemode": False}


async def test_what_the_stand_in_cannot_do_is_said_in_stripes_shape() -> None:
    async with desk() as here:
        answer = await here.post("/v1/subscriptions")
        assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
        assert answer.headers["Request-Id"].startswith("req_")


async def test_a_body_beyond_all_reason_is_refused() -> None:
    async with desk() as here:
        assert (await here.post(SESSIONS, {"metadata[a]": "x" * 300_000})).status_code == 413


async def test_one_key_acts_once_though_eight_ask_at_a_time() -> None:
    async with desk() as here:
        answers = await asyncio.gather(*(here.post(SESSIONS, order(), Idempotency_Key="k") for _ in range(8)))
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == 7
        without_keys = [await here.post(SESSIONS, order()) for _ in range(2)]
        assert len({answer.json()["id"] for answer in without_keys}) == 2


async def test_a_key_used_for_something_else_is_an_error_and_keeps_its_first_answer() -> None:
    async with desk() as here:
        first = await here.post(SESSIONS, order(), Idempotency_Key="k")
        other = await here.post(SESSIONS, order(300), Idempotency_Key="k")
        assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")
        again = await here.post(SESSIONS, order(), Idempotency_Key="k")
        assert again.content == first.content


async def test_a_key_is_free_again_after_a_day() -> None:
    async with desk() as here:
        first = await here.post(SESSIONS, order(), Idempotency_Key="k")
        here.now += 24 * 3600 + 1
        assert (await here.post(SESSIONS, order(), Idempotency_Key="k")).json()["id"] != first.json()["id"]


async def test_a_refused_parameter_does_not_use_the_key_up_but_a_refused_deed_does() -> None:
    async with desk() as here:
        assert (await here.post(SESSIONS, order(mode="nonsense"), Idempotency_Key="a")).status_code == 400
        assert (await here.post(SESSIONS, order(), Idempotency_Key="a")).status_code == 200
        assert (await here.post(SESSIONS, order(47), Idempotency_Key="b")).status_code == 400
        assert (await here.post(SESSIONS, order(47), Idempotency_Key="b")).headers["Idempotent-Replayed"] == "true"


async def test_a_key_of_300_characters_is_refused() -> None:
    async with desk() as here:
        assert (await here.post(SESSIONS, order(), Idempotency_Key="k" * 300)).status_code == 400


async def test_a_failed_deed_leaves_no_trace() -> None:
    async with desk() as here:
        await here.pay(session := await here.session())
        events = len(await here.events())
        intent = (await here.get(f"{SESSIONS}/{session['id']}")).json()["payment_intent"]
        too_much = {"payment_intent": intent, "amount": "300"}
        assert (await here.post("/v1/refunds", too_much)).status_code == 400
        assert len(await here.events()) == events
        unexpandable = {"payment_intent": intent, "expand[0]": "nothing"}  # refused after the deed: undone
        assert (await here.post("/v1/refunds", unexpandable)).status_code == 400
        assert (await here.get("/v1/refunds")).json()["data"] == []


async def test_refunds_never_exceed_what_was_paid() -> None:
    async with desk() as here:
        await here.pay(session := await here.session())
        intent = (await here.get(f"{SESSIONS}/{session['id']}")).json()["payment_intent"]
        assert (await here.post("/v1/refunds", {"payment_intent": intent, "amount": "100"})).json()["amount"] == 100
        assert (await here.post("/v1/refunds", {"payment_intent": intent, "amount": "0"})).status_code == 400
        rest = await here.post("/v1/refunds", {"payment_intent": intent})
        assert rest.json()["amount"] == 199
        again = await here.post("/v1/refunds", {"payment_intent": intent})
        assert again.json()["error"]["code"] == "charge_already_refunded"
        charge = (await here.get(f"/v1/charges/{rest.json()['charge']}", **{"expand[]": "refunds"})).json()
        assert (charge["refunded"], charge["amount_refunded"], len(charge["refunds"]["data"])) == (True, 299, 2)


async def test_what_was_not_paid_or_is_disputed_cannot_be_refunded() -> None:
    async with desk() as here:
        await here.pay(declined := await here.session(), card="4000000000000002")
        await here.pay(disputed := await here.session(), card="4000000000000259")
        for session in (declined, disputed):
            intent = (await here.get(f"{SESSIONS}/{session['id']}")).json()["payment_intent"]
            assert (await here.post("/v1/refunds", {"payment_intent": intent})).status_code == 400
        assert (await here.post("/v1/refunds", {"charge": "ch_nothing"})).status_code == 404
        assert (await here.post("/v1/refunds")).json()["error"]["code"] == "parameter_missing"


async def test_a_session_closes_by_itself_when_its_time_is_over() -> None:
    async with desk() as here:
        session = await here.session(expires_at=str(int(here.now) + 1_800))
        assert (await here.http.get(f"/c/pay/{session['id']}")).status_code == 200
        here.now += 1_800
        assert (await here.pay(session)).status_code == 410
        assert (await here.get(f"{SESSIONS}/{session['id']}")).json()["status"] == "expired"
        assert [event["type"] for event in await here.events()] == ["checkout.session.expired"]


def test_a_session_cannot_be_paid_in_the_second_it_closes() -> None:
    now = [2_000_000_000.0]
    account = Account(store := Store(":memory:"), page_base="http://desk", clock=lambda: now[0])
    line = {"price_data": {"currency": "usd", "unit_amount": 299, "product_data": {"name": "n"}}}
    params = {"mode": "payment", "success_url": "http://shop.test/", "line_items": [line]}
    first, second = account.open_session(params), account.open_session(params)
    attempt = Attempt(cards.SHOWN[0], "jlp@example.org", "J L P")
    now[0] = first["expires_at"] - 1
    assert account.pay(first["id"], attempt).verdict is Verdict.PAID
    now[0] += 1
    assert account.pay(second["id"], attempt).verdict is Verdict.CLOSED
    store.close()


async def test_only_an_open_session_can_be_expired() -> None:
    async with desk() as here:
        session = await here.session()
        assert (await here.post(f"{SESSIONS}/{session['id']}/expire")).json()["status"] == "expired"
        assert (await here.post(f"{SESSIONS}/{session['id']}/expire")).status_code == 400
        assert (await here.post(f"{SESSIONS}/cs_test_nothing/expire")).status_code == 404


async def test_lists_are_cut_into_pages_in_both_directions() -> None:
    async with desk() as here:
        made = [(await here.session())["id"] for _ in range(5)][::-1]  # newest first
        page = (await here.get(SESSIONS, limit=2)).json()
        assert ([each["id"] for each in page["data"]], page["has_more"]) == (made[:2], True)
        page = (await here.get(SESSIONS, limit=3, starting_after=made[1])).json()
        assert ([each["id"] for each in page["data"]], page["has_more"]) == (made[2:], False)
        page = (await here.get(SESSIONS, limit=2, ending_before=made[3])).json()
        assert ([each["id"] for each in page["data"]], page["has_more"]) == (made[1:3], True)


async def test_events_are_found_by_time_and_type() -> None:
    async with desk(webhook=False) as here:
        await here.pay(await here.session())
        here.now += 100
        await here.pay(await here.session(), card="4000000000000002")
        assert len(await here.events(**{"created[gte]": int(here.now)})) == 2
        assert len(await here.events(**{"created[lt]": int(here.now)})) == 3
        assert len(await here.events(created=int(here.now))) == 2
        assert [event["type"] for event in await here.events(type="charge.failed")] == ["charge.failed"]
        assert len(await here.events(**{"types[0]": "charge.failed", "types[1]": "charge.succeeded"})) == 2


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"limit": 0}, id="nothing"),
        pytest.param({"limit": 101}, id="too-many"),
        pytest.param({"customer": "cus_1"}, id="filter-that-is-not-here"),
        pytest.param({"starting_after": "ch_nothing"}, id="unknown-cursor"),
        pytest.param({"colour": "red"}, id="unknown-to-stripe"),
    ],
)
async def test_a_list_that_cannot_be_given_is_refused(params: dict[str, object]) -> None:
    async with desk() as here:
        assert (await here.get("/v1/charges")).json()["data"] == []
        assert (await here.get("/v1/charges", **params)).status_code in (400, 404)


async def test_related_objects_are_opened_on_request_and_ours_never_show() -> None:
    async with desk() as here:
        await here.pay(session := await here.session())
        path = f"{SESSIONS}/{session['id']}"
        assert not any(name.startswith("_") for name in session)
        expanded = (await here.get(path, **{"expand[]": ["payment_intent.latest_charge", "line_items"]})).json()
        assert expanded["payment_intent"]["latest_charge"]["paid"] is True
        assert expanded["line_items"]["data"] == (await here.get(path + "/line_items")).json()["data"]
        listed = (await here.get(SESSIONS, **{"expand[]": "data.payment_intent"})).json()["data"][0]
        assert listed["payment_intent"]["status"] == "succeeded"
        assert (await here.get(path, **{"expand[]": "colour"})).status_code == 400
        assert (await here.get(path, **{"expand[]": "a.b.c.d.e"})).status_code == 400
        unpaid = await here.session()
        unpaid = (await here.get(f"{SESSIONS}/{unpaid['id']}", **{"expand[]": "payment_intent.latest_charge"})).json()
        assert unpaid["payment_intent"] is None


async def test_a_fault_of_our_own_is_a_500_in_stripes_shape() -> None:
    async with desk() as here:
        here.store.close()
        answer = await here.post(SESSIONS, order())
        assert (answer.status_code, answer.json()["error"]["type"]) == (500, "api_error")
