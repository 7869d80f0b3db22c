"""What is owed to the outside world, and what it reported, of one unit of work, in SQL: outbox and inbox.

``SKIP LOCKED`` lets several processes work them off at once on PostgreSQL; SQLite has one writer anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite

from tng.adapters.database.bell import rings_for
from tng.adapters.database.engine import is_postgres
from tng.adapters.database.records import BookmarkRecord, ErrandRecord, InboxRecord
from tng.adapters.database.table import Table
from tng.bell import Topic
from tng.jobs import Errand
from tng.payments import PaymentEvent

STRIPES_LIST = "stripe's events"
"""The bookmark in Stripe's own list."""


class SqlOutbox(Table):
    """See :class:`tng.ports.Outbox`."""

    def add(self, errand: Errand, now: datetime) -> None:
        """Owe it; the same key twice is owed once."""
        known = select(ErrandRecord).where(ErrandRecord.key == errand.key)
        if self._one_or_free(f"errand {errand.key}", known) is None:
            owed = ErrandRecord(key=errand.key, kind=errand.kind, body=errand.body, tries=0, done=False)
            owed.owed_at = owed.due_at = now
            self._session.add(owed)
            self._session.flush()
            rings_for(self._session, Topic.OUTBOX)

    def is_due(self, now: datetime, *kinds: str) -> bool:
        """Whether there is something to take."""
        return bool(self._session.scalar(select(exists().where(*_due(now, kinds)))))

    def take(self, now: datetime, again_at: datetime, *kinds: str) -> Errand | None:
        """The oldest errand of these kinds that is due, or None."""
        oldest = select(ErrandRecord).where(*_due(now, kinds)).order_by(ErrandRecord.id).limit(1)
        record = self._session.scalars(oldest.with_for_update(skip_locked=True)).one_or_none()
        if record is None:
            return None
        record.tries, record.due_at = record.tries + 1, again_at
        self._session.flush()
        return record.to_errand()

    def put_off(self, key: str, due_at: datetime) -> None:
        """It comes back at ``due_at``."""
        self._owed(key).due_at = due_at
        self._session.flush()

    def finish(self, key: str) -> None:
        """It is done, and never comes back."""
        self._owed(key).done = True
        self._session.flush()

    def of(self, order_id: str) -> Sequence[Errand]:
        """What is owed to the customer of an order, and what was: the oldest first."""
        query = select(ErrandRecord).where(ErrandRecord.key.startswith(f"order-{order_id}-", autoescape=True))
        return [record.to_errand() for record in self._session.scalars(query.order_by(ErrandRecord.id))]

    def _owed(self, key: str) -> ErrandRecord:
        record = self._one(select(ErrandRecord).where(ErrandRecord.key == key))
        if record is None:
            raise LookupError(f"no errand {key} is owed")
        return record


class SqlInbox(Table):
    """See :class:`tng.ports.Inbox`."""

    def receive(self, event: PaymentEvent, now: datetime) -> bool:
        """Keep it, due at once; whether it is new."""
        row = self._dialect.insert(InboxRecord).values(InboxRecord.fields_of(event, now))
        # another that adds it in the same moment is waited for, and is no error
        added = row.on_conflict_do_nothing().returning(InboxRecord.event_id)
        is_new = self._session.execute(added).first() is not None
        if is_new:
            rings_for(self._session, Topic.INBOX)
        return is_new

    def knows(self, event_id: str) -> bool:
        """Whether this event was received."""
        return self._session.get(InboxRecord, event_id) is not None

    def is_due(self, now: datetime) -> bool:
        """Whether there is something to take."""
        return bool(self._session.scalar(select(exists().where(*_unprocessed(now)))))

    def take(self, now: datetime, again_at: datetime) -> PaymentEvent | None:
        """The oldest one that is due and not processed, or None; it comes back at ``again_at``."""
        due = select(InboxRecord).where(*_unprocessed(now))
        oldest_first = due.order_by(InboxRecord.received_at, InboxRecord.created_at, InboxRecord.event_id)
        record = self._session.scalars(oldest_first.limit(1).with_for_update(skip_locked=True)).one_or_none()
        if record is None:
            return None
        record.tries, record.due_at = record.tries + 1, again_at
        self._session.flush()
        return record.to_event()

    def put_off(self, event_id: str, due_at: datetime) -> None:
        """It could not be acted on, and comes back at ``due_at``."""
        self._received(event_id).due_at = due_at
        self._session.flush()

    def finish(self, event_id: str, now: datetime) -> None:
        """It was acted on, and never comes back."""
        self._received(event_id).processed_at = now
        self._session.flush()

    def processed(self, event_id: str) -> bool:
        """Whether this event was acted on."""
        record = self._session.get(InboxRecord, event_id)
        return record is not None and record.processed_at is not None

    def waiting(self) -> int:
        """How many are not processed."""
        return self._session.scalar(select(func.count()).where(InboxRecord.processed_at.is_(None))) or 0

    def forget(self, before: datetime) -> int:
        """Take away those that were processed before; how many."""
        gone = self._session.execute(delete(InboxRecord).where(InboxRecord.processed_at < before))
        return gone.rowcount  # type: ignore[attr-defined, no-any-return]

    def listed_until(self) -> datetime | None:
        """Until when Stripe's own list was read."""
        return self._session.scalar(select(BookmarkRecord.at).where(BookmarkRecord.name == STRIPES_LIST))

    def list_until(self, at: datetime) -> None:
        """It was read until then."""
        row = self._dialect.insert(BookmarkRecord).values(name=STRIPES_LIST, at=at)
        moved = row.on_conflict_do_update(index_elements=[BookmarkRecord.name], set_={"at": row.excluded.at})
        self._session.execute(moved)

    @property
    def _dialect(self) -> Any:
        """What a row is added with that another may add in the same moment."""
        return postgresql if is_postgres(self._session) else sqlite

    def _received(self, event_id: str) -> InboxRecord:
        record = self._one(select(InboxRecord).where(InboxRecord.event_id == event_id))
        if record is None:
            raise LookupError(f"no event {event_id} was received")
        return record


def _due(now: datetime, kinds: Sequence[str]) -> list[ColumnElement[bool]]:
    due = [~ErrandRecord.done, ErrandRecord.due_at <= now]
    return [*due, ErrandRecord.kind.in_(kinds)] if kinds else due


def _unprocessed(now: datetime) -> list[ColumnElement[bool]]:
    return [InboxRecord.processed_at.is_(None), InboxRecord.due_at <= now]
