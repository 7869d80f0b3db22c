"""The tables, and the way between a row and an object of the language. No rules and no queries.

Every time is stored as UTC and read back aware. Texts of a script are stored whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tng.faults import Fault
from tng.gpus import Claim, ClaimKind, Use, Wish
from tng.jobs import Errand, EventKind, Job, JobEvent, JobKind, JobState
from tng.orders import Order, OrderState
from tng.overview import Presence
from tng.script import Premise

GROWING_ID = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type says INTEGER."""


class UtcTime(TypeDecorator[datetime]):
    """An aware time, stored as UTC. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Into the database."""
        store = self.impl_instance.bind_processor(dialect) or _as_it_is
        return lambda value: store(_to_utc(value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], Any]:
        """Out of the database; SQLite gives it without a zone."""
        read = self.impl_instance.result_processor(dialect, coltype) or _as_it_is
        return lambda value: _from_utc(read(value))


class Record(DeclarativeBase):
    """The root of all tables."""

    type_annotation_map = {datetime: UtcTime(), dict[str, Any]: JSON(), int: Integer()}  # noqa: RUF012 - SQLAlchemy's form


class OrderRecord(Record):
    """A row of ``orders``; see :class:`tng.orders.Order`."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("customer", "request_key", name="orders_request"),
        Index("orders_of_customer", "customer", "placed_at"),
        Index("orders_in_state", "state", "placed_at"),
    )

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    customer: Mapped[str] = mapped_column(String(255))
    request_key: Mapped[str] = mapped_column(String(255))
    premise: Mapped[dict[str, Any]]
    amount_cents: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    placed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(16))
    checkout_attempt: Mapped[int]
    checkout_session_id: Mapped[str | None] = mapped_column(String(255), unique=True)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    checkout_expires_at: Mapped[datetime | None]
    payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    paid_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    release_id: Mapped[str | None] = mapped_column(String(255))
    script_text: Mapped[str | None] = mapped_column(Text)
    run_sha256: Mapped[str | None] = mapped_column(String(64))
    provenance: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    def to_order(self) -> Order:
        """The row as an order."""
        values = {field.name: getattr(self, field.name) for field in fields(Order)}
        return Order(**values | {"premise": Premise.from_fields(self.premise), "state": OrderState(self.state)})

    def take(self, order: Order) -> OrderRecord:
        """Make the row say what the order says."""
        for field in fields(Order):
            setattr(self, field.name, getattr(order, field.name))
        self.premise, self.state = order.premise.to_fields(), order.state.value
        return self


class JobRecord(Record):
    """A row of ``jobs``; see :class:`tng.jobs.Job`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_of_order", "order_id"),
        Index("jobs_due", "state", "ready_at"),
        Index("jobs_of_promotion", "promotion_id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(255), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    order_id: Mapped[str | None] = mapped_column(ForeignKey("orders.id"))
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(16))
    attempt: Mapped[int]
    failures: Mapped[int]
    given_back: Mapped[int]
    ready_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(String(255))
    error: Mapped[str | None] = mapped_column(Text)
    release_id: Mapped[str | None] = mapped_column(String(255))
    promotion_id: Mapped[int | None]

    def to_job(self) -> Job:
        """The row as a job."""
        values = {field.name: getattr(self, field.name) for field in fields(Job)}
        return Job(**values | {"kind": JobKind(self.kind), "state": JobState(self.state)})

    @classmethod
    def of(cls, job: Job) -> JobRecord:
        """A new row; its id is given by the database."""
        values = {field.name: getattr(job, field.name) for field in fields(Job) if field.name != "id"}
        return cls(**values | {"kind": job.kind.value, "state": job.state.value})


class JobEventRecord(Record):
    """A row of ``job_events``; see :class:`tng.jobs.JobEvent`. Ids grow and are never used again."""

    __tablename__ = "job_events"
    __table_args__ = (Index("job_events_heard", "job_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=True)
    job_id: Mapped[int] = mapped_column(GROWING_ID, ForeignKey("jobs.id"))
    attempt: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    body: Mapped[dict[str, Any]]
    said_at: Mapped[datetime]

    def to_event(self) -> JobEvent:
        """The row as an event."""
        return JobEvent(self.id, self.attempt, EventKind(self.kind), self.body)


class ErrandRecord(Record):
    """A row of ``outbox``; see :class:`tng.jobs.Errand`."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "done", "due_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(255), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    body: Mapped[dict[str, Any]]
    tries: Mapped[int]
    due_at: Mapped[datetime]
    done: Mapped[bool]

    def to_errand(self) -> Errand:
        """The row as an errand."""
        return Errand(self.key, self.kind, self.body, self.tries)


class InboxRecord(Record):
    """A row of ``inbox``: a webhook that was handled."""

    __tablename__ = "inbox"

    event_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[str] = mapped_column(String(255))
    handled_at: Mapped[datetime]


class WorkerRecord(Record):
    """A row of ``workers``; see :class:`tng.overview.Presence`."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(255), primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]

    def to_presence(self) -> Presence:
        """The row as a presence."""
        return Presence(self.name, self.started_at, self.seen_at)


class FaultRecord(Record):
    """A row of ``faults``; see :class:`tng.overview.Fault`."""

    __tablename__ = "faults"

    part: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    last_at: Mapped[datetime]

    def to_fault(self) -> Fault:
        """The row as a fault."""
        return Fault(self.part, self.kind, self.count, self.last_at)


class GpuClaimRecord(Record):
    """A row of ``gpu_claims``: one GPU of a :class:`tng.gpus.Claim`. Its key is why no GPU is held twice."""

    __tablename__ = "gpu_claims"
    __table_args__ = (Index("gpu_claims_of_holder", "holder", "kind"),)

    host: Mapped[str] = mapped_column(String(255), primary_key=True)
    gpu: Mapped[str] = mapped_column(String(255), primary_key=True)
    position: Mapped[int]
    holder: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(16))
    since_at: Mapped[datetime]
    until_at: Mapped[datetime]

    @staticmethod
    def to_claim(rows: Sequence[GpuClaimRecord]) -> Claim:
        """The rows of one holder as a claim."""
        first = rows[0]
        gpus = tuple(row.gpu for row in sorted(rows, key=lambda row: row.position))
        return Claim(first.holder, ClaimKind(first.kind), first.host, gpus, first.since_at, first.until_at)


class GpuWishRecord(Record):
    """A row of ``gpu_wishes``; see :class:`tng.gpus.Wish`."""

    __tablename__ = "gpu_wishes"

    holder: Mapped[str] = mapped_column(String(255), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    count: Mapped[int]
    since_at: Mapped[datetime]
    until_at: Mapped[datetime]

    def to_wish(self) -> Wish:
        """The row as a wish."""
        return Wish(self.holder, ClaimKind(self.kind), self.host, self.count, self.since_at, self.until_at)


class GpuUseRecord(Record):
    """A row of ``gpu_uses``; see :class:`tng.gpus.Use`."""

    __tablename__ = "gpu_uses"
    __table_args__ = (Index("gpu_uses_of_holder", "holder", "end_at"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=True)
    holder: Mapped[str] = mapped_column(String(255))
    count: Mapped[int]
    begin_at: Mapped[datetime]
    end_at: Mapped[datetime]

    def to_use(self) -> Use:
        """The row as a use."""
        return Use(self.holder, self.count, self.begin_at, self.end_at)


def _as_it_is(value: Any) -> Any:
    return value


def _to_utc(value: datetime | None) -> datetime | None:
    if value is not None and value.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored; use an aware UTC time")
    return None if value is None else value.astimezone(UTC)


def _from_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
