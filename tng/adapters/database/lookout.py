"""What an operator sees, in SQL: counts over orders and jobs, the workers that are there, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, func, select
from sqlalchemy.orm import aliased

from tng.adapters.database.house_records import FaultRecord, WorkerRecord
from tng.adapters.database.records import ErrandRecord, JobEventRecord, JobRecord, OrderRecord
from tng.adapters.database.table import Table
from tng.faults import Fault
from tng.jobs import EventKind, Job, JobKind, JobState
from tng.orders import OrderState
from tng.overview import Presence
from tng.promotion.promotions import Written

MOST_RUNNING = 100
MOST_KINDS = 100
OTHER = "Other"
LAST_RUNS = 20
FORGOTTEN = timedelta(days=1)
_SCRIPTS = JobRecord.kind == JobKind.WRITE_SCRIPT.value


class SqlCounts(Table):
    """See :class:`tng.ports.Counts`."""

    def orders(self) -> Mapping[OrderState, int]:
        """How many orders are in each state."""
        query = select(OrderRecord.state, func.count()).group_by(OrderRecord.state)
        return {OrderState(state): count for state, count in self._session.execute(query)}

    def waiting(self) -> tuple[int, datetime | None]:
        """How many jobs nobody has taken, and when the oldest of their orders was paid."""
        query = (
            select(func.count(), func.min(OrderRecord.paid_at))
            .select_from(JobRecord)
            .outerjoin(OrderRecord, OrderRecord.id == JobRecord.order_id)
            .where(JobRecord.state == JobState.QUEUED.value, _SCRIPTS)
        )
        count, oldest = self._session.execute(query).one()
        return count, oldest

    def running(self) -> Sequence[Job]:
        """Jobs that a worker owns, those first whose lease ends first."""
        query = select(JobRecord).where(JobRecord.state == JobState.RUNNING.value)
        soonest = query.order_by(JobRecord.lease_until, JobRecord.id).limit(MOST_RUNNING)
        return [record.to_job() for record in self._session.scalars(soonest)]

    def run_seconds(self) -> float | None:
        """How long the last runs took, in the mean. A start and an end belong together by their attempt."""
        ended, started = aliased(JobEventRecord), aliased(JobEventRecord)
        same_run = and_(
            started.job_id == ended.job_id,
            started.attempt == ended.attempt,
            started.kind == EventKind.STARTED.value,
        )
        query = select(started.said_at, ended.said_at).join(started, same_run).join(JobRecord)
        last = query.where(_SCRIPTS, ended.kind == EventKind.DONE.value).order_by(ended.id.desc()).limit(LAST_RUNS)
        seconds = [(end - start).total_seconds() for start, end in self._session.execute(last)]
        return sum(seconds) / len(seconds) if seconds else None

    def written(self, promotion_id: int, limit: int) -> Sequence[Written]:
        """The first scripts that ended, well or not, of those begun under this row of the ledger."""
        ended = JobRecord.state.in_([JobState.DONE.value, JobState.DEAD.value])
        query = select(JobRecord.order_id, JobRecord.state, OrderRecord.provenance)
        of_row = query.join(OrderRecord).where(JobRecord.promotion_id == promotion_id, ended, _SCRIPTS)
        rows = self._session.execute(of_row.order_by(JobRecord.id).limit(limit))
        return [Written.read(order_id, state == JobState.DONE.value, told) for order_id, state, told in rows]

    def errands(self, *kinds: str) -> int:
        """How many errands of these kinds are owed."""
        owed = select(func.count()).select_from(ErrandRecord).where(~ErrandRecord.done)
        return self._session.scalar(owed.where(ErrandRecord.kind.in_(kinds)) if kinds else owed) or 0


class SqlWatch(Table):
    """See :class:`tng.ports.Watch`."""

    def report(self, presence: Presence) -> None:
        """This worker is there. Those not seen for a day are forgotten."""
        record = self._one(select(WorkerRecord).where(WorkerRecord.name == presence.name))
        if record is None:
            record = WorkerRecord(name=presence.name)
            self._session.add(record)
        record.started_at, record.seen_at = presence.started_at, presence.seen_at
        self._session.execute(delete(WorkerRecord).where(WorkerRecord.seen_at < presence.seen_at - FORGOTTEN))
        self._session.flush()

    def leave(self, name: str) -> None:
        """This worker has ended."""
        self._session.execute(delete(WorkerRecord).where(WorkerRecord.name == name))

    def workers(self) -> Sequence[Presence]:
        """Everybody who reported and has not left, by name."""
        query = select(WorkerRecord).order_by(WorkerRecord.name)
        return [record.to_presence() for record in self._session.scalars(query)]

    def note(self, faults: Sequence[Fault]) -> None:
        """Add these to what was counted before."""
        for fault in faults:
            record = self._fault(fault.part, fault.kind) or self._room_for(fault)
            both = record.to_fault().and_again(fault)
            record.count, record.last_at = both.count, both.last_at
            self._session.flush()

    def faults(self) -> Sequence[Fault]:
        """Every kind of failure, the last one seen first."""
        query = select(FaultRecord).order_by(FaultRecord.last_at.desc(), FaultRecord.part, FaultRecord.kind)
        return [record.to_fault() for record in self._session.scalars(query)]

    def _fault(self, part: str, kind: str) -> FaultRecord | None:
        return self._one(select(FaultRecord).where(FaultRecord.part == part, FaultRecord.kind == kind))

    def _room_for(self, fault: Fault) -> FaultRecord:
        """A row to count in: its own, while there is room; the one of all others after that."""
        kinds = select(func.count()).select_from(FaultRecord).where(FaultRecord.part == fault.part)
        full = (self._session.scalar(kinds) or 0) >= MOST_KINDS
        if full and (other := self._fault(fault.part, OTHER)):
            return other
        kind = OTHER if full else fault.kind
        record = FaultRecord(part=fault.part, kind=kind, count=0, last_at=fault.last_at)
        self._session.add(record)
        return record
