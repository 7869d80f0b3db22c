"""A process that dies at its n-th boundary: before or after a commit, before or after a call of Stripe.

The product holds no failpoint. The store and the gateway are wrapped, and a boundary is named for the function of the
product that stands at it.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, Protocol

from tests.chaos.world import Asked
from tng.orders import Order
from tng.ports import Store, Work

CALLS = ("open_checkout", "read_payment", "close_checkout", "session_of", "refund", "recent_events")


class Boundaries:
    """Counts the points at which this process could die, and dies at one of them; 0: at none."""

    def __init__(self, world: Asked, fatal: int) -> None:
        self._world, self._fatal, self._passed = world, fatal, 0

    def point(self, name: str) -> None:
        """Say where we are, and die here, if this is the one."""
        self._world.passes(name)
        self._passed += 1
        if self._passed == self._fatal:
            os.kill(os.getpid(), signal.SIGKILL)


def use_case() -> str:
    """The function of the product that is at work: ``till.Till._settle``."""
    frame = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("tng.") and not module.startswith("tng.adapters"):
            return f"{module.removeprefix('tng.')}.{frame.f_code.co_qualname}"
        frame = frame.f_back  # type: ignore[assignment]
    return "test"


class Pointed(Protocol):
    """Is told of every boundary, and may end the process there."""

    def point(self, name: str) -> None:
        """We are at this one."""
        ...


class MortalStore:
    """A store whose commits have a boundary on either side.

    A careless one commits an order as soon as it is saved, apart from what belongs to it.
    """

    def __init__(self, store: Store, boundaries: Pointed, *, careless: bool = False) -> None:
        self._store, self._boundaries, self._careless = store, boundaries, careless

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """A unit of work that may die before or after its commit."""
        with self._store.begin() as work:
            commit = work.commit

            def mortal_commit() -> None:
                name = use_case()
                self._boundaries.point(f"{name}: before commit")
                commit()
                self._boundaries.point(f"{name}: after commit")

            work.commit = mortal_commit  # type: ignore[method-assign]
            if self._careless:
                _make_careless(work, mortal_commit)
            yield work

    def read(self) -> AbstractContextManager[Work]:
        """Reading has no boundary."""
        return self._store.read()


def _make_careless(work: Work, commit: Callable[[], None]) -> None:
    save = work.orders.save

    def careless_save(order: Order) -> Order:
        saved = save(order)
        commit()
        return saved

    work.orders.save = careless_save  # type: ignore[method-assign]


class MortalGateway:
    """Stripe, which does not die with the process that calls it."""

    livemode = False

    def __init__(self, world: Asked, boundaries: Boundaries) -> None:
        self._world, self._boundaries = world, boundaries

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            mortal = name in CALLS
            where = use_case()
            if mortal:
                self._boundaries.point(f"{where}: before {name}")
            answer = self._world.gateway_call(name, *given, **named)
            if mortal:
                self._boundaries.point(f"{where}: after {name}")
            return answer

        return call


class WorldClock:
    """The world's time."""

    def __init__(self, world: Asked) -> None:
        self._world = world

    def now(self) -> datetime:
        """The time it shows."""
        now: datetime = self._world.now()
        return now
