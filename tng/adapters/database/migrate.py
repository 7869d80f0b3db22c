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


def upgrade(engine: Engine) -> None:
    """The same over an engine that is there. The whole upgrade is one transaction, taken before anything is read."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with busy_means_busy(), engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})")
        _run(config, scripts, connection)


def _run(config: Config, scripts: ScriptDirectory, connection: Connection) -> None:
    def steps(revision: Any, _context: Any) -> Any:
        return scripts._upgrade_revs("head", revision)  # alembic.command.upgrade does the same

    with EnvironmentContext(config, scripts, fn=steps, destination_rev="head") as environment:
        environment.configure(
            connection=connection,
            target_metadata=Record.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
        )
        environment.run_migrations()
