"""Placing an order and opening its page."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes import START
from tests.house import CHECKOUT_MINUTES, House, session_of
from tests.log_lines import logged
from tests.samples import PREMISE, a_paid_order, keep, the_order
from tng.errors import (
    GatewayUnavailable,
    OrderNotFound,
    PaymentMismatch,
    PaymentRefused,
    ShopClosed,
    StoreBusy,
    TooManyUnpaid,
)
from tng.jobs import Errand
from tng.orders import OrderState
from tng.payments import CheckoutStatus, Payment
from tng.shop import MOST_UNPAID


@pytest.fixture
def house() -> House:
    return House()


class TestPlaceOrder:
    def test_costs_what_the_shop_says(self, house: House) -> None:
        order = house.shop.place_order("ada", PREMISE, "key-1")
        assert (order.state, order.amount_cents, order.currency) == (OrderState.PLACED, 299, "usd")
        assert (order.customer, order.premise, order.placed_at) == ("ada", PREMISE, START)
        assert the_order(house.store, order.id) == order

    def test_a_double_click_places_one_order(self, house: House) -> None:
        one, two = (house.shop.place_order("ada", PREMISE, "key-1") for _ in range(2))
        assert one == two
        assert len(house.shop.orders("ada")) == 1

    def test_the_same_key_of_another_customer_is_another_order(self, house: House) -> None:
        one, two = (house.shop.place_order(name, PREMISE, "key-1") for name in ("ada", "ben"))
        assert one.id != two.id

    def test_ids_cannot_be_guessed(self, house: House) -> None:
        ids = {house.shop.place_order(f"customer-{n}", PREMISE, "key-1").id for n in range(50)}
        assert len(ids) == 50
        assert all(len(order_id) == len("ord_") + 32 for order_id in ids)

    def test_one_customer_does_not_fill_the_queue_with_open_pages(self, house: House) -> None:
        orders = [house.shop.place_order("ada", PREMISE, f"key-{n}") for n in range(MOST_UNPAID)]
        with pytest.raises(TooManyUnpaid):
            house.shop.place_order("ada", PREMISE, "one-more")
        assert house.shop.place_order("ada", PREMISE, "key-0") == orders[0]
        house.shop.place_order("ben", PREMISE, "key-1")
        house.shop.cancel(orders[0].id, "ada")
        house.shop.place_order("ada", PREMISE, "one-more")

    def test_a_closed_shop_takes_no_order(self, house: House) -> None:
        house.closed = True
        with pytest.raises(ShopClosed):
            house.shop.place_order("ada", PREMISE, "key-1")
        assert house.shop.orders("ada") == []

    def test_a_closed_shop_still_knows_the_orders_it_took(self, house: House) -> None:
        order = house.shop.place_order("ada", PREMISE, "key-1")
        house.closed = True
        assert house.shop.place_order("ada", PREMISE, "key-1") == order


class TestSeeing:
    def test_a_stranger_sees_nothing(self, house: House) -> None:
        order = house.paid()
        with pytest.raises(OrderNotFound):
            house.shop.order(order.id, "ben")
        with pytest.raises(OrderNotFound):
            house.shop.events(order.id, "ben")
        with pytest.raises(OrderNotFound):
            house.shop.open_checkout(order.id, "ben")
        assert house.shop.orders("ben") == []

    def test_an_unpaid_order_has_no_job_and_no_events(self, house: House) -> None:
        order = house.placed()
        assert house.shop.events(order.id, "ada") == (order, None, ())

    def test_events_go_on_where_the_page_left_off(self, house: House) -> None:
        order, job = house.writing()
        seen, its_job, events = house.shop.events(order.id, "ada")
        assert (seen, its_job) == (order, job)
        assert len(events) == 1
        assert house.shop.events(order.id, "ada", after=events[0].id)[2] == []


class TestOpenCheckout:
    def test_the_page_is_kept_with_the_order(self, house: House) -> None:
        order = house.placed()
        assert order.checkout_url
        assert order.checkout_expires_at == START + timedelta(minutes=CHECKOUT_MINUTES)
        assert (order.state, order.checkout_attempt) == (OrderState.PLACED, 1)
        assert the_order(house.store, order.id) == order

    def test_an_open_page_is_given_again(self, house: House) -> None:
        order = house.placed()
        assert house.shop.open_checkout(order.id, "ada") == order

    def test_a_page_that_is_over_is_followed_by_another(self, house: House) -> None:
        order = house.placed()
        house.gateway.expire(session_of(order))
        again = house.shop.open_checkout(order.id, "ada")
        assert again.checkout_attempt == 2
        assert again.checkout_session_id != order.checkout_session_id
        assert again.checkout_url

    def test_a_paid_page_is_confirmed_and_not_opened_again(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        again = house.shop.open_checkout(order.id, "ada")
        assert (again.state, again.checkout_url, again.checkout_attempt) == (OrderState.PAID, None, 1)
        assert house.job_of(order) is not None

    def test_a_slow_bank_is_waited_for(self, house: House) -> None:
        order = house.placed()
        house.gateway.change(session_of(order), status=CheckoutStatus.COMPLETE)
        assert house.shop.open_checkout(order.id, "ada") == order

    def test_an_expired_order_can_be_paid_after_all(self, house: House) -> None:
        order = house.placed()
        house.gateway.expire(session_of(order))
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.EXPIRED
        again = house.shop.open_checkout(order.id, "ada")
        assert (again.state, again.checkout_attempt) == (OrderState.PLACED, 2)
        house.gateway.pay(session_of(again))
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.PAID

    @pytest.mark.parametrize("state", [s for s in OrderState if s not in ("placed", "expired")], ids=str)
    def test_what_was_paid_is_never_paid_again(self, house: House, state: OrderState) -> None:
        order = a_paid_order(state=state)
        keep(house.store, order)
        assert house.shop.open_checkout(order.id, "ada") == order
        assert house.gateway.calls == []

    def test_stripe_down_changes_nothing_that_matters(self, house: House) -> None:
        order = house.shop.place_order("ada", PREMISE, "key-1")
        house.gateway.down = True
        with pytest.raises(GatewayUnavailable):
            house.shop.open_checkout(order.id, "ada")
        house.gateway.down = False
        again = house.shop.open_checkout(order.id, "ada")
        assert (again.checkout_attempt, bool(again.checkout_url)) == (1, True)

    def test_an_attempt_that_was_lost_too_long_ago_is_followed_by_another(self, house: House) -> None:
        order = house.shop.place_order("ada", PREMISE, "key-1")
        house.gateway.down = True
        with pytest.raises(GatewayUnavailable):
            house.shop.open_checkout(order.id, "ada")
        house.gateway.down = False
        house.clock.advance(minutes=CHECKOUT_MINUTES - 29)  # Stripe opens no page that lives under thirty minutes
        assert house.shop.open_checkout(order.id, "ada").checkout_attempt == 2

    def test_a_closed_shop_opens_no_new_page_but_keeps_open_ones(self, house: House) -> None:
        opened, unopened = house.placed("a"), house.shop.place_order("ada", PREMISE, "b")
        house.closed = True
        house.clock.advance(minutes=3)  # whoever was just let in is let in
        assert house.shop.open_checkout(opened.id, "ada") == opened
        with pytest.raises(ShopClosed):
            house.shop.open_checkout(unopened.id, "ada")

    def test_who_was_let_in_has_a_moment_to_open_the_page(self, house: House) -> None:
        order = house.shop.place_order("ada", PREMISE, "a")
        house.closed = True
        assert house.shop.open_checkout(order.id, "ada").checkout_url

    def test_money_that_does_not_fit_is_not_covered_up_by_a_new_page(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.gateway.change(session_of(order), amount_cents=1)
        with pytest.raises(PaymentMismatch):
            house.shop.open_checkout(order.id, "ada")

    def test_the_way_back_leads_to_the_shop(self) -> None:
        urls = {}
        house = House()
        opened = house.gateway.open_checkout

        def listen(order: object, **given: str) -> object:
            urls.update(given)
            return opened(order, **given)  # type: ignore[arg-type]

        house.gateway.open_checkout = listen  # type: ignore[assignment, method-assign]
        order = house.placed()
        api = "https://tng.example/services/api"
        assert urls == {
            "return_url": api + "/pay/return?session_id={CHECKOUT_SESSION_ID}",
            "cancel_url": f"{api}/pay/cancel?order={order.id}",
        }


class TestReconcile:
    def test_confirms_what_was_paid_though_nobody_said_so(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.PAID
        assert house.job_of(order) is not None

    def test_leaves_an_open_page_alone(self, house: House) -> None:
        order = house.placed()
        house.shop.reconcile()
        assert the_order(house.store, order.id) == order

    def test_expires_what_stripe_calls_over(self, house: House) -> None:
        order = house.placed()
        house.gateway.expire(session_of(order))
        house.shop.reconcile()
        expired = the_order(house.store, order.id)
        assert (expired.state, expired.checkout_url) == (OrderState.EXPIRED, None)

    def test_closes_a_page_before_it_gives_the_order_up(self, house: House) -> None:
        order = house.placed()
        house.clock.advance(minutes=CHECKOUT_MINUTES)
        house.shop.reconcile()
        assert house.gateway.payments[session_of(order)].status is CheckoutStatus.EXPIRED
        assert the_order(house.store, order.id).state is OrderState.EXPIRED

    def test_money_of_the_last_second_counts(self, house: House) -> None:
        order = house.placed()
        house.gateway.pay(session_of(order))
        house.clock.advance(minutes=CHECKOUT_MINUTES)
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_an_order_that_never_had_a_page_expires_too(self, house: House) -> None:
        order = house.shop.place_order("ada", PREMISE, "key-1")
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.PLACED
        house.clock.advance(minutes=CHECKOUT_MINUTES)
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.EXPIRED

    @pytest.mark.parametrize("fault", [PaymentRefused("no"), KeyError("a slip of ours")], ids=["refused", "slip"])
    def test_one_bad_order_stops_nobody(self, house: House, fault: Exception) -> None:
        bad = house.placed("bad")
        house.clock.advance(seconds=1)
        good = house.placed("good")
        house.gateway.pay(session_of(good))
        read = house.gateway.read_payment

        def stumble(session_id: str, **how: bool) -> object:
            if session_id == bad.checkout_session_id:
                raise fault
            return read(session_id, **how)

        house.gateway.read_payment = stumble  # type: ignore[assignment, method-assign]
        with logged() as lines:
            house.shop.reconcile()
        assert the_order(house.store, good.id).state is OrderState.PAID
        assert the_order(house.store, bad.id).state is OrderState.PLACED
        assert [line.rpartition("order=")[2].split()[0] for line in lines.about("not reconciled")] == [bad.id]
        assert "a slip of ours" not in lines.getvalue()  # an error that is not ours may quote what it was working on

    def test_a_refund_that_cannot_be_owed_now_stops_nobody(self, house: House) -> None:
        keep(house.store, a_paid_order(9, OrderState.REFUNDING))
        order = house.placed()
        house.gateway.pay(session_of(order))
        once = iter([True])

        def locked_once() -> None:
            if next(once, False):
                raise StoreBusy("the orders database is busy")

        house.store.before_commit = locked_once  # type: ignore[attr-defined]
        house.shop.reconcile()
        assert the_order(house.store, order.id).state is OrderState.PAID

    def test_a_mismatch_stops_nobody_and_is_said_aloud(self, house: House, caplog: pytest.LogCaptureFixture) -> None:
        bad = house.placed("bad")
        house.gateway.pay(session_of(bad))
        house.gateway.change(session_of(bad), currency="eur")
        house.shop.reconcile()
        assert the_order(house.store, bad.id) == bad
        assert "currency 'eur', not 'usd'" in caplog.text

    def test_stripe_down_ends_a_pass_at_the_third_silence(self, house: House) -> None:
        for number in range(3):
            house.placed(f"key-{number}")
        house.gateway.calls.clear()
        house.gateway.down = True
        house.shop.reconcile()
        assert house.gateway.calls == ["recent_events", "read_payment", "read_payment"]

    def test_one_order_that_stripe_is_silent_about_does_not_end_a_pass(self, house: House) -> None:
        sessions = [session_of(house.placed(f"key-{number}")) for number in range(3)]
        read = house.gateway.read_payment

        def silent_about_one(session_id: str, **how: bool) -> Payment:
            if session_id == sessions[0]:
                raise GatewayUnavailable("500, whatever one does")
            return read(session_id, **how)

        house.gateway.read_payment = silent_about_one  # type: ignore[method-assign]
        house.gateway.pay(sessions[2])
        house.shop.reconcile()
        states = {order.checkout_session_id: order.state for order in house.shop.orders("ada")}
        assert (states[sessions[0]], states[sessions[2]]) == (OrderState.PLACED, OrderState.PAID)

    def test_a_refund_that_nobody_owes_any_more_is_owed_again(self, house: House) -> None:
        order = a_paid_order(state=OrderState.REFUNDING)
        keep(house.store, order)
        house.shop.reconcile()
        house.shop.reconcile()
        with house.store.begin() as work:
            owed = work.outbox.take(house.clock.now(), house.clock.now() + timedelta(hours=1))
            assert owed == Errand(
                f"order-{order.id}-refund", "refund", {"order_id": order.id, "payment_intent_id": "pi_1"}, 1, START
            )
            assert work.outbox.take(house.clock.now(), house.clock.now()) is None
