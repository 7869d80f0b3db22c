"""Connections to the orders database, and what its failures mean. It knows no table.

On SQLite every connection is in WAL mode with ``synchronous=FULL`` (money: NORMAL may lose the last commits when
the power goes) and says its own BEGIN: IMMEDIATE for writers, who then queue up instead of failing half way, and
a plain one for readers, who wait for nobody. Local disks only: WAL does not work over NFS.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tng.errors import StoreBusy

READS = "tng_reads"
"""The execution option of an engine whose connections only read."""

_SQLITE_BUSY = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED (sqlite.org/rescode.html)
# lock not available, deadlock, serialization, starting up; and a row that somebody else added first: once more finds it
_POSTGRES_BUSY = {"55P03", "40P01", "40001", "57P03", "23505"}


def connect(url: str, *, busy_seconds: float = 10.0) -> Engine:
    """An engine for ``url``. On SQLite the file is created here, closed to everybody but its owner.

    In a folder that a group shares (setgid) the file is open to that group, too.

    ``busy_seconds`` is how long a statement waits for a lock before StoreBusy is raised.
    """
    engine = create_engine(
        make_url(url),
        pool_size=8,
        max_overflow=24,
        pool_timeout=busy_seconds,
        pool_pre_ping=True,
        hide_parameters=True,  # a premise or a script must not reach a log by way of an error
    )
    if engine.dialect.name == "sqlite":
        if engine.url.database:
            _create_closed(Path(engine.url.database))
        event.listen(engine, "connect", _sqlite_connection(busy_seconds))
        event.listen(engine, "begin", _sqlite_begin)
    return engine


@contextmanager
def busy_means_busy() -> Iterator[None]:
    """Turn what the database says of locks and lost connections into StoreBusy; everything else passes."""
    try:
        yield
    except DBAPIError as error:
        if not _is_busy(error):
            raise
        raise StoreBusy(f"the orders database is busy ({type(error.orig).__name__}); try again") from error
    except PoolTimeoutError as error:
        raise StoreBusy("all connections to the orders database are in use; try again") from error


def _is_busy(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_BUSY  # extended codes carry the plain one in their low byte
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _POSTGRES_BUSY


def _create_closed(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = path.parent.stat().st_mode & stat.S_ISGID  # by api and worker, where each is a Unix user of its own
    mode = 0o660 if shared else 0o600
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_NOFOLLOW if shared else 0), mode)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            os.fchmod(descriptor, mode)  # -wal and -shm take the file's mode
    finally:
        os.close(descriptor)


def _sqlite_connection(busy_seconds: float) -> Any:
    pragmas = (
        f"busy_timeout={int(busy_seconds * 1000)}",  # first: the others may have to wait
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
    )

    def prepare(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # BEGIN is ours, not the driver's
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    return prepare


def _sqlite_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get(READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
