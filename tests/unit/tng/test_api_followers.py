"""Streams sleep until there is news of their order; and nothing is lost between a look and a sleep."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Collection, Mapping
from typing import Any

import pytest

from tests.unit.tng.api_support import ADA, House, make_house
from tng.api.background import repeating
from tng.api.events import Teller, follow
from tng.api.followers import LOOK_SECONDS, POLL_SECONDS, Doze, Followers
from tng.bell import Bell
from tng.orders import Mark

LONG_SECONDS = 20.0


class Stories:
    """How far each order has come, set by hand; and who asked for which."""

    def __init__(self) -> None:
        self.marks: dict[str, Mark] = {}
        self.asked: list[set[str]] = []

    def __call__(self, order_ids: Collection[str]) -> Mapping[str, Mark]:
        self.asked.append(set(order_ids))
        return {one: self.marks.get(one, (0, 0)) for one in order_ids}


@pytest.fixture
def stories() -> Stories:
    return Stories()


@pytest.fixture
def followers(stories: Stories) -> Followers:
    return Followers(stories, woken=True)


async def woken(doze: Doze, seconds: float = LONG_SECONDS) -> bool:
    """Whether a sleep of so long ends before that."""
    began = time.monotonic()
    await doze(seconds)
    return time.monotonic() - began < seconds


async def settle(followers: Followers) -> None:
    """A look of another thread, and what it leads to."""
    await asyncio.to_thread(followers.look)
    await asyncio.sleep(0)


async def test_news_wakes_those_who_follow_that_order_and_nobody_else(followers: Followers, stories: Stories) -> None:
    with followers.following("a") as first, followers.following("a") as second, followers.following("b") as other:
        await settle(followers)
        assert await asyncio.gather(woken(first), woken(second), woken(other)) == [True] * 3, "once, at the beginning"
        stories.marks["a"] = (1, 0)
        sleeping = asyncio.gather(woken(first), woken(second), woken(other, 0.2))
        await settle(followers)
        assert await sleeping == [True, True, False]


async def test_a_look_without_news_wakes_nobody(followers: Followers) -> None:
    with followers.following("a") as doze:
        await settle(followers)
        assert await woken(doze)
        await settle(followers)
        assert not await woken(doze, 0.1)


async def test_news_that_comes_while_a_stream_is_awake_ends_its_next_sleep(
    followers: Followers, stories: Stories
) -> None:
    with followers.following("a") as doze:
        await settle(followers)
        assert await woken(doze)
        stories.marks["a"] = (0, 1)
        await settle(followers)
        assert await woken(doze)


async def test_where_nobody_follows_nothing_is_read(followers: Followers, stories: Stories) -> None:
    await settle(followers)
    with followers.following("a"), followers.following("a"):
        await settle(followers)
    await settle(followers)
    assert stories.asked == [{"a"}]


def test_a_look_after_the_loop_is_over_hurts_nobody(followers: Followers) -> None:
    async def leave() -> Any:
        following = followers.following("a")
        following.__enter__()
        return following  # as a stream that is cut off with its loop

    kept = asyncio.run(leave())
    followers.look()
    assert kept is not None


def test_where_nobody_wakes_them_streams_look_more_often() -> None:
    assert Followers(Stories(), woken=True).look_seconds == LOOK_SECONDS
    assert Followers(Stories(), woken=False).look_seconds == POLL_SECONDS < LOOK_SECONDS


class Stream:
    """One over the shop of a house, which counts how often it looks."""

    def __init__(self, house: House, followers: Followers, order_id: str) -> None:
        self.looks, self.said = 0, asyncio.Queue[str]()
        self._house, self._followers, self._order_id = house, followers, order_id

    async def run(self) -> None:
        """Until the order is over."""
        with self._followers.following(self._order_id) as doze:
            poll_seconds = self._followers.look_seconds
            async for event in follow(self._listen, 0, Teller(), doze=doze, poll_seconds=poll_seconds):
                self.said.put_nowait(str(event.event))

    def _listen(self, after: int) -> Any:
        self.looks += 1
        return self._house.shop.events(self._order_id, ADA, after)


@pytest.mark.parametrize(
    ("is_woken", "is_idle"), [pytest.param(True, True, id="woken"), pytest.param(False, False, id="control")]
)
async def test_a_stream_without_news_looks_at_most_once_a_second(is_woken: bool, is_idle: bool) -> None:
    house, seconds = make_house(), 2.5
    stream = Stream(house, Followers(house.shop.marks, woken=is_woken), house.order().id)
    running = asyncio.create_task(stream.run())
    assert await stream.said.get() == "state"
    before = stream.looks
    await asyncio.sleep(seconds)
    assert (stream.looks - before <= seconds) is is_idle
    running.cancel()


async def test_scenes_and_moves_arrive_when_the_bell_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    house, bell, heard = make_house(), Bell(), threading.Event()
    order = house.order()
    followers = Followers(house.shop.marks, woken=True)
    monkeypatch.setattr(followers, "look_seconds", LONG_SECONDS * 10)
    monkeypatch.setattr("tng.api.events.STILL_SECONDS", LONG_SECONDS * 10)
    stream = Stream(house, followers, order.id)

    def look() -> None:
        followers.look()
        heard.set()

    async with repeating({"events": (look, LONG_SECONDS * 10)}, {"events": bell}):
        running = asyncio.create_task(stream.run())
        assert await asyncio.wait_for(stream.said.get(), LONG_SECONDS) == "state"
        assert await asyncio.to_thread(heard.wait, LONG_SECONDS)
        house.pay(order)
        bell.ring()
        assert await asyncio.wait_for(stream.said.get(), LONG_SECONDS) == "state"
        job = house.claim()
        house.say_scenes(job, 0, 1)
        heard.clear()
        bell.ring()
        said = [await asyncio.wait_for(stream.said.get(), LONG_SECONDS) for _ in range(4)]
        assert said == ["state", "restart", "started", "scene"]
        assert await asyncio.to_thread(heard.wait, LONG_SECONDS)
        await asyncio.sleep(0.3)  # what that look woke has gone to sleep again
        house.say_scenes(job, 1, 2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.said.get(), 0.5)  # the control: nobody rang
        running.cancel()
