"""Another process holds the database: who asks is told to come back, in time, and nothing is lost or doubled.

The lock is held for a scaled while; ``TNG_TEST_LOCKED_SECONDS=30`` makes it as long as in the stated promise.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.fakes import FakeClock
from tests.house import COMPLETED, settle
from tests.invariants import World, assert_invariants, books_of
from tests.unit.tng.api_support import ADA, SCRIPT, WISH, House, make_house, visiting
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.api import refusals
from tng.errors import LeaseLost, StoreBusy, TngError
from tng.orders import Order, OrderState
from tng.script import Premise

LOCKED_SECONDS = float(os.environ.get("TNG_TEST_LOCKED_SECONDS", "1.5"))
BUSY_SECONDS = 0.3
HOLDER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
connection.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
"""
Lock = Callable[[], AbstractContextManager[None]]


@contextmanager
def sqlite_lock(path: Path) -> Iterator[None]:
    """Held by another process until the block is over."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.communicate(timeout=10)


@contextmanager
def postgres_lock(url: str) -> Iterator[None]:
    """Every table of money, held by another connection."""
    address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as holder:
        holder.execute("LOCK TABLE orders, jobs, inbox, outbox IN ACCESS EXCLUSIVE MODE")
        yield
        holder.rollback()


@pytest.fixture(params=["sqlite", "postgresql"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, Lock]]:
    if request.param == "sqlite":
        path = tmp_path / "orders.sqlite"
        url, lock = f"sqlite:///{path}", lambda: sqlite_lock(path)
        migrate(url)
    else:
        url = request.getfixturevalue("postgres_url")
        lock = lambda: postgres_lock(url)  # noqa: E731
    store = SqlStore(connect(url, busy_seconds=BUSY_SECONDS))
    yield make_house(store=store), lock
    store.close()


RESULT = {"script_text": SCRIPT, "release_id": "tng-test", "run_sha256": "0" * 64}


def placed(house: House) -> Order:
    """An order of Ada's with an open page."""
    order = house.shop.place_order(ADA, Premise.checked(WISH, house.show.cues), "key-1")
    return house.shop.open_checkout(order.id, ADA)


async def test_a_report_is_asked_for_again_and_the_order_comes_right(locked: tuple[House, Lock]) -> None:
    house, lock = locked
    order = placed(house)
    house.gateway.pay(str(order.checkout_session_id))
    payload, signature = house.gateway.webhook(COMPLETED, str(order.checkout_session_id))
    async with visiting(house, None) as stripe:
        with lock():
            begun = time.monotonic()
            answer = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
            waited = time.monotonic() - begun
            await asyncio.sleep(max(0.0, LOCKED_SECONDS - waited))  # the lock is as long as it is stated to be
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert waited < BUSY_SECONDS + 2
        again = await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})
    assert again.status_code == 200
    settle(house, RESULT)
    assert house.shop.order(order.id, ADA).state is OrderState.DELIVERED
    assert_invariants(World(house.store, books_of(house.gateway)))


async def test_a_report_that_never_comes_again_is_made_up_for(locked: tuple[House, Lock]) -> None:
    house, lock = locked
    order = placed(house)
    house.gateway.pay(str(order.checkout_session_id))
    payload, signature = house.gateway.webhook(COMPLETED, str(order.checkout_session_id))
    with lock(), pytest.raises(StoreBusy):
        house.shop.receive_event(payload, signature)
    settle(house, RESULT)
    assert house.shop.order(order.id, ADA).state is OrderState.DELIVERED


async def test_an_order_is_answered_with_a_sentence_and_when_to_come_back(locked: tuple[House, Lock]) -> None:
    house, lock = locked
    async with visiting(house) as ada:
        with lock():
            refused = await ada.post("/orders", json=WISH, headers={"Idempotency-Key": "one-click"})
            page = await ada.get("/orders")
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == str(refusals.RETRY_SECONDS)
        assert refused.json()["message"] == StoreBusy.user_message
        assert page.status_code in (200, 503)  # who only reads waits for no writer, unless the whole table is held
        taken = await ada.post("/orders", json=WISH, headers={"Idempotency-Key": "one-click"})
        assert taken.status_code < 300
        assert len((await ada.get("/orders")).json()["orders"]) == 1


def test_a_worker_that_lost_its_lease_meanwhile_gives_up_and_another_delivers_once(
    locked: tuple[House, Lock],
) -> None:
    house, lock = locked
    order = house.pay(placed(house))
    job = house.claim()
    with lock(), pytest.raises(StoreBusy):
        house.fulfilment.heartbeat(job, [])
    clock: FakeClock = house.clock
    clock.advance(minutes=1)  # longer than the lease
    other = house.fulfilment.claim("worker-2")
    assert other is not None
    with pytest.raises(LeaseLost):
        house.fulfilment.deliver(job, script_text=SCRIPT, release_id="tng-test", run_sha256="0" * 64)
    house.fulfilment.deliver(other, script_text=SCRIPT, release_id="tng-test", run_sha256="0" * 64)
    assert house.shop.order(order.id, ADA).state is OrderState.DELIVERED
    assert_invariants(World(house.store, books_of(house.gateway)))


def test_a_worker_whose_lease_outlives_the_lock_goes_on(locked: tuple[House, Lock]) -> None:
    house, lock = locked
    order = house.pay(placed(house))
    job = house.claim()
    with lock(), pytest.raises(StoreBusy):
        house.fulfilment.heartbeat(job, [])
    house.fulfilment.heartbeat(job, [])
    house.fulfilment.deliver(job, script_text=SCRIPT, release_id="tng-test", run_sha256="0" * 64)
    assert house.shop.order(order.id, ADA).state is OrderState.DELIVERED


async def test_without_its_status_a_lock_would_be_a_500(
    locked: tuple[House, Lock], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    house, lock = locked
    without: tuple[tuple[type[TngError], int], ...] = tuple(s for s in refusals.STATUSES if s[0] is not StoreBusy)
    monkeypatch.setattr(refusals, "STATUSES", without)
    async with visiting(house) as ada:
        with lock():
            refused = await ada.post("/orders", json=WISH, headers={"Idempotency-Key": "one-click"})
    assert refused.status_code == 500
