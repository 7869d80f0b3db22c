"""The api takes orders, shows them to their owner alone, and refuses what it should with a sentence."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.log_lines import logged
from tests.unit.tng.api_support import ADA, PREFIX, PROVENANCE, SCRIPT, WISH, House, make_house, visiting
from tng.script import parse

KEY = {"Idempotency-Key": "draft-1"}


@pytest.fixture
def house() -> House:
    return make_house()


def is_a_sentence(message: str) -> bool:
    return bool(re.fullmatch(r"[A-Z“].+[.!?]", message)) and "Traceback" not in message and len(message) < 300


async def test_an_order_is_placed_at_the_shops_price_with_a_page_to_pay(house: House) -> None:
    async with visiting(house) as ada:
        answer = await ada.post("/orders", json=WISH, headers=KEY)
    assert answer.status_code == 201
    body = answer.json()
    assert body["state"] == "placed"
    assert body["price"] == {"amount_cents": 299, "currency": "usd", "text": "2.99 USD"}
    assert body["checkout_url"].startswith("https://pay.example/")
    assert body["premise"] == WISH | {"guests": [], "temperature": None}


async def test_guests_and_a_temperature_are_ordered_and_shown(house: House) -> None:
    wish = WISH | {"guests": [" Oran ", "T’Vral"], "temperature": 0.7}
    async with visiting(house) as ada:
        body = (await ada.post("/orders", json=wish, headers=KEY)).json()
        again = (await ada.get(f"/orders/{body['id']}")).json()
    assert body["premise"] == again["premise"] == WISH | {"guests": ["Oran", "T’Vral"], "temperature": 0.7}


async def test_a_double_click_places_one_order(house: House) -> None:
    async with visiting(house) as ada:
        first, second = [(await ada.post("/orders", json=WISH, headers=KEY)).json() for _ in range(2)]
    assert first["id"] == second["id"]
    assert len(house.store.tables.orders) == 1


async def test_nothing_of_the_owner_or_of_stripe_leaves_with_an_order(house: House) -> None:
    order = house.pay(house.order())
    async with visiting(house) as ada:
        body = (await ada.get(f"/orders/{order.id}")).text
    assert ADA not in body
    assert str(order.checkout_session_id) not in body
    assert str(order.payment_intent_id) not in body


BAD = [
    pytest.param(WISH | {"title": ""}, "title is empty", id="empty title"),
    pytest.param(WISH | {"title": "   "}, "title is empty", id="blank title"),
    pytest.param(WISH | {"title": "x" * 10_000}, "10,000 characters; 80 is the most", id="ten thousand characters"),
    pytest.param(WISH | {"title": "x" * 30_000}, "too long", id="a title as long as a book"),
    pytest.param(WISH | {"title": "a\x07b"}, "control character", id="control character"),
    pytest.param(WISH | {"title": "a\u202eb"}, "control character", id="text that turns around"),
    pytest.param(WISH | {"logline": "x" * 501}, "500 is the most", id="long logline"),
    pytest.param(WISH | {"title": 5}, "must be text", id="a number for a title"),
    pytest.param(WISH | {"cast": ["PICARD", "SPOCK"]}, "not in this show", id="unknown cast"),
    pytest.param(WISH | {"cast": ["PICARD"]}, "at least two", id="nobody to talk to"),
    pytest.param(WISH | {"cast": "PICARD"}, "list of names", id="cast that is no list"),
    pytest.param(WISH | {"length": "trilogy"}, "no such length", id="unknown length"),
    pytest.param(WISH | {"tone": "silly"}, "no such tone", id="unknown tone"),
    pytest.param(WISH | {"seed": -1}, "seed", id="negative seed"),
    pytest.param(WISH | {"seed": 2**31}, "seed", id="seed too large"),
    pytest.param(WISH | {"seed": True}, "whole number", id="a yes for a seed"),
    pytest.param(WISH | {"seed": 1.5}, "whole number", id="half a seed"),
    pytest.param(WISH | {"guests": ["A", "B", "C"]}, "room for 2 guests", id="a crowd of guests"),
    pytest.param(WISH | {"guests": ["Oran"] * 21}, "guests", id="more guests than anybody reads"),
    pytest.param(WISH | {"guests": ["Two Words"]}, "one word", id="a guest of two words"),
    pytest.param(WISH | {"guests": ["Worf"]}, "somebody aboard", id="a guest who is aboard"),
    pytest.param(WISH | {"guests": "Oran"}, "guests", id="guests that are no list"),
    pytest.param(WISH | {"guests": ["x" * 25]}, "24 is the most", id="a guest with a long name"),
    pytest.param(WISH | {"temperature": 1.5}, "from 0.1 to 1.0", id="too hot"),
    pytest.param(WISH | {"temperature": 0}, "from 0.1 to 1.0", id="too cool"),
    pytest.param(WISH | {"temperature": "hot"}, "temperature", id="a word for a temperature"),
    pytest.param(WISH | {"temperature": True}, "temperature", id="a yes for a temperature"),
    pytest.param(WISH | {"price_cents": 1}, "no field “price_cents”", id="own price"),
    pytest.param(WISH | {"amount_cents": 1}, "no field “amount_cents”", id="own amount"),
    pytest.param(WISH | {"paid": True}, "no field “paid”", id="already paid"),
    pytest.param(WISH | {"state": "paid"}, "no field “state”", id="own state"),
    pytest.param(WISH | {"owner": "ben@example.com"}, "no field “owner”", id="another owner"),
    pytest.param(WISH | {"customer": "ben@example.com"}, "no field “customer”", id="another customer"),
    pytest.param({}, "title is missing", id="nothing at all"),
    pytest.param([WISH], "not a JSON object", id="a list"),
    pytest.param("PICARD", "not a JSON object", id="a word"),
]


@pytest.mark.parametrize(("wish", "reason"), BAD)
async def test_bad_input_is_refused_with_a_sentence_and_orders_nothing(house: House, wish: Any, reason: str) -> None:
    async with visiting(house) as ada:
        answer = await ada.post("/orders", json=wish, headers=KEY)
    assert answer.status_code == 422
    body = answer.json()
    assert body["error"] == "PremiseError"
    assert reason in body["message"]
    assert is_a_sentence(body["message"])
    assert not house.store.tables.orders


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"{", id="half an object"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="bytes that are no text"),
        pytest.param(b'{"title": "\\ud800", "cast": [], "tone": "", "length": "", "seed": 1}', id="half a character"),
    ],
)
async def test_a_body_that_is_no_json_is_refused_with_a_sentence(house: House, raw: bytes) -> None:
    async with visiting(house) as ada:
        answer = await ada.post("/orders", content=raw, headers=KEY | {"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert is_a_sentence(answer.json()["message"])
    assert not house.store.tables.orders


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="none"),
        pytest.param({"Idempotency-Key": "k" * 81}, id="too long"),
        pytest.param({"Idempotency-Key": "a b"}, id="with a blank"),
    ],
)
async def test_an_order_needs_a_request_key(house: House, headers: dict[str, str]) -> None:
    async with visiting(house) as ada:
        answer = await ada.post("/orders", json=WISH, headers=headers)
    assert answer.status_code == 422
    assert is_a_sentence(answer.json()["message"])
    assert not house.store.tables.orders


async def test_a_body_beyond_the_limit_is_refused_unread(house: House) -> None:
    async with visiting(house) as ada:
        answer = await ada.post("/orders", content=b"[" * 300_000, headers=KEY)
    assert answer.status_code == 413


async def test_a_body_in_chunks_is_counted_too(house: House) -> None:
    async def chunks() -> Any:
        for _ in range(300):
            yield b"x" * 1024

    async with visiting(house) as ada:
        answer = await ada.post("/orders", content=chunks(), headers=KEY | {"Content-Type": "application/json"})
    assert answer.status_code == 413


ROUTES = [
    ("GET", "/orders/{id}"),
    ("POST", "/orders/{id}/checkout"),
    ("POST", "/orders/{id}/cancel"),
    ("GET", "/orders/{id}/events"),
    ("POST", "/orders/{id}/title"),
    ("POST", "/orders/{id}/bin"),
    ("DELETE", "/orders/{id}/bin"),
    ("POST", "/orders/{id}/share"),
    ("DELETE", "/orders/{id}/share"),
    ("GET", "/orders/{id}/receipt"),
    ("GET", "/orders/{id}/editions"),
    ("GET", "/orders/{id}/editions/{number}"),
    ("POST", "/orders/{id}/editions/{number}/choose"),
    ("POST", "/orders/{id}/lines"),
    ("POST", "/orders/{id}/rename"),
    ("POST", "/orders/{id}/scenes/{number}/take"),
    ("POST", "/orders/{id}/scenes/{number}/again"),
    *(("GET", f"/orders/{{id}}/script.{ending}") for ending in ("pdf", "fdx", "fountain", "epub", "txt")),
]
BODIES = {
    "/title": {"title": "Mine"},
    "/choose": {"seen": 0},
    "/lines": {"scene": 1, "block": 0, "text": "Snow.", "seen": 0},
    "/rename": {"old": "Rain", "new": "Snow", "seen": 0},
    "/take": {"take": 0, "seen": 0},
    "/again": {"seen": 0},
}


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{m} {p}" for m, p in ROUTES])
async def test_a_stranger_gets_404_and_the_owner_does_not(house: House, method: str, path: str) -> None:
    order = house.order()
    house.deliver(order)
    wanted = next((fields for end, fields in BODIES.items() if path.endswith(end)), None)
    body = {} if wanted is None else {"json": wanted}
    path = path.replace("{number}", "0" if "/editions/" in path else "1")
    async with visiting(house, "ben-token") as ben:
        answer = await ben.request(method, path.format(id=order.id), **body)
        nothing = await ben.request(method, path.format(id="ord_" + "0" * 32), **body)
    assert answer.status_code == 404
    assert answer.json() == {"error": "OrderNotFound", "message": "There is no such order."}
    assert nothing.json() == answer.json()
    async with visiting(house) as ada:
        owned = await ada.request(method, path.format(id=order.id), **body)
    expected = {"/share": 201, "/again": 202}.get(path[path.rindex("/") :], 200) if method == "POST" else 200
    assert owned.status_code == (409 if path.endswith("/cancel") else expected), "it is delivered"


async def test_every_route_with_an_order_is_in_the_table_of_strangers(house: House) -> None:
    paths = house.app.openapi()["paths"]
    known = {(method, PREFIX + path.replace("{id}", "{order_id}")) for method, path in ROUTES}
    routes = {(m.upper(), path) for path, methods in paths.items() if "{order_id}" in path for m in methods}
    assert routes == known


async def test_a_list_holds_the_callers_orders_alone_newest_first(house: House) -> None:
    first = house.order()
    house.clock.advance(seconds=5)
    second = house.order()
    house.order("ben@example.com")
    async with visiting(house) as ada:
        listed = (await ada.get("/orders")).json()["orders"]
    assert [order["id"] for order in listed] == [second.id, first.id]


async def test_a_script_is_there_to_read_once_delivered(house: House) -> None:
    order = house.order()
    async with visiting(house) as ada:
        assert (await ada.get(f"/orders/{order.id}")).json()["script_text"] is None
        house.deliver(order)
        whole = (await ada.get(f"/orders/{order.id}")).json()
    assert parse(whole["script_text"]) == parse(SCRIPT)
    assert whole["release_id"] == "tng-test"
    assert whole["provenance"] == PROVENANCE


async def test_a_stopped_script_is_read_and_taken_along_by_its_owner_and_its_money_goes_back(house: House) -> None:
    order = house.order()
    house.pay(order)
    house.say_scenes(house.claim(), 0, 1)
    async with visiting(house) as ada:
        stopped = (await ada.post(f"/orders/{order.id}/cancel")).json()
        house.shop.run_errands()
        whole = (await ada.get(f"/orders/{order.id}")).json()
        text = await ada.get(f"/orders/{order.id}/script.txt")
        listed = (await ada.get("/orders")).json()["orders"][0]
    assert (stopped["state"], stopped["is_part"], stopped["cancelled"]) == ("refunding", True, True)
    assert (whole["state"], whole["cancelled"]) == ("refunded", True)
    assert len(parse(whole["script_text"]).scenes) == 1
    assert text.status_code == 200
    assert listed["downloads"] == whole["downloads"] != {}


async def test_an_order_that_waits_says_its_place_and_nothing_of_others(house: House) -> None:
    for customer in ("ben@example.com", ADA):
        order = house.order(customer)
        house.pay(order)
    async with visiting(house) as ada:
        whole = (await ada.get(f"/orders/{order.id}")).json()
        listed = (await ada.get("/orders")).json()["orders"]
    assert whole["queue"] == {"place": 2, "estimate_seconds": None}
    assert [each["queue"] for each in listed] == [whole["queue"]]
    assert "ben" not in str(whole)


async def test_what_cannot_be_cancelled_says_why(house: House) -> None:
    order = house.order()
    house.deliver(order)
    async with visiting(house) as ada:
        answer = await ada.post(f"/orders/{order.id}/cancel")
    assert answer.status_code == 409
    assert "delivered already" in answer.json()["message"]


FAULTS = [
    pytest.param("closed", 503, "ShopClosed", id="closed shop"),
    pytest.param("busy", 503, "StoreBusy", id="locked database"),
    pytest.param("down", 503, "GatewayUnavailable", id="Stripe away"),
    pytest.param("refusing", 402, "PaymentRefused", id="Stripe says no"),
]


@pytest.mark.parametrize(("fault", "status", "error"), FAULTS)
async def test_a_fault_behind_the_api_is_a_status_and_a_sentence(
    house: House, fault: str, status: int, error: str
) -> None:
    for part in (house, house.store, house.gateway):
        if hasattr(part, fault):
            setattr(part, fault, True)
    async with visiting(house) as ada:
        answer = await ada.post("/orders", json=WISH, headers=KEY)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert is_a_sentence(answer.json()["message"])
    assert ("retry-after" in answer.headers) == (status == 503)


async def test_after_stripe_was_away_the_same_request_goes_on_with_the_same_order(house: House) -> None:
    house.gateway.down = True
    async with visiting(house) as ada:
        await ada.post("/orders", json=WISH, headers=KEY)
        house.gateway.down = False
        answer = await ada.post("/orders", json=WISH, headers=KEY)
    assert answer.json()["checkout_url"]
    assert len(house.store.tables.orders) == 1


async def test_an_unexpected_error_is_a_sentence_and_a_log_line_without_words(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError(f"secret premise {WISH['title']}")

    monkeypatch.setattr(house.shop, "place_order", explode)
    async with visiting(house) as ada:
        answer = await ada.post("/orders", json=WISH, headers=KEY)
    assert answer.status_code == 500
    assert is_a_sentence(answer.json()["message"])
    assert "unexpected RuntimeError" in caplog.text
    assert WISH["title"] not in caplog.text


async def test_no_premise_and_no_address_reach_the_log(house: House) -> None:
    with logged() as lines:
        async with visiting(house) as ada:
            placed = (await ada.post("/orders", json=WISH, headers=KEY)).json()
            await ada.get(f"/orders/{placed['id']}")
            house.closed = True
            await ada.post("/orders", json=WISH | {"title": "Another Title"}, headers={"Idempotency-Key": "2"})
    said = "\n".join(lines.about(" tng."))
    assert placed["id"] in said
    assert not [word for word in (ADA, "Quiet Hours", "Another Title", "ada-token") if word in said]
