"""What a customer may take back, when, and what becomes of the money and of what is written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.house import House, session_of
from tests.samples import PREMISE, the_order
from tests.unit.tng.api_support import SCENES
from tng.errors import GatewayUnavailable, IllegalMove, JobCancelled, LeaseLost, OrderNotFound, StoreBusy
from tng.jobs import EventKind, Job, JobState
from tng.orders import Order, OrderState
from tng.payments import CheckoutStatus, Dispute
from tng.provenance import Provenance
from tng.script import parse

PLAN = {"acts": [{"name": "TEASER", "scenes": [{}, {}]}, {"name": "ACT ONE", "scenes": [{}, {}, {}]}]}
"""Five scenes."""


@pytest.fixture
def house() -> House:
    return House()


def say(house: House, job: Job, scenes: int, plan: dict[str, Any] | None = PLAN) -> None:
    """The run has planned, and has written so many scenes: two of the teaser, the others of act one."""
    events: list[Any] = [(EventKind.PLAN, plan)] if plan else []
    for number in range(scenes):
        act = "TEASER" if number < 2 else "ACT ONE"
        events.append((EventKind.SCENE, {"act": act, "number": number + 1, "text": SCENES[number % len(SCENES)]}))
    house.fulfilment.heartbeat(job, events)


def cancel(house: House, order: Order) -> Order:
    return house.shop.cancel(order.id, "ada")


def refunds(house: House) -> int:
    """Run what is owed: how many refunds Stripe has made in all."""
    house.shop.run_errands()
    return len(house.gateway.refunds)


class TestBeforeItIsPaid:
    def test_the_page_is_closed_at_stripe_before_the_order_ends(self, house: House) -> None:
        order = house.placed()
        assert cancel(house, order).state is OrderState.EXPIRED
        assert house.gateway.payments[session_of(order)].status is CheckoutStatus.EXPIRED
        assert [(move.actor, move.after) for move in house.history(order)][-1] == ("customer", OrderState.EXPIRED)

    def test_an_order_without_a_page_ends_without_stripe(self, house: House) -> None:
        order = house.shop.place_order("ada", PREMISE, "key-1")
        house.gateway.down = True
        assert cancel(house, order).state is OrderState.EXPIRED

    def test_where_stripe_does_not_answer_nothing_changes(self, house: House) -> None:
        order = house.placed()
        house.gateway.down = True
        with pytest.raises(GatewayUnavailable):
            cancel(house, order)
        assert the_order(house.store, order.id).state is OrderState.PLACED

    def test_while_a_bank_moves_the_money_it_cannot_be_cancelled_and_says_so(self, house: House) -> None:
        order = house.placed()
        house.gateway.change(session_of(order), status=CheckoutStatus.COMPLETE)
        with pytest.raises(IllegalMove) as caught:
            cancel(house, order)
        assert "bank is still moving the money" in caught.value.user_message
        assert the_order(house.store, order.id).state is OrderState.PLACED

    def test_one_that_was_paid_all_the_while_is_paid_and_then_refunded(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        assert cancel(house, order).state is OrderState.REFUNDING
        assert [move.after for move in house.history(order)][1:] == [OrderState.PAID, OrderState.REFUNDING]
        assert refunds(house) == 1

    def test_one_that_is_paid_at_the_last_moment_is_refunded(self, house: House) -> None:
        order, close = house.placed(), house.gateway.close_checkout

        def too_late(session_id: str, **how: bool) -> None:
            house.gateway.pay(session_id)
            close(session_id, **how)

        house.gateway.close_checkout = too_late  # type: ignore[method-assign]
        assert cancel(house, order).state is OrderState.REFUNDING

    def test_a_page_that_is_opened_meanwhile_is_closed_again(self, house: House) -> None:
        order, open_checkout = house.shop.place_order("ada", PREMISE, "key-1"), house.gateway.open_checkout

        def slowly(asked: Order, **urls: str) -> Any:
            page = open_checkout(asked, **urls)
            cancel(house, order)
            return page

        house.gateway.open_checkout = slowly  # type: ignore[method-assign]
        assert house.shop.open_checkout(order.id, "ada").state is OrderState.EXPIRED
        assert {payment.status for payment in house.gateway.payments.values()} == {CheckoutStatus.EXPIRED}

    def test_a_cancelled_order_can_be_paid_for_after_all(self, house: House) -> None:
        order = house.placed()
        cancel(house, order)
        again = house.shop.open_checkout(order.id, "ada")
        assert again.checkout_session_id not in (None, order.checkout_session_id)


class TestBeforeItIsBegun:
    def test_the_whole_price_goes_back_and_nobody_writes_it(self, house: House) -> None:
        order = house.paid()
        assert cancel(house, order).state is OrderState.REFUNDING
        assert house.job_state(order) is JobState.CANCELLED
        assert house.fulfilment.claim("w1") is None
        assert refunds(house) == 1
        assert the_order(house.store, order.id).state is OrderState.REFUNDED

    def test_any_number_of_times_the_money_goes_back_once(self, house: House) -> None:
        order = house.paid()
        for _ in range(3):
            assert cancel(house, order).state in (OrderState.REFUNDING, OrderState.REFUNDED)
            refunds(house)
        assert refunds(house) == 1


class TestStop:
    @pytest.mark.parametrize("scenes", [0, 1, 2])
    def test_below_half_the_money_goes_back_and_what_is_written_stays(self, house: House, scenes: int) -> None:
        order, job = house.writing()
        say(house, job, scenes)
        stopped = cancel(house, order)
        assert (stopped.state, stopped.is_part, stopped.is_readable) == (OrderState.REFUNDING, scenes > 0, scenes > 0)
        assert len(parse(stopped.script_text).scenes if stopped.script_text else ()) == scenes
        assert refunds(house) == 1
        kept = the_order(house.store, order.id)
        assert (kept.state, kept.script_text) == (OrderState.REFUNDED, stopped.script_text)

    @pytest.mark.parametrize("scenes", [3, 4])
    def test_from_half_on_the_part_is_delivered_and_no_money_goes_back(self, house: House, scenes: int) -> None:
        order, job = house.writing()
        say(house, job, scenes)
        stopped = cancel(house, order)
        assert (stopped.state, stopped.is_part, stopped.is_readable) == (OrderState.DELIVERED, True, True)
        assert stopped.delivered_at == house.clock.now()
        assert refunds(house) == 0
        assert house.job_state(order) is JobState.CANCELLED

    def test_the_part_is_a_script_with_its_acts_and_says_that_it_is_a_part(self, house: House) -> None:
        order, job = house.writing()
        say(house, job, 3)
        stopped = cancel(house, order)
        script = parse(str(stopped.script_text))
        assert [(act.name, len(act.scenes)) for act in script.acts] == [("TEASER", 2), ("ACT ONE", 1)]
        assert script.title == order.premise.title
        assert (stopped.run_sha256, stopped.release_id) == (None, job.release_id)
        assert "3 of 5 scenes" in Provenance.read(stopped.provenance).how_far

    def test_where_everything_is_written_already_it_is_no_part(self, house: House) -> None:
        order, job = house.writing()
        say(house, job, 5)
        stopped = cancel(house, order)
        assert (stopped.state, stopped.is_part) == (OrderState.DELIVERED, False)

    def test_without_a_plan_nothing_counts_as_half(self, house: House) -> None:
        order, job = house.writing()
        say(house, job, 3, plan=None)
        assert cancel(house, order).state is OrderState.REFUNDING

    def test_only_the_attempt_in_hand_counts(self, house: House) -> None:
        order, job = house.writing()
        say(house, job, 4)
        house.clock.advance(seconds=11)
        again = house.fulfilment.claim("w2")
        assert again is not None
        say(house, again, 1)
        stopped = cancel(house, order)
        assert (stopped.state, len(parse(str(stopped.script_text)).scenes)) == (OrderState.REFUNDING, 1)

    def test_more_than_five_hundred_events_are_all_read(self, house: House) -> None:
        order, job = house.writing()
        house.fulfilment.heartbeat(job, [(EventKind.PROGRESS, {"percent": 1})] * 600)
        say(house, job, 4)
        assert cancel(house, order).state is OrderState.DELIVERED

    def test_a_scene_that_cannot_be_read_is_left_out(self, house: House) -> None:
        order, job = house.writing()
        say(house, job, 1)
        house.fulfilment.heartbeat(job, [(EventKind.SCENE, {"act": "TEASER", "number": 2, "text": "no heading"})])
        assert len(parse(str(cancel(house, order).script_text)).scenes) == 1

    def test_the_worker_is_told_to_stop_and_nothing_that_it_brings_counts(self, house: House) -> None:
        order, job = house.writing()
        say(house, job, 4)
        stopped = cancel(house, order)
        for late in (
            lambda: house.fulfilment.check(job),
            lambda: house.fulfilment.heartbeat(job),
            lambda: house.fulfilment.deliver(job, script_text="x", release_id="r", run_sha256="0" * 64),
            lambda: house.fulfilment.fail(job, StoreBusy("x")),
        ):
            with pytest.raises(JobCancelled):
                late()
        with pytest.raises(LeaseLost):
            house.fulfilment.give_back(job)
        assert the_order(house.store, order.id) == stopped

    def test_a_stop_is_neither_a_crash_nor_a_failure(self, house: House) -> None:
        order, _job = house.writing()
        cancel(house, order)
        job = house.job_of(order)
        assert job is not None
        assert (job.failures, job.error) == (0, None)

    def test_stopped_again_it_stays_as_it_is(self, house: House) -> None:
        order, job = house.writing()
        say(house, job, 4)
        assert cancel(house, order) == cancel(house, order)


class TestTooLate:
    def test_a_delivered_script_cannot_be_cancelled_and_says_so(self, house: House) -> None:
        order, job = house.writing()
        house.fulfilment.deliver(job, script_text="Title: X\n", release_id="r", run_sha256="0" * 64)
        with pytest.raises(IllegalMove) as caught:
            cancel(house, order)
        assert "delivered already" in caught.value.user_message

    def test_a_disputed_order_cannot_be_cancelled_and_says_so(self, house: House) -> None:
        order = house.paid()
        house.put(order, OrderState.DISPUTED, before_dispute=OrderState.PAID)
        with pytest.raises(IllegalMove) as caught:
            cancel(house, order)
        assert "disputed at the bank" in caught.value.user_message

    def test_a_strangers_order_is_not_found_and_nothing_is_asked_of_stripe(self, house: House) -> None:
        order = house.placed()
        house.gateway.calls.clear()
        with pytest.raises(OrderNotFound):
            house.shop.cancel(order.id, "ben")
        assert house.gateway.calls == []


def test_a_job_that_is_owed_again_is_not_cancelled_by_the_worker_that_was_stopped(house: House) -> None:
    """A dispute stops the run and is won before the worker has heard of it: its job waits, with the same attempt."""
    order, job = house.writing()
    session_id = session_of(order)
    house.gateway.change(session_id, dispute=Dispute.OPEN)
    house.shop.confirm_payment(session_id)
    house.gateway.change(session_id, dispute=Dispute.WON)
    house.shop.confirm_payment(session_id)
    with pytest.raises(LeaseLost):
        house.fulfilment.heartbeat(job)
    assert house.job_state(order) is JobState.QUEUED
    again = house.fulfilment.claim("w2")
    assert again is not None
    assert (again.attempt, again.failures, again.given_back) == (2, 0, 1)
