"""Everything that the stand-in remembers, in one SQLite file: objects, answers by idempotency key, deliveries.

One process owns the file (it is locked), and one transaction holds one request, so that two requests with the
same key can never both act. It knows rows and no meaning; ``account`` and ``webhooks`` do.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hub.sandbox.stripe.wire import Thing, missing

PATIENCE_SECONDS = 5.0
"""How long a start waits for an earlier process to let go of the file."""

SCHEMA = """
create table if not exists things (
    seq integer primary key, id text unique not null, kind text not null, body text not null);
create index if not exists things_by_kind on things (kind, seq);
create table if not exists answers (
    key text primary key, request text not null, status integer not null, body text not null, at real not null);
create table if not exists deliveries (
    event_id text not null, endpoint_id text not null, state text not null, attempts integer not null,
    due_at real not null, created_at real not null, answer text not null, primary key (event_id, endpoint_id));
create index if not exists deliveries_by_state on deliveries (state, due_at);
"""


@dataclass(frozen=True)
class Query:
    """Which objects of a kind are wanted: newest first, ``limit`` at a time, beside a cursor."""

    kind: str
    equals: dict[str, Any] = field(default_factory=dict)
    one_of: dict[str, list[str]] = field(default_factory=dict)
    created: dict[str, int] = field(default_factory=dict)  # gt, gte, lt, lte: seconds since 1970
    delivered: bool | None = None  # events alone
    limit: int = 10
    starting_after: str | None = None
    ending_before: str | None = None


class Store:
    """The rows. Writing is done inside ``with store.transaction()``; an error there leaves nothing behind."""

    def __init__(self, path: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        if path != ":memory:":
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))  # e-mail addresses are in it: its owner's alone
        self._db = sqlite3.connect(path, isolation_level=None, timeout=patience_seconds)
        self._db.row_factory = sqlite3.Row
        self._db.execute("pragma locking_mode = exclusive")
        self._db.execute("pragma journal_mode = wal")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing. Inside it no other task may run: never await there."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    # objects

    def put(self, thing: Thing) -> Thing:
        """Insert an object, or replace the one with its id; returns it."""
        self._db.execute(
            "insert into things (id, kind, body) values (?, ?, ?) on conflict (id) do update set body = excluded.body",
            (thing["id"], thing["object"], json.dumps(thing)),
        )
        return thing

    def get(self, kind: str, thing_id: str, param: str = "id") -> Thing:
        """One object. Raises Refusal (404, ``resource_missing``) when there is none of this kind."""
        row = self._db.execute("select body from things where id = ? and kind = ?", (thing_id, kind)).fetchone()
        if row is None:
            raise missing(kind, thing_id, param)
        return _thing(row)

    def all(self, kind: str) -> list[Thing]:
        """Every object of a kind that has few, oldest first."""
        return [_thing(row) for row in self._db.execute("select body from things where kind = ? order by seq", (kind,))]

    def overdue_sessions(self, now: float) -> list[Thing]:
        """Open Checkout Sessions whose time is over."""
        rows = self._db.execute(
            "select body from things where kind = 'checkout.session'"
            " and json_extract(body, '$.status') = 'open' and json_extract(body, '$.expires_at') <= ?",
            (now,),
        )
        return [_thing(row) for row in rows]

    def due(self, now: float) -> list[Thing]:
        """Debits and refunds about which the bank decides by now, in the order in which they came."""
        rows = self._db.execute(
            "select body from things where kind in ('checkout.session', 'refund')"
            " and json_extract(body, '$._due_at') <= ? order by seq",
            (now,),
        )
        return [_thing(row) for row in rows]

    def page(self, query: Query) -> tuple[list[Thing], bool]:
        """The objects of one page, newest first, and whether there are more. Raises Refusal for an unknown cursor."""
        where, values = _conditions(query)
        backwards = query.ending_before is not None
        for param, cursor, sign in (
            ("starting_after", query.starting_after, "<"),
            ("ending_before", query.ending_before, ">"),
        ):
            if cursor is not None:
                where.append(f"seq {sign} ?")
                values.append(self._place(query.kind, cursor, param))
        order = "asc" if backwards else "desc"
        statement = f"select body from things where {' and '.join(where)} order by seq {order} limit ?"  # noqa: S608
        rows = self._db.execute(statement, (*values, query.limit + 1)).fetchall()
        things = [_thing(row) for row in rows[: query.limit]]
        return (things[::-1] if backwards else things), len(rows) > query.limit

    def _place(self, kind: str, thing_id: str, param: str) -> int:
        row = self._db.execute("select seq from things where id = ? and kind = ?", (thing_id, kind)).fetchone()
        if row is None:
            raise missing(kind, thing_id, param)
        return int(row["seq"])

    # answers by idempotency key

    def answer(self, key: str, since: float) -> tuple[str, int, str] | None:
        """The request, status and body kept for a key since then, or None."""
        row = self._db.execute(
            "select request, status, body from answers where key = ? and at >= ?", (key, since)
        ).fetchone()
        return None if row is None else (row["request"], row["status"], row["body"])

    def keep_answer(self, key: str, request: str, status: int, body: str, now: float) -> None:
        """Keep an answer for a key, in place of one that is too old."""
        self._db.execute("insert or replace into answers values (?, ?, ?, ?, ?)", (key, request, status, body, now))

    # deliveries

    def owe(self, event_id: str, endpoint_id: str, now: float) -> None:
        """Owe an event to an endpoint, from now on; one owed or delivered before is owed anew."""
        self._db.execute(
            "insert into deliveries values (?, ?, 'pending', 0, ?, ?, '') on conflict (event_id, endpoint_id)"
            " do update set state = 'pending', attempts = 0, due_at = excluded.due_at",
            (event_id, endpoint_id, now, now),
        )

    def owe_again(self, now: float, since: float) -> None:
        """Owe anew what was created since then and never arrived: a stand-in that starts takes it up again."""
        self._db.execute(
            "update deliveries set state = 'pending', attempts = 0, due_at = ?"
            " where state != 'delivered' and created_at >= ?",
            (now, since),
        )

    def pending(self) -> list[sqlite3.Row]:
        """What is owed, the most urgent first."""
        return self._db.execute("select * from deliveries where state = 'pending' order by due_at, rowid").fetchall()

    def deliveries(self, limit: int = 200) -> list[sqlite3.Row]:
        """The latest deliveries with the ``type`` of their events, newest first."""
        statement = (
            "select deliveries.*, json_extract(things.body, '$.type') as type"
            " from deliveries join things on things.id = event_id order by deliveries.rowid desc limit ?"
        )
        return self._db.execute(statement, (limit,)).fetchall()

    def record_attempt(self, event_id: str, endpoint_id: str, *, state: str, due_at: float, answer: str) -> None:
        """Write down how an attempt ended: ``delivered``, ``pending`` until ``due_at``, or ``given up``."""
        self._db.execute(
            "update deliveries set state = ?, attempts = attempts + 1, due_at = ?, answer = ?"
            " where event_id = ? and endpoint_id = ?",
            (state, due_at, answer, event_id, endpoint_id),
        )

    def unattempted(self, event_id: str) -> bool:
        """Whether some endpoint has not had this event's first attempt yet."""
        return self._count("event_id = ? and state = 'pending' and attempts = 0", event_id) > 0

    def undelivered(self, event_id: str) -> int:
        """How many endpoints have not taken this event: an Event's ``pending_webhooks``."""
        return self._count("event_id = ? and state != 'delivered'", event_id)

    def _count(self, condition: str, event_id: str) -> int:
        row = self._db.execute(f"select count(*) from deliveries where {condition}", (event_id,)).fetchone()  # noqa: S608
        return int(row[0])


def _thing(row: sqlite3.Row) -> Thing:
    thing: Thing = json.loads(row["body"])
    return thing


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    """The SQL of a query's filters and its values. Field names are of our own code, never of a request."""
    where: list[str] = ["kind = ?"]
    values: list[Any] = [query.kind]
    for name, value in query.equals.items():
        where.append(f"json_extract(body, '$.{name}') = ?")
        values.append(value)
    for name, choices in query.one_of.items():
        where.append(f"json_extract(body, '$.{name}') in ({', '.join('?' * len(choices))})")
        values.extend(choices)
    for word, sign in (("gt", ">"), ("gte", ">="), ("lt", "<"), ("lte", "<=")):
        if word in query.created:
            where.append(f"json_extract(body, '$.created') {sign} ?")
            values.append(query.created[word])
    if query.delivered is not None:
        owed = "exists (select 1 from deliveries where event_id = things.id and state != 'delivered')"
        where.append(f"not {owed}" if query.delivered else owed)
    return where, values
