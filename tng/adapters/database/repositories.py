"""Orders and jobs of one unit of work, in SQL. What may follow what is not decided here.

In a unit that writes, every row is read under a lock (``FOR UPDATE``; SQLite has one writer anyway), so that
what was read still holds at the commit. ``SKIP LOCKED`` lets many workers claim at once on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, false, func, nulls_first, or_, select
from sqlalchemy.orm import Session

from tng.adapters.database.bell import rings_for
from tng.adapters.database.records import (
    ORDER_COLUMNS,
    JobEventRecord,
    JobRecord,
    MoveRecord,
    OrderRecord,
    order_of,
)
from tng.adapters.database.table import Table
from tng.bell import Topic
from tng.errors import IllegalMove, LeaseLost, OrderNotFound
from tng.jobs import ENDED, MARKS, MOST_ATTEMPTS, WRITING, EventKind, Job, JobEvent, JobKind, JobState
from tng.orders import LeftOut, Mark, Move, Order, OrderState, follows
from tng.ports import Event

MOST_HEARD = 500
"""How many events are read at once."""


class SqlOrders(Table):
    """See :class:`tng.ports.Orders`."""

    def __init__(self, session: Session, *, writes: bool) -> None:
        super().__init__(session, writes=writes)
        self._held: dict[str, OrderRecord] = {}
        """Rows that this unit has read under a lock: they are as they were read, and need not be read again."""

    def add(self, order: Order) -> Order:
        """Store a new order, and its moves in the audit."""
        self._session.add(OrderRecord().take(order))
        self._session.flush()
        return self._written_down(order)

    def get(self, order_id: str, customer: str | None = None) -> Order:
        """The order, of this customer where one is named. Raises OrderNotFound."""
        return self._record(order_id, customer).to_order()

    def find(
        self,
        *,
        request: tuple[str, str] | None = None,
        session_id: str | None = None,
        payment_intent_id: str | None = None,
    ) -> Order | None:
        """The order of a (customer, request key), of a checkout session or of a payment, or None."""
        query = select(OrderRecord)
        if request is not None:
            customer, request_key = request
            query = query.where(OrderRecord.customer == customer, OrderRecord.request_key == request_key)
            record = self._one_or_free(f"order {customer} {request_key}", query)
            return self._hold(record).to_order() if record else None
        if session_id is not None:
            query = query.where(OrderRecord.checkout_session_id == session_id)
        elif payment_intent_id is not None:
            query = query.where(OrderRecord.payment_intent_id == payment_intent_id)
        else:
            return None
        record = self._one(query)
        return self._hold(record).to_order() if record else None

    def of(self, customer: str) -> Sequence[Order]:
        """The customer's orders, the newest first, their scripts left out."""
        return list(reversed(self.listed(customer=customer)))

    def having(self, *states: OrderState) -> Sequence[Order]:
        """The orders in these states, the oldest first."""
        query = select(OrderRecord).where(OrderRecord.state.in_([state.value for state in states]))
        oldest_first = query.order_by(OrderRecord.placed_at, OrderRecord.id)
        return [record.to_order() for record in self._session.scalars(oldest_first)]

    def count(self, *states: OrderState, customer: str | None = None) -> int:
        """How many orders are in these states; of one customer alone, where one is named."""
        query = select(func.count()).where(OrderRecord.state.in_([state.value for state in states]))
        if customer is not None:
            query = query.where(OrderRecord.customer == customer)
        return self._session.scalar(query) or 0

    def save(self, order: Order) -> Order:
        """Store what changed, and its moves in the audit. Raises OrderNotFound, IllegalMove."""
        record = self._held.get(order.id) or self._record(order.id)
        if not follows(OrderState(record.state), order):
            raise IllegalMove(f"order {order.id}: no move leads from {record.state} to {order.state}; nothing is saved")
        record.take(order)
        self._session.flush()
        return self._written_down(order)

    def history(self, order_id: str) -> Sequence[Move]:
        """How the order came to its state, the first move first."""
        query = select(MoveRecord).where(MoveRecord.order_id == order_id).order_by(MoveRecord.id)
        return [record.to_move() for record in self._session.scalars(query)]

    def marks(self, order_ids: Collection[str]) -> Mapping[str, Mark]:
        """How far the story of each of these orders has come."""
        moved = select(func.max(MoveRecord.id)).where(MoveRecord.order_id == OrderRecord.id)
        said = select(func.max(JobEventRecord.id)).join(JobRecord, JobRecord.id == JobEventRecord.job_id)
        said = said.where(JobRecord.order_id == OrderRecord.id)
        marks = select(OrderRecord.id, moved.scalar_subquery(), said.scalar_subquery())
        rows = self._session.execute(marks.where(OrderRecord.id.in_(order_ids)))
        return {order_id: (move or 0, event or 0) for order_id, move, event in rows}

    def listed(self, *states: OrderState, customer: str | None = None, troubled: bool = False) -> Sequence[Order]:
        """The orders in these states, or in any, the oldest first, their scripts left out."""
        light = [getattr(OrderRecord, name) for name in ORDER_COLUMNS if name != "script_text"]
        query = select(*light, OrderRecord.script_text.is_not(None).label("has_text"))
        if states:
            query = query.where(OrderRecord.state.in_([state.value for state in states]))
        if customer is not None:
            query = query.where(OrderRecord.customer == customer)
        if troubled:
            query = query.where(OrderRecord.trouble.is_not(None))
        oldest_first = query.order_by(OrderRecord.placed_at, OrderRecord.id)
        return [_without_text(row._asdict()) for row in self._session.execute(oldest_first)]

    def ended_before(self, moment: datetime, *states: OrderState, limit: int = 100) -> Sequence[Order]:
        """Orders at an end since before ``moment`` whose private words are still there, the oldest first."""
        query = select(OrderRecord).where(OrderRecord.erased_at.is_(None), OrderRecord.ended_at < moment)
        if states:
            query = query.where(OrderRecord.state.in_([state.value for state in states]))
        oldest_first = query.order_by(OrderRecord.ended_at, OrderRecord.id).limit(limit)
        return [record.to_order() for record in self._session.scalars(self._locked(oldest_first))]

    def _written_down(self, order: Order) -> Order:
        for move in order.moves:
            self._session.add(MoveRecord.of(order.id, move))
            self._session.flush()  # one by one: their ids are their order
            rings_for(self._session, Topic.EVENTS)
        return replace(order, moves=())

    def _record(self, order_id: str, customer: str | None = None) -> OrderRecord:
        query = select(OrderRecord).where(OrderRecord.id == order_id)
        if customer is not None:
            query = query.where(OrderRecord.customer == customer)
        record = self._one(query)
        if record is None:
            raise OrderNotFound(f"order {order_id} is not there for this customer")
        return self._hold(record)

    def _hold(self, record: OrderRecord) -> OrderRecord:
        if self._writes:
            self._held[record.id] = record
        return record


def _without_text(columns: Mapping[str, Any]) -> Order:
    values = {name: value for name, value in columns.items() if name != "has_text"}
    return order_of(values | {"script_text": LeftOut() if columns["has_text"] else None})


class SqlJobs(Table):
    """See :class:`tng.ports.Jobs`."""

    def add(self, job: Job) -> Job:
        """Store a new job; the same key twice gives the job that is there."""
        known = self._one_or_free(f"job {job.key}", select(JobRecord).where(JobRecord.key == job.key))
        if known is not None:
            return known.to_job()
        record = JobRecord.of(job)
        self._session.add(record)
        self._session.flush()
        rings_for(self._session, Topic.JOBS)
        return record.to_job()

    def get(self, key: str) -> Job | None:
        """The job of this key, or None."""
        record = self._one(select(JobRecord).where(JobRecord.key == key))
        return record.to_job() if record else None

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, kinds: Collection[JobKind] = WRITING
    ) -> Job | None:
        """Take a job of these kinds that is due, or whose lease is over.

        The lowest priority first, then what was begun before, then the oldest.
        """
        ready = or_(JobRecord.ready_at.is_(None), JobRecord.ready_at <= now)
        queued = and_(JobRecord.state == JobState.QUEUED.value, ready)
        due = select(JobRecord).where(_is_of(kinds), ~_used_up(), or_(queued, _left(now)))
        next_one = due.order_by(*_QUEUE).limit(1).with_for_update(skip_locked=True)
        record = self._session.scalars(next_one).one_or_none()
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
        if record.state == JobState.QUEUED.value:
            rings_for(self._session, Topic.JOBS)

    def cancel(self, key: str, now: datetime) -> None:
        """Nobody owes it any more; one that has ended, or is none, stays so."""
        record = self._one(select(JobRecord).where(JobRecord.key == key, JobRecord.state.in_(_OPEN)))
        if record is not None:
            self._add_event(record.id, record.attempt, EventKind.CANCELLED, {}, now)
            record.state, record.lease_until = JobState.CANCELLED.value, None
            self._session.flush()

    def revive(self, key: str, now: datetime) -> None:
        """A cancelled one is owed again, and due at once."""
        cancelled = JobRecord.state == JobState.CANCELLED.value
        record = self._one(select(JobRecord).where(JobRecord.key == key, cancelled))
        if record is not None:
            record.state, record.ready_at, record.worker = JobState.QUEUED.value, now, None
            record.given_back = min(record.given_back + 1, record.attempt)
            self._session.flush()
            rings_for(self._session, Topic.JOBS)

    def hurry(self, key: str, priority: int) -> None:
        """Give it another priority."""
        record = self._one(select(JobRecord).where(JobRecord.key == key))
        if record is not None:
            record.priority = priority
            self._session.flush()

    def place(self, key: str) -> int | None:
        """How many are taken before it, running ones not counted; None where it does not wait."""
        job = self.get(key)
        if job is None or job.state is not JobState.QUEUED:
            return None
        queued = select(JobRecord).where(JobRecord.state == JobState.QUEUED.value, JobRecord.kind == job.kind.value)
        before = queued.where(_goes_before(job)).subquery()
        return self._session.scalar(select(func.count()).select_from(before)) or 0

    def of(self, order_id: str) -> Sequence[Job]:
        """The jobs of an order, the oldest first."""
        mine = select(JobRecord).where(JobRecord.order_id == order_id).order_by(JobRecord.id)
        return [record.to_job() for record in self._session.scalars(self._locked(mine))]

    def forget(self, order_id: str) -> Sequence[Job]:
        """Take away what the jobs of an order were told and what their runs said."""
        records = list(self._session.scalars(self._locked(select(JobRecord).where(JobRecord.order_id == order_id))))
        for record in records:
            record.parameters, record.error = {}, None
            self._session.execute(delete(JobEventRecord).where(JobEventRecord.job_id == record.id))
        self._session.flush()
        return [record.to_job() for record in records]

    def say(self, token: tuple[int, int], events: Sequence[Event], now: datetime) -> None:
        """Add events of this run, in order. Raises LeaseLost."""
        job_id, attempt = self._own(token).id, token[1]
        for kind, body in events:
            self._add_event(job_id, attempt, kind, body, now)

    def heard(self, job_id: int, after: int = 0) -> Sequence[JobEvent]:
        """The job's events with a greater id, in order, at most 500."""
        query = select(JobEventRecord).where(JobEventRecord.job_id == job_id, JobEventRecord.id > after)
        records = self._session.scalars(query.order_by(JobEventRecord.id).limit(MOST_HEARD))
        return [record.to_event() for record in records]

    def find(self, job_id: int) -> Job | None:
        """The job of this id, or None."""
        record = self._one(select(JobRecord).where(JobRecord.id == job_id))
        return record.to_job() if record else None

    def hush(self, before: datetime) -> int:
        """Take away what runs of scripts that have ended said before, but for when they began and ended; how much."""
        ended = JobRecord.state.in_([state.value for state in ENDED])
        over = select(JobRecord.id).where(_is_of(WRITING), ended)
        wordy = JobEventRecord.kind.not_in([kind.value for kind in MARKS])
        old = delete(JobEventRecord).where(JobEventRecord.said_at < before, wordy, JobEventRecord.job_id.in_(over))
        return self._session.execute(old).rowcount  # type: ignore[attr-defined, no-any-return]

    def _add_event(self, job_id: int, attempt: int, kind: EventKind, body: dict[str, Any], now: datetime) -> None:
        self._session.add(JobEventRecord(job_id=job_id, attempt=attempt, kind=kind.value, body=body, said_at=now))
        self._session.flush()  # one by one: their ids are their order
        rings_for(self._session, Topic.EVENTS)

    def _own(self, token: tuple[int, int]) -> JobRecord:
        job_id, attempt = token
        query = select(JobRecord).where(
            JobRecord.id == job_id, JobRecord.attempt == attempt, JobRecord.state == JobState.RUNNING.value
        )
        record = self._one(query)
        if record is None:
            raise LeaseLost(f"job {job_id}: attempt {attempt} does not own it any more")
        return record


def _is_of(kinds: Collection[JobKind]) -> ColumnElement[bool]:
    return JobRecord.kind.in_([kind.value for kind in kinds])


def _used_up() -> ColumnElement[bool]:
    return JobRecord.attempt - JobRecord.given_back >= MOST_ATTEMPTS


def _left(now: datetime) -> ColumnElement[bool]:
    return and_(JobRecord.state == JobState.RUNNING.value, JobRecord.lease_until < now)


_OPEN = [state.value for state in JobState if state not in ENDED]
_IS_NEW = JobRecord.attempt == 0
_QUEUE = (JobRecord.priority, _IS_NEW, nulls_first(JobRecord.ready_at), JobRecord.id)
"""What was begun before goes before what was not: an attempt that is repeated does not queue up again."""


def _goes_before(job: Job) -> ColumnElement[bool]:
    """Jobs that are taken before this one."""
    same_priority, same_time = JobRecord.priority == job.priority, JobRecord.ready_at == job.ready_at
    begun, alike = (~_IS_NEW, _IS_NEW) if job.attempt == 0 else (false(), ~_IS_NEW)
    if job.ready_at is None:
        same_time = JobRecord.ready_at.is_(None)
        sooner: ColumnElement[bool] = false()
    else:
        sooner = or_(JobRecord.ready_at.is_(None), JobRecord.ready_at < job.ready_at)
    older = and_(same_time, JobRecord.id < job.id)
    same_priority = and_(same_priority, or_(begun, and_(alike, or_(sooner, older))))
    return or_(JobRecord.priority < job.priority, same_priority)
