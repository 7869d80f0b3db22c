"""A stream of events loses nothing and says nothing twice, wherever it breaks off."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from tests.unit.tng.api_support import ADA, PREFIX, SCENES, SCRIPT, House, events_in, make_house, visiting
from tng.api.events import STREAMS_EACH, Teller, follow
from tng.errors import StoreBusy
from tng.jobs import EventKind
from tng.orders import Order
from tng.standing import Standing

LAST = len(SCENES)


@pytest.fixture
def house() -> House:
    return make_house()


async def stream(
    house: House, order_id: str, last_event_id: str | None = None
) -> list[tuple[str, str, dict[str, Any]]]:
    headers = {"Last-Event-ID": last_event_id} if last_event_id is not None else {}
    async with visiting(house) as ada:
        answer = await ada.get(f"/orders/{order_id}/events", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["x-accel-buffering"] == "no"
    return events_in(answer.text)


def teller(house: House) -> Teller:
    return Teller(house.shop.standing, PREFIX)


def kinds(events: list[tuple[str, str, dict[str, Any]]]) -> list[str]:
    return [kind for _, kind, _ in events]


async def test_a_delivered_order_is_told_from_its_start_to_its_end(house: House) -> None:
    order = house.order()
    house.deliver(order)
    told = await stream(house, order.id)
    assert kinds(told) == ["state", "restart", "started", "scene", "scene", "scene", "done", "end"]
    assert told[0][2]["state"] == "delivered"
    assert [body["text"] for _, kind, body in told if kind == "scene"] == list(SCENES)


async def test_a_stream_that_broke_off_goes_on_after_the_last_event_without_a_restart(house: House) -> None:
    order = house.order()
    house.deliver(order)
    whole = [event for event in await stream(house, order.id) if event[0]]
    for seen in range(1, len(whole) + 1):
        rest = await stream(house, order.id, whole[seen - 1][0])
        assert [event for event in rest if event[0]] == whole[seen:]
        assert "restart" not in kinds(rest)


async def test_another_attempt_begins_with_a_restart_and_is_told_whole(house: House) -> None:
    order = house.order()
    house.pay(order)
    first = house.claim()
    house.say_scenes(first, 0, 2)
    seen = house.store.tables.events[-1][1].id
    house.clock.advance(seconds=60)
    second = house.claim()
    assert second.attempt == 2
    house.say_scenes(second)
    house.fulfilment.deliver(second, script_text=SCRIPT, release_id="r", run_sha256="0")
    rest = await stream(house, order.id, str(seen))
    assert kinds(rest) == ["state", "restart", "started", *["scene"] * LAST, "done", "end"]
    assert rest[1][2] == {"attempt": 2}


@pytest.mark.parametrize("last", ["999999", "-1", "x", "1 OR 1=1", "9" * 40, "0", ""])
async def test_a_last_event_that_is_none_of_this_order_tells_it_from_the_start(house: House, last: str) -> None:
    order = house.order()
    house.deliver(order)
    assert kinds(await stream(house, order.id, last)) == kinds(await stream(house, order.id))


async def test_an_event_of_another_order_is_no_place_to_go_on_from(house: House) -> None:
    other = house.order()
    house.deliver(other)
    order = house.order()
    house.deliver(order)
    foreign = house.store.tables.events[2][1].id
    assert "restart" in kinds(await stream(house, order.id, str(foreign)))


async def test_the_state_is_told_whenever_it_changes_and_only_then(house: House) -> None:
    order = house.order()
    told: list[str] = []

    async def listen() -> None:
        async for event in follow(
            lambda after: house.shop.events(order.id, ADA, after), 0, teller(house), poll_seconds=0.01
        ):
            told.append(str(event.event))

    listener = asyncio.create_task(listen())
    await asyncio.sleep(0.1)
    assert told == ["state"]
    house.deliver(order)
    await asyncio.wait_for(listener, 5)
    assert told[-1] == "end"
    assert 2 <= told.count("state") <= 4


async def test_scenes_arrive_while_they_are_written(house: House) -> None:
    order = house.order()
    house.pay(order)
    job = house.claim()
    arrived: asyncio.Queue[str] = asyncio.Queue()

    async def listen() -> None:
        async for event in follow(
            lambda after: house.shop.events(order.id, ADA, after), 0, teller(house), poll_seconds=0.01
        ):
            if event.event == "scene":
                arrived.put_nowait(str(event.data))

    listener = asyncio.create_task(listen())
    for number in range(LAST):
        house.say_scenes(job, number, number + 1)
        assert f'"number": {number + 1}' in await asyncio.wait_for(arrived.get(), 5)
    listener.cancel()


async def test_a_place_in_the_queue_is_told_when_it_changes_and_only_then(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tng.api.events.QUEUE_SECONDS", 0.02)
    first, second = house.order(), house.order()
    house.pay(first)
    house.pay(second)
    told: list[tuple[str, Any]] = []
    follower = follow(lambda after: house.shop.events(second.id, ADA, after), 0, teller(house), poll_seconds=0.01)
    async for event in follower:
        told.append((str(event.event), json.loads(str(event.data))))
        if len(told) == 1:
            await asyncio.sleep(0.1)  # nothing changes
            house.shop.cancel(first.id, ADA)
        if told[-1][0] == "queue":
            house.claim()
        if told[-1][0] == "started":
            break
    assert [kind for kind, _ in told] == ["state", "queue", "state", "restart", "started"]
    assert (told[0][1]["queue"]["place"], told[1][1]["place"], told[2][1]["queue"]) == (2, 1, None)


async def test_a_locked_database_is_waited_for(house: House) -> None:
    order = house.order()
    house.deliver(order)
    tries = 0

    def listen(after: int) -> Any:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise StoreBusy("locked for the test")
        return house.shop.events(order.id, ADA, after)

    told = [str(event.event) async for event in follow(listen, 0, teller(house), poll_seconds=0.001)]
    assert told[-1] == "end"


async def test_a_failed_order_is_followed_until_its_money_is_back(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = house.order()
    house.pay(order)
    job = house.claim()
    house.fulfilment.heartbeat(job, [(EventKind.PROGRESS, {"percent": 3})])
    for _ in range(3):
        from tng.errors import RunFailed

        house.fulfilment.fail(job, RunFailed("it raised", cause="ValueError"))
        house.clock.advance(minutes=10)
        if house.store.tables.jobs[job.id].state.value == "queued":
            job = house.claim()
    looked, standing = threading.Event(), house.shop.standing

    def seen(order: Order) -> Standing:
        looked.set()
        return standing(order)

    monkeypatch.setattr(house.shop, "standing", seen)
    telling = asyncio.create_task(stream(house, order.id))
    assert await asyncio.to_thread(looked.wait, 20)
    assert not telling.done()
    house.shop.run_errands()
    told = await asyncio.wait_for(telling, 5)
    assert kinds(told)[-2:] == ["state", "end"]
    assert told[-1][2] == {"state": "refunded"}


async def test_a_stream_ends_after_its_time_so_that_the_token_is_checked_again(house: House) -> None:
    order = house.order()
    told = [
        str(event.event)
        async for event in follow(
            lambda a: house.shop.events(order.id, ADA, a), 0, teller(house), poll_seconds=0.01, most_seconds=0.05
        )
    ]
    assert told == ["state"]


async def test_a_stream_ends_when_whoever_follows_has_signed_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tng.api.events.STILL_SECONDS", 0.05)
    monkeypatch.setattr("tng.api.auth.CACHE_SECONDS", 0.0)
    order = house.order()
    following = asyncio.create_task(stream(house, order.id))
    while not house.app.state.streams[ADA]:  # noqa: ASYNC110 - the application has no event for it
        await asyncio.sleep(0.01)
    del house.hub.users["ada-token"]
    assert kinds(await asyncio.wait_for(following, 5)) == ["state"]


async def test_a_stream_goes_on_while_the_hub_is_away(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tng.api.events.STILL_SECONDS", 0.02)
    monkeypatch.setattr("tng.api.auth.CACHE_SECONDS", 0.0)
    order = house.order()
    following = asyncio.create_task(stream(house, order.id))
    while not house.app.state.streams[ADA]:  # noqa: ASYNC110 - the application has no event for it
        await asyncio.sleep(0.01)
    house.hub.down = True
    asked = len(house.hub.asked)
    while len(house.hub.asked) < asked + 3:  # noqa: ASYNC110 - the fake hub has no event for it
        await asyncio.sleep(0.01)
    house.deliver(order)
    assert kinds(await asyncio.wait_for(following, 5))[-1] == "end"


async def test_one_customer_cannot_hold_every_stream(house: House) -> None:
    order = house.order()
    house.app.state.streams[ADA] = STREAMS_EACH
    async with visiting(house) as ada:
        assert (await ada.get(f"/orders/{order.id}/events")).status_code == 429
    house.app.state.streams[ADA] = 0
    house.deliver(order)
    await stream(house, order.id)
    assert house.app.state.streams[ADA] == 0
