"""The book of the GPUs: claim, renew, give back, and how many hours somebody has used. Over the orders database.

Every decision is one unit of work that may write, so that two who ask at once never get the same GPU. A claim that is
not renewed for ``LEASE`` counts no more; a place in the queue lasts ``PATIENCE`` after the last time it was asked for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tng.gpus.rules import (
    WEEK,
    Claim,
    ClaimKind,
    Floor,
    Use,
    Waiting,
    Wish,
    before,
    grant,
    hours_back_at,
    hours_used,
    living,
    waiting,
)
from tng.house_ports import Gpus
from tng.ports import Clock, Store, Work

LEASE = timedelta(seconds=120)
PATIENCE = timedelta(seconds=75)
"""The page of the one who waits asks again every twenty seconds."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Book:
    """What is in the book at one moment: who holds what, and who waits, the earliest first."""

    claims: Sequence[Claim]
    wishes: Sequence[Wish]


class GpuLedger:
    """The GPUs of one host. Safe to use from many threads and processes."""

    def __init__(self, store: Store, clock: Clock, *, host: str, order_gpus: int) -> None:
        self._store, self._clock = store, clock
        self._host, self._order_gpus = host, order_gpus

    def claim(self, holder: str, kind: ClaimKind, count: int, gpus: Sequence[str]) -> Claim | Waiting:
        """``count`` of the host's ``gpus`` for ``holder``, or a place in the queue. Raises StoreBusy.

        Whoever holds a claim already gets it once more where it is of the same size; another size is a new wish.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            held = self._held(work.gpus, holder, kind, now)
            if held is not None and len(held.gpus) == count:
                return self._renewed(work, held, now)
            self._give_back(work.gpus, holder, kind, now)
            wish = self._wish(work.gpus, holder, kind, count, now)
            floor = self._floor(work.gpus, gpus, now)
            granted = grant(wish, floor)
            answer = self._take(work.gpus, wish, granted, now) if granted else self._queue(work.gpus, wish, floor)
            work.commit()
        return answer

    def renew(self, holder: str, kind: ClaimKind, gpus: Sequence[str]) -> bool:
        """Go on holding ``gpus``: whether they are still this holder's. A lapsed claim is taken up again where
        nobody else took one of them meanwhile. Raises StoreBusy.
        """
        now = self._clock.now()
        with self._store.begin() as work:
            held = self._held(work.gpus, holder, kind, now)
            if held is not None and set(gpus) <= set(held.gpus):
                self._renewed(work, held, now)
                return True
            taken = {gpu for claim in self._claims(work.gpus, now) for gpu in claim.gpus if claim.holder != holder}
            if taken & set(gpus):
                return False
            self._take_up(work.gpus, Claim(holder, kind, self._host, tuple(gpus), now, now + LEASE), now)
            work.commit()
        return True

    def release(self, holder: str, kind: ClaimKind) -> None:
        """Give everything back, a place in the queue too; having nothing is fine. Raises StoreBusy."""
        with self._store.begin() as work:
            self._give_back(work.gpus, holder, kind, self._clock.now())
            work.gpus.leave(holder, kind)
            work.commit()

    def uses(self, holder: str) -> Sequence[Use]:
        """What ``holder`` used in the last seven days, the earliest first. Raises StoreBusy."""
        with self._store.read() as work:
            return work.gpus.uses(holder, self._clock.now() - WEEK)

    def hours_used(self, holder: str) -> float:
        """GPU hours of ``holder`` in the last seven days. Raises StoreBusy."""
        return hours_used(self.uses(holder), self._clock.now())

    def hours_back_at(self, holder: str, hours_a_week: float) -> datetime:
        """When the next hour is free again for somebody whose hours are used up. Raises StoreBusy."""
        return hours_back_at(self.uses(holder), self._clock.now(), hours_a_week=hours_a_week)

    def book(self) -> Book:
        """Who holds what on any host, and who waits. Raises StoreBusy."""
        now = self._clock.now()
        with self._store.read() as work:
            return Book(living(work.gpus.claims(), now), waiting(work.gpus.wishes(), now))

    def floor(self, gpus: Sequence[str]) -> Floor:
        """What is going on among ``gpus``, those of this host. Raises StoreBusy."""
        with self._store.read() as work:
            return self._floor(work.gpus, gpus, self._clock.now())

    def _floor(self, rows: Gpus, gpus: Sequence[str], now: datetime) -> Floor:
        wishes = [wish for wish in waiting(rows.wishes(), now) if wish.host == self._host]
        return Floor(gpus, self._claims(rows, now), wishes, self._order_gpus)

    def _claims(self, rows: Gpus, now: datetime) -> list[Claim]:
        return [claim for claim in living(rows.claims(), now) if claim.host == self._host]

    def _held(self, rows: Gpus, holder: str, kind: ClaimKind, now: datetime) -> Claim | None:
        mine = [claim for claim in self._claims(rows, now) if (claim.holder, claim.kind) == (holder, kind)]
        return mine[0] if mine else None

    def _wish(self, rows: Gpus, holder: str, kind: ClaimKind, count: int, now: datetime) -> Wish:
        """The wish of this holder, with the place that it has already where it asks for the same again."""
        known = [wish for wish in waiting(rows.wishes(), now) if (wish.holder, wish.kind) == (holder, kind)]
        same = [wish for wish in known if wish.count == count and wish.host == self._host]
        since_at = same[0].since_at if same else now
        return Wish(holder, kind, self._host, count, since_at, now + PATIENCE)

    def _take(self, rows: Gpus, wish: Wish, granted: tuple[str, ...], now: datetime) -> Claim:
        claim = Claim(wish.holder, wish.kind, self._host, granted, now, now + LEASE)
        rows.leave(wish.holder, wish.kind)
        rows.hold(claim, now)
        if wish.kind is ClaimKind.WORKBENCH:
            rows.begin_use(Use(wish.holder, len(granted), now, now))
        return claim

    @staticmethod
    def _queue(rows: Gpus, wish: Wish, floor: Floor) -> Waiting:
        rows.wait(wish)
        return Waiting(len(before(wish, floor.wishes)) + 1, wish)

    @staticmethod
    def _take_up(rows: Gpus, claim: Claim, now: datetime) -> None:
        """Hold again what had lapsed. The server ran on meanwhile: that time was used as well."""
        rows.drop(claim.holder, claim.kind, claim.host)
        rows.hold(claim, now)
        if claim.kind is ClaimKind.WORKBENCH and not rows.go_on(claim.holder, now):
            rows.begin_use(Use(claim.holder, len(claim.gpus), now, now))

    @staticmethod
    def _renewed(work: Work, held: Claim, now: datetime) -> Claim:
        renewed = replace(held, until_at=now + LEASE)
        work.gpus.hold(renewed, now)
        if held.kind is ClaimKind.WORKBENCH:
            work.gpus.go_on(held.holder, now)
        work.commit()
        return renewed

    def _give_back(self, rows: Gpus, holder: str, kind: ClaimKind, now: datetime) -> None:
        if kind is ClaimKind.WORKBENCH and self._held(rows, holder, kind, now):
            rows.go_on(holder, now)
        rows.drop(holder, kind, self._host)
