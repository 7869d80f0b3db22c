"""MLflow's SQLite file, opened quietly: no telemetry, no network, no word of its own tables. It records nothing itself.

MLflow is loaded when it is asked for the first time, not before.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from tng.errors import StoreBusy

_QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
_WAIT_SECONDS: Final = 10.0


def open_store(database: Path) -> Any:
    """An ``MlflowClient`` of a file, which is made where it is missing. Raises StoreBusy where it stays locked.

    MLflow itself would try again for the better part of an hour. Two that made its tables at once would both fail:
    they take turns.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    opening = database.with_suffix(".opening")
    opening.touch()
    with alone(opening), unheard():
        _wait_until_free(database)
        from mlflow.tracking import MlflowClient

        address = f"sqlite:///{database.resolve()}"
        return MlflowClient(tracking_uri=address, registry_uri=address)


def failures() -> tuple[type[Exception], ...]:
    """What a use of the store may raise: MLflow's own, its database's, the disk's.

    Its database is reached through it: the writer has none of its own.
    """
    from mlflow.exceptions import MlflowException
    from mlflow.store.db import utils

    databases: Any = utils
    return (MlflowException, databases.sqlalchemy.exc.SQLAlchemyError, sqlite3.Error, OSError, StoreBusy)


@contextmanager
def unheard() -> Iterator[None]:
    """MLflow logs its tables, and warns of what its own code does with SQLAlchemy: neither is for an operator.

    It is loaded here, because that sets its loggers.
    """
    os.environ.update(_QUIET)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.tracking  # noqa: F401 - for what it does to loggers
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Keep others who come for this file or folder waiting. The lock ends with the process that holds it."""
    descriptor = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _wait_until_free(database: Path) -> None:
    try:
        with closing(sqlite3.connect(database, timeout=_WAIT_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        raise StoreBusy(f"{database.name} is locked by somebody else; try again") from error


__all__ = ["alone", "failures", "open_store", "unheard"]
