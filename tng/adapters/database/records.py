"""The tables of orders, and the way between a row and an object of the language. No rules and no queries.

Every time is stored as UTC and read back aware. Texts of a script are stored whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tng.jobs import Errand, EventKind, Job, JobEvent, JobKind, JobState
from tng.library.shelf import Share, Shelved
from tng.orders import LeftOut, Move, Order, OrderState
from tng.payments import PaymentEvent
from tng.script import Premise

ORDER_COLUMNS = tuple(field.name for field in fields(Order) if field.name != "moves")

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
        Index("orders_of_payment", "payment_intent_id"),
        Index("orders_to_erase", "erased_at", "ended_at"),
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
    paid_cents: Mapped[int | None]
    delivered_at: Mapped[datetime | None]
    release_id: Mapped[str | None] = mapped_column(String(255))
    script_text: Mapped[str | None] = mapped_column(Text)
    is_part: Mapped[bool] = mapped_column(server_default=false())
    run_sha256: Mapped[str | None] = mapped_column(String(64))
    provenance: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    refund_attempt: Mapped[int] = mapped_column(server_default="0")
    before_dispute: Mapped[str | None] = mapped_column(String(16))
    trouble: Mapped[str | None] = mapped_column(Text)
    ended_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]

    def to_order(self) -> Order:
        """The row as an order."""
        return order_of({name: getattr(self, name) for name in ORDER_COLUMNS})

    def take(self, order: Order) -> OrderRecord:
        """Make the row say what the order says; a text that was not read stays as it is."""
        for name in ORDER_COLUMNS:
            if not isinstance(getattr(order, name), LeftOut):
                setattr(self, name, getattr(order, name))
        self.premise, self.state = order.premise.to_fields(), order.state.value
        self.before_dispute = order.before_dispute and order.before_dispute.value
        return self


def order_of(columns: Mapping[str, Any]) -> Order:
    """The columns of a row as an order."""
    before_dispute = columns["before_dispute"]
    values = {
        "premise": Premise.from_fields(columns["premise"]),
        "state": OrderState(columns["state"]),
        "before_dispute": before_dispute and OrderState(before_dispute),
    }
    return Order(**{**columns, **values})


class MoveRecord(Record):
    """A row of ``audit``; see :class:`tng.orders.Move`. Rows are added, and never changed."""

    __tablename__ = "audit"
    __table_args__ = (Index("audit_of_order", "order_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(255))
    why: Mapped[str] = mapped_column(Text)
    before: Mapped[str | None] = mapped_column(String(16))
    after: Mapped[str] = mapped_column(String(16))

    def to_move(self) -> Move:
        """The row as a move."""
        before = OrderState(self.before) if self.before else None
        return Move(self.at, self.actor, self.why, before, OrderState(self.after))

    @classmethod
    def of(cls, order_id: str, move: Move) -> MoveRecord:
        """A new row."""
        before = move.before and move.before.value
        return cls(order_id=order_id, at=move.at, actor=move.actor, why=move.why, before=before, after=move.after.value)


class JobRecord(Record):
    """A row of ``jobs``; see :class:`tng.jobs.Job`."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("jobs_of_order", "order_id"),
        Index("jobs_due", "state", "priority", "ready_at"),
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
    priority: Mapped[int] = mapped_column(server_default="0")

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
    owed_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    done: Mapped[bool]

    def to_errand(self) -> Errand:
        """The row as an errand."""
        return Errand(self.key, self.kind, self.body, self.tries, self.owed_at, self.done)


class InboxRecord(Record):
    """A row of ``inbox``: something that Stripe reported; see :class:`tng.payments.PaymentEvent`."""

    __tablename__ = "inbox"
    __table_args__ = (Index("inbox_due", "handled_at", "due_at"),)

    event_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    type: Mapped[str] = mapped_column(String(255))
    session_id: Mapped[str | None] = mapped_column(String(255))
    payment_intent_id: Mapped[str | None] = mapped_column(String(255))
    order_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(server_default="0")
    processed_at: Mapped[datetime | None] = mapped_column("handled_at")

    def to_event(self) -> PaymentEvent:
        """The row as an event."""
        ids = (self.session_id, self.payment_intent_id, self.order_id)
        return PaymentEvent(self.event_id, self.type, *ids, self.created_at, self.tries)

    @staticmethod
    def fields_of(event: PaymentEvent, now: datetime) -> dict[str, Any]:
        """The columns of a new row, due at once."""
        return {
            "event_id": event.id,
            "type": event.type,
            "session_id": event.session_id,
            "payment_intent_id": event.payment_intent_id,
            "order_id": event.order_id,
            "created_at": event.created_at,
            "received_at": now,
            "due_at": now,
            "tries": 0,
        }


class BookmarkRecord(Record):
    """A row of ``bookmarks``: how far a list was read that is kept elsewhere."""

    __tablename__ = "bookmarks"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    at: Mapped[datetime]


class ShelfRecord(Record):
    """A row of ``shelf``; see :class:`tng.library.shelf.Shelved`. An order without one is an ordinary one."""

    __tablename__ = "shelf"
    __table_args__ = (Index("shelf_binned", "binned_at"),)

    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    title: Mapped[str | None] = mapped_column(String(80))
    binned_at: Mapped[datetime | None]

    def to_shelved(self, shared_at: datetime | None) -> Shelved:
        """The row, and when the link was made by which the order can be read."""
        return Shelved(self.title, self.binned_at, shared_at)


class ShareRecord(Record):
    """A row of ``shares``; see :class:`tng.library.shelf.Share`."""

    __tablename__ = "shares"
    __table_args__ = (Index("shares_of_order", "order_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(GROWING_ID, primary_key=True, autoincrement=True)
    order_id: Mapped[str] = mapped_column(ForeignKey("orders.id"))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    def to_share(self) -> Share:
        """The row as a share."""
        return Share(self.order_id, self.token_sha256, self.made_at, self.revoked_at)


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
