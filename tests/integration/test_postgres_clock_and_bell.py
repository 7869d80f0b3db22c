"""What several machines share beside the rows: one time, and a bell that wakes who waits for work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes import FakeStore
from tests.samples import a_job, a_paid_order, an_order, keep, the_job
from tng.adapters.clock import SystemClock
from tng.adapters.database.clock import DatabaseClock
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.app import bell_of, build_fulfilment, build_gpu_ledger, clock_of
from tng.bell import Bell, Topic
from tng.errors import StoreBusy
from tng.fulfilment import Fulfilment
from tng.jobs import Errand, EventKind, Job, JobState
from tng.orders import OrderState
from tng.payments import PaymentEvent
from tng.ports import Clock, Work
from tng.settings import Settings
from tng.worker import Worker

HOUR = timedelta(hours=1)
LISTEN_SECONDS = 0.3
LONG_SECONDS = 20.0


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    opened = SqlStore(connect(postgres_url))
    yield opened
    opened.close()


class WrongClock(SystemClock):
    """Of a machine that is an hour ahead."""

    def now(self) -> datetime:
        return super().now() + HOUR


class TestClock:
    def test_it_is_the_databases(self, store: SqlStore) -> None:
        clock = clock_of(store)
        with store._reading.connect() as connection:
            told = connection.exec_driver_sql("select clock_timestamp()").scalar_one()
        assert isinstance(clock, DatabaseClock)
        assert abs(clock.now() - told) < timedelta(seconds=2)
        assert clock.now().tzinfo is UTC

    def test_on_a_file_it_is_the_machines(self, tmp_path: Path) -> None:
        on_file = SqlStore(connect(f"sqlite:///{tmp_path / 'orders.sqlite'}"))
        assert isinstance(clock_of(on_file), SystemClock)
        assert isinstance(clock_of(FakeStore()), SystemClock)
        on_file.close()

    def test_it_is_asked_once_a_minute(self, store: SqlStore) -> None:
        clock = DatabaseClock(store._writing)
        clock.now()
        reading = clock._reading
        assert reading is not None
        assert clock.now() < clock.now()
        assert clock._reading is reading
        clock._asked_at -= 61
        clock.now()
        assert clock._reading is not reading

    def test_where_it_was_never_told_the_database_is_busy(self) -> None:
        with pytest.raises(StoreBusy):
            DatabaseClock(connect("postgresql://127.0.0.1:9/orders")).now()

    @pytest.mark.parametrize(
        ("asked", "taken"), [pytest.param("database", False, id="database"), pytest.param("own", True, id="control")]
    )
    def test_a_machine_that_is_an_hour_ahead_takes_no_lease_that_holds(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch, asked: str, taken: bool
    ) -> None:
        monkeypatch.setattr("tng.app.SystemClock", WrongClock)
        monkeypatch.setattr("tng.adapters.database.store.SystemClock", WrongClock)
        settings = Settings(lease_seconds=60)
        clock: Clock | None = WrongClock() if asked == "own" else None
        order = a_paid_order()
        keep(store, order, a_job(order=order, ready_at=None))
        right = build_fulfilment(settings, store=store, clock=SystemClock())
        ahead = build_fulfilment(settings, store=SqlStore(store._writing), clock=clock)
        assert right.claim("right") is not None
        assert (ahead.claim("ahead") is not None) is taken
        assert the_job(store, f"order:{order.id}").attempt == (2 if taken else 1)

    def test_the_book_of_gpus_goes_by_it(self, postgres_url: str) -> None:
        ledger = build_gpu_ledger(postgres_url, host="here", order_gpus=0)
        assert isinstance(ledger._clock, DatabaseClock)


class Bellboy:
    """A desk that writes down when a job was there to be taken, and has nothing more to do with it."""

    def __init__(self, fulfilment: Fulfilment) -> None:
        self._fulfilment = fulfilment
        self.looked, self.took = threading.Event(), threading.Event()

    def claim(self, worker: str) -> Job | None:
        if self._fulfilment.claim(worker):
            self.took.set()
        self.looked.set()
        return None


class NoRunner:
    """Nothing is run."""

    def close(self) -> None:
        """Nothing was begun."""


@dataclass
class Idle:
    """A worker that waits, and how to end it."""

    desk: Bellboy
    worker: Worker
    thread: threading.Thread

    def end(self) -> None:
        self.worker.stop()
        self.thread.join(LONG_SECONDS)
        assert not self.thread.is_alive()


def an_idle_worker(store: SqlStore, bell: Bell) -> Idle:
    desk = Bellboy(Fulfilment(store, SystemClock(), lease_seconds=60, spread=lambda: 0.0))
    worker = Worker(desk, NoRunner(), name="w", runs_folder=Path("/none"), lease_seconds=60, bell=bell)  # type: ignore[arg-type]
    thread = threading.Thread(target=worker.run_forever, daemon=True)
    thread.start()
    assert desk.looked.wait(LONG_SECONDS)
    return Idle(desk, worker, thread)


class TestBell:
    @pytest.mark.parametrize("topic", Topic)
    def test_it_rings_when_that_was_committed_and_for_nothing_else(self, store: SqlStore, topic: Topic) -> None:
        bell, now, order, rang = store.bell(topic), datetime.now(UTC), a_paid_order(), list[str]()
        assert bell.wait(LONG_SECONDS), "once, when it listens"

        @contextmanager
        def committed(what: str) -> Iterator[Work]:
            with store.begin() as work:
                yield work
                work.commit()
            if bell.wait(LISTEN_SECONDS):
                rang.append(what)

        with committed("order") as work:
            work.orders.add(order)
        with committed(Topic.JOBS) as work:
            work.jobs.add(a_job(order=order))
        with committed("claim") as work:
            job = work.jobs.claim("w", now, now + HOUR)
        assert job is not None
        with committed(Topic.EVENTS) as work:
            work.jobs.say(job.token, [(EventKind.PROGRESS, {"step": 1})], now)
        with committed(Topic.OUTBOX) as work:
            work.outbox.add(Errand("refund:1", "refund", {}), now)
        with committed(Topic.INBOX) as work:
            work.inbox.receive(PaymentEvent("evt_1", "checkout.session.completed", "cs_1", None, None), now)
        with committed("the same event again") as work:
            work.inbox.receive(PaymentEvent("evt_1", "checkout.session.completed", "cs_1", None, None), now)
        assert rang == [topic]
        bell.close()

    def test_on_a_file_it_rings_for_what_its_own_store_committed(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'orders.sqlite'}"
        migrate(url)
        own, other = SqlStore(connect(url)), SqlStore(connect(url))
        bell = own.bell(Topic.JOBS)
        keep(other, a_job(1))
        assert not bell.wait(0)
        keep(own, an_order())
        assert not bell.wait(0)
        keep(own, a_job(2))
        assert bell.wait(0)
        own.close()
        other.close()

    def test_what_was_not_committed_does_not_ring(self, store: SqlStore) -> None:
        bell = store.bell(Topic.JOBS)
        assert bell.wait(LONG_SECONDS)
        with store.begin() as work:
            work.jobs.add(a_job())
        assert not bell.wait(0.3)
        bell.close()

    def test_a_job_that_is_given_back_rings(self, store: SqlStore) -> None:
        order = a_paid_order(state=OrderState.WRITING)
        keep(store, order, a_job(order=order))
        fulfilment = Fulfilment(store, SystemClock(), lease_seconds=60, spread=lambda: 0.0)
        job = fulfilment.claim("w1")
        bell = store.bell(Topic.JOBS)
        assert job is not None
        assert bell.wait(LONG_SECONDS)
        fulfilment.give_back(job)
        assert bell.wait(LONG_SECONDS)
        assert the_job(store, job.key).state is JobState.QUEUED
        bell.close()

    @pytest.mark.parametrize(
        ("rings", "at_once"), [pytest.param(True, True, id="bell"), pytest.param(False, False, id="control")]
    )
    def test_an_idle_worker_takes_a_paid_order_at_once(
        self, store: SqlStore, monkeypatch: pytest.MonkeyPatch, rings: bool, at_once: bool
    ) -> None:
        monkeypatch.setattr("tng.worker.IDLE_SECONDS", LONG_SECONDS)
        bell = bell_of(store, Topic.JOBS) if rings else Bell()
        idle = an_idle_worker(store, bell)
        if rings:
            time.sleep(0.5)  # the bell rings once when it begins to listen: only what comes after that is measured
        order = a_paid_order()
        keep(store, order, a_job(order=order, ready_at=None))
        assert idle.desk.took.wait(5 if at_once else 1) is at_once
        idle.end()

    def test_an_idle_worker_ends_when_it_is_told_to(self, store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tng.worker.IDLE_SECONDS", LONG_SECONDS)
        idle = an_idle_worker(store, Bell())
        began = time.monotonic()
        idle.end()
        assert time.monotonic() - began < 5
