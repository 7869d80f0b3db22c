"""Connections to the orders database, and what its failures mean. It knows no table.

On SQLite every connection is in WAL mode with ``synchronous=FULL`` (money: NORMAL may lose the last commits when
the power goes) and says its own BEGIN: IMMEDIATE for writers, who then queue up instead of failing half way, and
a plain one for readers, who wait for nobody. Local disks only: WAL does not work over NFS.

On PostgreSQL every wait has an end: for a lock, for an answer, for a connection, and for a client that died inside
a transaction. A server that is away is StoreBusy like any lock: the next unit of work connects again.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from tng.errors import StoreBusy

READS = "tng_reads"
"""The execution option of an engine whose connections only read."""

STATEMENT_SECONDS = 60.0
"""No statement of ours takes so long: one that does waits for something that does not come."""
SILENT_SECONDS = 60.0
"""A transaction in which nothing is said for so long is given up by PostgreSQL, with its locks."""
CONNECT_SECONDS = 5

_POSTGRES: dict[str, str | int] = {
    "application_name": "tng",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,  # a host that went away without a word is noticed within half a minute
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""The names are PostgreSQL's own (libpq's connection parameters)."""
_SQLITE_BUSY = {5, 6}  # SQLITE_BUSY, SQLITE_LOCKED (sqlite.org/rescode.html)
_SQLITE_NO_ROOM = {10, 13}  # SQLITE_IOERR (the index of the WAL could not grow), SQLITE_FULL
_POSTGRES_NO_ROOM = "53100"  # disk full
_TWIN = "23505"  # a row that somebody else added first: once more finds it
# lock not available, deadlock, serialization; too long, silent for too long; too many, shutting down, starting up
_POSTGRES_BUSY = {"55P03", "40P01", "40001", "57014", "25P03", "53300", "57P01", "57P02", "57P03", _TWIN}
_LOST = "08"  # the class of the states that say: no connection


def connect(url: str, *, busy_seconds: float = 10.0) -> Engine:
    """An engine for ``url``. On SQLite the file is created here, closed to everybody but its owner.

    In a folder that a group shares (setgid) the file is open to that group, too.

    ``busy_seconds`` is how long a statement waits for a lock before StoreBusy is raised.
    """
    address = make_url(url)
    engine = create_engine(
        address,
        connect_args=_postgres_patience(address) if address.get_backend_name() == "postgresql" else {},
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
    else:
        event.listen(engine, "connect", _postgres_connection(busy_seconds))
        event.listen(engine, "handle_error", _without_rows)
    return engine


def is_postgres(session: Session) -> bool:
    """Whether a session is one with PostgreSQL, which has locks and calls that SQLite needs not."""
    return session.get_bind().dialect.name == "postgresql"


def own_connection(engine: Engine) -> psycopg.Connection[Any]:
    """A connection to PostgreSQL beside the engine's, in autocommit. Raises psycopg.Error."""
    args, options = engine.dialect.create_connect_args(engine.url)
    return psycopg.connect(*args, **{**options, **_postgres_patience(engine.url)}, autocommit=True)


@contextmanager
def busy_means_busy() -> Iterator[None]:
    """Turn what the database says of locks, lost connections and full disks into StoreBusy; everything else passes."""
    try:
        yield
    except DBAPIError as error:
        if not _is_busy(error) and not _has_no_room(error):
            raise
        raise StoreBusy(f"the orders database {_what_it_says(error)}; try again") from error
    except PoolTimeoutError as error:
        raise StoreBusy("all connections to the orders database are in use; try again") from error


def _is_busy(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_BUSY  # extended codes carry the plain one in their low byte
    state = _state(error)
    return error.connection_invalidated or state in _POSTGRES_BUSY or state.startswith(_LOST) or _has_no_server(error)


def _has_no_room(error: DBAPIError) -> bool:
    """Nothing of the transaction was kept, and it can be done again once there is room on the disk."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return _state(error) == _POSTGRES_NO_ROOM if code is None else code & 0xFF in _SQLITE_NO_ROOM


def _has_no_server(error: DBAPIError) -> bool:
    """Whether no connection came about: PostgreSQL's driver has no state for that."""
    return isinstance(error.orig, psycopg.OperationalError) and not _state(error)


def _state(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _what_it_says(error: DBAPIError) -> str:
    if _state(error) == _TWIN:
        return "has this row already: somebody else was quicker"
    if _has_no_room(error):
        return f"cannot write, the disk is full or broken{_first_line(error)}"
    if error.connection_invalidated or _has_no_server(error):
        return "does not answer" + _first_line(error)
    return f"is busy ({type(error.orig).__name__})"


def _first_line(error: DBAPIError) -> str:
    """Host, port and user may be in it, and never a password."""
    lines = str(error.orig).splitlines()
    return f" ({lines[0]})" if lines else ""


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


def _postgres_patience(address: URL) -> dict[str, str | int]:
    """What the address says itself goes before."""
    return {name: value for name, value in _POSTGRES.items() if name not in address.query}


def _postgres_connection(busy_seconds: float) -> Any:
    limits = {
        "lock_timeout": busy_seconds,
        "statement_timeout": max(STATEMENT_SECONDS, 2 * busy_seconds),
        "idle_in_transaction_session_timeout": SILENT_SECONDS,
    }
    words = ", ".join(f"set_config('{name}', '{int(seconds * 1000)}', false)" for name, seconds in limits.items())

    def prepare(connection: Any, _record: object) -> None:
        connection.execute(f"SELECT {words}")
        connection.commit()  # a setting of a transaction that is rolled back would be gone

    return prepare


def _without_rows(context: ExceptionContext) -> None:
    """PostgreSQL quotes the row in an error's detail, and a row is a premise or a script."""
    error, wrapped = context.original_exception, context.sqlalchemy_exception
    if isinstance(error, psycopg.Error) and error.diag.message_detail:
        error.args = (error.diag.message_primary,)
        if wrapped is not None:
            wrapped.args = (f"({type(error).__name__}) {error.diag.message_primary}",)


def _sqlite_begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get(READS)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
