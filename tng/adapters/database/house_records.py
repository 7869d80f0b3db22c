"""The tables of workers, faults and GPUs, and the way between a row and an object of the language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from tng.adapters.database.records import GROWING_ID, Record
from tng.faults import Fault
from tng.gpus.rules import Claim, ClaimKind, Use, Wish
from tng.overview import Presence


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
    """A row of ``gpu_claims``: one GPU of a :class:`tng.gpus.rules.Claim`. Its key is why no GPU is held twice."""

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
    """A row of ``gpu_wishes``; see :class:`tng.gpus.rules.Wish`."""

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
    """A row of ``gpu_uses``; see :class:`tng.gpus.rules.Use`."""

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
