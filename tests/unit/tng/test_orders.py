"""The life of an order, as a table: every edge that there is, and every one that there is not."""

from __future__ import annotations

import pytest

from tests.samples import an_order
from tng.errors import IllegalMove
from tng.orders import MOVES, OrderState

EDGES = {
    "placed → paid",
    "placed → expired",
    "expired → paid",
    "expired → placed",
    "paid → writing",
    "paid → refunding",
    "paid → refunded",
    "paid → disputed",
    "writing → delivered",
    "writing → refunding",
    "writing → refunded",
    "writing → disputed",
    "delivered → refunding",
    "delivered → refunded",
    "delivered → disputed",
    "refunding → refunded",
    "refunding → disputed",
    "disputed → paid",
    "disputed → writing",
    "disputed → delivered",
    "disputed → refunded",
}


@pytest.mark.parametrize("after", OrderState)
@pytest.mark.parametrize("before", OrderState)
def test_an_order_moves_along_the_edges_and_nowhere_else(before: OrderState, after: OrderState) -> None:
    order = an_order(state=before)
    if f"{before} → {after}" in EDGES:
        assert order.moved(after).state is after
    else:
        with pytest.raises(IllegalMove, match=f"{before} → {after}"):
            order.moved(after)


def test_every_state_is_in_the_table() -> None:
    assert set(MOVES) == set(OrderState)


def test_money_given_back_is_the_end() -> None:
    assert not MOVES[OrderState.REFUNDED]


def test_a_move_changes_what_it_is_told_to_and_nothing_else() -> None:
    order = an_order()
    moved = order.moved(OrderState.PAID, payment_intent_id="pi_1")
    assert moved.payment_intent_id == "pi_1"
    assert moved == an_order(state=OrderState.PAID, payment_intent_id="pi_1")
    assert order.state is OrderState.PLACED
