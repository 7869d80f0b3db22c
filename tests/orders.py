"""Orders and jobs as they are after a payment, for tests that begin there."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tng.jobs import Job, JobKind
from tng.orders import Order, OrderState
from tng.ports import Store
from tng.script import Premise

PLACED_AT = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


def paid_order(store: Store, order_id: str = "ord_1", **asked: Any) -> Job:
    """A paid order and its job, in one commit. ``asked`` is what a notebook for tests reads from ``premise_json``."""
    order = Order(
        id=order_id,
        customer="ada",
        request_key=order_id,
        premise=Premise("The Quiet Hours"),
        amount_cents=299,
        currency="usd",
        placed_at=PLACED_AT,
        state=OrderState.PAID,
        payment_intent_id=f"pi_{order_id}",
        paid_at=PLACED_AT,
    )
    parameters = {"order_id": order_id, "premise_json": json.dumps(asked)}
    with store.begin() as work:
        work.orders.add(order)
        job = work.jobs.add(Job(0, f"order:{order_id}", JobKind.WRITE_SCRIPT, order_id, parameters, ready_at=PLACED_AT))
        work.commit()
    return job


def order_in(store: Store, order_id: str = "ord_1") -> Order:
    """The order as it is stored now."""
    with store.read() as work:
        return work.orders.get(order_id)


def job_in(store: Store, order_id: str = "ord_1") -> Job:
    """The job of an order as it is stored now."""
    with store.read() as work:
        job = work.jobs.get(f"order:{order_id}")
    assert job is not None
    return job
