"""What every Store promises: units of work, orders, outbox and inbox. The jobs are in test_store_jobs.py."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes import START
from tests.samples import an_order, keep, the_order
from tng.errors import OrderNotFound
from tng.jobs import Errand
from tng.orders import Order, OrderState
from tng.payments import PaymentEvent
from tng.ports import Store

LATER = START + timedelta(minutes=2)
EVENT = PaymentEvent("evt_1", "checkout.session.completed", "cs_1", None, None)


class TestUnitOfWork:
    def test_rolls_back_uncommitted_work_by_default(self, store: Store) -> None:
        with store.begin() as work:
            work.orders.add(an_order())
        with pytest.raises(OrderNotFound):
            the_order(store, an_order().id)

    def test_rolls_back_on_error(self, store: Store) -> None:
        def burst() -> None:
            with store.begin() as work:
                work.orders.add(an_order())
                raise RuntimeError("in the middle")

        with pytest.raises(RuntimeError, match="in the middle"):
            burst()
        with pytest.raises(OrderNotFound):
            the_order(store, an_order().id)

    def test_keeps_what_was_committed_and_forgets_what_came_after(self, store: Store) -> None:
        with store.begin() as work:
            work.orders.add(an_order(1))
            work.commit()
            work.orders.add(an_order(2))
        assert the_order(store, an_order(1).id) == an_order(1)
        with pytest.raises(OrderNotFound):
            the_order(store, an_order(2).id)

    def test_saves_together_or_not_at_all(self, store: Store) -> None:
        keep(store, an_order())
        with store.begin() as work:
            work.orders.save(replace(an_order(), release_id="r1"))
            work.outbox.add(Errand("key", "refund", {}), START)
            work.inbox.record(EVENT, START)
        with store.begin() as work:
            assert work.orders.get(an_order().id).release_id is None
            assert work.outbox.take(START, LATER) is None
            assert not work.inbox.handled("evt_1")

    def test_a_unit_sees_its_own_writing(self, store: Store) -> None:
        with store.begin() as work:
            work.orders.add(an_order())
            work.orders.save(replace(an_order(), release_id="r1"))
            assert work.orders.get(an_order().id).release_id == "r1"

    def test_a_reader_waits_for_nobody_and_sees_what_was_committed(self, store: Store) -> None:
        keep(store, an_order())
        with store.begin() as work:
            work.orders.save(replace(an_order(), release_id="r1"))
            assert the_order(store, an_order().id).release_id is None
            work.commit()
        assert the_order(store, an_order().id).release_id == "r1"

    def test_a_unit_that_reads_cannot_commit(self, store: Store) -> None:
        with store.read() as work, pytest.raises(RuntimeError, match="only reads"):
            work.commit()

    def test_writers_queue_up_and_lose_nothing(self, store: Store) -> None:
        keep(store, an_order())

        def add_one() -> None:
            for _ in range(10):
                with store.begin() as work:
                    order = work.orders.get(an_order().id)
                    work.orders.save(replace(order, checkout_attempt=order.checkout_attempt + 1))
                    work.commit()

        threads = [threading.Thread(target=add_one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert the_order(store, an_order().id).checkout_attempt == 40


class TestOrders:
    def test_gives_back_exactly_what_was_stored(self, store: Store) -> None:
        order = an_order(
            state=OrderState.DELIVERED,
            checkout_attempt=2,
            checkout_session_id="cs_1",
            checkout_url="https://pay.example/1",
            checkout_expires_at=START + timedelta(minutes=60, microseconds=5),
            payment_intent_id="pi_1",
            paid_at=START,
            delivered_at=START,
            release_id="tng-small-2",
            script_text="Title: Ünïcode “quotes”\n" + "line\n" * 10_000,
            run_sha256="f" * 64,
            provenance={"release": "tng-small-2", "seed": 7, "copied": {"share": 0.25, "longest_run_words": None}},
        )
        keep(store, order)
        assert the_order(store, order.id) == order

    def test_every_field_of_an_order_is_saved(self, store: Store) -> None:
        keep(store, an_order())
        changed = replace(an_order(), state=OrderState.REFUNDING, payment_intent_id="pi_9", script_text="x")
        with store.begin() as work:
            work.orders.save(changed)
            work.commit()
        assert the_order(store, changed.id) == changed

    def test_times_come_back_aware_and_in_utc(self, store: Store) -> None:
        keep(store, an_order())
        placed_at = the_order(store, an_order().id).placed_at
        assert placed_at == START
        assert placed_at.utcoffset() == timedelta(0)

    def test_a_strangers_order_is_not_found(self, store: Store) -> None:
        keep(store, an_order())
        with store.read() as work:
            assert work.orders.get(an_order().id, "ada") == an_order()
            with pytest.raises(OrderNotFound):
                work.orders.get(an_order().id, "ben")

    def test_an_order_that_is_not_there_is_neither_got_nor_saved(self, store: Store) -> None:
        with store.begin() as work:
            with pytest.raises(OrderNotFound):
                work.orders.get("ord_0")
            with pytest.raises(OrderNotFound):
                work.orders.save(an_order())

    def test_finds_by_request_and_by_session(self, store: Store) -> None:
        keep(store, an_order(1, checkout_session_id="cs_1"), an_order(2))
        with store.read() as work:
            assert work.orders.find(request=("ada", "key-2")) == an_order(2)
            assert work.orders.find(request=("ben", "key-2")) is None
            assert work.orders.find(session_id="cs_1") == an_order(1, checkout_session_id="cs_1")
            assert work.orders.find(session_id="cs_2") is None

    @pytest.mark.parametrize(
        "twin",
        [
            pytest.param(an_order(1, request_key="other"), id="same-id"),
            pytest.param(an_order(2, request_key="key-1"), id="same-customer-and-request"),
        ],
    )
    def test_one_request_is_one_order(self, store: Store, twin: Order) -> None:
        keep(store, an_order(1))
        with pytest.raises(Exception, match=r"already|UNIQUE"):
            keep(store, twin)
        with store.read() as work:
            assert work.orders.of("ada") == [an_order(1)]

    def test_two_customers_may_use_the_same_request_key(self, store: Store) -> None:
        keep(store, an_order(1), an_order(2, customer="ben", request_key="key-1"))
        with store.read() as work:
            assert len(work.orders.of("ben")) == 1

    def test_a_customer_sees_their_own_orders_the_newest_first(self, store: Store) -> None:
        orders = [an_order(n, placed_at=START + timedelta(minutes=n)) for n in (2, 1, 3)]
        keep(store, *orders, an_order(4, customer="ben"))
        with store.read() as work:
            assert [order.request_key for order in work.orders.of("ada")] == ["key-3", "key-2", "key-1"]
            assert work.orders.of("eve") == []

    def test_orders_in_some_states_come_the_oldest_first(self, store: Store) -> None:
        states = {1: OrderState.PAID, 2: OrderState.PLACED, 3: OrderState.WRITING}
        keep(store, *(an_order(n, state=s, placed_at=START - timedelta(minutes=n)) for n, s in states.items()))
        with store.read() as work:
            some = work.orders.having(OrderState.PAID, OrderState.WRITING)
            assert [order.request_key for order in some] == ["key-3", "key-1"]
            assert work.orders.having() == []


class TestOutbox:
    def test_an_errand_owed_twice_is_owed_once(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("key", "refund", {"order_id": "a"}), START)
            work.outbox.add(Errand("key", "refund", {"order_id": "b"}), START)
            assert work.outbox.take(START, LATER) == Errand("key", "refund", {"order_id": "a"}, tries=1)
            assert work.outbox.take(START, LATER) is None

    def test_comes_back_later_until_it_is_done(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("key", "refund", {}), START)
            assert work.outbox.take(START, LATER) is not None
            assert work.outbox.take(LATER - timedelta(seconds=1), LATER) is None
            again = work.outbox.take(LATER, LATER + timedelta(minutes=2))
            assert again is not None
            assert again.tries == 2
            work.outbox.finish("key")
            assert work.outbox.take(LATER + timedelta(days=1), LATER) is None

    def test_what_is_done_is_not_owed_again(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("key", "refund", {}), START)
            work.outbox.finish("key")
            work.outbox.add(Errand("key", "refund", {}), START)
            assert work.outbox.take(LATER, LATER) is None

    def test_the_oldest_comes_first(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("b", "refund", {}), START)
            work.outbox.add(Errand("a", "refund", {}), START)
            taken = [work.outbox.take(START, LATER), work.outbox.take(START, LATER)]
        assert [errand.key for errand in taken if errand] == ["b", "a"]

    def test_an_errand_of_another_kind_is_left_alone(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("told", "notice", {}), START)
            assert work.outbox.take(START, LATER, "refund") is None
            work.outbox.add(Errand("money", "refund", {}), START)
            work.outbox.add(Errand("odd", "other", {}), START)
            taken = [work.outbox.take(START, LATER, "refund", "other") for _ in range(3)]
            assert [errand and errand.key for errand in taken] == ["money", "odd", None]
            assert work.outbox.take(START, LATER) == Errand("told", "notice", {}, tries=1)

    def test_an_errand_that_is_put_off_comes_back_then(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("key", "notice", {}), START)
            work.outbox.take(START, LATER)
            work.outbox.put_off("key", LATER + timedelta(minutes=5))
            assert work.outbox.take(LATER, LATER) is None
            again = work.outbox.take(LATER + timedelta(minutes=5), LATER)
            assert again is not None
            assert again.tries == 2

    def test_what_is_done_cannot_be_put_off(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("key", "notice", {}), START)
            work.outbox.finish("key")
            work.outbox.put_off("key", START)
            assert work.outbox.take(LATER, LATER) is None

    def test_what_was_never_owed_cannot_be_finished(self, store: Store) -> None:
        with store.begin() as work, pytest.raises(LookupError):
            work.outbox.finish("nothing")


class TestInbox:
    def test_an_event_is_handled_once_it_is_recorded(self, store: Store) -> None:
        with store.begin() as work:
            assert not work.inbox.handled("evt_1")
            work.inbox.record(EVENT, START)
            work.inbox.record(EVENT, datetime.now(UTC))
            work.commit()
        with store.read() as work:
            assert work.inbox.handled("evt_1")
            assert not work.inbox.handled("evt_2")
