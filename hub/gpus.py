"""GPUs on the hub's side: what there is, what a person's server holds, and what the pages say of it.

The rules are in ``tng.gpus.rules``, the book in the orders database (``tng.gpus.ledger``). A server's claim is renewed
whenever the hub looks after it, and given back when the server ends or does not start.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from hub.doors import Choice, Refusal
from tng.adapters.nvidia import inventory
from tng.app import build_gpu_ledger
from tng.errors import StoreBusy
from tng.gpus.ledger import GpuLedger
from tng.gpus.rules import Claim, ClaimKind, most_gpus
from tng.settings import Settings

AGAIN_SECONDS = 20
"""How often the page of the one who waits asks again."""

RENEW_SECONDS = 10.0
"""Renewed at most so often: the hub looks after a server more often than that while it ends."""

KIND = ClaimKind.WORKBENCH

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """What the form tells: GPU hours used and allowed of the week, GPUs free now and waited for."""

    used_hours: float
    allowed_hours: float
    free: int | None
    in_all: int
    back_at: datetime | None = None

    @property
    def told(self) -> str:
        """The hours, as a sentence; and where they are gone, when they come back."""
        used = f"{hours(self.used_hours)} of {hours(self.allowed_hours)} GPU hours used in the last seven days."
        return f"{used} The next ones are free on {moment(self.back_at)}." if self.back_at else used

    @property
    def left_hours(self) -> float:
        """GPU hours that may still be used."""
        return max(0.0, self.allowed_hours - self.used_hours)


@dataclass(frozen=True, slots=True)
class GpuDesk:
    """Where workbenches get their GPUs. Plain values: what they lead to is found when it is needed."""

    orders_url: str = field(repr=False)
    order_gpus: int
    gpus_at_once: int
    hours_a_week: float
    host: str = field(default_factory=socket.gethostname)

    @classmethod
    def of(cls, settings: Settings) -> GpuDesk:
        """The desk that these settings describe."""
        return cls(settings.orders_url, settings.order_gpus, settings.gpus_at_once, settings.gpu_hours_a_week)

    @property
    def gpus(self) -> Sequence[str]:
        """The UUIDs of the GPUs of this machine; asked for once."""
        return _gpus()

    @property
    def most(self) -> int:
        """How many one workbench may ask for."""
        return most_gpus(len(self.gpus), order_gpus=self.order_gpus, at_once=self.gpus_at_once)

    @property
    def ledger(self) -> GpuLedger:
        """The book."""
        return _ledger(self.orders_url, self.host, self.order_gpus)

    def state(self, holder: str) -> State | None:
        """What there is for this person now; None where this machine has nothing to give. Raises StoreBusy."""
        if not self.most:
            return None
        used = self.ledger.hours_used(holder)
        return State(used, self.hours_a_week, self.free(), self.most, self.back_at(holder))

    def names(self, holder: str) -> Sequence[str]:
        """The GPUs that ``holder`` may be given some of."""
        return self.gpus

    def free(self) -> int | None:
        """How many nobody holds, waits for, or keeps for orders; None where that is not known. Raises StoreBusy."""
        floor = self.ledger.floor(self.gpus)
        return max(0, len(floor.free) - floor.kept - sum(wish.count for wish in floor.wishes if wish.kind is KIND))

    def claim(self, holder: str, choice: Choice) -> tuple[str, ...]:
        """The GPUs for a start. Raises Refusal: 403 where the hours of the week are used up, 503 where all are busy."""
        if back_at := self.back_at(holder):
            raise used_up(self.hours_a_week, back_at)
        answer = self.ledger.claim(holder, KIND, choice.gpus, self.names(holder))
        if isinstance(answer, Claim):
            return answer.gpus
        raise busy(answer.place)

    def hours_left(self, holder: str) -> float:
        """GPU hours of this week that ``holder`` may still use."""
        return max(0.0, self.hours_a_week - self.ledger.hours_used(holder))

    def back_at(self, holder: str) -> datetime | None:
        """When the next hour is free again, where the hours of the week are used up; None where they are not."""
        if self.hours_left(holder):
            return None
        return self.ledger.hours_back_at(holder, self.hours_a_week)


class ClusterDesk(GpuDesk):
    """Where a cluster finds the GPUs: nobody waits here, nothing is kept for orders; hours are counted all the same.

    Its GPUs have no names that the hub knows: each holder's are numbered.
    """

    __slots__ = ()

    @classmethod
    def of(cls, settings: Settings) -> ClusterDesk:
        """The desk that these settings describe."""
        return cls(settings.orders_url, 0, settings.gpus_at_once, settings.gpu_hours_a_week, host="cluster")

    @property
    def most(self) -> int:
        """How many one workbench may ask for."""
        return self.gpus_at_once

    def names(self, holder: str) -> Sequence[str]:
        """GPUs that are this holder's alone."""
        return [f"{holder}/{number}" for number in range(self.gpus_at_once)]

    def free(self) -> int | None:
        """Only the scheduler knows."""
        return None


class Hold:
    """The GPUs of one person's server. Its methods wait for the database in a thread, not in the hub's loop."""

    def __init__(self, desk: GpuDesk | None, holder: str) -> None:
        self._desk, self.holder = desk, holder
        self.gpus: tuple[str, ...] = ()
        self.hours_left: float | None = None
        self._renewed_at = -math.inf

    @property
    def desk(self) -> GpuDesk:
        """Where they come from. Who has GPUs had them from somewhere."""
        if self._desk is None:
            raise LookupError("no desk for GPUs is configured here")
        return self._desk

    async def take(self, choice: Choice) -> None:
        """Claim what was chosen. Raises Refusal."""
        if not choice.gpus:
            return
        try:
            self.gpus = await asyncio.to_thread(self.desk.claim, self.holder, choice)
            self.hours_left = await asyncio.to_thread(self.desk.hours_left, self.holder)
        except StoreBusy as error:
            raise Refusal(error.user_message, reason="busy", status_code=503, again_seconds=AGAIN_SECONDS) from error
        self._renewed_at = time.monotonic()
        logger.info("a workbench has %d GPUs", len(self.gpus))

    async def renew(self) -> str:
        """Go on: "" while the server may keep its GPUs, or a sentence why it may not."""
        if not self.gpus or time.monotonic() < self._renewed_at + RENEW_SECONDS:
            return ""
        try:
            return await asyncio.to_thread(self._renew)
        except StoreBusy:
            logger.warning("the GPUs of a workbench could not be renewed; trying again")
            return ""

    def give_back(self) -> None:
        """The server has ended. Where the database does not answer, the lease runs out by itself."""
        if not self.gpus:
            return
        self.gpus, self.hours_left = (), None
        try:
            self.desk.ledger.release(self.holder, KIND)
        except StoreBusy:
            logger.warning("the GPUs of a workbench could not be given back; they are free in two minutes")

    def _renew(self) -> str:
        if not self.desk.ledger.renew(self.holder, KIND, self.gpus):
            return "its GPUs were given to somebody else while the hub was away"
        self._renewed_at = time.monotonic()
        self.hours_left = self.desk.hours_left(self.holder)
        return "" if self.hours_left > 0 else "its GPU hours of the week are used up"


def busy(place: int) -> Refusal:
    """The page of the one who waits; it asks again by itself."""
    return Refusal(
        f"All GPUs are busy. You are number {place} in the queue. Your place is kept while this page is open, "
        "and your workbench opens by itself as soon as it is your turn.",
        reason="gpus-busy",
        status_code=503,
        again_seconds=AGAIN_SECONDS,
    )


def used_up(allowed_hours: float, back_at: datetime) -> Refusal:
    """The page of the one whose hours are gone."""
    return Refusal(
        f"Your {hours(allowed_hours)} GPU hours of the last seven days are used up. The next ones are free on "
        f"{moment(back_at)}. Until then you can open the workbench without a GPU.",
        reason="gpu-hours",
        status_code=403,
    )


def hours(value: float) -> str:
    """Hours for a person: "3.5", "20"."""
    return f"{value:.1f}".removesuffix(".0")


def moment(at: datetime) -> str:
    """A moment for a person, to the minute."""
    return f"{at:%A, %d %B, %H:%M} UTC"


@cache
def _gpus() -> tuple[str, ...]:
    return tuple(gpu.uuid for gpu in inventory(os.environ.get("CUDA_VISIBLE_DEVICES")))


@cache
def _ledger(orders_url: str, host: str, order_gpus: int) -> GpuLedger:
    return build_gpu_ledger(orders_url, host=host, order_gpus=order_gpus)
