"""The process of the schedules, without a process: its chores, its runner, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes import FakeRunner, FakeStore
from tests.retraining_lab import Lab
from tng.errors import StoreBusy
from tng.jobs import NOTICE, Errand
from tng.lease import LeaseKeeper
from tng.training.house import forget_delivered, tell_operators
from tng.training.scheduler import Chore, Chores, LazyRunner, Scheduler
from tng.worker import Worker


def counting(limit: int, stopping: threading.Event) -> tuple[list[int], Callable[[], None]]:
    """What sets ``stopping`` when it has been done so often."""
    done: list[int] = []

    def do() -> None:
        done.append(len(done))
        if len(done) == limit:
            stopping.set()

    return done, do


def test_each_chore_is_done_at_once_and_again_when_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tng.training.scheduler.LOOK_SECONDS", 0.001)
    stopping = threading.Event()
    done, do = counting(3, stopping)
    seldom: list[int] = []
    Chores([Chore("often", 0.0, do), Chore("seldom", 3600.0, lambda: seldom.append(1))]).run(stopping)
    assert (len(done), len(seldom)) == (3, 1)


def test_a_chore_that_fails_stops_no_other_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tng.training.scheduler.LOOK_SECONDS", 0.001)
    stopping = threading.Event()
    done, do = counting(3, stopping)
    tried: list[int] = []

    def fail() -> None:
        tried.append(1)
        raise StoreBusy("locked")

    Chores([Chore("schedules", 0.0, fail), Chore("faults", 0.0, do)]).run(stopping)
    assert len(done) == len(tried) == 3
    assert "schedules: not done (StoreBusy)" in caplog.text


def test_a_runner_is_built_when_the_first_notebook_is_run(tmp_path: Path) -> None:
    built: list[FakeRunner] = []

    def build() -> FakeRunner:
        built.append(FakeRunner({"a": 1}))
        return built[-1]

    runner = LazyRunner(build)
    runner.close()
    assert not built
    guard = LeaseKeeper(lambda _: None, lease_seconds=10, hurry=threading.Event())
    for _ in range(2):
        assert runner.run("finetune", {}, run_folder=tmp_path, guard=guard) == {"a": 1}
    runner.close()
    assert [one.closed for one in built] == [True]


def a_scheduler(lab: Lab, stopping: threading.Event) -> Scheduler:
    worker = Worker(lab.desk, FakeRunner(), name="w", runs_folder=lab.runs, lease_seconds=10)
    return Scheduler(worker, lab.desk, [[Chore("schedules", 0.1, lab.timetable.tick)]], stopping)


def test_stopped_while_nothing_is_owed_it_ends_at_once(tmp_path: Path) -> None:
    stopping = threading.Event()
    scheduler = a_scheduler(Lab(FakeStore(), tmp_path / "shop"), stopping)
    thread = threading.Thread(target=scheduler.run_forever)
    thread.start()
    scheduler.stop()
    thread.join(5)
    assert not thread.is_alive()


def test_it_ends_where_the_steps_are_run_no_more_so_that_it_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stopping = threading.Event()
    scheduler = a_scheduler(Lab(FakeStore(), tmp_path / "shop"), stopping)
    monkeypatch.setattr(scheduler, "_run_steps", lambda: None)
    thread = threading.Thread(target=scheduler.run_forever)
    thread.start()
    thread.join(5)
    stopping.set()
    assert not thread.is_alive()
    assert "run no more" in caplog.text


def test_operators_are_told_without_locking_anybody_out_for_a_look(tmp_path: Path) -> None:
    lab = Lab(FakeStore(), tmp_path / "shop")

    class Pump:
        runs = 0

        def run(self) -> int:
            self.runs += 1
            return 0

    pump = Pump()
    tell_operators(lab.store, pump)  # type: ignore[arg-type]
    assert pump.runs == 0
    lab.ledger.current()
    lab.begin()
    lab.retrainings.cancel("1", actor="shell:ola")
    with lab.store.begin() as work:
        work.outbox.add(Errand("n", NOTICE, {}), lab.clock.now())
        work.commit()
    tell_operators(lab.store, pump)  # type: ignore[arg-type]
    assert pump.runs == 1


def test_scripts_of_customers_are_swept_away_but_for_those_of_the_open_retraining(tmp_path: Path) -> None:
    lab = Lab(FakeStore(), tmp_path / "shop")
    begun = lab.begin(delivered_scripts=True)
    lab.take()
    old = lab.places.of("0", "delivered.partial")
    old.mkdir(parents=True)
    forget_delivered(lab.store, lab.places)
    assert not old.exists()
    assert lab.places.of(begun.id, "delivered").is_dir()
    lab.retrainings.cancel(begun.id, actor="shell:ola")
    forget_delivered(lab.store, lab.places)
    assert not lab.places.of(begun.id, "delivered").exists()
