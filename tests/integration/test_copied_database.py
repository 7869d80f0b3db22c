"""The database copied in mid-write, as a power cut would leave it: every copy opens, is whole, and nothing is lost.

What a copy holds may be older than Stripe's books: there the reconciler finds what is missing. A PostgreSQL that is
killed and started again holds every commit that was answered. ``TNG_TEST_COPIES`` makes it longer (200 by hand).
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event, text

from tests.house import COMPLETED, House, session_of, settle
from tests.invariants import World, assert_invariants, books_of
from tests.postgres import Databases, server, why_not
from tests.samples import PREMISE
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.errors import LeaseLost, StoreBusy
from tng.orders import OrderState

COPIES = int(os.environ.get("TNG_TEST_COPIES", "40"))
KILLS = max(2, COPIES // 20)
RESULT = {"script_text": "Title: X\n", "release_id": "tng-small-2", "run_sha256": "a" * 64}


class Load:
    """Customers, Stripe and a worker, each again and again in a thread of its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.answered: list[str] = []
        """Orders that were answered to a customer: their commit is over."""
        self.over = threading.Event()
        self.wrong: list[Exception] = []
        self.grown = threading.Condition()

    @contextmanager
    def going(self) -> Iterator[Load]:
        """For as long as the ``with``; raises what went wrong in a thread."""
        deeds = (lambda: self._customer("a"), lambda: self._customer("b"), self._worker)
        threads = [threading.Thread(target=self._again, args=(deed,)) for deed in deeds]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self.over.set()
            for thread in threads:
                thread.join(60)
        if self.wrong:
            raise self.wrong[0]

    def wait_for(self, orders: int) -> None:
        """Until so many were answered."""
        with self.grown:
            assert self.grown.wait_for(lambda: len(self.answered) >= orders or self.wrong, 60)

    def _again(self, deed: object) -> None:
        while not self.over.is_set():
            try:
                deed()  # type: ignore[operator]
            except (StoreBusy, LeaseLost):
                self.over.wait(0.01)
            except Exception as error:  # noqa: BLE001  the test is told
                self.wrong.append(error)
                return

    def _customer(self, name: str) -> None:
        house, key = self.house, f"{name}-{random.random()}"
        order = house.shop.place_order("ada", PREMISE, key)
        order = house.shop.open_checkout(order.id, "ada")
        house.gateway.pay(session_of(order))
        with self.grown:
            self.answered.append(order.id)
            self.grown.notify_all()
        house.shop.receive_event(*house.gateway.webhook(COMPLETED, session_of(order)))
        house.shop.run_inbox()

    def _worker(self) -> None:
        job = self.house.fulfilment.claim("w")
        if job is None:
            self.over.wait(0.005)
            return
        self.house.fulfilment.deliver(job, **RESULT)


def copy_of(path: Path, folder: Path) -> Path:
    """The file and its log as they are at this moment, one after the other, while others write.

    A checkpoint between the two would tear it, as no power cut can: the load's connections make none.
    """
    folder.mkdir()
    for ending in ("", "-wal"):
        source = path.with_name(path.name + ending)
        if source.exists():
            shutil.copy(source, folder / source.name)
    return folder / path.name


def held_fast(path: Path) -> SqlStore:
    """A store whose log is never written back, so that file and log fit however they are copied."""
    engine = connect(f"sqlite:///{path}", busy_seconds=5)
    store = SqlStore(engine)
    event.listen(engine, "checkout", lambda connection, *_: connection.execute("PRAGMA wal_autocheckpoint=0"))
    return store


def orders_in(store: SqlStore) -> set[str]:
    """Their ids."""
    with store.read() as work:
        return {order.id for order in work.orders.having(*OrderState)}


def test_every_copy_opens_is_whole_and_has_all_that_was_answered(tmp_path: Path) -> None:
    path = tmp_path / "orders.sqlite"
    migrate(f"sqlite:///{path}")
    house = House(held_fast(path))
    pause, taken = threading.Event(), []
    with Load(house).going() as load:
        for number in range(COPIES):
            load.wait_for(number // 4 + 1)
            pause.wait(random.random() * 0.02)
            answered = set(load.answered)
            taken.append((answered, copy_of(path, tmp_path / str(number))))
    for answered, copy in taken:
        store = SqlStore(connect(f"sqlite:///{copy}"))
        with store._writing.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
        assert answered <= orders_in(store)
        comes_to_its_end(store, house)
        store.close()
    house.store.close()  # type: ignore[attr-defined]


def comes_to_its_end(store: SqlStore, house: House) -> None:
    """A shop over a copy, with the money that Stripe has for the orders in it, ends as every shop must."""
    after = House(store, clock=type(house.clock)(house.clock.now()))
    known = orders_in(store)
    after.gateway.payments.update({s: p for s, p in house.gateway.payments.items() if p.order_id in known})
    for session_id, payment in list(after.gateway.payments.items()):
        if payment.paid:  # a page whose address did not reach the copy: Stripe's own list of events knows it
            after.gateway.report(COMPLETED, session_id)
    settle(after, RESULT)
    with store.read() as work:
        left = work.orders.having(OrderState.PAID, OrderState.WRITING, OrderState.REFUNDING)
    assert not left
    assert_invariants(World(store, books_of(after.gateway)))


@pytest.mark.skipif(bool(why_not()), reason=why_not() or "PostgreSQL runs here")
def test_a_postgresql_that_is_killed_and_started_again_has_all_that_was_answered() -> None:
    with server() as running, Databases(running.url).fresh() as url:
        store = SqlStore(connect(url, busy_seconds=5))
        house = House(store)
        with Load(house).going() as load:
            for number in range(KILLS):
                load.wait_for(5 * (number + 1))
                running.stop(signal.SIGQUIT)
                running.start()
                assert set(load.answered) <= orders_in(store)
        settle(house, RESULT)
        assert_invariants(World(store, books_of(house.gateway)))
        store.close()
