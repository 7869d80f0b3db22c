"""What a payment does to an order, once Stripe was asked again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.house import House, session_of
from tests.samples import PREMISE, the_order
from tng.errors import JobCancelled, PaymentMismatch, PaymentRefused, ReleaseDamaged, StoreBusy
from tng.jobs import JobState
from tng.orders import Order, OrderState
from tng.payments import CheckoutStatus, Dispute, Payment
from tng.script import Premise


@pytest.fixture
def house() -> House:
    return House()


class TestConfirmPayment:
    def test_money_that_arrived_owes_a_job(self, house: House) -> None:
        order = house.paid()
        assert (order.state, order.checkout_url) == (OrderState.PAID, None)
        assert order.payment_intent_id == f"pi_{order.checkout_session_id}"
        assert order.paid_at == house.clock.now()
        job = house.job_of(order)
        assert job is not None
        assert (job.state, job.order_id) == (JobState.QUEUED, order.id)

    def test_the_job_knows_the_premise_and_nothing_of_the_customer(self, house: House) -> None:
        job = house.job_of(house.paid())
        assert job is not None
        assert set(job.parameters) == {"order_id", "premise_json"}
        assert Premise.from_fields(json.loads(job.parameters["premise_json"])) == PREMISE

    def test_an_open_page_is_no_payment(self, house: House) -> None:
        order = house.placed()
        assert house.shop.confirm_payment(session_of(order)) == order
        assert house.job_of(order) is None

    def test_confirming_again_changes_nothing(self, house: House) -> None:
        order = house.paid()
        house.clock.advance(minutes=5)
        assert house.shop.confirm_payment(session_of(order)) == order

    @pytest.mark.parametrize("state", [OrderState.WRITING, OrderState.DELIVERED, OrderState.REFUNDING], ids=str)
    def test_a_late_confirmation_does_not_take_an_order_back(self, house: House, state: OrderState) -> None:
        order = house.paid()
        house.put(order, state)
        again = house.shop.confirm_payment(session_of(order))
        assert again is not None
        assert again.state is state

    def test_money_for_an_order_that_was_given_up_counts(self, house: House) -> None:
        order = house.placed()
        house.put(order, OrderState.EXPIRED, checkout_url=None)
        house.gateway.pay(session_of(order))
        again = house.shop.confirm_payment(session_of(order))
        assert again is not None
        assert again.state is OrderState.PAID
        assert house.job_of(order) is not None

    def test_a_session_that_nobody_knows_is_nobodys(self, house: House) -> None:
        assert house.shop.confirm_payment("cs_test_unknown") is None

    def test_a_session_of_another_shop_is_nobodys(self, house: House) -> None:
        order = house.placed()
        house.gateway.change(session_of(order), order_id="ord_of_somebody_else")
        house.put(order, OrderState.PLACED, checkout_session_id=None)
        assert house.shop.confirm_payment(session_of(order)) is None
        house.gateway.change(session_of(order), order_id=None)
        assert house.shop.confirm_payment(session_of(order)) is None

    def test_a_refusal_for_a_session_of_ours_is_told(self, house: House) -> None:
        order = house.placed()
        house.gateway.refusing = True
        with pytest.raises(PaymentRefused):
            house.shop.confirm_payment(session_of(order))

    def test_a_page_that_was_lost_in_a_crash_is_found_by_its_order(self, house: House) -> None:
        order = house.placed()
        session_id = session_of(order)
        house.put(order, OrderState.PLACED, checkout_session_id=None, checkout_url=None)
        house.gateway.pay(session_id)
        healed = house.shop.confirm_payment(session_id)
        assert healed is not None
        assert (healed.state, healed.checkout_session_id) == (OrderState.PAID, session_id)

    def test_an_order_paid_on_a_page_of_before_closes_the_page_of_now(self, house: House) -> None:
        order = house.placed()
        old = session_of(order)
        house.gateway.expire(old)
        new = session_of(house.shop.open_checkout(order.id, "ada"))
        house.gateway.change(old, status=CheckoutStatus.COMPLETE, paid=True, payment_intent_id="pi_old")
        paid = house.shop.confirm_payment(old)
        assert paid is not None
        assert (paid.state, paid.checkout_session_id) == (OrderState.PAID, old)
        assert house.gateway.payments[new].status is CheckoutStatus.EXPIRED

    @pytest.mark.parametrize(
        "wrong",
        [
            pytest.param({"amount_cents": 1}, id="amount"),
            pytest.param({"currency": "eur"}, id="currency"),
            pytest.param({"order_id": "ord_2"}, id="owner"),
            pytest.param({"order_id": None}, id="no-owner"),
            pytest.param({"livemode": True}, id="livemode"),
        ],
    )
    def test_money_that_does_not_fit_changes_nothing(
        self, house: House, wrong: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), **wrong)
        with pytest.raises(PaymentMismatch):
            house.shop.confirm_payment(session_of(order))
        assert the_order(house.store, order.id) == order
        assert house.job_of(order) is None
        assert next(iter(wrong)).removesuffix("_id") in caplog.text

    def test_the_same_money_without_the_fault_fits(self, house: House) -> None:
        house.paid()  # the control of the table above

    @pytest.mark.parametrize(
        ("facts", "state"),
        [
            pytest.param({"refunded": True}, OrderState.REFUNDED, id="refunded"),
            pytest.param({"dispute": Dispute.OPEN}, OrderState.DISPUTED, id="disputed"),
            pytest.param({"dispute": Dispute.LOST}, OrderState.REFUNDED, id="lost"),
            pytest.param({"refunded": True, "dispute": Dispute.OPEN}, OrderState.REFUNDED, id="both"),
        ],
    )
    def test_money_that_came_and_went_starts_no_job(
        self, house: House, facts: dict[str, Any], state: OrderState
    ) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), **facts)
        gone = house.shop.confirm_payment(session_of(order))
        assert gone is not None
        assert gone.state is state
        assert gone.payment_intent_id
        assert house.job_of(order) is None
        assert house.fulfilment.claim("w1") is None

    def test_stripe_is_asked_outside_a_unit_of_work(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        read = house.gateway.read_payment

        def write_meanwhile(session_id: str, **how: bool) -> object:
            with house.store.begin():
                return read(session_id, **how)

        house.gateway.read_payment = write_meanwhile  # type: ignore[assignment, method-assign]
        assert house.shop.confirm_payment(session_of(order)) is not None


class TestPromotionCodes:
    def test_a_code_makes_it_less_and_the_price_still_fits(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), subtotal_cents=299, amount_cents=239)
        paid = house.shop.confirm_payment(session_of(order))
        assert paid is not None
        assert (paid.state, paid.amount_cents, paid.paid_cents) == (OrderState.PAID, 299, 239)

    def test_a_code_that_leaves_nothing_to_pay_is_paid_and_nothing_can_be_given_back(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), subtotal_cents=299, amount_cents=0, payment_intent_id=None)
        assert house.shop.confirm_payment(session_of(order)) is not None
        job = house.fulfilment.claim("w1")
        assert job is not None
        house.fulfilment.fail(job, ReleaseDamaged("a file is missing"))
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED
        assert house.gateway.refunds == {}

    @pytest.mark.parametrize("cents", [(200, 200), (299, 300)], ids=["another-price", "more-than-the-price"])
    def test_money_that_is_not_the_price_before_a_code_does_not_fit(self, house: House, cents: tuple[int, int]) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), subtotal_cents=cents[0], amount_cents=cents[1])
        with pytest.raises(PaymentMismatch):
            house.shop.confirm_payment(session_of(order))


class TestPaidTwice:
    def test_money_on_an_old_page_goes_back_by_itself_and_the_order_goes_its_way(self, house: House) -> None:
        order = house.placed()
        old = session_of(order)
        house.gateway.expire(old)
        new = session_of(house.shop.open_checkout(order.id, "ada"))
        house.gateway.pay(new)
        house.shop.confirm_payment(new)
        house.gateway.change(old, status=CheckoutStatus.COMPLETE, paid=True, payment_intent_id="pi_old")
        again = house.shop.confirm_payment(old)
        assert again is not None
        assert (again.state, again.payment_intent_id) == (OrderState.PAID, f"pi_{new}")
        assert [house.shop.run_errands(), house.shop.run_errands()] == [1, 0]
        assert house.gateway.refunds == {f"order-{order.id}-extra-pi_old": "pi_old"}
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_it_goes_back_once_however_often_it_is_heard_of(self, house: House) -> None:
        order = house.placed()
        old = session_of(order)
        house.gateway.expire(old)
        new = session_of(house.shop.open_checkout(order.id, "ada"))
        house.gateway.pay(new)
        house.shop.confirm_payment(new)
        house.gateway.change(old, status=CheckoutStatus.COMPLETE, paid=True, payment_intent_id="pi_old")
        for _ in range(3):
            house.shop.confirm_payment(old)
            house.shop.run_errands()
        assert list(house.gateway.refunds.values()) == ["pi_old"]


class TestDisputes:
    def dispute(self, house: House, order: Order, dispute: Dispute) -> Order:
        house.gateway.change(session_of(order), dispute=dispute)
        after = house.shop.confirm_payment(session_of(order))
        assert after is not None
        return after

    @pytest.mark.parametrize("state", [OrderState.PAID, OrderState.DELIVERED, OrderState.REFUNDING], ids=str)
    def test_one_that_is_won_leads_back_to_where_the_order_was(self, house: House, state: OrderState) -> None:
        order = house.paid()
        house.put(order, state)
        assert self.dispute(house, order, Dispute.OPEN).state is OrderState.DISPUTED
        assert house.job_state(order) is JobState.CANCELLED
        won = self.dispute(house, order, Dispute.WON)
        assert (won.state, won.before_dispute) == (state, None)

    def test_a_script_that_was_being_written_is_written_anew(self, house: House) -> None:
        order, job = house.writing()
        self.dispute(house, order, Dispute.OPEN)
        with pytest.raises(JobCancelled):
            house.fulfilment.heartbeat(job)
        assert house.fulfilment.claim("w2") is None
        assert self.dispute(house, order, Dispute.WON).state is OrderState.PAID
        again = house.fulfilment.claim("w2")
        assert again is not None
        assert (again.key, again.attempt, again.given_back) == (job.key, 2, 1)

    @pytest.mark.parametrize("state", [OrderState.PAID, OrderState.WRITING, OrderState.DELIVERED], ids=str)
    def test_one_that_is_lost_is_the_end_and_nothing_is_given_back_again(self, house: House, state: OrderState) -> None:
        order = house.paid()
        house.put(order, state)
        self.dispute(house, order, Dispute.OPEN)
        assert self.dispute(house, order, Dispute.LOST).state is OrderState.REFUNDED
        assert house.shop.run_errands() == 0
        assert house.gateway.refunds == {}

    def test_the_end_may_be_heard_of_before_the_beginning(self, house: House) -> None:
        order = house.paid()
        assert self.dispute(house, order, Dispute.LOST).state is OrderState.REFUNDED
        states = [move.after for move in house.history(order)]
        assert states == [OrderState.PLACED, OrderState.PAID, OrderState.DISPUTED, OrderState.REFUNDED]

    def test_an_inquiry_freezes_nothing_and_is_told_once(self, house: House) -> None:
        order = house.paid()
        for _ in range(3):
            assert self.dispute(house, order, Dispute.INQUIRY).state is OrderState.PAID
        assert len(house.notices()) == 1

    def test_each_turn_of_a_dispute_is_told_once(self, house: House) -> None:
        order = house.paid()
        for dispute in (Dispute.OPEN, Dispute.OPEN, Dispute.WON, Dispute.WON):
            self.dispute(house, order, dispute)
        assert [notice["facts"]["dispute"] for notice in house.notices()] == ["open", "won"]

    def test_a_frozen_order_gives_nothing_back_until_the_bank_has_decided(self, house: House) -> None:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        self.dispute(house, order, Dispute.OPEN)
        assert house.shop.run_errands() == 0
        assert house.gateway.refunds == {}
        self.dispute(house, order, Dispute.WON)
        house.clock.advance(hours=1)
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_a_refund_that_the_bank_sent_back_while_it_was_frozen_is_asked_for_again(self, house: House) -> None:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        session_id, intent = session_of(order), str(order.payment_intent_id)
        # Stripe took the refund; before that is written down, the dispute freezes the order, and then the bank refuses
        house.gateway.refund(intent, order_id=order.id, key=f"order-{order.id}-refund")
        house.gateway.change(session_id, refunded=False)
        self.dispute(house, order, Dispute.OPEN)
        with house.store.begin() as work:
            work.outbox.finish(f"order-{order.id}-refund")
            work.commit()
        assert self.dispute(house, order, Dispute.WON).state is OrderState.REFUNDING
        assert house.shop.run_errands() == 1
        assert list(house.gateway.refunds) == [f"order-{order.id}-refund", f"order-{order.id}-refund-2"]
        assert the_order(house.store, order.id).state is OrderState.REFUNDED


class TestAnOldAnswer:
    """Stripe was asked, something newer was written down, and only then is the answer acted on."""

    def answers_late(self, house: House, order: Order, meanwhile: Callable[[], object], times: int = 1) -> None:
        """The next answers of Stripe's are of before ``meanwhile``, which happens while they are on their way."""
        asked, left = house.gateway.read_payment, [times]

        def read(session_id: str, **how: bool) -> Payment:
            payment = asked(session_id, **how)
            if left[0] > 0:
                left[0] -= 1
                meanwhile()
            return payment

        house.gateway.read_payment = read  # type: ignore[method-assign]

    def test_does_not_freeze_an_order_whose_dispute_is_won(self, house: House) -> None:
        order = house.paid()
        house.gateway.change(session_of(order), dispute=Dispute.OPEN)
        house.shop.confirm_payment(session_of(order))

        def won() -> None:
            house.gateway.change(session_of(order), dispute=Dispute.WON)
            house.shop.confirm_payment(session_of(order))

        self.answers_late(house, order, won)
        after = house.shop.confirm_payment(session_of(order))
        assert after is not None
        assert after.state is OrderState.PAID
        assert [move.after for move in house.history(order)].count(OrderState.DISPUTED) == 1

    def test_does_not_pay_what_was_paid_and_given_back(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))

        def given_back() -> None:
            house.shop.confirm_payment(session_of(order))
            house.gateway.change(session_of(order), refunded=True)
            house.shop.confirm_payment(session_of(order))

        self.answers_late(house, order, given_back)
        after = house.shop.confirm_payment(session_of(order))
        assert after is not None
        assert after.state is OrderState.REFUNDED

    def test_does_not_call_a_failed_refund_done(self, house: House) -> None:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        house.shop.run_errands()

        def sent_back() -> None:
            house.gateway.change(session_of(order), refunded=False)
            house.shop.receive_event(*house.gateway.webhook("refund.failed", session_of(order)))
            house.shop.run_inbox()

        self.answers_late(house, order, sent_back)
        after = house.shop.confirm_payment(session_of(order))
        assert after is not None
        assert (after.state, bool(after.trouble)) == (OrderState.REFUNDING, True)

    def test_does_not_end_a_page_that_was_paid(self, house: House) -> None:
        order = house.placed()

        def paid() -> None:
            house.gateway.pay(session_of(order))
            house.shop.confirm_payment(session_of(order))

        self.answers_late(house, order, paid)
        house.shop.receive_event(*house.gateway.webhook("checkout.session.expired", session_of(order)))
        house.shop.run_inbox()
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_is_asked_for_again_only_so_often(self, house: House) -> None:
        order = house.paid()

        def back_and_forth() -> None:
            dispute = Dispute.WON if the_order(house.store, order.id).state is OrderState.DISPUTED else Dispute.OPEN
            state = OrderState.PAID if dispute is Dispute.WON else OrderState.DISPUTED
            house.put(order, state)

        self.answers_late(house, order, back_and_forth, times=99)
        with pytest.raises(StoreBusy, match="moved 5 times"):
            house.shop.confirm_payment(session_of(order))
