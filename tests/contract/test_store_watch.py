"""What every Store promises to an operator: counts of one moment, who is there, and bounded faults."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes import START
from tests.samples import a_job, a_paid_order, an_order, keep
from tng.faults import Fault
from tng.jobs import EventKind, JobState
from tng.money.refunds import refund_errand
from tng.orders import OrderState
from tng.overview import Presence
from tng.ports import Store

LEASE = timedelta(seconds=10)
SECOND = timedelta(seconds=1)


class TestCounts:
    def test_of_an_empty_house_are_nothing(self, store: Store) -> None:
        with store.read() as work:
            assert work.counts.orders() == {}
            assert work.counts.waiting() == (0, None)
            assert list(work.counts.running()) == []
            assert work.counts.run_seconds() is None
            assert work.counts.errands() == 0

    def test_orders_are_counted_by_their_state(self, store: Store) -> None:
        keep(store, an_order(1), an_order(2), a_paid_order(3))
        with store.read() as work:
            assert work.counts.orders() == {OrderState.PLACED: 2, OrderState.PAID: 1}

    def test_the_oldest_that_waits_is_counted_from_its_payment(self, store: Store) -> None:
        first, second, third = a_paid_order(1), a_paid_order(2), a_paid_order(3)
        keep(store, first, second, third)
        keep(store, *(a_job(order=order, ready_at=START + SECOND) for order in (second, first, third)))
        with store.begin() as work:
            work.jobs.claim("w1", START + LEASE, START + 2 * LEASE)
            work.commit()
        with store.read() as work:
            assert work.counts.waiting() == (2, START)

    def test_who_owns_what_is_listed_by_the_end_of_the_lease(self, store: Store) -> None:
        keep(store, a_job(1), a_job(2), a_job(3))
        with store.begin() as work:
            work.jobs.claim("w1", START, START + 2 * LEASE)
            work.jobs.claim("w2", START, START + LEASE)
            work.commit()
        with store.read() as work:
            assert [(job.worker, job.key) for job in work.counts.running()] == [("w2", "job-2"), ("w1", "job-1")]

    def test_a_run_counts_from_its_own_start_to_its_delivery(self, store: Store) -> None:
        keep(store, a_job(1), a_job(2))
        with store.begin() as work:
            for seconds in (4, 8):
                job = work.jobs.claim("w1", START, START + LEASE)
                assert job is not None
                work.jobs.say(job.token, [(EventKind.STARTED, {})], START)
                work.jobs.say(job.token, [(EventKind.SCENE, {})], START + SECOND)
                work.jobs.say(job.token, [(EventKind.DONE, {})], START + seconds * SECOND)
                work.jobs.update(job.token, state=JobState.DONE)
            work.commit()
        with store.read() as work:
            assert work.counts.run_seconds() == 6.0

    def test_an_errand_counts_until_it_is_done(self, store: Store) -> None:
        errand = refund_errand(a_paid_order())
        with store.begin() as work:
            work.outbox.add(errand, START)
            work.commit()
        with store.begin() as work:
            assert work.counts.errands() == 1
            assert work.counts.errands(errand.kind, "notice") == 1
            assert work.counts.errands("notice") == 0
            work.outbox.finish(errand.key)
            assert work.counts.errands() == work.counts.errands(errand.kind) == 0


class TestWorkers:
    def test_are_there_from_their_report_until_they_leave(self, store: Store) -> None:
        one, two = Presence("w1", START, START), Presence("w2", START, START + SECOND)
        with store.begin() as work:
            work.watch.report(two)
            work.watch.report(one)
            work.watch.report(again := Presence("w1", START, START + 5 * SECOND))
            work.commit()
        with store.begin() as work:
            assert list(work.watch.workers()) == [again, two]
            work.watch.leave("w1")
            work.watch.leave("never came")
            assert list(work.watch.workers()) == [two]

    def test_that_died_are_forgotten_after_a_day(self, store: Store) -> None:
        with store.begin() as work:
            work.watch.report(Presence("died", START, START))
            work.watch.report(Presence("lives", START, START + timedelta(hours=23)))
            assert [worker.name for worker in work.watch.workers()] == ["died", "lives"]
            work.watch.report(Presence("lives", START, START + timedelta(hours=25)))
            assert [worker.name for worker in work.watch.workers()] == ["lives"]


class TestFaults:
    def test_add_up_by_part_and_kind_and_the_last_comes_first(self, store: Store) -> None:
        with store.begin() as work:
            work.watch.note([Fault("api", "StoreBusy", 2, START), Fault("worker", "StoreBusy", 1, START - SECOND)])
            work.commit()
        with store.begin() as work:
            work.watch.note([Fault("worker", "StoreBusy", 3, START + SECOND), Fault("api", "StoreBusy", 1, START)])
            work.commit()
        with store.read() as work:
            assert list(work.watch.faults()) == [
                Fault("worker", "StoreBusy", 4, START + SECOND),
                Fault("api", "StoreBusy", 3, START),
            ]

    def test_never_grow_beyond_a_hundred_kinds_of_a_part_and_one(self, store: Store) -> None:
        with store.begin() as work:
            work.watch.note([Fault("worker", f"Kind{number}", 1, START) for number in range(103)])
            work.watch.note([Fault("worker", "Kind7", 1, START), Fault("api", "StoreBusy", 1, START)])
            work.commit()
        with store.read() as work:
            counted = {(fault.part, fault.kind): fault.count for fault in work.watch.faults()}
        assert len(counted) == 102
        assert counted["worker", "Other"] == 3
        assert counted["worker", "Kind7"] == 2
        assert counted["api", "StoreBusy"] == 1
