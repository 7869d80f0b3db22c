"""Keeps what the services are told in their environment, keys among it, out of the hub's database.

JupyterHub writes every field of a service into its database unless the field is marked, and marks this one not.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from jupyterhub.services.service import Service

from tng.errors import SettingsError


def keep_environments_unwritten(database: Path) -> None:
    """Mark the field, and erase what an older version of the house has written. To be called before the hub starts.

    Raises SettingsError where the database cannot be changed.
    """
    Service.class_traits()["environment"].tag(in_db=False)
    if database.exists():
        try:
            _erase(database)
        except sqlite3.Error as error:
            raise SettingsError(
                f"the hub's database {database} cannot be changed ({error}); is another hub open?"
            ) from None


def _erase(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("PRAGMA secure_delete = ON")  # zeroes, and not only a mark that the place is free
        if "environment" in {column[1] for column in connection.execute("PRAGMA table_info(services)")}:
            connection.execute("UPDATE services SET environment = NULL WHERE from_config")
