"""GPUs that are held, places in the queue, hours used, of one unit of work, in SQL. Who gets what is not decided here.

A unit that writes has the book to itself: SQLite has one writer anyway, PostgreSQL takes an advisory lock. Should that
fail one day, the key of ``gpu_claims`` still lets nobody hold a GPU twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select, text
from sqlalchemy.orm import Session

from tng.adapters.database.engine import is_postgres
from tng.adapters.database.house_records import GpuClaimRecord, GpuUseRecord, GpuWishRecord
from tng.gpus.rules import Claim, ClaimKind, Use, Wish

_Table = GpuClaimRecord | GpuUseRecord | GpuWishRecord

POSTGRES_LOCK = 7712
"""The advisory lock of the one that decides, until its unit ends."""


class SqlGpus:
    """See :class:`tng.ports.Gpus`."""

    def __init__(self, session: Session, *, writes: bool) -> None:
        self._session = session
        self._must_lock = writes and is_postgres(session)

    def claims(self) -> Sequence[Claim]:
        """Every claim, those that have lapsed too."""
        self._lock()
        rows: dict[tuple[str, str, str], list[GpuClaimRecord]] = defaultdict(list)
        query = select(GpuClaimRecord).order_by(GpuClaimRecord.since_at, GpuClaimRecord.holder)
        for row in self._session.scalars(query):
            rows[row.holder, row.kind, row.host].append(row)
        return [GpuClaimRecord.to_claim(some) for some in rows.values()]

    def wishes(self) -> Sequence[Wish]:
        """Every place in the queue, those that have lapsed too."""
        self._lock()
        query = select(GpuWishRecord).order_by(GpuWishRecord.since_at, GpuWishRecord.holder)
        return [row.to_wish() for row in self._session.scalars(query)]

    def hold(self, claim: Claim, now: datetime) -> None:
        """Store or renew a claim; a GPU that somebody else holds is refused by the table's key."""
        self._lock()
        own = and_(GpuClaimRecord.holder == claim.holder, GpuClaimRecord.kind == claim.kind.value)
        here = and_(GpuClaimRecord.host == claim.host, GpuClaimRecord.gpu.in_(claim.gpus))
        self._delete(GpuClaimRecord, here, or_(own, GpuClaimRecord.until_at <= now))
        for position, gpu in enumerate(claim.gpus):
            row = GpuClaimRecord(host=claim.host, gpu=gpu, position=position, holder=claim.holder)
            row.kind, row.since_at, row.until_at = claim.kind.value, claim.since_at, claim.until_at
            self._session.add(row)
        self._session.flush()

    def drop(self, holder: str, kind: ClaimKind, host: str) -> None:
        """Forget what the holder holds there."""
        self._lock()
        whose = and_(GpuClaimRecord.holder == holder, GpuClaimRecord.kind == kind.value)
        self._delete(GpuClaimRecord, whose, GpuClaimRecord.host == host)

    def wait(self, wish: Wish) -> None:
        """Store or renew a place in the queue."""
        self.leave(wish.holder, wish.kind)
        row = GpuWishRecord(holder=wish.holder, kind=wish.kind.value, host=wish.host, count=wish.count)
        row.since_at, row.until_at = wish.since_at, wish.until_at
        self._session.add(row)
        self._session.flush()

    def leave(self, holder: str, kind: ClaimKind) -> None:
        """Forget the holder's place in the queue."""
        self._lock()
        self._delete(GpuWishRecord, GpuWishRecord.holder == holder, GpuWishRecord.kind == kind.value)

    def begin_use(self, use: Use) -> None:
        """A workbench has GPUs from now on."""
        row = GpuUseRecord(holder=use.holder, count=use.count, begin_at=use.begin_at, end_at=use.end_at)
        self._session.add(row)
        self._session.flush()

    def go_on(self, holder: str, now: datetime) -> bool:
        """The latest use of this holder lasts until now at least; whether there is one."""
        latest = select(GpuUseRecord).where(GpuUseRecord.holder == holder).order_by(GpuUseRecord.id.desc()).limit(1)
        row = self._session.scalars(latest).one_or_none()
        if row is None:
            return False
        row.end_at = max(row.end_at, now)
        self._session.flush()
        return True

    def uses(self, holder: str, since_at: datetime) -> Sequence[Use]:
        """The uses that ended after ``since_at``, the earliest first."""
        query = select(GpuUseRecord).where(GpuUseRecord.holder == holder, GpuUseRecord.end_at > since_at)
        return [row.to_use() for row in self._session.scalars(query.order_by(GpuUseRecord.id))]

    def forget(self, before: datetime, holder: str | None = None) -> int:
        """Take away what was over before then; of this holder alone, where one is named. How much."""
        self._lock()
        gone = self._delete(GpuUseRecord, GpuUseRecord.end_at < before, *_of(GpuUseRecord, holder))
        gone += self._delete(GpuClaimRecord, GpuClaimRecord.until_at < before, *_of(GpuClaimRecord, holder))
        return gone + self._delete(GpuWishRecord, GpuWishRecord.until_at < before, *_of(GpuWishRecord, holder))

    def _lock(self) -> None:
        if self._must_lock:
            self._session.execute(text(f"SELECT pg_advisory_xact_lock({POSTGRES_LOCK})"))
            self._must_lock = False

    def _delete(self, table: type[_Table], *where: ColumnElement[bool]) -> int:
        # "fetch" takes the rows out of the session too: the same key may be added again in this unit
        gone = self._session.execute(delete(table).where(*where), execution_options={"synchronize_session": "fetch"})
        return int(gone.rowcount)  # type: ignore[attr-defined]


def _of(table: type[_Table], holder: str | None) -> list[ColumnElement[bool]]:
    return [] if holder is None else [table.holder == holder]
