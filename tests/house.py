"""A whole shop over a store, a fake Stripe and a clock that stands still; and what customers and Stripe do to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.fakes import FakeClock, FakeGateway, FakeStore
from tests.samples import PREMISE, forced, the_order
from tng.errors import ShopClosed
from tng.fulfilment import Fulfilment
from tng.jobs import NOTICE, Job, JobState
from tng.money.refunds import Refunds
from tng.orders import Move, Order, OrderState
from tng.payments import Price
from tng.ports import Store
from tng.shop import Shop

CHECKOUT_MINUTES = 60
COMPLETED = "checkout.session.completed"


@dataclass
class House:
    """``closed`` shuts the gate; everything else is reached by the parts' own names."""

    store: Store = field(default_factory=FakeStore)
    clock: FakeClock = field(default_factory=FakeClock)
    closed: bool = False

    def __post_init__(self) -> None:
        self.gateway = FakeGateway(self.clock)
        self.shop = self.new_shop()
        self.refunds = Refunds(self.store, self.clock)
        self.fulfilment = Fulfilment(self.store, self.clock, lease_seconds=10, spread=lambda: 0.0)

    def new_shop(self) -> Shop:
        """The shop as a process has it that has just started."""
        return Shop(
            self.store,
            self.gateway,
            self.clock,
            price=Price(299),
            public_url="https://tng.example",
            gate=self._gate,
            checkout_minutes=CHECKOUT_MINUTES,
        )

    def placed(self, request_key: str = "key-1") -> Order:
        """An order of ada's with an open page."""
        order = self.shop.place_order("ada", PREMISE, request_key)
        return self.shop.open_checkout(order.id, "ada")

    def paid(self, request_key: str = "key-1") -> Order:
        """An order whose payment was confirmed."""
        order = self.placed(request_key)
        self.gateway.pay(session_of(order))
        confirmed = self.shop.confirm_payment(session_of(order))
        assert confirmed is not None
        return confirmed

    def writing(self, request_key: str = "key-1") -> tuple[Order, Job]:
        """An order that worker w1 is writing."""
        order = self.paid(request_key)
        job = self.fulfilment.claim("w1")
        assert job is not None
        return the_order(self.store, order.id), job

    def job_of(self, order: Order) -> Job | None:
        """The order's job, if there is one."""
        with self.store.read() as work:
            return work.jobs.get(f"order:{order.id}")

    def job_state(self, order: Order) -> JobState:
        """The state of the order's job."""
        job = self.job_of(order)
        assert job is not None
        return job.state

    def put(self, order: Order, state: OrderState, **changes: Any) -> Order:
        """Something else happens to the order, whatever the table says."""
        with self.store.begin() as work:
            put = work.orders.save(forced(work.orders.get(order.id), state, **changes))
            work.commit()
        return put

    def history(self, order: Order) -> Sequence[Move]:
        """How the order came to its state."""
        with self.store.read() as work:
            return work.orders.history(order.id)

    def all_orders(self) -> Sequence[Order]:
        """Every order, the oldest first."""
        with self.store.read() as work:
            return work.orders.having(*OrderState)

    def reports_waiting(self) -> int:
        """How many reports of Stripe's were not acted on."""
        with self.store.read() as work:
            return work.inbox.waiting()

    def notices(self) -> list[dict[str, Any]]:
        """What operators are to be told, in order; it counts as told after that."""
        notices = []
        with self.store.begin() as work:
            while errand := work.outbox.take(self.clock.now(), self.clock.now(), NOTICE):
                notices.append(errand.body)
                work.outbox.finish(errand.key)
            work.commit()
        return notices

    def _gate(self) -> None:
        if self.closed:
            raise ShopClosed("the gate is shut")


def session_of(order: Order) -> str:
    """The session of an order that has one."""
    assert order.checkout_session_id is not None
    return order.checkout_session_id


class Quiet(Protocol):
    """What ``settle`` needs of a house."""

    clock: FakeClock
    shop: Shop
    fulfilment: Fulfilment


def settle(house: Quiet, result: Mapping[str, Any]) -> None:
    """Everything that is due, until nothing is; each script that is owed is ``result``, as a run delivers it."""
    for _ in range(3):
        house.clock.advance(minutes=10)
        house.shop.reconcile()
        house.shop.run_inbox()
        while (job := house.fulfilment.claim("w")) is not None:
            house.fulfilment.deliver(job, **result)
        house.shop.run_errands()
