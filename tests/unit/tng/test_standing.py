"""A customer's place among those that wait: a number, about how long, and nothing of the others."""

from __future__ import annotations

import pytest

from tests.house import House
from tests.samples import the_order
from tng.orders import Order, OrderState
from tng.overview import Presence
from tng.standing import Figures, Standing, Turn


@pytest.fixture
def house() -> House:
    return House()


def present(house: House, *names: str) -> None:
    """Workers of these names say that they are there."""
    with house.store.begin() as work:
        for name in names:
            work.watch.report(Presence(name, house.clock.now(), house.clock.now()))
        work.commit()


def turn(house: House, order: Order) -> Turn | None:
    house.clock.advance(seconds=2)  # what is the same for all may be so old
    return house.shop.standing(the_order(house.store, order.id)).turn


def test_only_a_paid_order_has_a_place(house: House) -> None:
    placed = house.placed()
    assert turn(house, placed) is None
    order, _ = house.writing("key-2")
    assert turn(house, order) is None


def test_those_before_it_and_those_being_written_count(house: House) -> None:
    house.writing("key-1")
    second, third = house.paid("key-2"), house.paid("key-3")
    assert turn(house, second) == Turn(2)
    assert turn(house, third) == Turn(3)
    house.shop.cancel(second.id, "ada")
    assert turn(house, third) == Turn(2)


def test_who_is_hurried_goes_before(house: House) -> None:
    first, second = house.paid("key-1"), house.paid("key-2")
    with house.store.begin() as work:
        work.jobs.hurry(f"order:{second.id}", -1)
        work.commit()
    assert (turn(house, first), turn(house, second)) == (Turn(2), Turn(1))


def test_nobody_knows_how_long_it_will_be_without_a_worker_or_a_run(house: House) -> None:
    order = house.paid("key-2")
    assert turn(house, order) == Turn(1, None)
    present(house, "a:1")
    assert turn(house, order) == Turn(1, None)


def test_the_estimate_is_that_of_the_last_runs(house: House) -> None:
    _, job = house.writing("key-1")
    house.clock.advance(seconds=9)
    house.fulfilment.deliver(job, script_text="Title: X\n", release_id="r", run_sha256="0" * 64)
    first, second = house.paid("key-2"), house.paid("key-3")
    present(house, "a:1")
    assert turn(house, first) == Turn(1, 9.0)
    assert turn(house, second) == Turn(2, 18.0)


@pytest.mark.parametrize(
    ("before", "running", "workers", "expected"),
    [
        (0, 0, 1, Turn(1, 10)),
        (0, 1, 1, Turn(2, 20)),
        (2, 1, 1, Turn(4, 40)),
        (0, 1, 2, Turn(2, 10)),
        (0, 2, 2, Turn(3, 15)),
        (5, 0, 0, Turn(6)),
    ],
)
def test_workers_share_what_is_before(before: int, running: int, workers: int, expected: Turn) -> None:
    assert Figures(running, workers, 10).turn(before) == expected


def test_it_is_told_whether_the_customer_ended_it(house: House) -> None:
    cancelled, paid = house.placed("key-1"), house.paid("key-2")
    assert house.shop.standing(house.shop.cancel(cancelled.id, "ada")) == Standing(cancelled=True)
    assert house.shop.standing(house.shop.cancel(paid.id, "ada")) == Standing(cancelled=True)
    failed, _ = house.writing("key-3")
    house.refunds.refund(failed.id, by="operator kim", why="it looks wrong")
    assert house.shop.standing(the_order(house.store, failed.id)) == Standing()
    house.put(cancelled, OrderState.PLACED)
    house.put(cancelled, OrderState.EXPIRED)
    assert house.shop.standing(the_order(house.store, cancelled.id)) == Standing(), "this time nobody did"
