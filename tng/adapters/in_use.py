"""Which release writes, for processes that do not open the orders database: a look that changes and creates nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tng.errors import ReleaseError, StoreBusy
from tng.programme import first_release, open_show, shelf_of
from tng.releases import Release, find_release
from tng.settings import Settings
from tng.shows import Show

TABLE = "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'promotions'"
LAST = "SELECT to_id, digest FROM promotions ORDER BY id DESC LIMIT 1"
WAIT_SECONDS = 10.0


def release_in_use(settings: Settings) -> Release:
    """The release that the ledger names; where there is no ledger yet, the one of TNG_RELEASE.

    Raises ReleaseMissing, ReleaseDamaged, StoreBusy.
    """
    row = _last_row(settings)
    return shelf_of(settings).take(*row) if row else find_release(first_release(settings).folder)


def show_in_use(settings: Settings) -> Show:
    """The show of TNG_SHOW, held against the release that writes; one that is not here is said by whoever needs it.

    Raises ShowError, SettingsError, StoreBusy.
    """
    try:
        release = release_in_use(settings)
    except ReleaseError:
        release = None
    return open_show(settings, release)


def _last_row(settings: Settings) -> tuple[str, str] | None:
    if settings.database_url and not settings.database_url.startswith("sqlite:///"):
        return _last_row_elsewhere(settings.orders_url)
    return _last_row_of_file(Path(settings.orders_url.removeprefix("sqlite:///")))


def _last_row_of_file(database: Path) -> tuple[str, str] | None:
    """By the standard library: the hub's launcher would wait half a second for SQLAlchemy."""
    if not database.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=WAIT_SECONDS)) as connection:
            if connection.execute(TABLE).fetchone() is None:
                return None
            row: tuple[str, str] | None = connection.execute(LAST).fetchone()
            return row
    except sqlite3.OperationalError as error:
        raise StoreBusy(f"the ledger of releases cannot be read: {error}") from error


def _last_row_elsewhere(url: str) -> tuple[str, str] | None:
    """Of another database; its tables may not be made yet."""
    from sqlalchemy import inspect, text

    from tng.adapters.database.engine import busy_means_busy, connect

    engine = connect(url)
    try:
        with busy_means_busy(), engine.connect() as connection:
            if not inspect(connection).has_table("promotions"):
                return None
            row = connection.execute(text(LAST)).one_or_none()
            return (row.to_id, row.digest) if row else None
    finally:
        engine.dispose()
