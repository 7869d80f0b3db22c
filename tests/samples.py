"""Orders and jobs in any state, complete but for what a test is about; and what became of them in a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from tests.fakes import START
from tng.jobs import Job, JobKind
from tng.orders import Move, Order, OrderState
from tng.ports import Store
from tng.script import Premise

PREMISE = Premise(title="The Quiet Hours", logline="A clock stops.", cast=("PICARD", "DATA"), seed=7)


def an_order(number: int = 1, **changes: Any) -> Order:
    """An order of ada's; its id and its request key follow from ``number``."""
    values: dict[str, Any] = {
        "id": f"ord_{number:032x}",
        "customer": "ada",
        "request_key": f"key-{number}",
        "premise": PREMISE,
        "amount_cents": 299,
        "currency": "usd",
        "placed_at": START,
    }
    return Order(**values | changes)


def a_paid_order(number: int = 1, state: OrderState = OrderState.PAID) -> Order:
    """An order whose money has arrived."""
    return an_order(
        number,
        state=state,
        checkout_attempt=1,
        checkout_session_id=f"cs_test_{number}",
        checkout_expires_at=START + timedelta(hours=1),
        payment_intent_id=f"pi_{number}",
        paid_at=START,
    )


def forced(order: Order, state: OrderState, **changes: Any) -> Order:
    """The order in any state, for a test that begins there: no edge of the table is asked for."""
    move = Move(START, "test", "put there by a test", order.state, state)
    return replace(order, state=state, moves=(*order.moves, move), **changes)


def a_job(number: int = 1, *, ready_at: datetime | None = START, order: Order | None = None) -> Job:
    """A queued job, due at START; of an order where one is given."""
    return Job(
        id=0,
        key=f"order:{order.id}" if order else f"job-{number}",
        kind=JobKind.WRITE_SCRIPT,
        order_id=order.id if order else None,
        parameters={"premise_json": "{}"},
        ready_at=ready_at,
    )


def keep(store: Store, *things: Order | Job) -> None:
    """Store orders and jobs, in one commit."""
    with store.begin() as work:
        for thing in things:
            if isinstance(thing, Order):
                work.orders.add(thing)
            else:
                work.jobs.add(thing)
        work.commit()


def the_order(store: Store, order_id: str) -> Order:
    """The order as it is stored now."""
    with store.read() as work:
        return work.orders.get(order_id)


def the_job(store: Store, key: str) -> Job:
    """The job as it is stored now."""
    with store.read() as work:
        job = work.jobs.get(key)
    assert job is not None
    return job
