"""PostgreSQL itself: every wait has an end, a server that was away is there again, and the tests bring one along."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy.exc import DBAPIError

from tests.postgres import PostgresServer, server, why_not
from tests.samples import a_job, an_order, keep, the_order
from tng.adapters.clock import SystemClock
from tng.adapters.database.engine import busy_means_busy, connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.bell import Topic
from tng.errors import StoreBusy
from tng.fulfilment import Fulfilment

ROOT = Path(__file__).resolve().parents[2]
HOUR = timedelta(hours=1)
LONG_SECONDS = 20.0


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    opened = SqlStore(connect(postgres_url))
    yield opened
    opened.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that a test may stop, with all tables in its first database."""
    if reason := why_not():
        pytest.skip(reason)
    with server() as running:
        migrate(running.url)
        yield running


class TestServer:
    """The tests' own."""

    def test_there_is_one_wherever_the_tests_are_installed(self) -> None:
        assert not why_not(), "the tests of PostgreSQL would all be skipped"

    def test_it_dies_with_a_test_process_that_is_killed(self) -> None:
        code = """
import os, signal
from tests.postgres import server
with server() as running:
    print(running.pid, running.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        pid, folder = done.stdout.split()
        assert done.returncode == -signal.SIGKILL
        assert Path(folder).is_dir(), "it is swept away by a later run"
        if psutil.pid_exists(int(pid)):
            psutil.Process(int(pid)).wait(10)
        shutil.rmtree(folder)

    def test_its_zone_is_one_that_would_show(self, store: SqlStore) -> None:
        with store._reading.connect() as connection:
            assert connection.exec_driver_sql("show timezone").scalar() == "Asia/Kolkata"
            assert connection.exec_driver_sql("show fsync").scalar() == "on"


class TestPatience:
    @pytest.mark.parametrize(
        ("setting", "expected"),
        [
            pytest.param("lock_timeout", "1500ms", id="a-lock"),
            pytest.param("statement_timeout", "1min", id="an-answer"),
            pytest.param("idle_in_transaction_session_timeout", "1min", id="a-client-that-died"),
        ],
    )
    def test_every_wait_has_an_end(self, postgres_url: str, setting: str, expected: str) -> None:
        engine = connect(postgres_url, busy_seconds=1.5)
        for _ in range(2):
            with engine.connect() as connection:
                assert connection.exec_driver_sql(f"show {setting}").scalar() == expected
                connection.rollback()
        engine.dispose()

    def test_what_the_address_says_itself_goes_before(self, postgres_url: str) -> None:
        engine = connect(f"{postgres_url}&application_name=theirs")
        with engine.connect() as connection:
            assert connection.exec_driver_sql("show application_name").scalar() == "theirs"
        engine.dispose()

    @pytest.mark.parametrize(
        ("sqlstate", "busy"),
        [
            pytest.param("40P01", True, id="deadlock"),
            pytest.param("23505", True, id="somebody-added-it-first"),
            pytest.param("53100", True, id="disk-full"),
            pytest.param("22001", False, id="a-text-that-is-too-long"),
        ],
    )
    def test_postgresql_says_it_in_its_own_words(self, sqlstate: str, busy: bool) -> None:
        said = RuntimeError("…")
        said.sqlstate = sqlstate  # type: ignore[attr-defined]
        with pytest.raises(StoreBusy if busy else DBAPIError), busy_means_busy():
            raise DBAPIError("select 1", {}, said)

    def test_two_that_wait_for_each_other_are_not_stuck(self, store: SqlStore) -> None:
        keep(store, an_order(1), an_order(2))
        both_have_one, raised = threading.Barrier(2), list[BaseException]()

        def take(*numbers: int) -> None:
            try:
                with store.begin() as work:
                    work.orders.get(an_order(numbers[0]).id)
                    both_have_one.wait()
                    work.orders.get(an_order(numbers[1]).id)
                    work.commit()
            except StoreBusy as error:
                raised.append(error)

        threads = [threading.Thread(target=take, args=pair) for pair in ((1, 2), (2, 1))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG_SECONDS)
        assert len(raised) == 1

    def test_a_worker_passes_a_job_by_that_another_is_about_to_take(self, store: SqlStore) -> None:
        keep(store, a_job(1), a_job(2))
        fulfilment = Fulfilment(store, SystemClock(), lease_seconds=10, spread=lambda: 0.0)
        with store.begin() as work:
            held = work.jobs.get("job-1")
            other = fulfilment.claim("w2")
        assert held is not None
        assert other is not None
        assert other.key == "job-2"


class TestServerAway:
    def test_it_is_busy_and_the_next_unit_works_when_it_is_back(self, own_server: PostgresServer) -> None:
        store = SqlStore(connect(own_server.url, busy_seconds=2))
        keep(store, an_order())
        own_server.stop(signal.SIGQUIT)
        for _ in range(3):
            with pytest.raises(StoreBusy, match="does not answer"):
                the_order(store, an_order().id)
            with pytest.raises(StoreBusy, match="does not answer"):
                keep(store, an_order(2))
        own_server.start()
        keep(store, an_order(2))
        assert the_order(store, an_order().id) == an_order()
        store.close()

    def test_a_unit_that_it_leaves_alone_saves_nothing(self, own_server: PostgresServer) -> None:
        store = SqlStore(connect(own_server.url))

        def begin_and_be_left() -> None:
            with store.begin() as work:
                work.orders.add(an_order())
                own_server.stop(signal.SIGQUIT)
                own_server.start()
                work.commit()

        with pytest.raises(StoreBusy):
            begin_and_be_left()
        with store.read() as work:
            assert work.orders.of("ada") == []
        store.close()

    def test_nobody_answers_at_a_wrong_address_and_no_password_is_told(self) -> None:
        with pytest.raises(StoreBusy, match="refused") as caught:
            migrate("postgresql://tng:hidden@127.0.0.1:9/orders")
        assert "hidden" not in str(caught.value)

    def test_the_time_goes_on_and_the_bell_rings_again(self, own_server: PostgresServer) -> None:
        store = SqlStore(connect(own_server.url, busy_seconds=2))
        before, bell = store.clock.now(), store.bell(Topic.JOBS)
        assert bell.wait(LONG_SECONDS)
        own_server.stop(signal.SIGQUIT)
        store.clock._asked_at = -1e9  # type: ignore[attr-defined]  # a minute has passed
        assert before < store.clock.now() < datetime.now(UTC) + HOUR
        own_server.start()
        assert bell.wait(LONG_SECONDS), "for whatever was missed"
        keep(store, a_job())
        assert bell.wait(LONG_SECONDS)
        bell.close()
        store.close()

    def test_a_row_that_cannot_be_is_no_lock(self, store: SqlStore) -> None:
        with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
            keep(store, a_job(order=an_order()))
