"""Bring the tables up to date, in code: there is no alembic.ini to lose. The steps are in ``tng/adapters/migrations``.

A new revision is a new file there. Old workers run on while the tables change, so add first, and take away one
release later.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from tng.adapters import migrations
from tng.adapters.database.engine import busy_means_busy, connect
from tng.adapters.database.records import Record

HEAD = "head"
"""The newest revision."""
POSTGRES_LOCK = 7711
"""The advisory lock that one migrating process holds while the others wait."""


def migrate(url: str) -> None:
    """Create or upgrade the tables of the database at ``url``. Any number of processes may call it at once.

    Raises StoreBusy where another process holds the database for too long.
    """
    engine = connect(url, busy_seconds=60.0)
    try:
        upgrade(engine)
    finally:
        engine.dispose()


def upgrade(engine: Engine, to: str = HEAD) -> None:
    """The same over an engine that is there, up to a revision. It is one transaction, taken before anything is read."""
    with busy_means_busy(), engine.begin() as connection:
        upgrade_within(connection, to)


def upgrade_within(connection: Connection, to: str = HEAD) -> None:
    """The same in a transaction of the caller's, which may do more."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")
    _run(config, ScriptDirectory.from_config(config), connection, to)


def _run(config: Config, scripts: ScriptDirectory, connection: Connection, to: str) -> None:
    def steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs(to, revision)  # alembic.command.upgrade does the same

    with EnvironmentContext(config, scripts, fn=steps, destination_rev=to) as environment:
        environment.configure(
            connection=connection,
            target_metadata=Record.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        environment.run_migrations()
