"""Money that goes back: once, under a key that stays, or an operator is told."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any

import pytest

from tests.house import House, session_of
from tests.samples import a_paid_order, keep, the_order
from tng.errors import IllegalMove, OrderNotFound, StoreBusy
from tng.jobs import JobState
from tng.orders import Order, OrderState
from tng.payments import Dispute


@pytest.fixture
def house() -> House:
    return House()


class TestErrands:
    def owed(self, house: House) -> Order:
        order = a_paid_order(state=OrderState.REFUNDING)
        keep(house.store, order)
        house.shop.reconcile()
        return order

    def test_money_that_is_owed_goes_back_once(self, house: House) -> None:
        order = self.owed(house)
        assert house.shop.run_errands() == 1
        assert house.gateway.refunds == {f"order-{order.id}-refund": "pi_1"}
        assert the_order(house.store, order.id).state is OrderState.REFUNDED
        house.clock.advance(days=2)
        assert house.shop.run_errands() == 0
        assert house.gateway.calls.count("refund") == 1

    @pytest.mark.parametrize("fault", ["down", "refusing"])
    def test_stays_due_while_stripe_does_not_give_it(self, house: House, fault: str) -> None:
        order = self.owed(house)
        setattr(house.gateway, fault, True)
        assert house.shop.run_errands() == 0
        assert the_order(house.store, order.id).state is OrderState.REFUNDING
        setattr(house.gateway, fault, False)
        assert house.shop.run_errands() == 0  # not at once
        house.clock.advance(minutes=2)
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_an_order_refunded_by_hand_meanwhile_is_fine(self, house: House) -> None:
        order = self.owed(house)
        house.put(order, OrderState.REFUNDED)
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED
        house.clock.advance(days=1)
        assert house.shop.run_errands() == 0

    def test_a_look_that_finds_nothing_due_waits_for_no_lock(self, house: House) -> None:
        order = self.owed(house)
        house.gateway.down = True
        house.shop.run_errands()  # it stays due, later
        house.store.busy = True  # type: ignore[attr-defined]
        assert house.shop.run_errands() == 0
        house.clock.advance(minutes=2)
        with pytest.raises(StoreBusy):  # the control: what is due is written for
            house.shop.run_errands()
        house.store.busy = house.gateway.down = False  # type: ignore[attr-defined]
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_runs_no_more_than_it_is_told(self, house: House) -> None:
        keep(house.store, *(a_paid_order(n, OrderState.REFUNDING) for n in range(1, 4)))
        house.shop.reconcile()
        assert [house.shop.run_errands(2), house.shop.run_errands(2)] == [2, 1]

    def test_an_errand_older_than_stripes_memory_looks_first(self, house: House) -> None:
        order = self.owed(house)
        house.gateway.refunds["a key that Stripe forgot"] = "pi_1"  # given, and the answer was lost
        house.clock.advance(hours=25)
        assert house.shop.run_errands() == 1
        assert list(house.gateway.refunds) == ["a key that Stripe forgot"]
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_a_young_errand_trusts_its_key(self, house: House) -> None:
        order = self.owed(house)
        house.gateway.refunds["another key"] = "pi_1"
        house.clock.advance(hours=22)
        assert house.shop.run_errands() == 1
        assert f"order-{order.id}-refund" in house.gateway.refunds

    def test_a_refusal_is_told_to_the_operator_once_and_tried_again(self, house: House) -> None:
        order = self.owed(house)
        house.gateway.refusing = True
        for _ in range(3):
            house.shop.run_errands()
            house.clock.advance(hours=1)
        assert [notice["kind"] for notice in house.notices()] == ["refund_failed"]
        assert the_order(house.store, order.id).trouble
        house.gateway.refusing = False
        assert house.shop.run_errands() == 1
        done = the_order(house.store, order.id)
        assert (done.state, done.trouble) == (OrderState.REFUNDED, None)


class TestOperator:
    @pytest.mark.parametrize("state", [OrderState.PAID, OrderState.WRITING, OrderState.DELIVERED], ids=str)
    def test_gives_the_money_back_whatever_became_of_the_script(self, house: House, state: OrderState) -> None:
        order = house.paid()
        house.put(order, state)
        owed = house.refunds.refund(order.id, by="operator ola", why="the reader complains")
        assert owed.state is OrderState.REFUNDING
        assert house.job_state(order) is JobState.CANCELLED
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED
        assert [(m.actor, m.why) for m in house.history(order)][-2] == ("operator ola", "the reader complains")

    @pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.EXPIRED, OrderState.REFUNDED], ids=str)
    def test_gives_nothing_back_where_nothing_was_paid_or_all_is_back(self, house: House, state: OrderState) -> None:
        order = house.placed()
        house.put(order, state)
        if state is OrderState.REFUNDED:
            again = house.refunds.refund(order.id, by="operator ola", why="again")
            assert again.refund_attempt == 1
            return
        with pytest.raises(IllegalMove):
            house.refunds.refund(order.id, by="operator ola", why="again")

    def test_asks_twice_and_it_is_given_once(self, house: House) -> None:
        order = house.paid()
        for _ in range(2):
            house.refunds.refund(order.id, by="operator ola", why="asked for")
        house.shop.run_errands()
        assert len(house.gateway.refunds) == 1

    def test_tries_a_refund_that_came_back_under_a_key_of_its_own(self, house: House) -> None:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        house.shop.run_errands()
        house.gateway.change(session_of(order), refunded=False)
        house.shop.receive_event(*house.gateway.webhook("refund.failed", session_of(order)))
        house.shop.run_inbox()
        house.clock.advance(days=1)
        house.shop.reconcile()
        assert house.shop.run_errands() == 0  # nothing by itself: an operator is to look
        house.refunds.refund(order.id, by="operator ola", why="the account is right now")
        assert house.shop.run_errands() == 1
        assert list(house.gateway.refunds) == [f"order-{order.id}-refund", f"order-{order.id}-refund-2"]
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_says_that_it_was_given_back_another_way(self, house: House) -> None:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        house.refunds.settle(order.id, by="operator ola", why="by bank transfer")
        house.clock.advance(days=2)
        assert house.shop.run_errands() == 0
        assert house.gateway.refunds == {}
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_settles_nothing_that_is_not_owed(self, house: House) -> None:
        with pytest.raises(IllegalMove):
            house.refunds.settle(house.paid().id, by="operator ola", why="by bank transfer")

    def test_an_order_that_is_none_is_not_found(self, house: House) -> None:
        with pytest.raises(OrderNotFound):
            house.refunds.refund("ord_none", by="operator ola", why="?")


class TestSentBack:
    """A refund that a bank sends back, days later perhaps."""

    def refunded(self, house: House) -> Order:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        house.shop.run_errands()
        house.gateway.change(session_of(order), refunded=False)
        return order

    def heard(self, house: House, order: Order, kind: str, **given: Any) -> None:
        house.shop.receive_event(*house.gateway.webhook(kind, session_of(order), **given))
        house.shop.run_inbox()

    @pytest.mark.parametrize("kind", ["refund.failed", "refund.updated"])
    def test_is_owed_again_whichever_report_tells_it_and_told_once(self, house: House, kind: str) -> None:
        order = self.refunded(house)
        for _ in range(2):
            self.heard(house, order, kind, event_id=f"evt_{secrets.token_hex(4)}")
        after = the_order(house.store, order.id)
        assert (after.state, bool(after.trouble)) == (OrderState.REFUNDING, True)
        assert [notice["kind"] for notice in house.notices()] == ["refund_failed"]

    def test_is_no_news_once_an_operator_gave_the_money_back_another_way(self, house: House) -> None:
        order = self.refunded(house)
        self.heard(house, order, "refund.failed")
        house.refunds.settle(order.id, by="operator ola", why="by bank transfer")
        self.heard(house, order, "refund.updated")
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_is_no_news_where_the_bank_took_the_money_itself(self, house: House) -> None:
        order = house.paid()
        house.gateway.change(session_of(order), dispute=Dispute.LOST)
        self.heard(house, order, "charge.dispute.closed")
        self.heard(house, order, "refund.failed")
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_does_not_disturb_an_attempt_that_is_on_its_way(self, house: House) -> None:
        order = self.refunded(house)
        self.heard(house, order, "refund.failed")
        house.notices()
        house.refunds.refund(order.id, by="operator ola", why="the account is right now")
        self.heard(house, order, "refund.failed", event_id="evt_late")
        assert the_order(house.store, order.id).trouble is None
        assert house.notices() == []
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED


class TestExtraMoney:
    """Money that came a second time goes back by itself; where it does not, the order is left alone."""

    def paid_twice(self, house: House) -> Order:
        order = house.paid()
        payment = house.gateway.payments[session_of(order)]
        house.gateway.payments["cs_old"] = replace(payment, session_id="cs_old", payment_intent_id="pi_old")
        house.shop.confirm_payment("cs_old")
        return order

    def test_a_refusal_is_told_once_and_the_order_keeps_its_own_refund(self, house: House) -> None:
        order = self.paid_twice(house)
        house.gateway.refusing = True
        for _ in range(3):
            house.shop.run_errands()
            house.clock.advance(hours=1)
        (notice,) = house.notices()
        assert (notice["kind"], notice["facts"]["payment"]) == ("refund_failed", "pi_old")
        assert "tng orders refund" not in notice["text"]  # that is the other money
        assert the_order(house.store, order.id).trouble is None

    def test_a_bank_that_sends_it_back_is_told(self, house: House) -> None:
        order = self.paid_twice(house)
        house.shop.run_errands()
        house.gateway.change("cs_old", refunded=False)
        house.shop.receive_event(*house.gateway.webhook("refund.failed", "cs_old"))
        house.shop.run_inbox()
        (notice,) = house.notices()
        assert notice["facts"]["payment"] == "pi_old"
        assert the_order(house.store, order.id).state is OrderState.PAID
