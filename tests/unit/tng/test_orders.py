"""The life of an order, as a table: every edge that there is, and every one that there is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes import START
from tests.samples import an_order
from tng.errors import IllegalMove
from tng.orders import MOVES, Move, OrderState, follows

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
    "refunded → refunding",
    "disputed → paid",
    "disputed → refunding",
    "disputed → delivered",
    "disputed → refunded",
}


WHO: dict[str, Any] = {"by": "clock", "why": "a test", "at": START}


@pytest.mark.parametrize("after", OrderState)
@pytest.mark.parametrize("before", OrderState)
def test_an_order_moves_along_the_edges_and_nowhere_else(before: OrderState, after: OrderState) -> None:
    order = an_order(state=before)
    if f"{before} → {after}" in EDGES:
        assert order.moved(after, **WHO).state is after
    else:
        with pytest.raises(IllegalMove, match=f"{before} → {after}"):
            order.moved(after, **WHO)


def test_every_state_is_in_the_table() -> None:
    assert set(MOVES) == set(OrderState)


def test_money_given_back_is_the_end_unless_the_bank_sends_it_back() -> None:
    assert MOVES[OrderState.REFUNDED] == {OrderState.REFUNDING}


def test_a_move_changes_what_it_is_told_to_and_says_who_made_it() -> None:
    order = an_order()
    moved = order.moved(OrderState.PAID, by="stripe", why="paid 299 usd", at=START, payment_intent_id="pi_1")
    assert moved.moves == (Move(START, "stripe", "paid 299 usd", OrderState.PLACED, OrderState.PAID),)
    assert replace(moved, moves=()) == an_order(state=OrderState.PAID, payment_intent_id="pi_1")
    assert order.state is OrderState.PLACED


def test_an_end_has_a_time_and_what_comes_after_it_has_none() -> None:
    expired = an_order().moved(OrderState.EXPIRED, **WHO)
    assert expired.ended_at == START
    assert expired.moved(OrderState.PAID, **WHO).ended_at is None


class TestFollows:
    def test_a_chain_of_moves_leads_from_the_stored_state(self) -> None:
        order = an_order().moved(OrderState.PAID, **WHO).moved(OrderState.WRITING, **WHO)
        assert follows(OrderState.PLACED, order)
        assert not follows(OrderState.PAID, order)
        assert not follows(OrderState.WRITING, order)

    def test_an_order_that_stays_needs_no_move(self) -> None:
        assert follows(OrderState.PLACED, an_order())
        assert not follows(OrderState.PLACED, an_order(state=OrderState.PAID))


class TestIsReadable:
    @pytest.mark.parametrize("state", OrderState)
    def test_a_delivered_script_is_and_no_other(self, state: OrderState) -> None:
        assert an_order(state=state, script_text="Title: X").is_readable == (state is OrderState.DELIVERED)

    @pytest.mark.parametrize("state", OrderState)
    def test_the_part_of_a_stopped_one_stays_so(self, state: OrderState) -> None:
        kept = {OrderState.DELIVERED, OrderState.REFUNDING, OrderState.REFUNDED}
        assert an_order(state=state, script_text="Title: X", is_part=True).is_readable == (state in kept)

    def test_without_a_text_there_is_nothing_to_read(self) -> None:
        assert not an_order(state=OrderState.DELIVERED).is_readable
