"""Everything that may count money, in eight threads, on one SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import COMPLETED, House, session_of
from tests.samples import the_order
from tests.threads import at_once
from tng.adapters.database.store import SqlStore
from tng.app import build_store
from tng.errors import StoreBusy
from tng.jobs import JobState
from tng.orders import OrderState
from tng.payments import Dispute
from tng.settings import Settings

REFUNDED, CREATED, CLOSED = "charge.refunded", "charge.dispute.created", "charge.dispute.closed"


@pytest.fixture
def house(file_store: SqlStore) -> House:
    return House(file_store)


@pytest.fixture
def file_store(tmp_path: Path) -> Iterator[SqlStore]:
    store = build_store(Settings.read(home=tmp_path / "home", release=tmp_path))
    yield store
    store.close()


@pytest.mark.parametrize("turn", range(3))
def test_however_the_payment_is_heard_of_there_is_one_job(house: House, turn: int) -> None:
    order = house.placed()
    house.gateway.pay(session_of(order))
    for kind in (COMPLETED, REFUNDED, CREATED):
        house.shop.receive_event(*house.gateway.webhook(kind, session_of(order)))
    confirm = lambda: house.shop.confirm_payment(session_of(order))  # noqa: E731
    checkout = lambda: house.shop.open_checkout(order.id, "ada")  # noqa: E731
    wrong = at_once(
        confirm, confirm, confirm, checkout, house.shop.run_inbox, house.shop.run_inbox, house.shop.reconcile, confirm
    )
    assert [error for error in wrong if not isinstance(error, StoreBusy)] == []  # a busy one would come back
    assert [move.after for move in house.history(order)] == [OrderState.PLACED, OrderState.PAID]
    assert house.job_state(order) is JobState.QUEUED


@pytest.mark.parametrize("turn", range(3))
def test_dispute_refund_and_payment_at_once_come_to_the_right_end(house: House, turn: int) -> None:
    order = house.placed()
    session_id = session_of(order)
    house.gateway.pay(session_id)

    def told(kind: str, **facts: object) -> Callable[[], object]:
        def happen() -> None:
            if facts:
                house.gateway.change(session_id, **facts)
            house.shop.receive_event(*house.gateway.webhook(kind, session_id))
            house.shop.run_inbox()

        return happen

    wrong = at_once(
        told(COMPLETED),
        told(CREATED, dispute=Dispute.OPEN),
        told(CLOSED, dispute=Dispute.WON),
        told(REFUNDED, refunded=True),
        house.shop.reconcile,
        house.shop.run_errands,
        lambda: house.shop.confirm_payment(session_id),
        lambda: house.shop.confirm_payment(session_id),
    )
    assert [error for error in wrong if not isinstance(error, StoreBusy)] == []  # a busy one would come back
    house.clock.advance(minutes=10)  # what was in somebody's hands comes back
    house.shop.run_inbox()
    assert the_order(house.store, order.id).state is OrderState.REFUNDED
    job = house.job_of(order)  # none, where the money was gone before anybody heard of it
    assert job is None or job.state is JobState.CANCELLED
    assert house.reports_waiting() == 0
    assert house.gateway.refunds == {}
