"""Money in, money out: what a payment, a webhook or an errand does to an order."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.house import COMPLETED, House, session_of
from tests.samples import PREMISE, a_paid_order, keep, the_job, the_order
from tng.errors import GatewayUnavailable, PaymentMismatch, PaymentRefused, SignatureInvalid, StoreBusy
from tng.jobs import JobState
from tng.orders import MOVES, Order, OrderState
from tng.payments import CheckoutStatus
from tng.script import Premise


@pytest.fixture
def house() -> House:
    return House()


def move(house: House, order: Order, state: OrderState, **changes: Any) -> None:
    """Something else happens to the order."""
    with house.store.begin() as work:
        work.orders.save(replace(work.orders.get(order.id), state=state, **changes))
        work.commit()


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
        move(house, order, state)
        again = house.shop.confirm_payment(session_of(order))
        assert again is not None
        assert again.state is state

    def test_money_for_an_order_that_was_given_up_counts(self, house: House) -> None:
        order = house.placed()
        move(house, order, OrderState.EXPIRED, checkout_url=None)
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
        move(house, order, OrderState.PLACED, checkout_session_id=None)
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
        move(house, order, OrderState.PLACED, checkout_session_id=None, checkout_url=None)
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
            pytest.param({"disputed": True}, OrderState.DISPUTED, id="disputed"),
            pytest.param({"refunded": True, "disputed": True}, OrderState.REFUNDED, id="both"),
        ],
    )
    def test_money_that_came_and_went_starts_no_job(
        self, house: House, facts: dict[str, bool], state: OrderState
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

        def write_meanwhile(session_id: str) -> object:
            with house.store.begin():
                return read(session_id)

        house.gateway.read_payment = write_meanwhile  # type: ignore[assignment, method-assign]
        assert house.shop.confirm_payment(session_of(order)) is not None


class TestWebhooks:
    def hook(self, house: House, order: Order, kind: str = COMPLETED, **given: Any) -> None:
        house.shop.receive_event(*house.gateway.webhook(kind, session_of(order), **given))

    def test_a_payment_is_confirmed(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        self.hook(house, order)
        assert the_order(house.store, order.id).state is OrderState.PAID

    @pytest.mark.parametrize("kind", [COMPLETED, "checkout.session.async_payment_succeeded"])
    def test_a_webhook_is_a_hint_and_no_fact(self, house: House, kind: str) -> None:
        order = house.placed()
        self.hook(house, order, kind)  # signed, and untrue
        assert the_order(house.store, order.id) == order

    def test_a_duplicate_does_nothing(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        self.hook(house, order)
        house.gateway.calls.clear()
        self.hook(house, order)
        assert house.gateway.calls == []

    @pytest.mark.parametrize(
        "forge",
        [
            pytest.param(lambda payload, signature: (payload, None), id="unsigned"),
            pytest.param(lambda payload, signature: (payload + b" ", signature), id="changed"),
            pytest.param(lambda payload, signature: (payload, signature[:-1] + "x"), id="signed-by-another"),
        ],
    )
    def test_a_forged_one_changes_nothing(self, house: House, forge: Callable[..., tuple[bytes, str | None]]) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        with pytest.raises(SignatureInvalid):
            house.shop.receive_event(*forge(*house.gateway.webhook(COMPLETED, session_of(order))))
        assert the_order(house.store, order.id) == order

    @pytest.mark.parametrize("minutes", [-6, 6], ids=["old", "of-the-future"])
    def test_one_of_another_time_changes_nothing(self, house: House, minutes: int) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        with pytest.raises(SignatureInvalid):
            self.hook(house, order, at=house.clock.now() + timedelta(minutes=minutes))
        assert the_order(house.store, order.id) == order
        self.hook(house, order, at=house.clock.now() + timedelta(minutes=minutes / 2))  # the control
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_an_order_expires_when_stripe_says_so_twice(self, house: House) -> None:
        order = house.placed()
        self.hook(house, order, "checkout.session.expired", event_id="evt_untrue")
        assert the_order(house.store, order.id) == order
        house.gateway.expire(session_of(order))
        self.hook(house, order, "checkout.session.expired")
        assert the_order(house.store, order.id).state is OrderState.EXPIRED

    def test_an_expired_page_that_was_paid_is_paid(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        self.hook(house, order, "checkout.session.expired")
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_a_bank_that_refuses_afterwards_ends_the_page(self, house: House) -> None:
        order = house.placed()
        house.gateway.change(session_of(order), status=CheckoutStatus.COMPLETE)
        self.hook(house, order, "checkout.session.expired", event_id="evt_1")
        assert the_order(house.store, order.id).state is OrderState.PLACED
        self.hook(house, order, "checkout.session.async_payment_failed")
        assert the_order(house.store, order.id).state is OrderState.EXPIRED
        assert house.shop.open_checkout(order.id, "ada").checkout_attempt == 2

    def test_an_old_pages_end_does_not_end_the_order(self, house: House) -> None:
        order = house.placed()
        house.gateway.expire(session_of(order))
        again = house.shop.open_checkout(order.id, "ada")
        self.hook(house, order, "checkout.session.expired")
        assert the_order(house.store, order.id) == again

    @pytest.mark.parametrize("state", [s for s in OrderState if OrderState.REFUNDED in MOVES[s]], ids=str)
    def test_money_given_back_by_hand_is_noticed(self, house: House, state: OrderState) -> None:
        order = house.paid()
        move(house, order, state)
        house.gateway.change(session_of(order), refunded=True)
        self.hook(house, order, "charge.refunded")
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_a_part_given_back_changes_nothing(self, house: House) -> None:
        order = house.paid()
        self.hook(house, order, "charge.refunded")  # ``refunded`` is false: not all of it
        assert the_order(house.store, order.id) == order

    def test_a_refund_that_overtakes_the_payment_starts_no_job(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), refunded=True)
        self.hook(house, order, "charge.refunded")
        self.hook(house, order)
        assert the_order(house.store, order.id).state is OrderState.REFUNDED
        assert house.job_of(order) is None

    def test_a_run_whose_money_went_back_is_stopped(self, house: House) -> None:
        order, job = house.writing()
        house.gateway.change(session_of(order), refunded=True)
        self.hook(house, order, "charge.refunded")
        with pytest.raises(Exception, match="REFUNDED"):
            house.fulfilment.heartbeat(job)
        assert the_job(house.store, job.key).state is JobState.CANCELLED

    @pytest.mark.parametrize("kind", ["payment_intent.created", "charge.dispute.created", COMPLETED, "charge.refunded"])
    def test_what_does_not_concern_us_is_taken_quietly(self, house: House, kind: str) -> None:
        house.shop.receive_event(*house.gateway.webhook(kind, "cs_test_of_another_shop"))
        with house.store.read() as work:
            assert work.inbox.handled(f"evt_{kind}_cs_test_of_another_shop")

    def test_a_mismatch_is_taken_and_changes_nothing(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), amount_cents=1)
        self.hook(house, order)
        assert the_order(house.store, order.id) == order

    @pytest.mark.parametrize("fault", ["down", "busy"])
    def test_what_could_not_be_done_is_not_marked_as_handled(self, house: House, fault: str) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        hook = house.gateway.webhook(COMPLETED, session_of(order))
        part = house.gateway if fault == "down" else house.store
        setattr(part, fault, True)
        with pytest.raises((GatewayUnavailable, StoreBusy)):
            house.shop.receive_event(*hook)
        setattr(part, fault, False)
        house.shop.receive_event(*hook)  # Stripe sends it again
        assert the_order(house.store, order.id).state is OrderState.PAID


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
        assert house.gateway.calls == ["refund"]

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
        move(house, order, OrderState.REFUNDED)
        assert house.shop.run_errands() == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED
        house.clock.advance(days=1)
        assert house.shop.run_errands() == 0

    def test_runs_no_more_than_it_is_told(self, house: House) -> None:
        keep(house.store, *(a_paid_order(n, OrderState.REFUNDING) for n in range(1, 4)))
        house.shop.reconcile()
        assert [house.shop.run_errands(2), house.shop.run_errands(2)] == [2, 1]
