"""The hub's database of accounts: what is deleted there is overwritten, and not only marked as free."""

from __future__ import annotations

import sqlite3
from typing import Any


class Forgetful(sqlite3.Connection):
    """A connection that zeroes what it deletes (sqlite.org/pragma.html#pragma_secure_delete)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.execute("PRAGMA secure_delete = ON")
