"""What is erased stays erased: no page, no job, and money that comes all the same goes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import House, session_of
from tests.samples import the_order
from tng.customers import Customers
from tng.erasing import NOTHING_ASKED, Sweep, erase
from tng.gpus.ledger import LEASE, GpuLedger
from tng.gpus.rules import ClaimKind
from tng.orders import Order, OrderState


@pytest.fixture
def house() -> House:
    return House()


def erased(house: House, runs: Path) -> Order:
    """An order that expired and whose words are gone."""
    order = house.placed()
    house.gateway.expire(session_of(order))
    house.shop.reconcile()
    with house.store.begin() as work:
        erase(work, work.orders.get(order.id), runs, house.clock.now())
        work.commit()
    return the_order(house.store, order.id)


def test_money_for_an_erased_order_goes_back_by_itself(house: House, tmp_path: Path) -> None:
    order = erased(house, tmp_path)
    house.gateway.change(session_of(order), paid=True, payment_intent_id="pi_late")
    house.shop.confirm_payment(session_of(order))
    assert the_order(house.store, order.id).state is OrderState.REFUNDING
    assert house.job_of(order) is None
    house.shop.run_errands()
    assert the_order(house.store, order.id).state is OrderState.REFUNDED
    assert list(house.gateway.refunds.values()) == ["pi_late"]


def test_an_erased_order_gets_no_new_page(house: House, tmp_path: Path) -> None:
    order = erased(house, tmp_path)
    assert house.shop.open_checkout(order.id, "ada") == order
    assert order.premise == NOTHING_ASKED


def test_a_sweep_takes_batch_after_batch(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tng.erasing.BATCH", 2)
    for number in range(5):
        order = house.placed(f"key-{number}")
        house.gateway.expire(session_of(order))
    house.shop.reconcile()
    house.clock.advance(days=31)
    sweep = Sweep(house.store, house.clock, tmp_path, days=0, expired_days=30, run_days=30)
    assert sweep.run()["orders"] == 5
    assert sweep.run()["orders"] == 0
    assert all(order.premise == NOTHING_ASKED for order in house.all_orders())


def test_a_run_that_cannot_be_removed_leaves_the_order_as_it_was(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, job = house.writing()
    (tmp_path / f"{job.id}.1").mkdir()

    def refuse(_: Path) -> None:
        raise OSError("the disk does not let go")

    monkeypatch.setattr("tng.erasing.shutil.rmtree", refuse)
    with house.store.begin() as work, pytest.raises(OSError, match="let go"):
        erase(work, work.orders.get(order.id), tmp_path, house.clock.now())
    assert the_order(house.store, order.id) == order


def test_who_used_a_gpu_is_swept_away_when_it_counts_no_more(house: House, tmp_path: Path) -> None:
    book = GpuLedger(house.store, house.clock, host="here", order_gpus=0)
    sweep = Sweep(house.store, house.clock, tmp_path, days=0, expired_days=30, run_days=30)
    book.claim("pia", ClaimKind.WORKBENCH, 1, ["GPU-0"])
    house.clock.advance(seconds=60)
    book.release("pia", ClaimKind.WORKBENCH)
    house.clock.advance(days=7)
    assert (sweep.run()["uses"], len(house.store.tables.uses)) == (0, 1)
    house.clock.advance(seconds=1)
    assert (sweep.run()["uses"], len(house.store.tables.uses)) == (1, 0)


@pytest.mark.parametrize(("waits_seconds", "stay"), [(0, ["ada", "pia"]), (LEASE.total_seconds() + 1, ["pia"])])
def test_who_is_erased_is_forgotten_among_the_users_of_gpus_where_the_use_is_over(
    house: House, tmp_path: Path, waits_seconds: float, stay: list[str]
) -> None:
    erased(house, tmp_path)
    book = GpuLedger(house.store, house.clock, host="here", order_gpus=0)
    for name in ("ada", "pia"):
        book.claim(name, ClaimKind.WORKBENCH, 1, ["GPU-0"])
        house.clock.advance(seconds=60)
        book.release(name, ClaimKind.WORKBENCH)
    house.clock.advance(seconds=waits_seconds)
    Customers(house.store, house.clock, tmp_path).forget("ada")
    assert [use.holder for use in house.store.tables.uses] == stay
