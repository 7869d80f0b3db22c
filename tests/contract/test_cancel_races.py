"""A customer cancels at the very moment at which something else happens: on every store, both are settled rightly.

Whoever comes first, each paid order ends with its script or with its money, never with both or neither; and what comes
second is refused, or finds nothing to do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from tests.house import House, session_of
from tests.samples import the_order
from tests.threads import at_once
from tests.unit.tng.api_support import SCENES, SCRIPT
from tng.errors import IllegalMove, LeaseError, RunFailed, StoreBusy
from tng.jobs import EventKind, Job, JobState
from tng.orders import Order, OrderState, follows
from tng.ports import Store

ROUNDS = 6
FAULT = RunFailed("it raised", cause="ValueError", retryable=False)
PLAN = (EventKind.PLAN, {"acts": [{"scenes": [{}, {}, {}]}]})
RESULT: dict[str, Any] = {"script_text": SCRIPT, "release_id": "r", "run_sha256": "0" * 64}

Race = tuple[Order, Callable[[], object]]


@pytest.fixture
def house(store: Store) -> House:
    return House(store=store)


def _written(house: House, key: str, scenes: int) -> tuple[Order, Job]:
    order, job = house.writing(key)
    said = [(EventKind.SCENE, {"act": "TEASER", "number": n + 1, "text": SCENES[n]}) for n in range(scenes)]
    house.fulfilment.heartbeat(job, [PLAN, *said])
    return order, job


def claim(house: House, key: str) -> Race:
    return house.paid(key), lambda: house.fulfilment.claim("w1")


def deliver(house: House, key: str) -> Race:
    order, job = _written(house, key, 1)
    return order, lambda: house.fulfilment.deliver(job, **RESULT)


def deliver_after_half(house: House, key: str) -> Race:
    order, job = _written(house, key, 2)
    return order, lambda: house.fulfilment.deliver(job, **RESULT)


def say(house: House, key: str) -> Race:
    order, job = _written(house, key, 1)
    event = (EventKind.SCENE, {"act": "TEASER", "number": 2, "text": SCENES[1]})
    return order, lambda: house.fulfilment.heartbeat(job, [event])


def fail(house: House, key: str) -> Race:
    order, job = _written(house, key, 1)
    return order, lambda: house.fulfilment.fail(job, FAULT)


def webhook(house: House, key: str) -> Race:
    order = house.placed(key)

    def pays() -> None:
        try:
            house.gateway.pay(session_of(order))
        except ValueError:
            return  # its page is closed
        house.shop.confirm_payment(session_of(order))

    return order, pays


def expiry(house: House, key: str) -> Race:
    order = house.placed(key)
    house.clock.advance(hours=2)
    house.gateway.expire(session_of(order))
    return order, house.shop.reconcile


def cancel_again(house: House, key: str) -> Race:
    order, _ = _written(house, key, 2)
    return order, lambda: house.shop.cancel(order.id, "ada")


def refund(house: House, key: str) -> Race:
    order = house.paid(key)
    return order, lambda: house.refunds.refund(order.id, by="operator kim", why="asked for")


@pytest.mark.parametrize(
    "race",
    [claim, deliver, deliver_after_half, say, fail, webhook, expiry, cancel_again, refund],
    ids=lambda r: r.__name__,
)
def test_a_cancel_at_the_same_moment_leaves_script_or_money(house: House, race: Callable[[House, str], Race]) -> None:
    for number in range(ROUNDS):
        order, other = race(house, f"key-{number}")
        cancel = partial(house.shop.cancel, order.id, "ada")
        both = [partial(_insisting, action) for action in (cancel, other)]
        assert at_once(*(both if number % 2 else reversed(both))) == []
        _check(house, order)


def _insisting(action: Callable[[], object]) -> None:
    for _ in range(20):
        try:
            action()
        except StoreBusy:
            continue  # PostgreSQL chose one of two that waited for each other: it is done again
        except (IllegalMove, LeaseError):
            return  # too late, and told so
        return


def _check(house: House, placed: Order) -> None:
    """Bring it to its end, and hold its money against its script."""
    order = the_order(house.store, placed.id)
    if order.state is OrderState.WRITING:  # begun at the same moment: nothing is written, the money goes back
        order = house.shop.cancel(order.id, "ada")
    while house.shop.run_errands():
        pass
    order, payment = the_order(house.store, placed.id), house.gateway.payments[session_of(placed)]
    assert order.state in (OrderState.DELIVERED, OrderState.REFUNDED, OrderState.EXPIRED)
    assert payment.paid == (order.state is not OrderState.EXPIRED)
    assert payment.refunded == (order.state is OrderState.REFUNDED)
    assert list(house.gateway.refunds.values()).count(payment.payment_intent_id or "none") == payment.refunded
    if order.state is OrderState.DELIVERED:
        assert order.is_readable
    job = house.job_of(order)
    assert job is None or job.state in (JobState.DONE, JobState.DEAD, JobState.CANCELLED)
    moves = house.history(order)
    assert moves[0].before is None
    for before, after in pairwise(moves):
        assert after.before is before.after
    assert moves[-1].after is order.state
    assert follows(order.state, order)
