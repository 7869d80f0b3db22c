"""What every Store promises: units of work, orders, outbox and inbox. The jobs are in test_store_jobs.py."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes import START
from tests.samples import a_job, a_paid_order, an_order, forced, keep, the_order
from tng.errors import IllegalMove, OrderNotFound
from tng.jobs import Errand, EventKind, JobState
from tng.orders import LeftOut, Move, Order, OrderState
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
            work.inbox.receive(EVENT, START)
        with store.begin() as work:
            assert work.orders.get(an_order().id).release_id is None
            assert work.outbox.take(START, LATER) is None
            assert work.inbox.waiting() == 0

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
            paid_cents=239,
            is_part=True,
            refund_attempt=2,
            before_dispute=OrderState.WRITING,
            trouble="The bank sent the refund back.",
            ended_at=START,
            erased_at=START,
        )
        keep(store, order)
        assert the_order(store, order.id) == order

    def test_every_field_of_an_order_is_saved(self, store: Store) -> None:
        keep(store, an_order())
        changed = forced(an_order(), OrderState.REFUNDING, payment_intent_id="pi_9", script_text="x", trouble="y")
        with store.begin() as work:
            saved = work.orders.save(changed)
            work.commit()
        assert saved == replace(changed, moves=())
        assert the_order(store, changed.id) == saved

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

    def test_finds_by_payment_and_finds_nothing_by_nothing(self, store: Store) -> None:
        keep(store, an_order(1, payment_intent_id="pi_1"), an_order(2))
        with store.read() as work:
            assert work.orders.find(payment_intent_id="pi_1") == an_order(1, payment_intent_id="pi_1")
            assert work.orders.find(payment_intent_id="pi_2") is None
            assert work.orders.find() is None

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

    def test_a_list_leaves_the_scripts_out_and_still_says_which_are_there(self, store: Store) -> None:
        keep(store, a_paid_order(1, OrderState.PAID), an_order(2, state=OrderState.DELIVERED, script_text="Title: X"))
        with store.read() as work:
            delivered, paid = sorted(work.orders.of("ada"), key=lambda order: order.state)
        assert (paid.script_text, paid.is_readable) == (None, False)
        assert isinstance(delivered.script_text, LeftOut)
        assert (delivered.script_text, delivered.is_readable) == ("", True)

    def test_an_order_of_a_list_that_is_saved_keeps_its_script(self, store: Store) -> None:
        keep(store, an_order(1, state=OrderState.DELIVERED, script_text="Title: X"))
        with store.begin() as work:
            (listed,) = work.orders.of("ada")
            work.orders.save(replace(listed, trouble="looked at"))
            work.commit()
        with store.read() as work:
            kept = work.orders.get(listed.id)
        assert (kept.script_text, kept.trouble) == ("Title: X", "looked at")

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
            assert work.outbox.take(START, LATER) == Errand("key", "refund", {"order_id": "a"}, 1, START)
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

    def test_whether_there_is_something_to_take_is_seen_without_taking_it(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("told", "notice", {}), START)
            assert (work.outbox.is_due(START), work.outbox.is_due(START, "refund")) == (True, False)
            work.outbox.add(Errand("money", "refund", {}), START)
            assert work.outbox.is_due(START, "refund")
            work.outbox.put_off("money", LATER)
            assert not work.outbox.is_due(START, "refund")
            assert work.outbox.is_due(LATER, "refund", "other")
            work.outbox.finish("money")
            assert not work.outbox.is_due(LATER, "refund")

    def test_an_errand_of_another_kind_is_left_alone(self, store: Store) -> None:
        with store.begin() as work:
            work.outbox.add(Errand("told", "notice", {}), START)
            assert work.outbox.take(START, LATER, "refund") is None
            work.outbox.add(Errand("money", "refund", {}), START)
            work.outbox.add(Errand("odd", "other", {}), START)
            taken = [work.outbox.take(START, LATER, "refund", "other") for _ in range(3)]
            assert [errand and errand.key for errand in taken] == ["money", "odd", None]
            assert work.outbox.take(START, LATER) == Errand("told", "notice", {}, 1, START)

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

    def test_what_is_owed_for_an_order_is_found_and_nobody_elses(self, store: Store) -> None:
        with store.begin() as work:
            for key in ("order-ord_1-refund", "order-ord_12-refund", "order-ordX1-refund", "notice:1:log"):
                work.outbox.add(Errand(key, "refund", {}), START)
            work.outbox.finish("order-ord_1-refund")
            work.outbox.add(Errand("order-ord_1-extra-pi_2", "refund", {}), START)
            found = [(errand.key, errand.done) for errand in work.outbox.of("ord_1")]
        assert found == [("order-ord_1-refund", True), ("order-ord_1-extra-pi_2", False)]


class TestInbox:
    def test_an_event_is_kept_once_and_due_at_once(self, store: Store) -> None:
        with store.begin() as work:
            assert work.inbox.receive(EVENT, START)
            assert not work.inbox.receive(EVENT, LATER)
            assert work.inbox.knows("evt_1")
            assert not work.inbox.knows("evt_2")
            work.commit()
        with store.begin() as work:
            assert work.inbox.waiting() == 1
            assert work.inbox.take(START, LATER) == replace(EVENT, tries=1)
            assert work.inbox.take(START, LATER) is None

    def test_it_comes_back_until_it_is_processed(self, store: Store) -> None:
        with store.begin() as work:
            work.inbox.receive(EVENT, START)
            work.inbox.take(START, LATER)
            again = work.inbox.take(LATER, LATER)
            assert again is not None
            assert again.tries == 2
            assert not work.inbox.processed("evt_1")
            work.inbox.finish("evt_1", LATER)
            assert work.inbox.processed("evt_1")
            assert work.inbox.waiting() == 0
            assert work.inbox.take(LATER + timedelta(days=1), LATER) is None
            assert not work.inbox.receive(EVENT, LATER)

    def test_the_first_one_received_comes_first(self, store: Store) -> None:
        with store.begin() as work:
            work.inbox.receive(replace(EVENT, id="evt_b"), START)
            work.inbox.receive(replace(EVENT, id="evt_a"), START + timedelta(seconds=1))
            taken = [work.inbox.take(LATER, LATER + timedelta(minutes=1)) for _ in range(2)]
        assert [event.id for event in taken if event] == ["evt_b", "evt_a"]

    def test_one_that_is_put_off_comes_back_then(self, store: Store) -> None:
        with store.begin() as work:
            work.inbox.receive(EVENT, START)
            work.inbox.put_off("evt_1", LATER)
            assert work.inbox.take(START, LATER) is None
            assert work.inbox.take(LATER, LATER) is not None

    def test_whether_there_is_something_to_take_is_seen_without_taking_it(self, store: Store) -> None:
        with store.begin() as work:
            assert not work.inbox.is_due(START)
            work.inbox.receive(EVENT, START)
            assert work.inbox.is_due(START)
            work.inbox.put_off("evt_1", LATER)
            assert not work.inbox.is_due(START)
            assert work.inbox.is_due(LATER)
            work.inbox.finish("evt_1", LATER)
            assert not work.inbox.is_due(LATER)

    def test_how_far_stripes_list_was_read_is_remembered(self, store: Store) -> None:
        for until in (None, START, LATER):
            with store.begin() as work:
                if until is not None:
                    work.inbox.list_until(until)
                work.commit()
            with store.read() as work:
                assert work.inbox.listed_until() == until

    def test_every_field_is_kept(self, store: Store) -> None:
        event = PaymentEvent("evt_1", "charge.refunded", "cs_1", "pi_1", "ord_1", START, 0)
        with store.begin() as work:
            work.inbox.receive(event, START)
            assert work.inbox.take(START, LATER) == replace(event, tries=1)

    def test_what_was_processed_long_ago_is_forgotten(self, store: Store) -> None:
        with store.begin() as work:
            for number in (1, 2, 3):
                work.inbox.receive(replace(EVENT, id=f"evt_{number}"), START)
            work.inbox.finish("evt_1", START)
            work.inbox.finish("evt_2", LATER)
            assert work.inbox.forget(LATER) == 1
            assert [work.inbox.processed(f"evt_{number}") for number in (1, 2, 3)] == [False, True, False]

    def test_what_was_never_received_cannot_be_finished(self, store: Store) -> None:
        with store.begin() as work, pytest.raises(LookupError):
            work.inbox.finish("evt_none", START)


class TestAudit:
    def test_every_move_is_written_down_with_the_state(self, store: Store) -> None:
        placed = Move(START, "customer", "placed", None, OrderState.PLACED)
        with store.begin() as work:
            order = work.orders.add(an_order(moves=(placed,)))
            assert order.moves == ()
            moved = order.moved(OrderState.PAID, by="stripe", why="paid", at=LATER)
            twice = moved.moved(OrderState.DISPUTED, by="stripe", why="disputed", at=LATER)
            assert work.orders.save(twice).moves == ()
            work.commit()
        with store.read() as work:
            assert work.orders.history(order.id) == [placed, *twice.moves]
            assert work.orders.history("ord_of_nobody") == []
            assert work.orders.get(order.id).moves == ()

    def test_a_state_without_a_move_is_not_saved(self, store: Store) -> None:
        keep(store, an_order())
        with store.begin() as work, pytest.raises(IllegalMove, match="no move leads"):
            work.orders.save(replace(an_order(), state=OrderState.PAID))
        assert the_order(store, an_order().id).state is OrderState.PLACED

    def test_a_move_from_a_state_that_it_left_is_not_saved(self, store: Store) -> None:
        keep(store, an_order())
        stale = an_order().moved(OrderState.EXPIRED, by="clock", why="over", at=START)
        with store.begin() as work:
            work.orders.save(an_order().moved(OrderState.PAID, by="stripe", why="paid", at=START))
            with pytest.raises(IllegalMove):
                work.orders.save(stale)

    def test_a_move_that_is_not_committed_never_was(self, store: Store) -> None:
        keep(store, an_order())
        with store.begin() as work:
            work.orders.save(an_order().moved(OrderState.PAID, by="stripe", why="paid", at=START))
        with store.read() as work:
            assert work.orders.history(an_order().id) == []


class TestEnded:
    def test_finds_orders_at_an_end_whose_words_are_still_there_the_oldest_first(self, store: Store) -> None:
        ended = [an_order(n, state=OrderState.EXPIRED, ended_at=START + timedelta(minutes=9 - n)) for n in range(1, 4)]
        erased = an_order(8, state=OrderState.EXPIRED, ended_at=START, erased_at=START)
        keep(store, *ended, erased, an_order(9))
        with store.begin() as work:
            found = work.orders.ended_before(START + timedelta(minutes=8))
            assert [order.id for order in found] == [ended[2].id, ended[1].id]
            assert len(work.orders.ended_before(START + timedelta(minutes=8), limit=1)) == 1

    def test_finds_only_those_of_the_states_that_are_named(self, store: Store) -> None:
        states = (OrderState.EXPIRED, OrderState.DELIVERED, OrderState.REFUNDED)
        keep(store, *[an_order(n, state=state, ended_at=START) for n, state in enumerate(states)])
        with store.begin() as work:
            found = work.orders.ended_before(LATER, OrderState.DELIVERED, OrderState.REFUNDED)
        assert [order.state for order in found] == list(states[1:])

    def test_lists_by_state_customer_and_trouble_the_oldest_first_and_without_scripts(self, store: Store) -> None:
        keep(
            store,
            an_order(1, placed_at=LATER, state=OrderState.DELIVERED, script_text="words"),
            an_order(2, customer="ben", trouble="The bank said no."),
            an_order(3),
        )
        with store.read() as work:
            found = work.orders.listed()
            assert [order.id for order in found] == [an_order(n).id for n in (2, 3, 1)]
            assert found[2].script_text == LeftOut()
            assert [order.id for order in work.orders.listed(OrderState.DELIVERED)] == [an_order(1).id]
            assert [order.id for order in work.orders.listed(customer="ben")] == [an_order(2).id]
            assert [order.id for order in work.orders.listed(troubled=True)] == [an_order(2).id]

    def test_what_runs_of_ended_scripts_said_is_taken_away_but_for_begin_and_end(self, store: Store) -> None:
        orders = [a_paid_order(1), a_paid_order(2)]
        keep(store, *orders, *[a_job(order=order) for order in orders])
        said = [(EventKind.STARTED, {}), (EventKind.SCENE, {"text": "words"}), (EventKind.DONE, {})]
        with store.begin() as work:
            jobs = [work.jobs.claim("w", START, LATER) for _ in orders]
            for job in jobs:
                assert job is not None
                work.jobs.say(job.token, said, START)
            ended, running = jobs
            assert ended is not None
            assert running is not None
            work.jobs.update(ended.token, state=JobState.DONE)
            assert work.jobs.hush(START) == 0
            assert work.jobs.hush(LATER) == 1
            assert [event.kind for event in work.jobs.heard(ended.id)] == [EventKind.STARTED, EventKind.DONE]
            assert len(work.jobs.heard(running.id)) == 3
            found = work.jobs.find(ended.id)
            assert found is not None
            assert found.key == ended.key
            assert work.jobs.find(10**6) is None

    def test_counts_orders_by_their_states(self, store: Store) -> None:
        keep(store, an_order(1), an_order(2), an_order(3, state=OrderState.EXPIRED))
        with store.read() as work:
            assert work.orders.count(OrderState.PLACED) == 2
            assert work.orders.count(OrderState.PLACED, OrderState.EXPIRED) == 3
            assert work.orders.count(OrderState.PAID) == 0
            assert work.orders.count(OrderState.PLACED, customer="ada") == 2
            assert work.orders.count(OrderState.PLACED, customer="ben") == 0
