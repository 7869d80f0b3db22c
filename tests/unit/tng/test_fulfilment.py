"""What a worker may do with a job, and what becomes of its order."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import FakeStore
from tests.house import House
from tests.log_lines import logged
from tests.samples import a_job, an_order, forced, keep, the_job, the_order
from tng.errors import JobCancelled, LeaseLost, ReleaseDamaged, RunFailed, StoreBusy
from tng.jobs import MOST_ATTEMPTS, MOST_FAILURES, Errand, EventKind, Job, JobState
from tng.orders import Order, OrderState

PROVENANCE = {"release": "tng-small-2", "seed": 7, "gates": {"scenes": 1, "failed": {"loop": 2}}, "copied": None}
RESULT: dict[str, Any] = {
    "script_text": "Title: X\n",
    "release_id": "tng-small-2",
    "run_sha256": "a" * 64,
    "provenance": PROVENANCE,
}
FAULT = RunFailed("cell 3 raised ValueError", cause="ValueError")


@pytest.fixture
def house() -> House:
    return House()


def kinds(house: House, order: Order) -> list[EventKind]:
    """What the order's runs said, by kind."""
    return [event.kind for event in house.shop.events(order.id, "ada")[2]]


def errand_owed(house: House) -> Errand | None:
    """The next errand, looked at and left there."""
    with house.store.begin() as work:
        return work.outbox.take(house.clock.now(), house.clock.now())


def move(house: House, order: Order, state: OrderState) -> None:
    """Something else happens to the order."""
    with house.store.begin() as work:
        work.orders.save(forced(work.orders.get(order.id), state))
        work.commit()


def crash(house: House) -> Job:
    """Claim, and never be heard of again."""
    job = house.fulfilment.claim("w1")
    assert job is not None
    house.clock.advance(seconds=11)
    return job


class TestClaim:
    def test_nothing_is_claimed_in_an_empty_shop(self, house: House) -> None:
        assert house.fulfilment.claim("w1") is None

    def test_an_unpaid_order_is_not_written(self, house: House) -> None:
        house.placed()
        assert house.fulfilment.claim("w1") is None

    def test_a_claimed_order_is_being_written(self, house: House) -> None:
        order, job = house.writing()
        assert order.state is OrderState.WRITING
        assert (job.order_id, job.attempt) == (order.id, 1)
        assert kinds(house, order) == [EventKind.STARTED]

    def test_a_crash_is_taken_over_and_the_order_goes_on(self, house: House) -> None:
        order, _ = house.writing()
        house.clock.advance(seconds=11)
        again = house.fulfilment.claim("w2")
        assert again is not None
        assert again.attempt == 2
        assert the_order(house.store, order.id).state is OrderState.WRITING

    @pytest.mark.parametrize(
        "state",
        [s for s in OrderState if s not in (OrderState.PAID, OrderState.WRITING)],
        ids=str,
    )
    def test_an_order_in_no_state_to_be_written_is_left_and_the_next_is_taken(
        self, house: House, state: OrderState
    ) -> None:
        left, taken = house.paid("left"), house.paid("taken")
        move(house, left, state)
        job = house.fulfilment.claim("w1")
        assert job is not None
        assert job.order_id == taken.id
        assert the_job(house.store, f"order:{left.id}").state is JobState.CANCELLED
        assert kinds(house, left) == [EventKind.CANCELLED]
        assert the_order(house.store, left.id).state is state

    def test_a_job_without_an_order_is_claimed_and_ends_too(self, house: House) -> None:
        keep(house.store, a_job())
        job = house.fulfilment.claim("w1")
        assert job is not None
        house.fulfilment.heartbeat(job)
        house.fulfilment.deliver(job, **RESULT)
        assert the_job(house.store, "job-1").state is JobState.DONE

    def test_a_worker_that_dies_every_time_ends_in_a_refund(self, house: House) -> None:
        order = house.paid()
        for _ in range(MOST_ATTEMPTS):
            crash(house)
        assert house.fulfilment.claim("w1") is None
        assert the_order(house.store, order.id).state is OrderState.REFUNDING
        assert the_job(house.store, f"order:{order.id}").state is JobState.DEAD
        assert kinds(house, order)[-1] is EventKind.DEAD
        assert errand_owed(house) is not None

    def test_crashes_are_no_failures(self, house: House) -> None:
        order = house.paid()
        for _ in range(MOST_FAILURES):
            crash(house)
        job = house.fulfilment.claim("w1")
        assert job is not None
        assert job.failures == 0
        assert the_order(house.store, order.id).state is OrderState.WRITING

    def test_a_refunded_order_whose_workers_died_is_not_refunded_again(self, house: House) -> None:
        order = house.paid()
        for _ in range(MOST_ATTEMPTS):
            crash(house)
        move(house, order, OrderState.REFUNDED)
        assert house.fulfilment.claim("w1") is None
        assert the_job(house.store, f"order:{order.id}").state is JobState.CANCELLED
        assert errand_owed(house) is None

    def test_the_last_worker_may_come_back_to_life_before_it_is_buried(self, house: House) -> None:
        order = house.paid()
        job = [crash(house) for _ in range(MOST_ATTEMPTS)][-1]
        house.fulfilment.heartbeat(job)  # it was only slow
        assert house.fulfilment.claim("w1") is None
        house.fulfilment.deliver(job, **RESULT)
        assert the_order(house.store, order.id).state is OrderState.DELIVERED


class TestHeartbeat:
    def test_keeps_the_lease(self, house: House) -> None:
        _, job = house.writing()
        for _ in range(3):
            house.clock.advance(seconds=8)
            house.fulfilment.heartbeat(job)
        assert house.fulfilment.claim("w2") is None
        house.clock.advance(seconds=11)  # the control: without one it is taken
        assert house.fulfilment.claim("w2") is not None

    def test_stores_what_the_run_said(self, house: House) -> None:
        order, job = house.writing()
        house.fulfilment.heartbeat(job, [(EventKind.PLAN, {"acts": 1}), (EventKind.SCENE, {"number": 1})])
        assert kinds(house, order) == [EventKind.STARTED, EventKind.PLAN, EventKind.SCENE]

    def test_a_lost_lease_is_told_and_nothing_is_stored(self, house: House) -> None:
        order, job = house.writing()
        house.clock.advance(seconds=11)
        house.fulfilment.claim("w2")
        with pytest.raises(LeaseLost):
            house.fulfilment.heartbeat(job, [(EventKind.SCENE, {})])
        assert EventKind.SCENE not in kinds(house, order)

    @pytest.mark.parametrize("state", [OrderState.REFUNDED, OrderState.REFUNDING, OrderState.DISPUTED], ids=str)
    def test_a_run_whose_order_left_is_told_to_stop(self, house: House, state: OrderState) -> None:
        order, job = house.writing()
        move(house, order, state)
        with pytest.raises(JobCancelled):
            house.fulfilment.heartbeat(job, [(EventKind.SCENE, {})])
        assert the_job(house.store, job.key).state is JobState.CANCELLED
        assert kinds(house, order) == [EventKind.STARTED, EventKind.CANCELLED]
        assert house.fulfilment.claim("w2") is None


class TestDeliver:
    def test_the_script_and_its_origin_are_kept(self, house: House) -> None:
        order, job = house.writing()
        house.fulfilment.deliver(job, **RESULT)
        delivered = the_order(house.store, order.id)
        assert delivered.state is OrderState.DELIVERED
        assert {name: getattr(delivered, name) for name in RESULT} == RESULT
        assert delivered.delivered_at == house.clock.now()
        assert kinds(house, order) == [EventKind.STARTED, EventKind.DONE]
        assert the_job(house.store, job.key).state is JobState.DONE

    def test_where_the_script_came_from_is_saved_with_it_or_not_at_all(self, house: House) -> None:
        order, job = house.writing()

        def no_power() -> None:
            raise RuntimeError("the power went")

        house.store.before_commit = no_power
        with pytest.raises(RuntimeError, match="power"):
            house.fulfilment.deliver(job, **RESULT)
        torn = the_order(house.store, order.id)
        assert (torn.state, torn.provenance) == (OrderState.WRITING, None)
        house.store.before_commit = lambda: None
        house.fulfilment.deliver(job, **RESULT)
        assert the_order(house.store, order.id).provenance == PROVENANCE

    def test_a_run_that_says_nothing_of_its_origin_is_delivered_all_the_same(self, house: House) -> None:
        order, job = house.writing()
        house.fulfilment.deliver(job, **{name: RESULT[name] for name in RESULT if name != "provenance"})
        delivered = the_order(house.store, order.id)
        assert (delivered.state, delivered.provenance) == (OrderState.DELIVERED, None)

    def test_a_late_result_changes_nothing(self, house: House) -> None:
        order, late = house.writing()
        house.clock.advance(seconds=11)
        owner = house.fulfilment.claim("w2")
        assert owner is not None
        with pytest.raises(LeaseLost):
            house.fulfilment.deliver(late, **RESULT | {"script_text": "late"})
        house.fulfilment.deliver(owner, **RESULT)
        with pytest.raises(LeaseLost):
            house.fulfilment.deliver(late, **RESULT | {"script_text": "later"})
        assert the_order(house.store, order.id).script_text == RESULT["script_text"]

    def test_an_order_is_delivered_once(self, house: House) -> None:
        order, job = house.writing()
        house.fulfilment.deliver(job, **RESULT)
        with pytest.raises(LeaseLost):
            house.fulfilment.deliver(job, **RESULT)
        assert kinds(house, order).count(EventKind.DONE) == 1

    def test_a_refunded_order_is_not_delivered(self, house: House) -> None:
        order, job = house.writing()
        move(house, order, OrderState.REFUNDED)
        with pytest.raises(JobCancelled):
            house.fulfilment.deliver(job, **RESULT)
        assert the_order(house.store, order.id).script_text is None


class TestFail:
    def test_is_tried_again_a_little_later(self, house: House) -> None:
        order, job = house.writing()
        assert house.fulfilment.fail(job, FAULT) is JobState.QUEUED
        assert house.fulfilment.claim("w2") is None
        house.clock.advance(seconds=2)
        again = house.fulfilment.claim("w2")
        assert again is not None
        assert (again.attempt, again.failures, again.error) == (2, 1, "RunFailed: cell 3 raised ValueError")
        assert kinds(house, order) == [EventKind.STARTED, EventKind.RETRY, EventKind.STARTED]

    def test_three_failures_end_in_a_refund_that_is_owed_once(self, house: House) -> None:
        order = house.paid()
        states = []
        for _ in range(MOST_FAILURES):
            house.clock.advance(minutes=5)
            job = house.fulfilment.claim("w1")
            assert job is not None
            states.append(house.fulfilment.fail(job, FAULT))
        assert states == [JobState.QUEUED, JobState.QUEUED, JobState.DEAD]
        assert the_order(house.store, order.id).state is OrderState.REFUNDING
        owed = errand_owed(house)
        assert owed is not None
        assert (owed.key, owed.kind) == (f"order-{order.id}-refund", "refund")
        assert owed.body == {"order_id": order.id, "payment_intent_id": order.payment_intent_id}
        house.clock.advance(days=1)
        assert house.fulfilment.claim("w1") is None

    def test_what_cannot_get_better_is_not_tried_again(self, house: House) -> None:
        order, job = house.writing()
        assert house.fulfilment.fail(job, ReleaseDamaged("model-1.index is missing")) is JobState.DEAD
        assert the_order(house.store, order.id).state is OrderState.REFUNDING
        event = house.shop.events(order.id, "ada")[2][-1]
        assert (event.kind, event.body) == (EventKind.DEAD, {"message": ReleaseDamaged.user_message})

    def test_a_failure_on_the_last_attempt_is_not_left_lying(self, house: House) -> None:
        order = house.paid()
        for _ in range(MOST_ATTEMPTS - 1):
            crash(house)
        job = house.fulfilment.claim("w1")
        assert job is not None
        assert house.fulfilment.fail(job, FAULT) is JobState.DEAD
        assert the_order(house.store, order.id).state is OrderState.REFUNDING

    def test_a_late_failure_changes_nothing(self, house: House) -> None:
        order, late = house.writing()
        house.clock.advance(seconds=11)
        house.fulfilment.claim("w2")
        with pytest.raises(LeaseLost):
            house.fulfilment.fail(late, ReleaseDamaged("x"))
        assert the_order(house.store, order.id).state is OrderState.WRITING
        assert errand_owed(house) is None

    def test_a_failure_of_a_refunded_order_owes_nothing(self, house: House) -> None:
        order, job = house.writing()
        move(house, order, OrderState.REFUNDED)
        with pytest.raises(JobCancelled):
            house.fulfilment.fail(job, ReleaseDamaged("x"))
        assert errand_owed(house) is None

    def test_a_long_error_is_cut(self, house: House) -> None:
        _, job = house.writing()
        house.fulfilment.fail(job, RunFailed("x" * 10_000))
        assert len(the_job(house.store, job.key).error or "") == 4000


class TestGiveBack:
    def test_the_job_is_due_at_once_and_the_attempt_not_counted(self, house: House) -> None:
        house.paid()
        for number in range(MOST_ATTEMPTS + 2):
            job = house.fulfilment.claim("w1")
            assert job is not None
            assert job.attempt == number + 1
            house.fulfilment.give_back(job)

    def test_what_was_lost_cannot_be_given_back(self, house: House) -> None:
        _, job = house.writing()
        house.fulfilment.give_back(job)
        with pytest.raises(LeaseLost):
            house.fulfilment.give_back(job)


def test_a_busy_store_is_told() -> None:
    store = FakeStore()
    house = House(store)
    _, job = house.writing()
    store.busy = True
    with pytest.raises(StoreBusy):
        house.fulfilment.heartbeat(job)


def test_no_log_line_holds_the_customers_words(house: House) -> None:
    with logged() as lines:
        order, job = house.writing()
        house.fulfilment.fail(job, FAULT)
        house.clock.advance(seconds=5)
        again = house.fulfilment.claim("w1")
        assert again is not None
        house.fulfilment.deliver(again, **RESULT | {"script_text": "SECRET TEXT"})
    assert f"order={order.id} job={job.id} attempt=2" in lines.about("WRITING→DELIVERED")[0]
    for secret in (order.premise.title, order.premise.logline, "SECRET TEXT", order.customer + " "):
        assert secret not in lines.getvalue()


def test_an_unknown_order_would_be_noticed() -> None:
    house = House()
    keep(house.store, a_job(order=an_order()))
    with pytest.raises(Exception, match="not there"):
        house.fulfilment.claim("w1")
