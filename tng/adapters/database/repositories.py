"""Orders, jobs, outbox and inbox of one unit of work, in SQL. What may follow what is not decided here.

In a unit that writes, every row is read under a lock (``FOR UPDATE``; SQLite has one writer anyway), so that
what was read still holds at the commit. ``SKIP LOCKED`` lets many workers claim at once on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, and_, nulls_first, or_, select
from sqlalchemy.orm import Session

from tng.adapters.database.records import ErrandRecord, InboxRecord, JobEventRecord, JobRecord, OrderRecord, Record
from tng.errors import LeaseLost, OrderNotFound
from tng.jobs import MOST_ATTEMPTS, WRITING, Errand, Job, JobEvent, JobKind, JobState
from tng.orders import Order, OrderState
from tng.payments import PaymentEvent
from tng.ports import Event

MOST_HEARD = 500
"""How many events are read at once."""

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


class SqlOrders(Table):
    """See :class:`tng.ports.Orders`."""

    def add(self, order: Order) -> None:
        """Store a new order."""
        self._session.add(OrderRecord().take(order))
        self._session.flush()

    def get(self, order_id: str, customer: str | None = None) -> Order:
        """The order, of this customer where one is named. Raises OrderNotFound."""
        return self._record(order_id, customer).to_order()

    def find(self, *, request: tuple[str, str] | None = None, session_id: str | None = None) -> Order | None:
        """The order of a (customer, request key) or of a checkout session, or None."""
        query = select(OrderRecord)
        if request is not None:
            customer, request_key = request
            query = query.where(OrderRecord.customer == customer, OrderRecord.request_key == request_key)
        else:
            query = query.where(OrderRecord.checkout_session_id == session_id)
        record = self._one(query)
        return record.to_order() if record else None

    def of(self, customer: str) -> Sequence[Order]:
        """The customer's orders, the newest first."""
        query = select(OrderRecord).where(OrderRecord.customer == customer)
        newest_first = query.order_by(OrderRecord.placed_at.desc(), OrderRecord.id.desc())
        return [record.to_order() for record in self._session.scalars(newest_first)]

    def having(self, *states: OrderState) -> Sequence[Order]:
        """The orders in these states, the oldest first."""
        query = select(OrderRecord).where(OrderRecord.state.in_([state.value for state in states]))
        oldest_first = query.order_by(OrderRecord.placed_at, OrderRecord.id)
        return [record.to_order() for record in self._session.scalars(oldest_first)]

    def save(self, order: Order) -> None:
        """Store what changed. Raises OrderNotFound."""
        self._record(order.id).take(order)
        self._session.flush()

    def _record(self, order_id: str, customer: str | None = None) -> OrderRecord:
        query = select(OrderRecord).where(OrderRecord.id == order_id)
        if customer is not None:
            query = query.where(OrderRecord.customer == customer)
        record = self._one(query)
        if record is None:
            raise OrderNotFound(f"order {order_id} is not there for this customer")
        return record


class SqlJobs(Table):
    """See :class:`tng.ports.Jobs`."""

    def add(self, job: Job) -> Job:
        """Store a new job; the same key twice gives the job that is there."""
        if known := self.get(job.key):
            return known
        record = JobRecord.of(job)
        self._session.add(record)
        self._session.flush()
        return record.to_job()

    def get(self, key: str) -> Job | None:
        """The job of this key, or None."""
        record = self._one(select(JobRecord).where(JobRecord.key == key))
        return record.to_job() if record else None

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, kinds: Collection[JobKind] = WRITING
    ) -> Job | None:
        """Take the oldest job of these kinds that is due, or whose lease is over."""
        ready = or_(JobRecord.ready_at.is_(None), JobRecord.ready_at <= now)
        queued = and_(JobRecord.state == JobState.QUEUED.value, ready)
        due = select(JobRecord).where(_is_of(kinds), ~_used_up(), or_(queued, _left(now)))
        oldest = due.order_by(nulls_first(JobRecord.ready_at), JobRecord.id).limit(1).with_for_update(skip_locked=True)
        record = self._session.scalars(oldest).one_or_none()
        if record is None:
            return None
        record.state, record.attempt = JobState.RUNNING.value, record.attempt + 1
        record.worker, record.lease_until = worker, lease_until
        self._session.flush()
        return record.to_job()

    def overdrawn(self, now: datetime, kinds: Collection[JobKind] = WRITING) -> Sequence[Job]:
        """Jobs of these kinds whose lease is over and whose attempts are used up."""
        query = select(JobRecord).where(_is_of(kinds), _used_up(), _left(now)).order_by(JobRecord.id)
        if self._writes:
            query = query.with_for_update(skip_locked=True)
        return [record.to_job() for record in self._session.scalars(query)]

    def update(self, token: tuple[int, int], **changes: Any) -> None:
        """Change fields of the running job of this token. Raises LeaseLost."""
        record = self._own(token)
        for name, value in changes.items():
            setattr(record, name, value.value if isinstance(value, JobState) else value)
        self._session.flush()

    def say(self, token: tuple[int, int], events: Sequence[Event], now: datetime) -> None:
        """Add events of this run, in order. Raises LeaseLost."""
        job_id, attempt = self._own(token).id, token[1]
        for kind, body in events:
            self._session.add(JobEventRecord(job_id=job_id, attempt=attempt, kind=kind.value, body=body, said_at=now))
            self._session.flush()  # one by one: their ids are their order

    def heard(self, job_id: int, after: int = 0) -> Sequence[JobEvent]:
        """The job's events with a greater id, in order, at most 500."""
        query = select(JobEventRecord).where(JobEventRecord.job_id == job_id, JobEventRecord.id > after)
        records = self._session.scalars(query.order_by(JobEventRecord.id).limit(MOST_HEARD))
        return [record.to_event() for record in records]

    def _own(self, token: tuple[int, int]) -> JobRecord:
        job_id, attempt = token
        query = select(JobRecord).where(
            JobRecord.id == job_id, JobRecord.attempt == attempt, JobRecord.state == JobState.RUNNING.value
        )
        record = self._one(query)
        if record is None:
            raise LeaseLost(f"job {job_id}: attempt {attempt} does not own it any more")
        return record


class SqlOutbox(Table):
    """See :class:`tng.ports.Outbox`."""

    def add(self, errand: Errand, now: datetime) -> None:
        """Owe it; the same key twice is owed once."""
        if self._one(select(ErrandRecord).where(ErrandRecord.key == errand.key)) is None:
            owed = ErrandRecord(key=errand.key, kind=errand.kind, body=errand.body, tries=0, due_at=now, done=False)
            self._session.add(owed)
            self._session.flush()

    def take(self, now: datetime, again_at: datetime, *kinds: str) -> Errand | None:
        """The oldest errand of these kinds that is due, or None."""
        due = select(ErrandRecord).where(~ErrandRecord.done, ErrandRecord.due_at <= now)
        due = due.where(ErrandRecord.kind.in_(kinds)) if kinds else due
        oldest = due.order_by(ErrandRecord.id).limit(1).with_for_update(skip_locked=True)
        record = self._session.scalars(oldest).one_or_none()
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

    def _owed(self, key: str) -> ErrandRecord:
        record = self._one(select(ErrandRecord).where(ErrandRecord.key == key))
        if record is None:
            raise LookupError(f"no errand {key} is owed")
        return record


class SqlInbox(Table):
    """See :class:`tng.ports.Inbox`."""

    def handled(self, event_id: str) -> bool:
        """Whether this event was handled before."""
        return self._session.get(InboxRecord, event_id) is not None

    def record(self, event: PaymentEvent, now: datetime) -> None:
        """Mark the event as handled; marking twice is fine."""
        if not self.handled(event.id):
            self._session.add(InboxRecord(event_id=event.id, type=event.type, handled_at=now))
            self._session.flush()


def _is_of(kinds: Collection[JobKind]) -> ColumnElement[bool]:
    return JobRecord.kind.in_([kind.value for kind in kinds])


def _used_up() -> ColumnElement[bool]:
    return JobRecord.attempt - JobRecord.given_back >= MOST_ATTEMPTS


def _left(now: datetime) -> ColumnElement[bool]:
    return and_(JobRecord.state == JobState.RUNNING.value, JobRecord.lease_until < now)
