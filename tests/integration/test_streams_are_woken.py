"""A scene reaches the page when it is committed, in whichever process: a real api, and a worker beside it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx

from tests.benchmarks.load_house import TheHub, furnished_house
from tests.samples import a_job, an_order
from tng.adapters.database.store import SqlStore
from tng.app import build_store
from tng.jobs import EventKind, Job
from tng.orders import OrderState

ADA = {"authorization": "Bearer ada"}
SCENES = 12
APART_SECONDS = 0.3
BOUND_SECONDS = 0.5
LONG_SECONDS = 30.0


class Running(NamedTuple):
    """An order that is being written, in a house whose api runs."""

    store: SqlStore
    job: Job
    url: str


@asynccontextmanager
async def running(folder: Path, database_url: str, module: str = "tng.api") -> AsyncIterator[Running]:
    """The worker is this test, with a store of its own."""
    async with TheHub() as hub:
        with furnished_house(folder, hub.port, database_url) as house, house.at_work(0, api=module):
            store = build_store(house.settings)
            order, now = an_order(state=OrderState.WRITING), store.clock.now()
            with store.begin() as work:
                work.orders.add(order)
                work.jobs.add(a_job(order=order))
                job = work.jobs.claim("w", now, now)
                work.commit()
            assert job is not None
            yield Running(store, job, f"{house.url}/orders/{order.id}/events")
            store.close()


def says(here: Running, number: int) -> float:
    """A scene is committed: when that was."""
    with here.store.begin() as work:
        work.jobs.say(here.job.token, [(EventKind.SCENE, {"number": number})], here.store.clock.now())
        work.commit()
    return time.monotonic()


async def delays(here: Running) -> list[float]:
    """How long after its commit each scene reached whoever follows, in seconds."""
    arrived: asyncio.Queue[tuple[int, float]] = asyncio.Queue()
    listening = asyncio.Event()

    async def follow() -> None:
        async with (
            httpx.AsyncClient(timeout=LONG_SECONDS, trust_env=False) as http,
            http.stream("GET", here.url, headers=ADA) as answer,
        ):
            async for line in answer.aiter_lines():
                if '"number"' in line:
                    arrived.put_nowait((json.loads(line.removeprefix("data: "))["number"], time.monotonic()))
                elif line.startswith("event: state"):
                    listening.set()

    following = asyncio.create_task(follow())
    await asyncio.wait_for(listening.wait(), LONG_SECONDS)
    took = []
    for number in range(SCENES):
        await asyncio.sleep(APART_SECONDS)  # as a run does: what is measured is a stream that has gone to sleep
        said_at = await asyncio.to_thread(says, here, number)
        told, at = await asyncio.wait_for(arrived.get(), LONG_SECONDS)
        assert told == number
        took.append(at - said_at)
    following.cancel()
    return took


async def test_a_scene_reaches_the_stream_when_another_process_commits_it(tmp_path: Path, database_url: str) -> None:
    async with running(tmp_path, database_url) as here:
        took = await delays(here)
    assert median(took) < BOUND_SECONDS, took


async def test_without_the_bell_it_waits_until_the_stream_looks_by_itself(tmp_path: Path) -> None:
    """The control."""
    async with running(tmp_path, "", module="tests.integration.api_without_bells") as here:
        assert median(await delays(here)) > BOUND_SECONDS
