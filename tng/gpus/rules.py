"""Who gets which GPU, and for how long: the rules, as plain functions. No database, no clock, no driver.

A GPU is named by its UUID. A claim is a lease: whoever holds it renews it, and a crash lets it run out. Paid orders
come first: ``order_gpus`` GPUs of a host are never given to a workbench, held by a worker or not. Workbenches queue.
A training comes last: it takes what is left, and does not queue.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WEEK = timedelta(days=7)
HOUR_SECONDS = 3600.0


class ClaimKind(StrEnum):
    """What a GPU is held for."""

    ORDER = "order"
    WORKBENCH = "workbench"
    TRAINING = "training"
    """Retraining: the last of all."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody who wants ``count`` GPUs of a host, and may have to wait: a place in the queue until ``until_at``."""

    holder: str
    kind: ClaimKind
    host: str
    count: int
    since_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """GPUs that somebody holds until ``until_at``, unless that is renewed."""

    holder: str
    kind: ClaimKind
    host: str
    gpus: tuple[str, ...]
    since_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """GPU time that a workbench has had: ``count`` GPUs from ``begin_at`` to ``end_at``, which moves while it runs."""

    holder: str
    count: int
    begin_at: datetime
    end_at: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """The answer to a wish that cannot be granted now: ``place`` is 1 for who is next."""

    place: int
    wish: Wish


@dataclass(frozen=True, slots=True)
class Floor:
    """What is known of one host when a wish is decided: its GPUs, who holds them, and who waits."""

    gpus: Sequence[str]
    claims: Sequence[Claim]
    wishes: Sequence[Wish]
    order_gpus: int

    @property
    def free(self) -> list[str]:
        """The GPUs that nobody holds, in the order of the host."""
        held = {gpu for claim in self.claims for gpu in claim.gpus}
        return [gpu for gpu in self.gpus if gpu not in held]

    @property
    def kept(self) -> int:
        """How many of the free GPUs are kept for paid orders: those that no worker holds yet."""
        held = sum(len(claim.gpus) for claim in self.claims if claim.kind is ClaimKind.ORDER)
        return max(0, min(self.order_gpus, len(self.gpus)) - held)


def living(leases: Iterable[Claim], now: datetime) -> list[Claim]:
    """The claims that still hold."""
    return [claim for claim in leases if claim.until_at > now]


def waiting(wishes: Iterable[Wish], now: datetime) -> list[Wish]:
    """The wishes that are still meant, the earliest first."""
    return sorted((wish for wish in wishes if wish.until_at > now), key=lambda wish: (wish.since_at, wish.holder))


def most_gpus(total: int, *, order_gpus: int, at_once: int) -> int:
    """How many GPUs one workbench may ever ask for on a host with ``total`` of them."""
    return max(0, min(at_once, total - order_gpus))


def grant(wish: Wish, floor: Floor) -> tuple[str, ...]:
    """The GPUs that ``wish`` gets now; none where it has to wait.

    A worker takes what is free, up to what is kept for orders. A workbench takes what is left after that, and after
    everybody who waited before it: a later one passes only where the earlier ones could all be served as well. A
    training takes what nobody else waits for at all.
    """
    if wish.kind is ClaimKind.ORDER:
        spare = min(len(floor.free), floor.kept)
    elif wish.kind is ClaimKind.TRAINING:
        spare = len(floor.free) - floor.kept - wanted_by_workbenches(floor.wishes)
    else:
        spare = len(floor.free) - floor.kept - sum(other.count for other in before(wish, floor.wishes))
    return tuple(floor.free[: wish.count]) if 0 < wish.count <= spare else ()


def wanted_by_workbenches(wishes: Iterable[Wish]) -> int:
    """How many GPUs the workbenches wait for. Workers wait as well, for those alone that are kept for them."""
    return sum(wish.count for wish in wishes if wish.kind is ClaimKind.WORKBENCH)


def before(wish: Wish, wishes: Iterable[Wish]) -> list[Wish]:
    """Those of the same kind who have waited longer than ``wish``."""
    return [
        other
        for other in wishes
        if other.kind is wish.kind
        and other.holder != wish.holder
        and (other.since_at, other.holder) < (wish.since_at, wish.holder)
    ]


def hours_used(uses: Iterable[Use], now: datetime) -> float:
    """GPU hours of the seven days before ``now``: two GPUs for one hour are two."""
    return sum(_seconds(use, now - WEEK, now) * use.count for use in uses) / HOUR_SECONDS


def hours_back_at(uses: Iterable[Use], now: datetime, *, hours_a_week: float) -> datetime:
    """When one GPU hour will be free again (or all, where a week has less than one), if none is used until then."""
    goal = max(hours_a_week - 1.0, 0.0)
    owed_seconds = (hours_used(uses, now) - goal) * HOUR_SECONDS
    if owed_seconds <= 0:
        return now
    at = now
    for use in sorted(uses, key=lambda use: use.begin_at):
        begin_at = max(use.begin_at, now - WEEK)
        gained_seconds = _seconds(use, now - WEEK, now) * use.count
        if gained_seconds >= owed_seconds:
            return begin_at + timedelta(seconds=owed_seconds / use.count) + WEEK
        owed_seconds -= gained_seconds
        at = max(at, min(use.end_at, now) + WEEK)
    return at


def _seconds(use: Use, begin_at: datetime, end_at: datetime) -> float:
    return max(0.0, (min(use.end_at, end_at) - max(use.begin_at, begin_at)).total_seconds())
