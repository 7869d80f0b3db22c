"""The orders database with many threads and processes at it: nothing is done twice, and nothing is lost."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import MetaData, Table, create_engine
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from tests.fakes import START
from tests.house import COMPLETED, House, session_of
from tests.postgres import Databases
from tests.samples import PREMISE, a_job, an_order, keep, the_job, the_order
from tests.threads import at_once
from tng.adapters.database.engine import busy_means_busy, connect
from tng.adapters.database.migrate import migrate, upgrade
from tng.adapters.database.records import Record
from tng.adapters.database.store import SqlStore
from tng.errors import StoreBusy
from tng.orders import OrderState

ROOT = Path(__file__).resolve().parents[2]
THREADS = 8
PROCESSES = 3
REPLICAS = 8


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'orders.sqlite'}"


@pytest.fixture
def file_store(file_url: str) -> Iterator[SqlStore]:
    yield from opened(file_url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A database without a table."""
    if request.param == "sqlite":
        yield request.getfixturevalue("file_url")
        return
    postgres: Databases = request.getfixturevalue("postgres")
    with postgres.fresh(migrated=False) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """A database that ``store`` opens."""
    return str(request.getfixturevalue("file_url" if request.param == "sqlite" else "postgres_url"))


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    yield from opened(url)


def opened(url: str) -> Iterator[SqlStore]:
    migrate(url)
    store = SqlStore(connect(url))
    yield store
    store.close()


def in_processes(code: str, url: str, *, count: int = PROCESSES) -> list[str]:
    """Run the code in processes that start together; what they printed. Raises where one failed."""
    command = [sys.executable, "-c", "import sys; url = sys.argv[1]\n" + code, url]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    printed = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * count
    return printed


def first_tables(url: str) -> None:
    """A database as the first version left it: its tables, and two orders in them."""
    engine = connect(url)
    upgrade(engine, "0001")
    with engine.begin() as connection:
        orders = Table("orders", MetaData(), autoload_with=connection)
        for order in (an_order(), an_order(2, state=OrderState.DELIVERED, script_text="Title: X\n")):
            values = {name: getattr(order, name) for name in orders.columns.keys()}  # noqa: SIM118 - a column is no key
            connection.execute(orders.insert().values(values | {"premise": order.premise.to_fields()}))
    engine.dispose()


def differences(url: str) -> list[object]:
    """What the tables of a database and those of the code do not have in common."""
    engine = connect(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = list(compare_metadata(context, Record.metadata))
    engine.dispose()
    return found


def said(url: str, query: str) -> object:
    """The one value of a query, as the database has it."""
    engine = connect(url)
    with engine.connect() as connection:
        value = connection.exec_driver_sql(query).scalar_one()
    engine.dispose()
    return value


class TestManyAtOnce:
    def test_one_payment_confirmed_from_all_sides_owes_one_job(self, store: SqlStore) -> None:
        house = House(store)
        orders = [house.placed(f"key-{number}") for number in range(5)]
        for order in orders:
            session_id = session_of(order)
            house.gateway.pay(session_id)
            hook = house.gateway.webhook(COMPLETED, session_id)
            sides: list[Callable[[], object]] = [
                partial(house.shop.confirm_payment, session_id),
                partial(house.shop.receive_event, *hook),
                house.shop.reconcile,
                partial(house.shop.open_checkout, order.id, "ada"),
            ]
            assert at_once(*sides * (THREADS // len(sides))) == []
            assert the_order(store, order.id).state is OrderState.PAID
        claimed = [house.fulfilment.claim("w1") for _ in range(6)]
        assert [job.order_id for job in claimed if job] == [order.id for order in orders]

    def test_a_double_click_from_everywhere_places_one_order_and_opens_one_page(self, store: SqlStore) -> None:
        house = House(store)
        ids = set()

        def click() -> None:
            order = house.shop.place_order("ada", PREMISE, "key-1")
            ids.add(house.shop.open_checkout(order.id, "ada").checkout_session_id)

        assert at_once(*[click] * THREADS) == []
        assert len(house.shop.orders("ada")) == 1
        assert len(ids) == len(house.gateway.payments) == 1

    def test_a_refund_is_given_once_by_many_pumps(self, store: SqlStore) -> None:
        house = House(store)
        order = an_order(state=OrderState.REFUNDING, payment_intent_id="pi_1")
        keep(store, order)
        house.shop.reconcile()
        assert at_once(*[house.shop.run_errands] * THREADS) == []
        assert house.gateway.calls.count("refund") == 1

    def test_no_job_is_claimed_twice_by_several_processes(self, store: SqlStore, url: str) -> None:
        keep(store, *(a_job(number) for number in range(60)))
        code = f"""
from datetime import datetime, timedelta
from tng.adapters.database.engine import connect
from tng.adapters.database.store import SqlStore
store, now = SqlStore(connect(url)), datetime.fromisoformat({START.isoformat()!r})
while True:
    with store.begin() as work:
        job = work.jobs.claim("w", now, now + timedelta(seconds=10))
        work.commit()
    if job is None:
        break
    print(job.key)
"""
        claimed = Counter(key for printed in in_processes(code, url) for key in printed.split())
        assert len(claimed) == 60
        assert set(claimed.values()) == {1}
        assert the_job(store, "job-0").attempt == 1

    def test_no_gpu_is_given_twice_to_several_processes(self, store: SqlStore, url: str) -> None:
        code = """
import os
from tng.adapters.clock import SystemClock
from tng.adapters.database.engine import connect
from tng.adapters.database.store import SqlStore
from tng.gpus.ledger import GpuLedger
from tng.gpus.rules import Claim, ClaimKind
ledger = GpuLedger(SqlStore(connect(url)), SystemClock(), host="here", order_gpus=0)
gpus = [f"GPU-{number}" for number in range(30)]
for number in range(30):
    answer = ledger.claim(f"{os.getpid()}.{number}", ClaimKind.WORKBENCH, 1, gpus)
    if not isinstance(answer, Claim):
        break
    print(answer.gpus[0])
"""
        given = Counter(gpu for printed in in_processes(code, url) for gpu in printed.split())
        assert given == Counter(f"GPU-{number}" for number in range(30))


class TestMigration:
    @pytest.mark.parametrize("before", ["", "0005"], ids=["an-empty-one", "one-of-the-version-before"])
    def test_many_replicas_that_start_at_once_make_one_database(self, empty_url: str, before: str) -> None:
        if before:
            upgrade(connect(empty_url), before)
        in_processes("from tng.adapters.database.migrate import migrate; migrate(url)", empty_url, count=REPLICAS)
        assert differences(empty_url) == []

    def test_migrating_again_keeps_everything(self, store: SqlStore, url: str) -> None:
        keep(store, an_order())
        migrate(url)
        assert the_order(store, an_order().id) == an_order()

    def test_rows_of_the_first_tables_are_kept_and_say_nothing_of_their_origin(self, empty_url: str) -> None:
        first_tables(empty_url)
        migrate(empty_url)
        store = SqlStore(connect(empty_url))
        assert the_order(store, an_order().id) == an_order()
        delivered = an_order(2, state=OrderState.DELIVERED, script_text="Title: X\n", ended_at=START)
        assert the_order(store, delivered.id) == delivered
        with store.begin() as work:
            work.orders.save(replace(an_order(), provenance={"release": "r", "seed": 7}))
            work.commit()
        assert the_order(store, an_order().id).provenance == {"release": "r", "seed": 7}
        store.close()

    def test_an_unsaid_origin_is_no_value_to_sql(self, store: SqlStore, url: str) -> None:
        keep(store, an_order())
        assert said(url, "select count(*) from orders where provenance is null") == 1

    def test_the_steps_lead_to_the_tables_of_the_code(self, store: SqlStore, url: str) -> None:
        assert differences(url) == []


class TestEngine:
    def test_the_file_is_its_owners_alone(self, file_store: SqlStore, tmp_path: Path) -> None:
        keep(file_store, an_order())
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert len(modes) >= 2
        assert set(modes.values()) == {0o600}

    def test_a_file_that_was_open_is_closed(self, file_url: str, tmp_path: Path) -> None:
        path = tmp_path / "orders.sqlite"
        path.touch(0o644)
        connect(file_url).dispose()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_money_is_on_the_disk_when_a_commit_returns(self, file_url: str) -> None:
        with connect(file_url).connect() as connection:
            pragmas = ("journal_mode", "synchronous", "foreign_keys")
            assert [connection.exec_driver_sql(f"PRAGMA {p}").scalar() for p in pragmas] == ["wal", 2, 1]

    def test_a_database_that_stays_locked_is_busy_and_reading_goes_on(self, store: SqlStore, url: str) -> None:
        keep(store, an_order())
        hasty = SqlStore(connect(url, busy_seconds=0.1))
        with store.begin() as work:
            work.orders.get(an_order().id)
            with pytest.raises(StoreBusy), hasty.begin() as late:
                late.orders.get(an_order().id)
            assert the_order(hasty, an_order().id) == an_order()
        keep(hasty, an_order(2))  # the control: free again
        hasty.close()

    def test_many_readers_do_not_stop_a_writer(self, store: SqlStore) -> None:
        keep(store, an_order())
        with store.read() as one, store.read() as two:
            one.orders.get(an_order().id)
            two.orders.get(an_order().id)
            keep(store, an_order(2))
            assert len(one.orders.of("ada")) == 1  # what a unit reads is of one moment

    def test_what_is_no_lock_is_not_called_busy(self, empty_url: str) -> None:
        with (
            pytest.raises(DBAPIError, match=r"no such table|does not exist"),
            SqlStore(connect(empty_url)).read() as work,
        ):
            work.orders.of("ada")

    def test_an_error_of_the_database_does_not_tell_the_customers_words(self, store: SqlStore) -> None:
        keep(store, an_order())
        with pytest.raises(IntegrityError) as caught:
            keep(store, replace(an_order(), currency=None))
        for error in (caught.value, caught.value.orig):
            assert PREMISE.title not in "".join(traceback.format_exception(error))

    def test_a_job_of_no_order_is_refused(self, store: SqlStore) -> None:
        with pytest.raises(Exception, match=r"(?i)foreign key"):
            keep(store, a_job(order=an_order()))

    def test_times_are_stored_in_utc(self, store: SqlStore, url: str) -> None:
        keep(store, an_order(placed_at=datetime(2026, 1, 1, 2, 30, tzinfo=timezone(timedelta(hours=2)))))
        assert the_order(store, an_order().id).placed_at == datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
        stored = said(url, "select placed_at from orders")
        assert (
            stored == "2026-01-01 00:30:00.000000"
            if isinstance(stored, str)
            else datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
        )

    def test_a_time_without_a_zone_is_refused(self, store: SqlStore) -> None:
        with pytest.raises((ValueError, StatementError), match="zone"):
            keep(store, an_order(placed_at=datetime(2026, 1, 1)))  # noqa: DTZ001 - that is the fault

    def test_an_empty_pool_is_busy(self, file_url: str) -> None:
        engine = create_engine(file_url, pool_size=1, max_overflow=0, pool_timeout=0.05)
        with engine.connect(), pytest.raises(StoreBusy), busy_means_busy(), engine.connect():
            pytest.fail("there was one connection only")
        engine.dispose()


def test_a_killed_writer_leaves_nothing_half_done(store: SqlStore, url: str) -> None:
    code = """
import os, signal
from tests.samples import an_order
from tng.adapters.database.engine import connect
from tng.adapters.database.store import SqlStore
with SqlStore(connect(url)).begin() as work:
    work.orders.add(an_order())
    os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", "import sys; url = sys.argv[1]\n" + code, url]
    done = subprocess.run(command, cwd=ROOT, check=False, timeout=30, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == -9
    with store.read() as work:
        assert work.orders.of("ada") == []
    keep(store, an_order())
