"""A crash before or after any commit and any call to Stripe: whatever the point, the order comes to its right end.

The process dies at the n-th boundary; a new one begins, and everybody does what they do in life: the customer
clicks again, Stripe sends its webhook again, the lease runs out and another worker claims. This is done for every n.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.chaos.mortal import MortalStore
from tests.fakes import FakeStore
from tests.house import COMPLETED, House, session_of
from tests.samples import PREMISE
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.errors import LeaseLost, ReleaseDamaged
from tng.jobs import EventKind, JobState
from tng.orders import Order, OrderState
from tng.ports import Store

Step = TypeVar("Step")
RESULT = {"script_text": "Title: X\n", "release_id": "tng-small-2", "run_sha256": "a" * 64}


class Crash(BaseException):
    """The process is gone; nothing in the product may catch it."""


class Boundaries:
    """Counts the points at which a process could die, and lets it die at one of them."""

    def __init__(self, fatal: int) -> None:
        self.fatal = fatal
        self.passed = 0

    def point(self, _name: str = "") -> None:
        """Die here, if this is the one."""
        self.passed += 1
        if self.passed == self.fatal:
            raise Crash


def mortal_house(store: Store, fatal: int, *, careless: bool = False) -> House:
    """A house that dies at a boundary. Stripe does not die with it."""
    boundaries = Boundaries(fatal)
    house = House(MortalStore(store, boundaries, careless=careless))  # type: ignore[arg-type]
    for name in ("open_checkout", "read_payment", "close_checkout", "refund"):
        setattr(house.gateway, name, mortal(getattr(house.gateway, name), boundaries))
    return house


def mortal(call: Callable[..., object], boundaries: Boundaries) -> Callable[..., object]:
    """A call of Stripe with a boundary on either side."""

    def around(*given: object, **named: object) -> object:
        boundaries.point()
        answer = call(*given, **named)
        boundaries.point()
        return answer

    return around


class Life:
    """What the world does, again and again, until the order is at its end."""

    def __init__(self, house: House, *, good: bool) -> None:
        self.house, self.good = house, good
        self.deaths = 0

    def to_its_end(self) -> Order:
        """Every step, repeated until it was done without dying."""
        order = self._again(lambda: self.house.shop.place_order("ada", PREMISE, "key-1"))
        order = self._again(lambda: self.house.shop.open_checkout(order.id, "ada"))
        self.house.gateway.pay(session_of(order))
        hook = self.house.gateway.webhook(COMPLETED, session_of(order))
        self._again(lambda: self.house.shop.receive_event(*hook))
        self._again(self.house.shop.run_inbox)
        for _ in range(3):
            self._again(self._work)
            self.house.clock.advance(minutes=3)
            self._again(self.house.shop.reconcile)
            self._again(self.house.shop.run_inbox)
            self._again(self.house.shop.run_errands)
        return self.house.shop.order(order.id, "ada")

    def _again(self, step: Callable[[], Step]) -> Step:
        while True:
            try:
                return step()
            except Crash:
                self.deaths += 1
                self.house.shop = self.house.new_shop()
                self.house.clock.advance(seconds=11)  # and the lease of a dead worker runs out

    def _work(self) -> None:
        job = self.house.fulfilment.claim("worker")
        if job is None:
            return
        try:
            self.house.fulfilment.heartbeat(job, [(EventKind.PLAN, {})])
            if self.good:
                self.house.fulfilment.deliver(job, **RESULT)
            else:
                self.house.fulfilment.fail(job, ReleaseDamaged("model-1.index is missing"))
        except LeaseLost:
            return


@pytest.mark.parametrize("good", [True, False], ids=["delivered", "refunded"])
def test_a_crash_at_any_point_comes_to_the_right_end(tmp_path: Path, good: bool) -> None:
    empty, points = tmp_path / "empty.sqlite", 0
    migrate(f"sqlite:///{empty}")
    while True:
        store = SqlStore(connect(f"sqlite:///{shutil.copy(empty, tmp_path / f'{points}.sqlite')}"))
        life = Life(mortal_house(store, points + 1), good=good)
        order = life.to_its_end()
        assert_right_end(life.house, order, good=good)
        store.close()
        if not life.deaths:
            break
        points += 1
    assert points >= 20


def test_a_store_that_saves_in_two_steps_would_be_caught() -> None:
    """The control: with PAID and its job in two commits, some point ends wrong."""
    wrong = []
    for fatal in range(1, 40):
        life = Life(mortal_house(FakeStore(), fatal, careless=True), good=True)
        try:
            assert_right_end(life.house, life.to_its_end(), good=True)
        except AssertionError:
            wrong.append(fatal)
    assert wrong


def assert_right_end(house: House, order: Order, *, good: bool) -> None:
    """One order, one page, one job, one script or one refund."""
    assert [o.id for o in house.shop.orders("ada")] == [order.id]
    assert len(house.gateway.payments) == 1
    job = house.job_of(order)
    assert job is not None
    kinds = [event.kind for event in house.shop.events(order.id, "ada")[2]]
    if good:
        assert (order.state, job.state) == (OrderState.DELIVERED, JobState.DONE)
        assert kinds.count(EventKind.DONE) == 1
        assert house.gateway.refunds == {}
    else:
        assert (order.state, job.state) == (OrderState.REFUNDED, JobState.DEAD)
        assert kinds.count(EventKind.DEAD) == 1
        assert house.gateway.refunds == {f"order-{order.id}-refund": order.payment_intent_id}
