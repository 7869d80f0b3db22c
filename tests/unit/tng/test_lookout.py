"""What an operator sees is what the store says; and a worker says that it is there, whatever it does."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.fakes import START, FakeClock, FakeGateway, FakeStore
from tests.house import House
from tests.log_lines import logged
from tests.samples import an_order
from tng.adapters.heard_gateway import HeardGateway
from tng.errors import GatewayUnavailable, PaymentRefused, RunFailed
from tng.faults import Fault
from tng.gpus.rules import Claim, ClaimKind, Wish
from tng.log import FaultCounter, told
from tng.lookout import GOOGLE, Attendance, Lookout, hand_over
from tng.orders import OrderState
from tng.overview import Health, Machine, PartHealth, Presence, Queue

LEASE_SECONDS = 10.0
RESULT = {"script_text": "Title: X\n", "release_id": "r", "run_sha256": "a" * 64}


@pytest.fixture
def house() -> House:
    return House()


def lookout(house: House, **around: object) -> Lookout:
    return Lookout(house.store, house.clock, lease_seconds=LEASE_SECONDS, **around)  # type: ignore[arg-type]


def present(house: House, *names: str) -> None:
    for name in names:
        lookout(house).report(Presence(name, START, house.clock.now()))


class TestLooking:
    def test_an_empty_house_is_seen_as_one(self, house: House) -> None:
        seen = lookout(house).look()
        assert (seen.at, seen.orders, seen.queue, seen.leases, seen.workers) == (START, {}, Queue(), (), ())

    def test_orders_queue_and_leases_are_of_one_moment(self, house: House) -> None:
        _, job = house.writing("first")
        house.paid("second")
        house.placed("third")
        house.clock.advance(seconds=4)
        seen = lookout(house).look()
        assert seen.orders == {OrderState.WRITING: 1, OrderState.PAID: 1, OrderState.PLACED: 1}
        assert (seen.queue.waiting, seen.queue.oldest_seconds) == (1, 4.0)
        (lease,) = seen.leases
        assert (lease.worker, lease.job_id, lease.order_id, lease.attempt) == ("w1", job.id, job.order_id, 1)
        assert lease.release_id == job.release_id
        assert (lease.heard_at, lease.lease_until) == (START, START + timedelta(seconds=LEASE_SECONDS))

    def test_a_heartbeat_is_seen_by_the_lease_that_it_renews(self, house: House) -> None:
        _, job = house.writing()
        house.clock.advance(seconds=3)
        house.fulfilment.heartbeat(job)
        assert lookout(house).look().leases[0].heard_at == START + timedelta(seconds=3)

    def test_the_estimate_is_the_last_runs_shared_among_the_workers_that_are_here(self, house: House) -> None:
        _, job = house.writing("first")
        house.clock.advance(seconds=20)
        house.fulfilment.deliver(job, **RESULT)  # type: ignore[arg-type]
        for key in ("second", "third", "fourth"):
            house.paid(key)
        assert lookout(house).look().queue.estimate_seconds is None, "nobody is here to write"
        present(house, "w1", "w2")
        assert lookout(house).look().queue.estimate_seconds == pytest.approx(3 * 20 / 2)

    def test_money_that_is_owed_back_is_counted(self, house: House) -> None:
        _, job = house.writing()
        house.fulfilment.fail(job, RunFailed("no", retryable=False))
        assert lookout(house).look().queue.refunds_waiting == 1
        house.shop.run_errands()
        assert lookout(house).look().queue.refunds_waiting == 0

    def test_what_stripe_reported_is_counted_until_it_was_acted_on(self, house: House) -> None:
        order = house.placed()
        house.shop.receive_event(*house.gateway.webhook("checkout.session.completed", str(order.checkout_session_id)))
        assert lookout(house).look().queue.reports_waiting == 1
        house.shop.run_inbox()
        assert lookout(house).look().queue.reports_waiting == 0

    def test_a_gpu_is_shown_while_its_claim_lives(self, house: House) -> None:
        until = START + timedelta(minutes=2)
        with house.store.begin() as work:
            work.gpus.hold(Claim("pia", ClaimKind.WORKBENCH, "host", ("GPU-a", "GPU-b"), START, until), START)
            work.gpus.wait(Wish("ben", ClaimKind.WORKBENCH, "host", 1, START, until))
            work.commit()
        seen = lookout(house).look()
        assert [(use.gpu, use.kind, use.holder) for use in seen.gpus] == [
            ("GPU-a", "workbench", "pia"),
            ("GPU-b", "workbench", "pia"),
        ]
        assert seen.gpus_waiting == 1
        house.clock.advance(minutes=3)
        assert (lookout(house).look().gpus, lookout(house).look().gpus_waiting) == ((), 0)

    def test_the_parts_are_asked_how_they_are_and_a_worker_by_its_presence(self, house: House) -> None:
        machine, hub = Machine(kernels=2), PartHealth("hub", Health.UNWELL, "answers 503")
        around = lookout(house, around=lambda: (machine, [hub]))
        present(house, "w1")
        seen = around.look_around()
        assert seen.machine == machine
        assert {part.part: part.health for part in seen.health} == {
            "api": Health.WELL,
            "hub": Health.UNWELL,
            "worker": Health.WELL,
            "Google": Health.UNKNOWN,
        }
        house.clock.advance(seconds=21)
        assert around.look_around().health[-2:] == (
            PartHealth("worker", Health.UNWELL, "none was seen lately: nothing is written"),
            GOOGLE,
        )


class TestAttendance:
    def attendance(self, house: House, faults: FaultCounter, seconds: float = 60) -> Attendance:
        return Attendance(lookout(house), "host:1", faults, report_seconds=seconds)

    def test_a_worker_is_there_from_its_start_until_its_end_and_says_so_again_and_again(self, house: House) -> None:
        reported = threading.Semaphore(0)
        assert isinstance(house.store, FakeStore)
        house.store.before_commit = reported.release
        with self.attendance(house, FaultCounter("worker"), 0.001):
            assert reported.acquire(timeout=5)
            house.clock.advance(seconds=5)
            while reported.acquire(blocking=False):
                pass  # said before
            for _ in range(3):  # one may have looked at the clock before; the third begins when the second is stored
                assert reported.acquire(timeout=5)
            (worker,) = lookout(house).look().workers
            assert (worker.name, worker.started_at, worker.seen_at) == ("host:1", START, house.clock.now())
        assert lookout(house).look().workers == ()

    def test_what_went_wrong_in_it_is_stored_with_its_report(self, house: House) -> None:
        faults = FaultCounter("worker")
        faults.add([Fault("worker", "StoreBusy", 2, START)])
        self.attendance(house, faults).report()
        assert lookout(house).look().faults == (Fault("worker", "StoreBusy", 2, START),)
        assert faults.take() == ()

    def test_a_database_that_is_away_costs_no_worker_and_no_fault(self, house: House) -> None:
        assert isinstance(house.store, FakeStore)
        faults = FaultCounter("worker")
        faults.add([Fault("worker", "KernelDied", 1, START)])
        house.store.busy = True
        tried = threading.Event()
        with logged() as lines:
            heard = _Heard(tried)
            logging.getLogger("tng.lookout").addHandler(heard)
            try:
                with self.attendance(house, faults, 0.001):
                    assert tried.wait(5)
            finally:
                logging.getLogger("tng.lookout").removeHandler(heard)
        assert lines.about("attendance: no report (StoreBusy)")
        house.store.busy = False
        hand_over(faults, lookout(house))
        assert lookout(house).look().faults == (Fault("worker", "KernelDied", 1, START),)

    def test_a_line_of_the_worker_that_names_a_fault_reaches_the_operator(self, house: House) -> None:
        faults = FaultCounter("worker")
        logging.getLogger().addHandler(faults)
        try:
            _, job = house.writing()
            house.fulfilment.fail(job, RunFailed("no", cause="ReleaseDamaged", retryable=False))
            logging.getLogger("tng").warning("a note", extra=told(order=job.order_id))
        finally:
            logging.getLogger().removeHandler(faults)
        hand_over(faults, lookout(house))
        assert [(fault.kind, fault.count) for fault in lookout(house).look().faults] == [("ReleaseDamaged", 1)]


class _Heard(logging.Handler):
    def __init__(self, event: threading.Event) -> None:
        super().__init__()
        self._event = event

    def emit(self, record: logging.LogRecord) -> None:
        self._event.set()


class TestHearingOfStripe:
    def calls(self, gateway: HeardGateway) -> list[Callable[[], object]]:
        order = an_order(checkout_attempt=1, checkout_expires_at=START + timedelta(hours=1))
        return [
            lambda: gateway.open_checkout(order, return_url="https://a", cancel_url="https://b"),
            lambda: gateway.read_payment("cs_test_0001"),
            lambda: gateway.close_checkout("cs_test_0001"),
            lambda: gateway.refund("pi_1", order_id=order.id, key="k"),
        ]

    def test_what_was_not_asked_is_unknown(self) -> None:
        clock = FakeClock()
        assert HeardGateway(FakeGateway(clock), clock).health().health is Health.UNKNOWN

    def test_every_call_is_passed_on_and_heard(self) -> None:
        clock = FakeClock()
        real = FakeGateway(clock)
        for number in range(4):
            gateway = HeardGateway(real, clock)
            self.calls(gateway)[number]()
            assert gateway.health() == PartHealth("Stripe", Health.WELL, "answered at 12:00:00 UTC")
        assert real.calls == ["open_checkout", "read_payment", "close_checkout", "read_payment", "refund"]

    def test_silence_counts_until_the_next_answer_and_a_no_is_one(self) -> None:
        clock = FakeClock()
        real = FakeGateway(clock)
        gateway = HeardGateway(real, clock)
        real.down = True
        for call in self.calls(gateway):
            with pytest.raises(GatewayUnavailable):
                call()
        assert gateway.health() == PartHealth("Stripe", Health.UNWELL, "did not answer at 12:00:00 UTC")
        real.down, real.refusing = False, True
        with pytest.raises(PaymentRefused):
            gateway.read_payment("cs_test_0001")
        assert gateway.health().health is Health.WELL

    def test_a_webhook_says_nothing_of_whether_stripe_answers(self) -> None:
        clock = FakeClock()
        real = FakeGateway(clock)
        gateway = HeardGateway(real, clock)
        payload, signature = real.webhook("checkout.session.completed", "cs_1", event_id="evt_1")
        assert gateway.read_event(payload, signature, clock.now()).id == "evt_1"
        assert gateway.health().health is Health.UNKNOWN
