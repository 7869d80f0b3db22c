"""What Stripe reports: kept first, acted on by asking Stripe again, and processed only when that is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.house import COMPLETED, House, session_of
from tests.samples import the_job, the_order
from tng.errors import SignatureInvalid, StoreBusy
from tng.jobs import JobState
from tng.orders import MOVES, PAYABLE, Order, OrderState
from tng.payments import CheckoutStatus, Dispute

KINDS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "charge.refunded",
    "refund.updated",
    "charge.dispute.created",
    "charge.dispute.closed",
)


@pytest.fixture
def house() -> House:
    return House()


class TestWebhooks:
    def hook(self, house: House, order: Order, kind: str = COMPLETED, **given: Any) -> None:
        house.shop.receive_event(*house.gateway.webhook(kind, session_of(order), **given))
        house.shop.run_inbox()

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
        house.put(order, state)
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


class TestReceive:
    def test_is_kept_and_nothing_is_done_yet(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.calls.clear()
        house.shop.receive_event(*house.gateway.webhook(COMPLETED, session_of(order)))
        assert house.gateway.calls == []
        assert the_order(house.store, order.id).state is OrderState.PLACED
        assert house.reports_waiting() == 1

    def test_the_same_one_is_kept_once(self, house: House) -> None:
        order = house.placed()
        for _ in range(5):
            house.shop.receive_event(*house.gateway.webhook(COMPLETED, session_of(order)))
        assert house.reports_waiting() == 1

    def test_a_store_that_is_busy_is_told_so_that_stripe_sends_it_again(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        hook = house.gateway.webhook(COMPLETED, session_of(order))
        house.store.busy = True  # type: ignore[attr-defined]
        with pytest.raises(StoreBusy):
            house.shop.receive_event(*hook)
        house.store.busy = False  # type: ignore[attr-defined]
        house.shop.receive_event(*hook)
        house.shop.run_inbox()
        assert the_order(house.store, order.id).state is OrderState.PAID


class TestRun:
    def received(self, house: House, kind: str, order: Order) -> str:
        return house.shop.receive_event(*house.gateway.webhook(kind, session_of(order))).id

    def processed(self, house: House, event_id: str) -> bool:
        with house.store.read() as work:
            return work.inbox.processed(event_id)

    def test_what_could_not_be_done_comes_back_later_and_later(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        event_id = self.received(house, COMPLETED, order)
        house.gateway.down = True
        assert house.shop.run_inbox() == 0
        house.gateway.calls.clear()
        assert house.shop.run_inbox() == 0
        assert house.gateway.calls == []  # not at once
        house.gateway.down = False
        house.clock.advance(seconds=2)
        assert house.shop.run_inbox() == 1
        assert self.processed(house, event_id)
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_a_process_that_dies_in_the_middle_leaves_it_due(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        event_id = self.received(house, COMPLETED, order)

        class Death(BaseException):
            pass

        def dies(_session_id: str, **_how: bool) -> object:
            raise Death

        alive, house.gateway.read_payment = house.gateway.read_payment, dies  # type: ignore[assignment, method-assign]
        with pytest.raises(Death):
            house.shop.run_inbox()
        house.gateway.read_payment = alive  # type: ignore[method-assign]
        assert not self.processed(house, event_id)
        house.clock.advance(minutes=2)
        assert house.new_shop().run_inbox() == 1
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_one_whose_order_is_not_there_yet_comes_back_until_it_is(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        elsewhere = House(clock=house.clock)  # the same Stripe, and an orders database that knows nothing yet
        elsewhere.gateway = house.gateway
        elsewhere.shop = elsewhere.new_shop()
        elsewhere.shop.receive_event(*house.gateway.webhook(COMPLETED, session_of(order)))
        assert elsewhere.shop.run_inbox() == 0
        assert elsewhere.reports_waiting() == 1
        with elsewhere.store.begin() as work:
            work.orders.add(order)
            work.commit()
        house.clock.advance(minutes=5)
        assert elsewhere.shop.run_inbox() == 1
        assert the_order(elsewhere.store, order.id).state is OrderState.PAID

    def test_one_that_nobody_can_act_on_is_told_to_an_operator_after_three_days(self, house: House) -> None:
        event_id = house.shop.receive_event(
            *house.gateway.webhook(COMPLETED, "cs_test_gone", order_id="ord_" + "0" * 32)
        ).id
        for _ in range(1000):
            house.clock.advance(minutes=5)
            if house.shop.run_inbox():
                break
        assert self.processed(house, event_id)
        lost, given_up = house.notices()
        assert (lost["title"], given_up["title"]) == ("A paid order is not there", "A payment needs a look")

    def test_money_for_an_order_that_was_lost_is_told_to_an_operator_within_minutes(self, house: House) -> None:
        order_id = "ord_" + "0" * 32
        house.shop.receive_event(*house.gateway.webhook(COMPLETED, "cs_test_gone", order_id=order_id))
        began_at = house.clock.now()
        while not (told := house.notices()):
            house.clock.advance(seconds=30)
            house.shop.run_inbox()
        assert house.clock.now() - began_at < timedelta(minutes=10)
        assert told[0]["facts"]["order"] == order_id

    @pytest.mark.parametrize("kind", KINDS)
    def test_what_does_not_concern_us_is_taken_quietly(self, house: House, kind: str) -> None:
        event_id = house.shop.receive_event(*house.gateway.webhook(kind, "cs_test_of_another_shop")).id
        assert house.shop.run_inbox() == 1
        assert self.processed(house, event_id)
        assert house.notices() == []

    def test_one_that_names_no_page_and_no_payment_of_ours_does_not_come_back(self, house: House) -> None:
        order = house.placed()  # not paid: what is told of it names no payment
        house.shop.receive_event(*house.gateway.webhook("charge.refunded", session_of(order)))
        assert house.shop.run_inbox() == 1
        with house.store.read() as work:
            assert work.inbox.waiting() == 0

    @pytest.mark.parametrize("kind", ["payment_intent.succeeded", "charge.succeeded", "invented.by.nobody"])
    def test_a_kind_that_nobody_acts_on_costs_stripe_no_question(self, house: House, kind: str) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.calls.clear()
        house.shop.receive_event(*house.gateway.webhook(kind, session_of(order)))
        assert house.shop.run_inbox() == 0
        assert (house.reports_waiting(), house.gateway.calls) == (0, [])

    def test_money_that_does_not_fit_changes_nothing_and_is_told(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), amount_cents=1)
        self.received(house, COMPLETED, order)
        assert house.shop.run_inbox() == 1
        assert the_order(house.store, order.id) == order
        assert [notice["kind"] for notice in house.notices()] == ["odd_payment"]

    def test_a_dispute_is_found_by_its_payment_alone_and_before_the_payment_is_known(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), dispute=Dispute.OPEN)
        house.shop.receive_event(*house.gateway.webhook("charge.dispute.created", session_of(order), order_id=""))
        assert house.shop.run_inbox() == 1
        assert the_order(house.store, order.id).state is OrderState.DISPUTED

    def test_a_refund_that_the_bank_sent_back_is_owed_again_and_told(self, house: House) -> None:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        house.shop.run_errands()
        assert the_order(house.store, order.id).state is OrderState.REFUNDED
        house.gateway.change(session_of(order), refunded=False)
        self.received(house, "refund.failed", order)
        house.shop.run_inbox()
        back = the_order(house.store, order.id)
        assert back.state is OrderState.REFUNDING
        assert back.trouble
        assert [notice["kind"] for notice in house.notices()] == ["refund_failed"]

    def test_a_failed_refund_is_a_hint_too(self, house: House) -> None:
        order = house.paid()
        house.refunds.refund(order.id, by="operator ola", why="asked for")
        house.shop.run_errands()
        self.received(house, "refund.failed", order)  # and the money is with the customer
        house.shop.run_inbox()
        assert the_order(house.store, order.id).state is OrderState.REFUNDED


class TestWhatIsKnown:
    """Reports that can teach nothing cost Stripe no question."""

    PAID = (COMPLETED, "checkout.session.async_payment_succeeded")

    def acted_on(self, house: House, kind: str, order: Order) -> list[str]:
        """What Stripe is asked because of such a report."""
        house.gateway.calls.clear()
        house.shop.receive_event(*house.gateway.webhook(kind, session_of(order)))
        assert house.shop.run_inbox() == 1
        return house.gateway.calls

    @pytest.mark.parametrize("kind", PAID)
    @pytest.mark.parametrize("state", [state for state in OrderState if state not in PAYABLE], ids=str)
    def test_that_a_page_was_paid_is_not_asked_again_where_it_is_known(
        self, house: House, state: OrderState, kind: str
    ) -> None:
        order = house.put(house.paid(), state)
        assert self.acted_on(house, kind, order) == []
        assert the_order(house.store, order.id) == order

    @pytest.mark.parametrize("kind", PAID)
    def test_that_another_page_was_paid_is_asked_and_goes_back(self, house: House, kind: str) -> None:
        first = house.placed()
        house.gateway.expire(session_of(first))
        again = house.shop.open_checkout(first.id, "ada")
        house.gateway.change(session_of(first), status=CheckoutStatus.OPEN)  # Stripe took it after all
        house.gateway.pay(session_of(again))
        house.shop.confirm_payment(session_of(again))
        house.gateway.pay(session_of(first))
        assert "read_payment" in self.acted_on(house, kind, first)
        assert house.shop.run_errands() == 1
        assert list(house.gateway.refunds.values()) == [f"pi_{session_of(first)}"]

    @pytest.mark.parametrize("kind", ["charge.refunded", "charge.dispute.created", "charge.dispute.closed"])
    def test_what_became_of_the_money_is_always_asked(self, house: House, kind: str) -> None:
        assert "read_payment" in self.acted_on(house, kind, house.paid())


class TestReconcile:
    def test_what_no_webhook_brought_is_found_in_stripes_own_list(self, house: House) -> None:
        order = house.paid()
        house.gateway.change(session_of(order), dispute=Dispute.OPEN)
        house.gateway.report("charge.dispute.created", session_of(order))
        house.shop.reconcile()
        house.shop.run_inbox()
        assert the_order(house.store, order.id).state is OrderState.DISPUTED

    def test_what_a_webhook_brought_is_not_acted_on_twice(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.shop.receive_event(*house.gateway.webhook(COMPLETED, session_of(order)))
        house.shop.run_inbox()
        house.gateway.report(COMPLETED, session_of(order))
        house.shop.reconcile()
        assert house.reports_waiting() == 0

    def looks(self, house: House) -> list[datetime]:
        """From when on Stripe is asked for its list, look by look."""
        asked: list[datetime] = []
        house.gateway.recent_events = lambda since: asked.append(since) or ()  # type: ignore[method-assign, func-returns-value]
        return asked

    def test_the_first_look_goes_as_far_back_as_stripe_does_and_later_ones_an_hour(self, house: House) -> None:
        house.placed()
        asked, began_at = self.looks(house), house.clock.now()
        house.shop.reconcile()
        house.clock.advance(minutes=10)
        house.shop.reconcile()
        assert asked == [began_at - timedelta(days=30), began_at - timedelta(hours=1)]

    @pytest.mark.parametrize(
        ("down_hours", "back_hours"),
        [(9, 10), (20 * 24, 20 * 24 + 1), (90 * 24, 30 * 24)],
        ids=["night", "weeks", "season"],
    )
    def test_after_a_start_the_list_is_read_from_where_it_was_left(
        self, house: House, down_hours: int, back_hours: int
    ) -> None:
        house.placed()
        asked = self.looks(house)
        house.shop.reconcile()
        now = house.clock.advance(hours=down_hours)
        house.new_shop().reconcile()
        assert asked[1] == now - timedelta(hours=back_hours)

    def test_a_database_without_orders_looks_back_three_days(self, house: House) -> None:
        asked = self.looks(house)
        house.shop.reconcile()
        assert asked == [house.clock.now() - timedelta(days=3)]

    def test_a_look_that_was_broken_off_is_begun_again_where_it_began(self, house: House) -> None:
        order = house.placed()
        house.shop.reconcile()
        house.clock.advance(days=10)
        house.gateway.pay(session_of(order))
        house.gateway.report("charge.dispute.created", session_of(order))
        house.clock.advance(days=10)
        house.gateway.down = True
        house.new_shop().reconcile()
        house.shop.receive_event(*house.gateway.webhook("charge.refunded", session_of(order)))  # it is up, and hears
        house.gateway.down = False
        again = house.new_shop()
        again.reconcile()
        with house.store.read() as work:
            assert work.inbox.knows(f"evt_charge.dispute.created_{session_of(order)}")

    def test_a_bookmark_of_a_clock_that_was_wrong_is_not_believed(self, house: House) -> None:
        house.placed()
        with house.store.begin() as work:
            work.inbox.list_until(house.clock.now() + timedelta(days=365))
            work.commit()
        asked = self.looks(house)
        house.shop.reconcile()
        assert asked == [house.clock.now() - timedelta(days=30)]

    def test_a_frozen_order_is_asked_about_again(self, house: House) -> None:
        order = house.paid()
        house.gateway.change(session_of(order), dispute=Dispute.OPEN)
        house.shop.confirm_payment(session_of(order))
        house.gateway.change(session_of(order), dispute=Dispute.WON)
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_reports_of_long_ago_are_forgotten(self, house: House) -> None:
        order = house.placed()
        event = house.shop.receive_event(*house.gateway.webhook(COMPLETED, session_of(order)))
        house.shop.run_inbox()
        house.clock.advance(days=36)
        house.shop.reconcile()
        with house.store.read() as work:
            assert not work.inbox.processed(event.id)
