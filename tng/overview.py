"""What an operator sees of the house: numbers, names of processes, ids. No word of a customer's, no address, no I/O.

The same objects are filled by ``tng.lookout``, sent by the api and drawn by the bridge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from tng.faults import Fault
from tng.orders import OrderState

PRESENT = timedelta(seconds=20)
"""A worker that was not seen for longer is gone, or cannot reach the database: it says so every five seconds."""

OPERATORS = "operators"
"""The group of the hub that sees the bridge."""


@dataclass(frozen=True, slots=True)
class Presence:
    """A worker that said it is there; ``name`` is host:pid."""

    name: str
    started_at: datetime
    seen_at: datetime

    def here(self, now: datetime) -> bool:
        """Whether it was seen lately."""
        return now - self.seen_at <= PRESENT


@dataclass(frozen=True, slots=True)
class Lease:
    """A job that a worker owns: until when, when it last said that it is alive, and with which release it writes."""

    worker: str
    job_id: int
    order_id: str | None
    attempt: int
    failures: int
    lease_until: datetime
    heard_at: datetime
    release_id: str | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """Paid work that nobody has taken yet. ``estimate_seconds`` is until all of it is done; None: not known yet."""

    waiting: int = 0
    oldest_seconds: float = 0.0
    estimate_seconds: float | None = None
    refunds_waiting: int = 0
    reports_waiting: int = 0


@dataclass(frozen=True, slots=True)
class GpuUse:
    """A GPU that somebody holds; ``holder`` is a worker or a hub's user name."""

    gpu: str
    kind: str
    holder: str
    since_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class PartMemory:
    """What the processes of one part of the house hold. Memory that processes share is counted in each."""

    part: str
    processes: int
    megabytes: int


@dataclass(frozen=True, slots=True)
class Machine:
    """The house's processes on this machine; ``kernels`` are those of people's servers, warm ones too."""

    parts: tuple[PartMemory, ...] = ()
    kernels: int = 0
    free_disk_megabytes: int | None = None


class Health(StrEnum):
    """How a part of the house is."""

    WELL = "well"
    UNWELL = "unwell"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """A part of the house, how it is, and a sentence that says how that is known."""

    part: str
    health: Health
    sentence: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The house at one moment."""

    at: datetime
    orders: Mapping[OrderState, int] = field(default_factory=dict)
    queue: Queue = field(default_factory=Queue)
    leases: tuple[Lease, ...] = ()
    workers: tuple[Presence, ...] = ()
    gpus: tuple[GpuUse, ...] = ()
    gpus_waiting: int = 0
    faults: tuple[Fault, ...] = ()
    machine: Machine | None = None
    health: tuple[PartHealth, ...] = ()
