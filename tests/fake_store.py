"""The fake store: an orders database in memory that keeps the promises of ``tng.ports.Store``."""

from __future__ import annotations

import copy
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fake_editions import FakeEditions
from tng.customer_ports import Editions, Shelf
from tng.errors import IllegalMove, LeaseLost, OrderNotFound, RetrainingError, ScheduleError, StoreBusy
from tng.faults import Fault
from tng.gpus.rules import Claim, ClaimKind, Use, Wish
from tng.house_ports import Counts, Gpus, Promotions, Retrainings, Schedules, Watch
from tng.jobs import ENDED, MARKS, WRITING, Errand, EventKind, Job, JobEvent, JobKind, JobState
from tng.library.editions import Edition, Take
from tng.library.shelf import ORDINARY, SHARES_KEPT, Share, Shelved
from tng.orders import LeftOut, Mark, Move, Order, OrderState, follows
from tng.overview import Presence
from tng.payments import PaymentEvent
from tng.ports import Event, Inbox, Jobs, Orders, Outbox, Work
from tng.promotion.promotions import Evaluation, Promotion, Written
from tng.training.retrainings import Retraining
from tng.training.schedules import Schedule

LOCK_SECONDS = 5.0


@dataclass
class _Tables:
    orders: dict[str, Order] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    events: list[tuple[int, JobEvent]] = field(default_factory=list)
    errands: dict[str, tuple[Errand, datetime | None]] = field(default_factory=dict)
    inbox: dict[str, tuple[PaymentEvent, datetime]] = field(default_factory=dict)
    inbox_ended: dict[str, datetime] = field(default_factory=dict)
    bookmarks: dict[str, datetime] = field(default_factory=dict)
    audit: list[tuple[str, Move]] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    wishes: list[Wish] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    said_at: dict[int, datetime] = field(default_factory=dict)
    workers: dict[str, Presence] = field(default_factory=dict)
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    promotions: list[Promotion] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    schedules: dict[str, Schedule] = field(default_factory=dict)
    retrainings: dict[str, Retraining] = field(default_factory=dict)
    shelf: dict[str, Shelved] = field(default_factory=dict)
    editions: dict[tuple[str, int], Edition] = field(default_factory=dict)
    takes: dict[tuple[str, int, int], Take] = field(default_factory=dict)
    shares: list[Share] = field(default_factory=list)

    def copied(self) -> _Tables:
        """The same rows in tables of their own: a row is frozen, and never changed."""
        return replace(self, **{table.name: copy.copy(getattr(self, table.name)) for table in fields(self)})


class _Orders:
    def __init__(self, tables: _Tables) -> None:
        self._rows, self._audit, self._tables = tables.orders, tables.audit, tables

    def add(self, order: Order) -> Order:
        if order.id in self._rows or self.find(request=(order.customer, order.request_key)):
            raise ValueError(f"order {order.id} is there already")
        return self._written_down(order)

    def get(self, order_id: str, customer: str | None = None) -> Order:
        order = self._rows.get(order_id)
        if order is None or customer not in (None, order.customer):
            raise OrderNotFound(f"order {order_id} is not there for this customer")
        return order

    def find(
        self,
        *,
        request: tuple[str, str] | None = None,
        session_id: str | None = None,
        payment_intent_id: str | None = None,
    ) -> Order | None:
        for order in self._rows.values():
            if request is not None and (order.customer, order.request_key) == request:
                return order
            if session_id is not None and order.checkout_session_id == session_id:
                return order
            if payment_intent_id is not None and order.payment_intent_id == payment_intent_id:
                return order
        return None

    def count(self, *states: OrderState, customer: str | None = None) -> int:
        return sum(customer in (None, order.customer) for order in self.having(*states))

    def of(self, customer: str) -> Sequence[Order]:
        mine = [order for order in self._rows.values() if order.customer == customer]
        light = [o if o.script_text is None else replace(o, script_text=LeftOut()) for o in mine]
        return sorted(light, key=lambda order: (order.placed_at, order.id), reverse=True)

    def having(self, *states: OrderState) -> Sequence[Order]:
        some = [order for order in self._rows.values() if order.state in states]
        return sorted(some, key=lambda order: (order.placed_at, order.id))

    def save(self, order: Order) -> Order:
        stored = self.get(order.id)
        if not follows(stored.state, order):
            raise IllegalMove(f"order {order.id}: no move leads from {stored.state} to {order.state}")
        if isinstance(order.script_text, LeftOut):
            order = replace(order, script_text=stored.script_text)
        return self._written_down(order)

    def history(self, order_id: str) -> Sequence[Move]:
        return [move for owner, move in self._audit if owner == order_id]

    def marks(self, order_ids: Collection[str]) -> Mapping[str, Mark]:
        moves = Counter(owner for owner, _ in self._audit)
        spoken = {job_id: event.id for job_id, event in self._tables.events}
        said = {job.order_id: spoken.get(job.id, 0) for job in self._tables.jobs.values()}
        return {one: (moves[one], said.get(one, 0)) for one in order_ids if one in self._rows}

    def listed(self, *states: OrderState, customer: str | None = None, troubled: bool = False) -> Sequence[Order]:
        light = [o if o.script_text is None else replace(o, script_text=LeftOut()) for o in self._rows.values()]
        some = [o for o in light if (not states or o.state in states) and customer in (None, o.customer)]
        return sorted((o for o in some if o.trouble or not troubled), key=lambda order: (order.placed_at, order.id))

    def ended_before(self, moment: datetime, *states: OrderState, limit: int = 100) -> Sequence[Order]:
        ours = [order for order in self._rows.values() if not states or order.state in states]
        ended = [(o.ended_at, o.id, o) for o in ours if o.ended_at and o.erased_at is None]
        return [order for at, _, order in sorted(ended, key=lambda row: row[:2]) if at < moment][:limit]

    def _written_down(self, order: Order) -> Order:
        self._audit.extend((order.id, move) for move in order.moves)
        self._rows[order.id] = replace(order, moves=())
        return self._rows[order.id]


class _Jobs:
    def __init__(self, tables: _Tables) -> None:
        self._rows, self._events, self._said_at = tables.jobs, tables.events, tables.said_at

    def add(self, job: Job) -> Job:
        if known := self.get(job.key):
            return known
        stored = replace(job, id=len(self._rows) + 1)
        self._rows[stored.id] = stored
        return stored

    def get(self, key: str) -> Job | None:
        return next((job for job in self._rows.values() if job.key == key), None)

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, kinds: Collection[JobKind] = WRITING
    ) -> Job | None:
        ours = [job for job in self._rows.values() if job.kind in kinds and not job.used_up]
        due = [job for job in ours if _is_due(job, now) or _is_left(job, now)]
        if not due:
            return None
        job = min(due, key=_turn)
        taken = replace(job, state=JobState.RUNNING, attempt=job.attempt + 1, worker=worker, lease_until=lease_until)
        self._rows[job.id] = taken
        return taken

    def overdrawn(self, now: datetime, kinds: Collection[JobKind] = WRITING) -> Sequence[Job]:
        ours = [job for job in self._rows.values() if job.kind in kinds]
        return [job for job in ours if job.used_up and _is_left(job, now)]

    def update(self, token: tuple[int, int], **changes: Any) -> None:
        self._rows[token[0]] = replace(self._own(token), **changes)

    def cancel(self, key: str, now: datetime) -> None:
        job = self.get(key)
        if job is not None and job.state not in ENDED:
            self._add_event((job.id, job.attempt), EventKind.CANCELLED, {}, now)
            self._rows[job.id] = replace(job, state=JobState.CANCELLED, lease_until=None)

    def revive(self, key: str, now: datetime) -> None:
        job = self.get(key)
        if job is not None and job.state is JobState.CANCELLED:
            given_back = min(job.given_back + 1, job.attempt)
            revived = replace(job, state=JobState.QUEUED, ready_at=now, worker=None, given_back=given_back)
            self._rows[job.id] = revived

    def hurry(self, key: str, priority: int) -> None:
        job = self.get(key)
        if job is not None:
            self._rows[job.id] = replace(job, priority=priority)

    def place(self, key: str) -> int | None:
        job = self.get(key)
        if job is None or job.state is not JobState.QUEUED:
            return None
        queued = [o for o in self._rows.values() if o.state is JobState.QUEUED and o.kind is job.kind]
        return sum(_turn(other) < _turn(job) for other in queued)

    def of(self, order_id: str) -> Sequence[Job]:
        return [job for job in self._rows.values() if job.order_id == order_id]

    def forget(self, order_id: str) -> Sequence[Job]:
        mine = [job.id for job in self._rows.values() if job.order_id == order_id]
        for job_id in mine:
            self._rows[job_id] = replace(self._rows[job_id], parameters={}, error=None)
        self._events[:] = [(owner, event) for owner, event in self._events if owner not in mine]
        return [self._rows[job_id] for job_id in mine]

    def say(self, token: tuple[int, int], events: Sequence[Event], now: datetime) -> None:
        self._own(token)
        for kind, body in events:
            self._add_event(token, kind, body, now)

    def heard(self, job_id: int, after: int = 0) -> Sequence[JobEvent]:
        return [event for owner, event in self._events if owner == job_id and event.id > after][:500]

    def find(self, job_id: int) -> Job | None:
        return self._rows.get(job_id)

    def hush(self, before: datetime) -> int:
        over = {job.id for job in self._rows.values() if job.kind in WRITING and job.state in ENDED}
        kept = [
            (owner, event)
            for owner, event in self._events
            if owner not in over or event.kind in MARKS or self._said_at[event.id] >= before
        ]
        gone = len(self._events) - len(kept)
        self._events[:] = kept
        return gone

    def _add_event(self, token: tuple[int, int], kind: EventKind, body: dict[str, Any], now: datetime) -> None:
        event = JobEvent(len(self._said_at) + 1, token[1], kind, copy.deepcopy(body))
        self._events.append((token[0], event))
        self._said_at[event.id] = now

    def _own(self, token: tuple[int, int]) -> Job:
        job = self._rows.get(token[0])
        if job is None or job.attempt != token[1] or job.state is not JobState.RUNNING:
            raise LeaseLost(f"job {token[0]}: attempt {token[1]} does not own it any more")
        return job


def _turn(job: Job) -> tuple[int, bool, datetime, int]:
    return job.priority, job.attempt == 0, job.ready_at or datetime.min.replace(tzinfo=UTC), job.id


def _is_due(job: Job, now: datetime) -> bool:
    return job.state is JobState.QUEUED and (job.ready_at is None or job.ready_at <= now)


def _is_left(job: Job, now: datetime) -> bool:
    return job.state is JobState.RUNNING and job.lease_until is not None and job.lease_until < now


class _Outbox:
    def __init__(self, tables: _Tables) -> None:
        self._rows = tables.errands

    def add(self, errand: Errand, now: datetime) -> None:
        self._rows.setdefault(errand.key, (replace(errand, owed_at=now), now))

    def is_due(self, now: datetime, *kinds: str) -> bool:
        return any(
            due_at is not None and due_at <= now and (not kinds or errand.kind in kinds)
            for errand, due_at in self._rows.values()
        )

    def take(self, now: datetime, again_at: datetime, *kinds: str) -> Errand | None:
        for key, (errand, due_at) in self._rows.items():
            if due_at is not None and due_at <= now and (not kinds or errand.kind in kinds):
                taken = replace(errand, tries=errand.tries + 1)
                self._rows[key] = (taken, again_at)
                return taken
        return None

    def put_off(self, key: str, due_at: datetime) -> None:
        errand, before = self._rows[key]
        self._rows[key] = (errand, due_at if before is not None else None)

    def finish(self, key: str) -> None:
        errand, _ = self._rows[key]
        self._rows[key] = (replace(errand, done=True), None)

    def of(self, order_id: str) -> Sequence[Errand]:
        return [errand for key, (errand, _) in self._rows.items() if key.startswith(f"order-{order_id}-")]


class _Inbox:
    def __init__(self, tables: _Tables) -> None:
        self._rows, self._ended, self._bookmarks = tables.inbox, tables.inbox_ended, tables.bookmarks

    def receive(self, event: PaymentEvent, now: datetime) -> bool:
        if event.id in self._rows:
            return False
        self._rows[event.id] = (event, now)
        return True

    def knows(self, event_id: str) -> bool:
        return event_id in self._rows

    def is_due(self, now: datetime) -> bool:
        return any(event_id not in self._ended and due_at <= now for event_id, (_, due_at) in self._rows.items())

    def take(self, now: datetime, again_at: datetime) -> PaymentEvent | None:
        for event_id, (event, due_at) in self._rows.items():
            if event_id not in self._ended and due_at <= now:
                taken = replace(event, tries=event.tries + 1)
                self._rows[event_id] = (taken, again_at)
                return taken
        return None

    def put_off(self, event_id: str, due_at: datetime) -> None:
        self._rows[event_id] = (self._rows[event_id][0], due_at)

    def finish(self, event_id: str, now: datetime) -> None:
        if event_id not in self._rows:
            raise LookupError(f"no event {event_id} was received")
        self._ended[event_id] = now

    def processed(self, event_id: str) -> bool:
        return event_id in self._ended

    def waiting(self) -> int:
        return sum(event_id not in self._ended for event_id in self._rows)

    def forget(self, before: datetime) -> int:
        old = [event_id for event_id, at in self._ended.items() if at < before]
        for event_id in old:
            del self._ended[event_id], self._rows[event_id]
        return len(old)

    def listed_until(self) -> datetime | None:
        return self._bookmarks.get("stripe")

    def list_until(self, at: datetime) -> None:
        self._bookmarks["stripe"] = at


class _Counts:
    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    def orders(self) -> Mapping[OrderState, int]:
        return Counter(order.state for order in self._tables.orders.values())

    def waiting(self) -> tuple[int, datetime | None]:
        scripts = [job for job in self._tables.jobs.values() if job.kind is JobKind.WRITE_SCRIPT]
        queued = [job for job in scripts if job.state is JobState.QUEUED]
        paid = [self._tables.orders[job.order_id].paid_at for job in queued if job.order_id]
        return len(queued), min((at for at in paid if at is not None), default=None)

    def running(self) -> Sequence[Job]:
        running = [job for job in self._tables.jobs.values() if job.state is JobState.RUNNING]
        return sorted(running, key=lambda job: (job.lease_until or datetime.max.replace(tzinfo=UTC), job.id))[:100]

    def run_seconds(self) -> float | None:
        scripts = {job.id for job in self._tables.jobs.values() if job.kind is JobKind.WRITE_SCRIPT}
        said = [(job, event) for job, event in self._tables.events if job in scripts]
        at = {(job, e.attempt, e.kind): self._tables.said_at[e.id] for job, e in said}
        ended = [run for run in at if run[2] is EventKind.DONE][-20:]
        seconds = [(at[run] - at[(*run[:2], EventKind.STARTED)]).total_seconds() for run in ended]
        return sum(seconds) / len(seconds) if seconds else None

    def written(self, promotion_id: int, limit: int) -> Sequence[Written]:
        ended = (JobState.DONE, JobState.DEAD)
        scripts = [j for j in self._tables.jobs.values() if j.kind is JobKind.WRITE_SCRIPT]
        jobs = [j for j in scripts if j.promotion_id == promotion_id and j.state in ended]
        return [
            Written.read(job.order_id, job.state is JobState.DONE, self._tables.orders[job.order_id].provenance)
            for job in sorted(jobs, key=lambda job: job.id)[:limit]
            if job.order_id is not None
        ]

    def errands(self, *kinds: str) -> int:
        owed = [errand.kind for errand, due_at in self._tables.errands.values() if due_at is not None]
        return sum(not kinds or kind in kinds for kind in owed)


class _Watch:
    def __init__(self, tables: _Tables) -> None:
        self._workers, self._faults = tables.workers, tables.faults

    def report(self, presence: Presence) -> None:
        self._workers[presence.name] = presence
        for name, other in list(self._workers.items()):
            if other.seen_at < presence.seen_at - timedelta(days=1):
                del self._workers[name]

    def leave(self, name: str) -> None:
        self._workers.pop(name, None)

    def workers(self) -> Sequence[Presence]:
        return [self._workers[name] for name in sorted(self._workers)]

    def note(self, faults: Sequence[Fault]) -> None:
        for fault in faults:
            kinds = [part for part, _ in self._faults].count(fault.part)
            known = (fault.part, fault.kind) in self._faults
            kind = fault.kind if known or kinds < 100 else "Other"
            before = self._faults.get((fault.part, kind), Fault(fault.part, kind, 0, fault.last_at))
            self._faults[fault.part, kind] = before.and_again(fault)

    def faults(self) -> Sequence[Fault]:
        by_name = sorted(self._faults.values(), key=lambda fault: (fault.part, fault.kind))
        return sorted(by_name, key=lambda fault: fault.last_at, reverse=True)


class _Gpus:
    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    def claims(self) -> Sequence[Claim]:
        return sorted(self._tables.claims, key=lambda claim: (claim.since_at, claim.holder))

    def wishes(self) -> Sequence[Wish]:
        return sorted(self._tables.wishes, key=lambda wish: (wish.since_at, wish.holder))

    def hold(self, claim: Claim, now: datetime) -> None:
        kept = []
        for other in self._tables.claims:
            if (other.holder, other.kind, other.host) == (claim.holder, claim.kind, claim.host):
                continue
            shared = set(other.gpus) & set(claim.gpus) if other.host == claim.host else set()
            if shared and other.until_at > now:
                raise StoreBusy("somebody else holds one of these GPUs")
            left = tuple(gpu for gpu in other.gpus if gpu not in shared)
            kept += [replace(other, gpus=left)] if left else []
        self._tables.claims = [*kept, claim]

    def drop(self, holder: str, kind: ClaimKind, host: str) -> None:
        mine = (holder, kind, host)
        self._tables.claims = [c for c in self._tables.claims if (c.holder, c.kind, c.host) != mine]

    def wait(self, wish: Wish) -> None:
        self.leave(wish.holder, wish.kind)
        self._tables.wishes.append(wish)

    def leave(self, holder: str, kind: ClaimKind) -> None:
        self._tables.wishes = [w for w in self._tables.wishes if (w.holder, w.kind) != (holder, kind)]

    def begin_use(self, use: Use) -> None:
        self._tables.uses.append(use)

    def go_on(self, holder: str, now: datetime) -> bool:
        mine = [number for number, use in enumerate(self._tables.uses) if use.holder == holder]
        for number in mine[-1:]:
            use = self._tables.uses[number]
            self._tables.uses[number] = replace(use, end_at=max(use.end_at, now))
        return bool(mine)

    def uses(self, holder: str, since_at: datetime) -> Sequence[Use]:
        return [use for use in self._tables.uses if use.holder == holder and use.end_at > since_at]

    def forget(self, before: datetime, holder: str | None = None) -> int:
        def stays(row: Use | Claim | Wish) -> bool:
            end_at = row.end_at if isinstance(row, Use) else row.until_at
            return end_at >= before or holder not in (None, row.holder)

        kept = {
            name: [row for row in getattr(self._tables, name) if stays(row)] for name in ("uses", "claims", "wishes")
        }
        gone = sum(len(getattr(self._tables, name)) - len(rows) for name, rows in kept.items())
        for name, rows in kept.items():
            setattr(self._tables, name, rows)
        return gone


class _Promotions:
    def __init__(self, tables: _Tables) -> None:
        self._rows, self._evaluations = tables.promotions, tables.evaluations

    def current(self) -> Promotion | None:
        return self._rows[-1] if self._rows else None

    def at(self, moment: datetime) -> Promotion | None:
        earlier = [row for row in self._rows if row.at <= moment]
        return earlier[-1] if earlier else None

    def history(self, limit: int = 1000) -> Sequence[Promotion]:
        return self._rows[::-1][:limit]

    def add(self, promotion: Promotion) -> Promotion:
        if promotion.id != len(self._rows) + 1:
            raise StoreBusy("there is such a row already")
        self._rows.append(promotion)
        return promotion

    def keep(self, evaluation: Evaluation) -> Evaluation:
        self._evaluations.append(replace(evaluation, id=len(self._evaluations) + 1))
        return self._evaluations[-1]

    def evaluation(self, evaluation_id: int) -> Evaluation | None:
        return next((one for one in self._evaluations if one.id == evaluation_id), None)

    def evaluations(self, limit: int = 100) -> Sequence[Evaluation]:
        return self._evaluations[::-1][:limit]


class _Schedules:
    def __init__(self, tables: _Tables) -> None:
        self._rows = tables.schedules

    def all(self) -> Sequence[Schedule]:
        return [self._rows[name] for name in sorted(self._rows)]

    def get(self, name: str) -> Schedule:
        if name not in self._rows:
            raise ScheduleError(f"there is no schedule {name!r}")
        return self._rows[name]

    def put(self, schedule: Schedule) -> None:
        self._rows[schedule.name] = schedule

    def remove(self, name: str) -> None:
        self.get(name)
        del self._rows[name]


class _Retrainings:
    def __init__(self, tables: _Tables) -> None:
        self._rows = tables.retrainings

    def add(self, retraining: Retraining) -> None:
        slots = {(one.schedule, one.slot_at) for one in self._rows.values() if one.slot_at is not None}
        if retraining.id in self._rows or (retraining.schedule, retraining.slot_at) in slots:
            raise StoreBusy("a retraining has this id or slot")
        self._refuse_second(retraining)
        self._rows[retraining.id] = retraining

    def get(self, retraining_id: str) -> Retraining:
        if retraining_id not in self._rows:
            raise RetrainingError(f"there is no retraining {retraining_id!r}")
        return self._rows[retraining_id]

    def save(self, retraining: Retraining) -> None:
        self.get(retraining.id)
        self._refuse_second(retraining)
        self._rows[retraining.id] = retraining

    def open(self) -> Retraining | None:
        return next((one for one in self._rows.values() if one.is_open), None)

    def latest(self, limit: int = 50) -> Sequence[Retraining]:
        return sorted(self._rows.values(), key=lambda one: (one.begun_at, one.id), reverse=True)[:limit]

    def _refuse_second(self, retraining: Retraining) -> None:
        other = self.open()
        if retraining.is_open and other is not None and other.id != retraining.id:
            raise StoreBusy("a retraining is open")


class _Shelf:
    def __init__(self, tables: _Tables) -> None:
        self._tables = tables

    def get(self, order_id: str) -> Shelved:
        living = [share.made_at for share in self.shares(order_id) if share.revoked_at is None]
        noted = self._tables.shelf.get(order_id, ORDINARY)
        return replace(noted, shared_at=max(living, default=None))

    def of(self, customer: str) -> Mapping[str, Shelved]:
        mine = {order.id: self.get(order.id) for order in self._tables.orders.values() if order.customer == customer}
        return {order_id: noted for order_id, noted in mine.items() if noted != ORDINARY}

    def save(self, order_id: str, shelved: Shelved) -> None:
        self._tables.shelf[order_id] = replace(shelved, shared_at=None)

    def binned_before(self, moment: datetime, limit: int = 100) -> Sequence[str]:
        orders = self._tables.orders
        noted = sorted((note.binned_at, key) for key, note in self._tables.shelf.items() if note.binned_at)
        old = [key for at, key in noted if at < moment and orders[key].erased_at is None]
        return [key for key in old if self._tables.shelf[key].hides(orders[key])][:limit]

    def share(self, share: Share) -> None:
        self.unshare(share.order_id, share.made_at)
        self._tables.shares.append(share)
        old = self.shares(share.order_id)[:-SHARES_KEPT]
        self._tables.shares = [one for one in self._tables.shares if one not in old]

    def unshare(self, order_id: str, now: datetime) -> None:
        def ended(share: Share) -> Share:
            is_living = share.order_id == order_id and share.revoked_at is None
            return replace(share, revoked_at=now) if is_living else share

        self._tables.shares = [ended(share) for share in self._tables.shares]

    def shares(self, order_id: str) -> Sequence[Share]:
        return [share for share in self._tables.shares if share.order_id == order_id]

    def shared(self, token_sha256: str) -> str | None:
        living = (one for one in self._tables.shares if one.revoked_at is None)
        return next((one.order_id for one in living if one.token_sha256 == token_sha256), None)

    def forget(self, order_id: str) -> None:
        if noted := self._tables.shelf.get(order_id):
            self._tables.shelf[order_id] = replace(noted, title=None)
        self._tables.shares = [share for share in self._tables.shares if share.order_id != order_id]


class _FakeWork:
    """Works on a copy of the tables; ``commit`` makes the copy the truth."""

    orders: Orders
    jobs: Jobs
    outbox: Outbox
    inbox: Inbox
    gpus: Gpus
    counts: Counts
    watch: Watch
    promotions: Promotions
    schedules: Schedules
    retrainings: Retrainings
    shelf: Shelf
    editions: Editions

    def __init__(self, store: FakeStore, *, writes: bool) -> None:
        self._store, self._writes = store, writes
        tables = self._tables = store.tables.copied()
        self.orders, self.jobs = _Orders(tables), _Jobs(tables)
        self.outbox, self.inbox = _Outbox(tables), _Inbox(tables)
        self.gpus = _Gpus(tables)
        self.counts, self.watch = _Counts(tables), _Watch(tables)
        self.promotions, self.schedules = _Promotions(tables), _Schedules(tables)
        self.retrainings = _Retrainings(tables)
        self.shelf = _Shelf(tables)
        self.editions = FakeEditions(tables.editions, tables.takes)

    def commit(self) -> None:
        if not self._writes:
            raise RuntimeError("a unit of work that only reads has nothing to commit: use begin()")
        self._store.before_commit()
        self._store.tables = self._tables.copied()


class FakeStore:
    """An orders database in memory: one writer at a time, readers see what was committed."""

    def __init__(self) -> None:
        self.tables = _Tables()
        self.busy = False
        self.before_commit: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """A unit of work that may write."""
        if self.busy or not self._lock.acquire(timeout=LOCK_SECONDS):
            raise StoreBusy("the orders database stays locked")
        try:
            yield _FakeWork(self, writes=True)
        finally:
            self._lock.release()

    @contextmanager
    def read(self) -> Iterator[Work]:
        """A unit of work that only reads."""
        yield _FakeWork(self, writes=False)
