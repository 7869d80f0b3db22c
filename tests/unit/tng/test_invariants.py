"""The invariants see what they are to see: a good house breaks none, and each fault is named by its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.house import COMPLETED, House, session_of
from tests.invariants import World, assert_invariants, books_of, broken
from tests.samples import forced, keep, the_job
from tng.errors import ReleaseDamaged
from tng.orders import Order, OrderState

RESULT: dict[str, Any] = {"script_text": "Title: X\n", "release_id": "tng-test", "run_sha256": "a" * 64}


@pytest.fixture
def house() -> House:
    """One order delivered, one refunded, one never paid."""
    house = House()
    _, job = house.writing("key-1")
    house.fulfilment.deliver(job, **RESULT)
    _, job = house.writing("key-2")
    house.fulfilment.fail(job, ReleaseDamaged("a file is missing"))
    house.shop.run_errands()
    house.shop.cancel(house.placed("key-3").id, "ada")
    return house


def world(house: House, **more: Any) -> World:
    return World(house.store, books_of(house.gateway), **more)


def order_in(house: House, state: OrderState) -> Order:
    return next(order for order in house.all_orders() if order.state is state)


def save(house: House, order: Order) -> None:
    with house.store.begin() as work:
        work.orders.save(order)
        work.commit()


def test_a_good_house_breaks_none(house: House) -> None:
    assert_invariants(world(house, log="INFO PLACED order=ord_1", secrets=("A Secret Title",)))


def written_unpaid(house: House) -> None:
    order = house.placed("key-9")
    house.put(order, OrderState.PAID)
    done = the_job(house.store, f"order:{order_in(house, OrderState.DELIVERED).id}")
    keep(house.store, replace(done, key=f"order:{order.id}"))


def refund_forgotten(house: House) -> None:
    order = order_in(house, OrderState.REFUNDED)
    house.gateway.change(session_of(order), refunded=False)


def script_lost(house: House) -> None:
    save(house, replace(order_in(house, OrderState.DELIVERED), script_text=None))


def delivered_and_refunded(house: House) -> None:
    order = order_in(house, OrderState.DELIVERED)
    house.gateway.change(session_of(order), refunded=True)


def paid_twice(house: House) -> None:
    session_id = session_of(order_in(house, OrderState.DELIVERED))
    house.gateway.payments["cs_other"] = replace(
        house.gateway.payments[session_id], session_id="cs_other", payment_intent_id="pi_other"
    )


def moved_without_an_edge(house: House) -> None:
    save(house, forced(order_in(house, OrderState.EXPIRED), OrderState.DELIVERED))


def left_running(house: House) -> None:
    house.writing("key-8")


def given_under_any_key(house: House) -> None:
    house.gateway.refunds["a key of today"] = "pi_1"


@pytest.mark.parametrize(
    ("fault", "number"),
    [
        (written_unpaid, "I1"),
        (refund_forgotten, "I2"),
        (script_lost, "I2"),
        (delivered_and_refunded, "I2"),
        (delivered_and_refunded, "I3"),
        (paid_twice, "I3"),
        (moved_without_an_edge, "I4"),
        (left_running, "I8"),
        (given_under_any_key, "I9"),
    ],
)
def test_a_fault_is_named(house: House, fault: Callable[[House], None], number: str) -> None:
    fault(house)
    assert number in {sentence.split()[0] for sentence in broken(world(house))}


@pytest.mark.parametrize(
    ("more", "number"),
    [
        ({"acknowledged": frozenset({"evt_of_nobody"})}, "I5"),
        ({"release_is_whole": lambda: False}, "I7"),
        ({"left_over": ("kernel 4711",)}, "I8"),
        ({"log": "PLACED A Secret Title", "secrets": ("A Secret Title",)}, "I10"),
    ],
)
def test_a_fault_beside_the_store_is_named(house: House, more: dict[str, Any], number: str) -> None:
    assert [sentence.split()[0] for sentence in broken(world(house, **more))] == [number]


def test_a_store_that_shows_orders_to_strangers_is_named(house: House) -> None:
    tables = house.store.tables  # type: ignore[attr-defined]

    class Anybodys(str):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = str.__hash__

    order = order_in(house, OrderState.EXPIRED)
    tables.orders[order.id] = replace(order, customer=Anybodys("ada"))
    assert any(sentence.startswith("I6") for sentence in broken(world(house)))


def test_a_report_that_was_acted_on_is_fine(house: House) -> None:
    order = order_in(house, OrderState.DELIVERED)
    event = house.shop.receive_event(*house.gateway.webhook(COMPLETED, session_of(order)))
    assert broken(world(house, acknowledged=frozenset({event.id})))
    house.shop.run_inbox()
    assert_invariants(world(house, acknowledged=frozenset({event.id})))
