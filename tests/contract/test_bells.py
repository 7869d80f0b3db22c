"""What every bell promises, whoever rings it; and how far an order has come, by which streams are woken."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fakes import START
from tests.samples import a_job, a_paid_order, keep
from tng.adapters.database.bell import FileBell
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.app import bell_of
from tng.bell import Bell, Topic
from tng.jobs import EventKind, Job
from tng.orders import Order, OrderState
from tng.ports import Store

LONG_SECONDS = 20.0
SHORT_SECONDS = 0.5


class Two(NamedTuple):
    """Two stores on one database, as the api and a worker have them."""

    ours: SqlStore
    theirs: SqlStore


@pytest.fixture(params=["sqlite", "postgresql"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    else:
        url = f"sqlite:///{tmp_path / 'orders.sqlite'}"
        migrate(url)
    both = Two(SqlStore(connect(url)), SqlStore(connect(url)))
    yield both
    for one in both:
        one.close()


@pytest.fixture
def bell(two: Two) -> Iterator[Bell]:
    """One for events that has begun to listen."""
    made = two.ours.bell(Topic.EVENTS)
    assert made.wait(LONG_SECONDS), "once, when it listens"
    yield made
    made.close()


def running(store: Store) -> tuple[Order, Job]:
    """An order that is paid, and its job, which a worker has."""
    order = a_paid_order()
    keep(store, order, a_job(order=order))
    with store.begin() as work:
        job = work.jobs.claim("w", START, START)
        work.commit()
    assert job is not None
    return order, job


def says(store: Store, job: Job, *, commits: bool = True) -> None:
    """Its run says something."""
    with store.begin() as work:
        work.jobs.say(job.token, [(EventKind.PROGRESS, {"step": 1})], START)
        if commits:
            work.commit()


def moves(store: Store, order: Order) -> None:
    """The order goes on to its next state."""
    with store.begin() as work:
        work.orders.save(work.orders.get(order.id).moved(OrderState.WRITING, by="test", why="begun", at=START))
        work.commit()


class TestHearing:
    def test_what_a_run_says_is_heard_in_another_process(self, two: Two, bell: Bell) -> None:
        _order, job = running(two.theirs)
        bell.wait(SHORT_SECONDS)  # on a file it rings for that, too
        says(two.theirs, job)
        assert bell.wait(LONG_SECONDS)

    def test_a_move_of_an_order_is_heard_in_another_process(self, two: Two, bell: Bell) -> None:
        order, _job = running(two.theirs)
        bell.wait(SHORT_SECONDS)
        moves(two.theirs, order)
        assert bell.wait(LONG_SECONDS)

    def test_what_its_own_store_commits_is_heard_too(self, two: Two, bell: Bell) -> None:
        _order, job = running(two.ours)
        bell.wait(SHORT_SECONDS)
        says(two.ours, job)
        assert bell.wait(LONG_SECONDS)

    def test_what_is_not_committed_is_not_heard(self, two: Two, bell: Bell) -> None:
        _order, job = running(two.theirs)
        bell.wait(SHORT_SECONDS)
        says(two.theirs, job, commits=False)
        assert not bell.wait(SHORT_SECONDS)

    def test_a_bell_that_was_taken_down_hears_nothing_and_leaves_no_thread(self, two: Two) -> None:
        """The control of those above."""
        before = threading.active_count()
        bell = two.ours.bell(Topic.EVENTS)
        assert bell.wait(LONG_SECONDS)
        bell.close()
        assert threading.active_count() == before
        _order, job = running(two.theirs)
        says(two.theirs, job)
        assert not bell.wait(SHORT_SECONDS)

    def test_listeners_are_told_as_well(self, two: Two, bell: Bell) -> None:
        _order, job = running(two.theirs)
        told = threading.Event()
        bell.tell(told.set)
        says(two.theirs, job)
        assert told.wait(LONG_SECONDS)


class TestFile:
    def test_one_that_is_away_is_waited_for_and_what_was_missed_is_rung_for(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("tng.adapters.database.bell.AGAIN_SECONDS", 0.05)
        path = tmp_path / "orders, 100%?.sqlite"
        bell = FileBell(path)
        assert not bell.wait(SHORT_SECONDS)
        assert not path.exists(), "a bell makes no database"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE t (a)")
        assert bell.wait(LONG_SECONDS)
        bell.close()

    def test_a_bell_for_work_does_not_ring_for_what_others_commit(self, tmp_path: Path) -> None:
        """Whoever looks for work takes the lock of those who write."""
        url = f"sqlite:///{tmp_path / 'orders.sqlite'}"
        migrate(url)
        ours, theirs = SqlStore(connect(url)), SqlStore(connect(url))
        bell = ours.bell(Topic.JOBS)
        keep(theirs, a_job())
        assert not bell.wait(SHORT_SECONDS)
        ours.close()
        theirs.close()


def test_a_bell_in_memory_is_rung_by_hand(store: Store) -> None:
    bell, rung = Bell(), list[int]()
    bell.tell(lambda: rung.append(1))
    assert not bell.wait(0)
    bell.ring()
    assert (bell.wait(0), bell.wait(0), rung) == (True, False, [1])
    bell_of(store, Topic.EVENTS).close()


class TestMarks:
    def test_another_one_where_a_run_spoke_or_the_order_moved_and_only_there(self, store: Store) -> None:
        order, job = running(store)
        other = a_paid_order(2)
        keep(store, other)

        def marks() -> dict[str, tuple[int, int]]:
            with store.read() as work:
                return dict(work.orders.marks([order.id, other.id, "ord_none"]))

        seen = [marks()]
        for act in (lambda: says(store, job), lambda: moves(store, order), lambda: says(store, job)):
            act()
            seen.append(marks())
        assert len({marks[order.id] for marks in seen}) == 4
        assert {marks[other.id] for marks in seen} == {(0, 0)}
        assert "ord_none" not in seen[0]

    def test_of_nobody_are_none(self, store: Store) -> None:
        with store.read() as work:
            assert work.orders.marks([]) == {}
