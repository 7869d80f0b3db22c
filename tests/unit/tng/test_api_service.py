"""The service as a whole: headers, documentation, front door, and loops that go on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from tests.unit.tng.api_support import PREFIX, House, make_house, visiting
from tng.api.background import repeat, repeating
from tng.api.refusals import status_of
from tng.api.shield import Shield
from tng.bell import Bell
from tng.errors import ApiError, GatewayUnavailable, RunFailed


@pytest.fixture
def house() -> House:
    return make_house()


@pytest.mark.parametrize("path", ["/health", "/offer", "/me", "/nothing", "/docs", "/pay/cancel"])
async def test_every_answer_is_shielded(house: House, path: str) -> None:
    async with visiting(house, None) as anyone:
        headers = (await anyone.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nothing", 404), ("DELETE", "/orders", 405)])
async def test_what_is_not_there_is_a_sentence_too(house: House, method: str, path: str, status: int) -> None:
    async with visiting(house) as ada:
        answer = await ada.request(method, path)
    assert answer.status_code == status
    assert answer.json()["error"] == "HttpError"
    assert answer.json()["message"].endswith(".")


async def test_the_front_door_leads_to_the_house(house: House) -> None:
    async with visiting(house, None) as anyone:
        answer = await anyone.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "http://house.test/hub/")


async def test_who_leaves_in_mid_request_is_no_fault_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ClientDisconnect

    async def never(*_message: object) -> Message:
        raise AssertionError("there is nobody to read from, or to answer")

    with caplog.at_level(logging.INFO):
        await Shield(app)({"type": "http", "headers": []}, never, never)  # type: ignore[arg-type]
    assert [(record.levelname, record.getMessage().count("\n")) for record in caplog.records] == [("INFO", 0)]
    assert not hasattr(caplog.records[0], "fault")


async def test_health_needs_nobody(house: House) -> None:
    async with visiting(house, None) as anyone:
        assert (await anyone.get("/health")).json() == {"ok": True}


async def test_the_documentation_lists_every_operation_without_another_server(house: House) -> None:
    async with visiting(house, None) as anyone:
        page = (await anyone.get("/docs")).text
        described = (await anyone.get("/openapi.json")).json()
    assert "<script" not in page
    assert "://" not in page
    for path in described["paths"]:
        assert path in page
    placed = described["paths"][f"{PREFIX}/orders"]["post"]
    assert placed["responses"]["201"]["content"]["application/json"]["schema"]["$ref"].endswith("OrderView")
    assert {"401", "402", "404", "422", "503"} <= set(placed["responses"])
    assert described["components"]["schemas"]["PremiseRequest"]["additionalProperties"] is False


async def test_a_loop_goes_on_after_an_error(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = [GatewayUnavailable("away"), RuntimeError("premise"), None]
    done = asyncio.Event()
    loop = asyncio.get_running_loop()

    def action() -> None:
        outcome = outcomes.pop(0) if outcomes else loop.call_soon_threadsafe(done.set)
        if isinstance(outcome, Exception):
            raise outcome

    task = asyncio.create_task(repeat("errands", action, 0.001))
    await asyncio.wait_for(done.wait(), 5)
    task.cancel()
    assert "errands: GatewayUnavailable: away" in caplog.text
    assert "errands: unexpected RuntimeError" in caplog.text
    assert "premise" not in caplog.text


@pytest.mark.parametrize("rings", [pytest.param(True, id="bell"), pytest.param(False, id="control")])
async def test_a_bell_wakes_its_loop_and_no_other(rings: bool) -> None:
    bell, ran, loop = Bell(), asyncio.Queue[str](), asyncio.get_running_loop()

    def loop_of(name: str) -> tuple[Callable[[], object], float]:
        return lambda: loop.call_soon_threadsafe(ran.put_nowait, name), 60

    async with repeating({"inbox": loop_of("inbox"), "errands": loop_of("errands")}, {"inbox": bell}):
        assert {await ran.get(), await ran.get()} == {"inbox", "errands"}
        await asyncio.sleep(0.05)
        if rings:
            bell.ring()
        woken = asyncio.create_task(ran.get())
        await asyncio.wait([woken], timeout=5 if rings else 0.2)
        assert woken.done() is rings
        assert not rings or woken.result() == "inbox"
        assert ran.empty()
        woken.cancel()
    bell.ring()


async def test_loops_run_while_the_service_does_and_end_with_it() -> None:
    ran = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with repeating({"tick": (lambda: loop.call_soon_threadsafe(ran.set), 0.001)}):
        await asyncio.wait_for(ran.wait(), 5)
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "tick"]


async def test_the_service_holds_orders_against_stripe_by_itself(house: House) -> None:
    order = house.order()
    house.gateway.pay(str(order.checkout_session_id))
    async with house.app.router.lifespan_context(house.app):
        for _ in range(200):
            if house.store.tables.orders[order.id].state == "paid":
                break
            await asyncio.sleep(0.01)
    assert house.store.tables.orders[order.id].state == "paid"


def test_an_error_without_a_status_is_500() -> None:
    assert status_of(RunFailed("x")) == 500
    assert status_of(ApiError("x")) == 500
    assert status_of(ApiError("x", status=403)) == 403
