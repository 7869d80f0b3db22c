"""Every row of the orders database as a line of JSON, and back: the same for SQLite and PostgreSQL.

What is read is of one moment, however busy the house is. What is written is one transaction: the tables of the
revision that the rows are of, the rows, then the steps up to today's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Engine, Integer, Table, func, inspect, select, text

from tng.adapters.database import edition_records, house_records, retraining_records
from tng.adapters.database.engine import READS, busy_means_busy
from tng.adapters.database.migrate import HEAD, upgrade_within
from tng.adapters.database.records import BookmarkRecord, Record, UtcTime
from tng.errors import BackupError

OF_THE_MOMENT: Final = frozenset(
    {
        house_records.WorkerRecord.__tablename__,
        house_records.GpuClaimRecord.__tablename__,
        house_records.GpuWishRecord.__tablename__,
    }
)
"""Who works now, and who holds what: it means nothing in another house, or later."""

MAY_BE_THERE: Final = frozenset(
    record.__tablename__ for record in (house_records.FaultRecord, house_records.GpuUseRecord, BookmarkRecord)
)
"""A house that was only just opened may have such rows, and is empty all the same."""

LEDGER: Final = retraining_records.PromotionRecord.__tablename__
"""Its first row is written by whoever opens a house."""

GAP: Final = 10_000
"""Numbers that were given out after the backup was made are not given out again: runs are named after them."""

ROWS_AT_ONCE: Final = 500

TABLES: Final[Mapping[str, Table]] = {
    table.name: table
    for table in edition_records.EditionRecord.metadata.sorted_tables
    if table.name not in OF_THE_MOMENT
}
"""By name, each after those that it refers to."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """A connection that reads the database as it is now, whatever happens meanwhile. Raises StoreBusy."""
    reading = engine.execution_options(**{READS: True})
    if engine.dialect.name == "postgresql":
        reading = reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with busy_means_busy(), reading.connect() as connection, connection.begin():
        yield connection


def revision(connection: Connection) -> str:
    """The form of the tables."""
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))


def lines(connection: Connection, table: Table) -> Iterator[str]:
    """The rows of a table, a line each, in the order of its key."""
    query = select(*table.columns).order_by(*table.primary_key.columns)
    result = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    for row in result:
        yield json.dumps({column.name: _plain(value) for column, value in zip(table.columns, row, strict=True)}) + "\n"


def highest(connection: Connection) -> dict[str, int]:
    """The last number that each table has given out, also of rows that are gone."""
    return {name: _highest(connection, table) for name, table in TABLES.items() if _counts(table)}


def releases(connection: Connection) -> dict[str, str]:
    """Every release that the ledger names, with the digest of its manifest."""
    ledger = TABLES[LEDGER]
    rows = connection.execute(select(ledger.c.to_id, ledger.c.digest).order_by(ledger.c.id))
    return {row.to_id: row.digest for row in rows}


@contextmanager
def emptied(engine: Engine, at: str, *, replace: bool) -> Iterator[Connection]:
    """A transaction in a database that has the tables of revision ``at`` and no row; at its end they are today's.

    Raises BackupError where there are orders already and ``replace`` does not say that they may go, StoreBusy.
    """
    with busy_means_busy(), engine.begin() as connection:
        known = inspect(connection)
        there = [table for table in reversed(Record.metadata.sorted_tables) if known.has_table(table.name)]
        if not replace and (full := _full(connection, there)):
            raise BackupError(f"the database is not empty: it has {full}; restore into an empty one, or see --replace")
        for table in there:
            table.drop(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        upgrade_within(connection, at)
        yield connection
        upgrade_within(connection, HEAD)


def put(connection: Connection, table: Table, rows: Iterable[str]) -> int:
    """Add rows that ``lines`` gave: how many."""
    count, left = 0, iter(rows)
    while some := [_read(table, json.loads(row)) for row in islice(left, ROWS_AT_ONCE)]:
        connection.execute(table.insert(), some)
        count += len(some)
    return count


def go_on_from(connection: Connection, numbers: Mapping[str, int]) -> None:
    """Let each table number its next row well after these."""
    for name, number in numbers.items():
        table = TABLES.get(name)
        if table is not None and _counts(table):
            _set_number(connection, table, number + GAP)


def _full(connection: Connection, there: Iterable[Table]) -> str:
    """The first table with rows that not every house has, and how many; empty where there is none."""
    for table in there:
        if table.name in OF_THE_MOMENT | MAY_BE_THERE:
            continue
        count = connection.scalar(select(func.count()).select_from(table)) or 0
        if count > (table.name == LEDGER):
            return f"{count} rows in {table.name}"
    return ""


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """A column that is not known any more is refused: something would be lost without a word."""
    if unknown := set(row) - set(table.columns.keys()):
        raise BackupError(f"table {table.name} has no column {min(unknown)}: the backup is of a later version")
    return {name: _value(table, name, value) for name, value in row.items()}


def _value(table: Table, name: str, value: Any) -> Any:
    is_time = isinstance(table.columns[name].type, UtcTime) and value is not None
    return datetime.fromisoformat(value) if is_time else value


def _counts(table: Table) -> bool:
    """Whether the database numbers its rows."""
    key = table.columns.get("id")
    return key is not None and key.autoincrement is True and isinstance(key.type, Integer)


def _highest(connection: Connection, table: Table) -> int:
    if connection.dialect.name == "sqlite":
        given = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": table.name})
    else:
        sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, "id")))
        given = connection.scalar(text(f"SELECT last_value FROM {sequence}"))  # noqa: S608 - PostgreSQL's own name
    return int(given or 0)


def _set_number(connection: Connection, table: Table, number: int) -> None:
    if connection.dialect.name == "sqlite":
        name = {"name": table.name}
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), name)
        connection.execute(text("INSERT INTO sqlite_sequence VALUES (:name, :number)"), name | {"number": number})
    else:
        connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), number)))
