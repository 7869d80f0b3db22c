"""What the repositories share: a session, and rows that are read under a lock where the unit writes."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from tng.adapters.database.engine import is_postgres
from tng.adapters.database.records import Record

SomeRecord = TypeVar("SomeRecord", bound=Record)


class Table:
    """A session, and whether its rows are to be locked."""

    def __init__(self, session: Session, *, writes: bool) -> None:
        self._session = session
        self._writes = writes

    def _locked(self, query: Select[SomeRecord]) -> Select[SomeRecord]:
        return query.with_for_update() if self._writes else query

    def _one(self, query: Select[SomeRecord]) -> SomeRecord | None:
        return self._session.scalars(self._locked(query)).one_or_none()

    def _one_or_free(self, name: str, query: Select[SomeRecord]) -> SomeRecord | None:
        """None means that nobody else adds a row of this name before the unit ends: what is not there has no lock."""
        found = self._one(query)
        if found is None and self._writes and is_postgres(self._session):
            self._session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
            found = self._one(query)
        return found
