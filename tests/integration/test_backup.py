"""A backup is of one moment, whole, and of any kind of database; what is damaged is refused before a row is written."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.fakes import START
from tests.orders import paid_order
from tests.samples import an_order, keep
from tng.adapters.backup_file import MANIFEST, check_backup, restore_backup, write_backup
from tng.adapters.clock import SystemClock
from tng.adapters.database import rows
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import upgrade
from tng.adapters.database.store import SqlStore
from tng.errors import BackupError
from tng.fulfilment import Fulfilment
from tng.jobs import NOTICE, Errand, EventKind, JobState
from tng.orders import OrderState
from tng.payments import PaymentEvent, job_key

SCRIPT = "Title: The Quiet Hours\n## ACT ONE\n# INT. READY ROOM\nA clock stops.\n"
Made = Callable[[str], Engine]


@pytest.fixture
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Made]:
    """Engines over new, empty databases without a table."""
    numbers = count()
    with ExitStack() as stack:

        def make(kind: str) -> Engine:
            url = f"sqlite:///{tmp_path / f'{next(numbers)}.sqlite'}"
            if kind == "postgresql":
                url = stack.enter_context(request.getfixturevalue("postgres").fresh(migrated=False))
            engine = connect(url)
            stack.callback(engine.dispose)
            return engine

        yield make


def filled(engine: Engine) -> SqlStore:
    """A database with something in every table that an order touches."""
    upgrade(engine)
    store = SqlStore(engine)
    keep(store, an_order(1, script_text="Ünï‑cödé \u2028 line\nand more", provenance={"gates": {"scenes": 3}}))
    paid_order(store, "ord_2")
    with store.begin() as work:
        order = work.orders.get(an_order(1).id)
        work.orders.save(order.moved(OrderState.EXPIRED, by="clock", why="over", at=START))
        job = work.jobs.claim("host:1", START, START)
        assert job is not None
        work.jobs.say(job.token, [(EventKind.SCENE, {"text": "A clock stops."})], START)
        work.outbox.add(Errand("notice:1:log", NOTICE, {"text": "x"}), START)
        work.inbox.receive(PaymentEvent("evt_1", "checkout.session.completed", "cs_1", None, "ord_2", START), START)
        work.commit()
    return store


def everything(engine: Engine) -> dict[str, list[str]]:
    with rows.snapshot(engine) as connection:
        return {name: list(rows.lines(connection, table)) for name, table in rows.TABLES.items()}


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
@pytest.mark.parametrize("source", ["sqlite", "postgresql"])
def test_every_row_comes_back_the_same_on_any_kind_of_database(
    made: Made, tmp_path: Path, source: str, target: str
) -> None:
    old, new = made(source), made(target)
    filled(old)
    write_backup(old, tmp_path / "b.zip", START)
    restore_backup(new, tmp_path / "b.zip")
    assert everything(new) == everything(old)
    store = SqlStore(new)
    assert paid_order(store, "ord_9").id > 1 + rows.GAP  # a number that was given out is not given out again
    with store.read() as work:
        assert work.orders.history(an_order(1).id)[-1].why == "over"


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_backup_under_load_is_of_one_moment(made: Made, tmp_path: Path, kind: str) -> None:
    engine = made(kind)
    upgrade(engine)
    store, over = SqlStore(engine), threading.Event()
    numbers, failures = count(), list[BaseException]()

    def sell() -> None:
        while not over.is_set():
            _one_order(store, f"ord_{next(numbers)}")

    def guarded() -> None:
        try:
            sell()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=guarded) for _ in range(4)]
    for thread in threads:
        thread.start()
    files = [tmp_path / f"{n}.zip" for n in range(5)]
    for file in files:
        write_backup(engine, file, START)
    over.set()
    for thread in threads:
        thread.join()
    assert not failures
    for file in files:
        copy = made("sqlite")
        restore_backup(copy, file)
        _check_invariants(SqlStore(copy))


def _one_order(store: SqlStore, order_id: str) -> None:
    paid_order(store, order_id)
    fulfilment = Fulfilment(store, SystemClock(), lease_seconds=30, spread=lambda: 0.0)
    job = fulfilment.claim("w")
    if job is not None:
        fulfilment.deliver(job, script_text=SCRIPT, release_id="r", run_sha256="0" * 64, provenance=None)


def _check_invariants(store: SqlStore) -> None:
    """What is one commit in the house is both there, or not at all."""
    ended = {
        OrderState.PAID: JobState.QUEUED,
        OrderState.WRITING: JobState.RUNNING,
        OrderState.DELIVERED: JobState.DONE,
    }
    with store.read() as work:
        for order in work.orders.listed():
            job = work.jobs.get(job_key(order))
            assert job is not None
            assert job.state is ended[order.state]
            assert bool(order.script_text is not None) == (order.state is OrderState.DELIVERED)
            history = work.orders.history(order.id)
            assert not history or history[-1].after is order.state


def _rewritten(source: Path, target: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            part = change(name, old.read(name))
            if part is not None:
                new.writestr(*part)
    return target


def _manifest_with(**changes: Any) -> Callable[[str, bytes], tuple[str, bytes]]:
    def change(name: str, content: bytes) -> tuple[str, bytes]:
        return (name, json.dumps(json.loads(content) | changes).encode()) if name == MANIFEST else (name, content)

    return change


DAMAGES: dict[str, Callable[[str, bytes], tuple[str, bytes] | None]] = {
    "a row was changed": lambda name, content: (name, content.replace(b"paid", b"free")),
    "a part is gone": lambda name, content: None if name == "tables/jobs.jsonl" else (name, content),
    "the manifest is gone": lambda name, content: None if name == MANIFEST else (name, content),
    "a later form": _manifest_with(form=99),
    "no manifest": lambda name, content: (name, b"[]" if name == MANIFEST else content),
    "a part of another name": lambda name, content: (name.replace("audit", "../audit"), content),
}


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_a_damaged_backup_is_refused_and_nothing_is_written(made: Made, tmp_path: Path, damage: str) -> None:
    engine = made("sqlite")
    filled(engine)
    write_backup(engine, tmp_path / "b.zip", START)
    bad = _rewritten(tmp_path / "b.zip", tmp_path / "bad.zip", DAMAGES[damage])
    before = everything(engine)
    with pytest.raises(BackupError):
        check_backup(bad)
    with pytest.raises(BackupError):
        restore_backup(engine, bad, replace=True)
    assert everything(engine) == before


def test_a_file_that_was_cut_off_is_refused(made: Made, tmp_path: Path) -> None:
    engine = made("sqlite")
    filled(engine)
    write_backup(engine, tmp_path / "b.zip", START)
    whole = (tmp_path / "b.zip").read_bytes()
    for length in (0, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.zip").write_bytes(whole[:length])
        with pytest.raises(BackupError):
            check_backup(tmp_path / "cut.zip")


def test_a_restore_that_fails_half_way_leaves_what_was_there(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = made("sqlite")
    filled(engine)
    write_backup(engine, tmp_path / "b.zip", START)
    before = everything(engine)

    def broken(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(rows, "go_on_from", broken)
    with pytest.raises(BackupError, match="disk"):
        restore_backup(engine, tmp_path / "b.zip", replace=True)
    assert everything(engine) == before


def test_a_backup_that_fails_leaves_no_file(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = made("sqlite")
    filled(engine)

    def broken(*_: object) -> dict[str, int]:
        raise OSError("the disk is full")

    monkeypatch.setattr(rows, "highest", broken)
    folder = tmp_path / "backups"
    folder.mkdir()
    with pytest.raises(BackupError):
        write_backup(engine, folder / "b.zip", START)
    assert not list(folder.iterdir())
