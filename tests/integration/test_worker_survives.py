"""Whatever is done to a worker, a paid order gets its script once, or its money back. Real processes and database."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.worker_process import make_worker, start
from tests.orders import PLACED_AT, job_in, order_in, paid_order
from tests.releases import a_release
from tng.app import build_store
from tng.jobs import EventKind, JobEvent, JobState
from tng.money.refunds import owe_refund
from tng.orders import Order, OrderState
from tng.ports import Store, Work
from tng.settings import Settings

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LEASE = 3.0
PLENTY = 60.0


class House:
    """A home with a database, a folder with one notebook in the writer's place, and the workers that were started."""

    def __init__(self, home: Path, notebook: str, lease_seconds: float = LEASE) -> None:
        release = a_release(home, "tiny").folder
        self.settings = Settings.read(home=home / "home", lease_seconds=lease_seconds, release=release)
        self.store: Store = build_store(self.settings)
        self.notebooks = home / "runs"
        self.notebooks.mkdir()
        shutil.copy(NOTEBOOKS / f"{notebook}.ipynb", self.notebooks / "write_script.ipynb")
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        self.workers.append(start(self.settings, self.notebooks))
        return self.workers[-1]

    def heard(self, attempt: int | None = None) -> list[JobEvent]:
        with self.store.read() as work:
            events = work.jobs.heard(job_in(self.store).id)
        return [event for event in events if attempt in (None, event.attempt)]

    def steps(self, attempt: int) -> list[int]:
        return [event.body["step"] for event in self.heard(attempt) if event.kind is EventKind.PROGRESS]

    def kernel_of(self, attempt: int) -> psutil.Process:
        plans = [event for event in self.heard(attempt) if event.kind is EventKind.PLAN]
        return psutil.Process(plans[0].body["pid"])

    def is_delivered(self) -> bool:
        return order_in(self.store).state is OrderState.DELIVERED

    @property
    def log(self) -> str:
        return (self.settings.home / "worker.log").read_text()

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGCONT)
                worker.send_signal(signal.SIGTERM)
                worker.send_signal(signal.SIGTERM)
                try:
                    worker.wait(15)
                except subprocess.TimeoutExpired:
                    os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def wait_until(happened: Callable[[], Any], seconds: float = PLENTY) -> float:
    """Wait until ``happened``: how many seconds that took."""
    began = time.monotonic()
    while not happened():
        assert time.monotonic() - began < seconds, "it never happened"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path, "sleeps")
    yield house
    house.close()


@pytest.mark.slow
def test_a_worker_killed_in_mid_run_is_followed_by_another_that_delivers_once(slow: House) -> None:
    paid_order(slow.store, steps=12, seconds=0.2)
    first = slow.start()
    wait_until(lambda: len(slow.steps(1)) >= 3)
    kernel = slow.kernel_of(1)
    os.killpg(first.pid, signal.SIGKILL)  # the kernel is in a session of its own: it is left behind
    slow.start()
    wait_until(lambda: not kernel.is_running(), LEASE)  # no orphan outlives the lease
    wait_until(slow.is_delivered)
    assert slow.steps(2) == list(range(12)), "the second attempt tells its story from the beginning"
    assert [event.attempt for event in slow.heard() if event.kind is EventKind.STARTED] == [1, 2]
    assert len([event for event in slow.heard() if event.kind is EventKind.DONE]) == 1
    assert job_in(slow.store).failures == 0, "a crash is not a failure"
    assert sorted(path.name for path in slow.settings.runs_folder.iterdir())[-1].endswith(".2")


@pytest.mark.slow
def test_a_frozen_worker_is_overtaken_and_what_it_says_afterwards_does_not_count(slow: House) -> None:
    paid_order(slow.store, steps=15, seconds=0.2)
    frozen = slow.start()
    wait_until(lambda: len(slow.steps(1)) >= 2)
    kernel = slow.kernel_of(1)
    os.killpg(frozen.pid, signal.SIGSTOP)
    slow.start()
    wait_until(lambda: slow.steps(2))
    assert not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE, "two kernels write one order"
    told = len(slow.steps(1))
    os.killpg(frozen.pid, signal.SIGCONT)
    wait_until(slow.is_delivered)
    assert len(slow.steps(1)) == told
    wait_until(lambda: "run is lost" in slow.log)
    assert len([event for event in slow.heard() if event.kind is EventKind.DONE]) == 1


def test_the_first_sigterm_lets_the_script_be_finished(slow: House) -> None:
    paid_order(slow.store, steps=8, seconds=0.2)
    paid_order(slow.store, "ord_2", steps=1, seconds=0)
    worker = slow.start()
    wait_until(lambda: slow.steps(1))
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(PLENTY) == 0
    assert slow.is_delivered()
    assert order_in(slow.store, "ord_2").state is OrderState.PAID, "a worker that is to stop took another job"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_the_second_signal_gives_the_job_back_at_once(slow: House, number: signal.Signals) -> None:
    paid_order(slow.store, steps=600, seconds=0.1)
    worker = slow.start()
    wait_until(lambda: slow.steps(1))
    kernel = slow.kernel_of(1)
    worker.send_signal(number)
    time.sleep(0.5)
    assert worker.poll() is None
    worker.send_signal(number)
    assert worker.wait(10) == 0
    assert not kernel.is_running()
    job = job_in(slow.store)
    assert (job.state, job.failures, job.given_back) == (JobState.QUEUED, 0, 1)


@pytest.mark.slow
def test_a_run_whose_lease_is_another_workers_loses_its_kernel_and_delivers_nothing(slow: House) -> None:
    paid_order(slow.store, steps=600, seconds=0.1)
    slow.start()
    wait_until(lambda: slow.steps(1))
    kernel, job = slow.kernel_of(1), job_in(slow.store)
    with slow.store.begin() as work:  # as if another worker had claimed it and been killed
        work.jobs.update(job.token, state=JobState.CANCELLED, lease_until=None)
        work.commit()
    wait_until(lambda: not kernel.is_running(), LEASE)
    assert order_in(slow.store).state is OrderState.WRITING
    assert "run is lost" in slow.log


def test_an_order_that_was_refunded_stops_being_written(slow: House) -> None:
    paid_order(slow.store, steps=600, seconds=0.1)
    slow.start()
    wait_until(lambda: slow.steps(1))
    kernel = slow.kernel_of(1)
    with slow.store.begin() as work:
        order, now = work.orders.get("ord_1"), PLACED_AT
        work.orders.save(order.moved(OrderState.REFUNDED, by="stripe", why="the money went back", at=now))
        work.commit()
    wait_until(lambda: not kernel.is_running(), LEASE)
    wait_until(lambda: job_in(slow.store).state is JobState.CANCELLED, LEASE)
    assert order_in(slow.store).state is OrderState.REFUNDED


def cancelled(order: Order, work: Work) -> None:
    """Its customer stops it."""
    owe_refund(work, order, by="customer", why="stopped", now=PLACED_AT)


def disputed(order: Order, work: Work) -> None:
    """A bank freezes it."""
    moved = order.moved(OrderState.DISPUTED, by="stripe", why="disputed", at=PLACED_AT, before_dispute=order.state)
    work.orders.save(moved)
    work.jobs.cancel("order:ord_1", PLACED_AT)


@pytest.mark.parametrize("stop", [cancelled, disputed])
def test_within_two_seconds_the_kernel_of_an_order_that_is_to_stop_is_dead_however_silent_it_is(
    tmp_path: Path, stop: Callable[[Order, Work], None]
) -> None:
    house = House(tmp_path, "sleeps", lease_seconds=90.0)  # a third of it is no help: 30 s
    try:
        paid_order(house.store, steps=2, seconds=60)
        house.start()
        wait_until(lambda: house.steps(1))
        kernel = house.kernel_of(1)
        with house.store.begin() as work:
            stop(work.orders.get("ord_1"), work)
            work.commit()
        assert wait_until(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE, 10) <= 2.0
        job = job_in(house.store)
        assert (job.state, job.failures) == (JobState.CANCELLED, 0), "a stop is no failure"
        assert "run is cancelled" in house.log
    finally:
        house.close()


def test_a_damaged_release_is_not_tried_twice_and_the_money_is_owed_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = House(tmp_path, "raises")
    sentence = "release tiny is damaged: vocab.bpe is missing. Restore its folder from the repository"
    paid_order(house.store, error="ReleaseDamaged", text=sentence)
    worker = make_worker(house.settings, house.notebooks)
    worker.run_one()
    worker.stop()
    worker.run_forever()
    assert (job_in(house.store).state, job_in(house.store).attempt) == (JobState.DEAD, 1)
    assert order_in(house.store).state is OrderState.REFUNDING
    with house.store.begin() as work:
        assert work.outbox.take(order_in(house.store).placed_at.replace(year=2100), order_in(house.store).placed_at)
    assert [r for r in caplog.records if r.levelname == "ERROR" and "Restore its folder" in r.getMessage()]


def test_what_a_run_leaves_is_for_its_owner_only(tmp_path: Path) -> None:
    house = House(tmp_path, "ok")
    paid_order(house.store)
    worker = make_worker(house.settings, house.notebooks)
    worker.run_one()
    worker.stop()
    worker.run_forever()
    assert house.is_delivered()
    run_folder = house.settings.runs_folder / f"{job_in(house.store).id}.1"
    assert run_folder.stat().st_mode & 0o777 == 0o700
    assert house.settings.home.stat().st_mode & 0o777 == 0o700
