"""A worker brings every job to an end, whatever its run does. No kernel, no database."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeRunner
from tests.orders import job_in, order_in
from tests.unit.tng.worker_support import RESULT, SCENES, TEXT, Desk
from tng.errors import KernelDied, LeaseLost, RunFailed, StoreBusy, TngError, UnknownParameter
from tng.jobs import EventKind, JobState
from tng.orders import OrderState
from tng.ports import RunGuard
from tng.releases import Release, digest
from tng.worker import Worker

PROVENANCE = {"release": "tiny", "seed": 7, "gates": {"scenes": 1, "failed": {}}, "copied": None}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_where_nothing_is_owed_nothing_is_run(desk: Desk) -> None:
    worker = desk.worker(FakeRunner(RESULT))
    assert worker.run_one()
    assert not worker.run_one()


def test_a_script_is_delivered_with_the_digest_of_its_run(desk: Desk) -> None:
    runner = FakeRunner(RESULT, events=SCENES)
    desk.worker(runner).run_one()
    order, job = order_in(desk.store), job_in(desk.store)
    assert (order.state, order.script_text, order.release_id) == (OrderState.DELIVERED, TEXT, "tiny")
    assert order.run_sha256 == digest(desk.folder / f"{job.id}.1" / "notebook.ipynb")
    assert job.state is JobState.DONE
    assert desk.heard() == [(EventKind.STARTED, {}), *SCENES, (EventKind.DONE, {})]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param({"provenance": PROVENANCE}, PROVENANCE, id="said"),
        pytest.param({}, None, id="unsaid"),
        pytest.param({"provenance": "by hand"}, None, id="no-facts"),
    ],
)
def test_how_a_script_came_about_is_delivered_with_it(
    desk: Desk, said: dict[str, Any], kept: dict[str, Any] | None
) -> None:
    desk.worker(FakeRunner(RESULT | said)).run_one()
    order = order_in(desk.store)
    assert (order.state, order.provenance) == (OrderState.DELIVERED, kept)


def test_the_notebook_gets_the_parameters_of_the_job_and_the_release(desk: Desk) -> None:
    runner = FakeRunner(RESULT)
    desk.worker(runner).run_one()
    folder = str(desk.folder / "releases" / "tiny")
    parameters = {"order_id": "ord_1", "premise_json": "{}", "release_folder": folder}
    assert runner.runs == [("write_script", parameters)]


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"script_text": TEXT}, id="no-release"),
        pytest.param({"script_text": None, "release_id": "tiny"}, id="no-text"),
        pytest.param({"script_text": "Once upon a time", "release_id": "tiny"}, id="no-script"),
        pytest.param({"script_text": "Title: The Quiet Hours\n## ACT ONE\n", "release_id": "tiny"}, id="no-scene"),
    ],
)
def test_what_is_no_script_is_not_delivered_but_refunded(desk: Desk, result: dict[str, Any]) -> None:
    desk.worker(FakeRunner(result)).run_one()
    assert order_in(desk.store).state is OrderState.REFUNDING
    assert job_in(desk.store).state is JobState.DEAD


@pytest.mark.parametrize(
    ("error", "state"),
    [
        pytest.param(RunFailed("x", cause="ValueError"), JobState.QUEUED, id="a-cell-raised"),
        pytest.param(KernelDied("x"), JobState.QUEUED, id="the-kernel-died"),
        pytest.param(OSError(28, "No space left on device"), JobState.QUEUED, id="a-full-disk"),
        pytest.param(RunFailed("x", cause="PremiseError", retryable=False), JobState.DEAD, id="hopeless"),
        pytest.param(UnknownParameter("x"), JobState.DEAD, id="a-notebook-that-does-not-fit"),
    ],
)
def test_a_failure_is_tried_again_where_that_can_help(desk: Desk, error: Exception, state: JobState) -> None:
    desk.worker(FakeRunner(error=error)).run_one()
    assert (job_in(desk.store).state, job_in(desk.store).failures) == (state, 1)


def test_a_job_that_fails_every_time_is_refunded_once(desk: Desk) -> None:
    worker = desk.worker(FakeRunner(error=KernelDied("x")))
    runs = 0
    while job_in(desk.store).state is not JobState.DEAD:
        runs += worker.run_one()
        desk.clock.advance(minutes=6)
    assert runs == 3
    with desk.store.begin() as work:
        errand = work.outbox.take(desk.clock.now(), desk.clock.now() + timedelta(hours=1))
        assert errand is not None
        assert errand.body["payment_intent_id"] == "pi_ord_1"
        assert work.outbox.take(desk.clock.now(), desk.clock.now()) is None


def test_the_text_of_a_foreign_error_reaches_neither_the_log_nor_the_job(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.worker(FakeRunner(error=ValueError("Picard's secret"))).run_one()
    assert "ValueError in the worker itself" in caplog.text
    assert "fakes.py" in caplog.text, "the log must say where"
    assert "secret" not in caplog.text + str(job_in(desk.store).error)


def test_a_damaged_release_tells_the_operator_what_to_do(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    error = RunFailed("release tiny is damaged: restore its folder", cause="ReleaseDamaged", retryable=False)
    desk.worker(FakeRunner(error=error)).run_one()
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert any("restore its folder" in line for line in told)
    assert order_in(desk.store).state is OrderState.REFUNDING


@pytest.mark.parametrize("error", [StoreBusy("locked"), ConnectionError("the database is away")], ids=["busy", "away"])
@pytest.mark.parametrize("method", ["deliver", "heartbeat"])
def test_a_database_that_is_away_for_a_moment_costs_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, method: str, error: Exception
) -> None:
    monkeypatch.setattr("tng.worker.AGAIN_SECONDS", 0)
    desk.worker(FakeRunner(RESULT, events=SCENES), **{method: [error, error]}).run_one()
    assert order_in(desk.store).state is OrderState.DELIVERED
    assert desk.heard() == [(EventKind.STARTED, {}), *SCENES, (EventKind.DONE, {})]


def test_a_run_that_was_not_begun_for_want_of_the_database_is_given_back_and_no_failure(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner, release_of, away = FakeRunner(RESULT), desk.ledger.release_of, [StoreBusy("locked")]

    def ask(promotion_id: int | None) -> Release:
        if away:
            raise away.pop()
        return release_of(promotion_id)

    monkeypatch.setattr(desk.ledger, "release_of", ask)
    worker = desk.worker(runner)
    worker.run_one()
    job = job_in(desk.store)
    assert (job.state, job.failures, job.given_back, runner.runs) == (JobState.QUEUED, 0, 1, [])
    worker.run_one()
    assert order_in(desk.store).state is OrderState.DELIVERED


def test_an_end_that_can_never_be_written_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tng.worker.AGAIN_SECONDS", 0)
    illegal = TngError("not in the table of moves")
    desk.worker(FakeRunner(RESULT), deliver=[illegal, illegal]).run_one()
    assert job_in(desk.store).state is JobState.RUNNING  # and taken again when its lease is over


def test_a_run_that_lost_its_lease_delivers_nothing(desk: Desk) -> None:
    worker = desk.worker(FakeRunner(RESULT, events=SCENES), heartbeat=[LeaseLost("another has it")])
    worker.run_one()
    assert order_in(desk.store).state is OrderState.WRITING
    assert job_in(desk.store).state is JobState.RUNNING


class Waiting:
    """A runner whose run ends when its kernel would be killed: when the worker was stopped twice."""

    def __init__(self) -> None:
        self.running, self.ended, self.closed = threading.Event(), threading.Event(), False

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        self.running.set()
        if not self.ended.wait(30):
            raise AssertionError("nobody ended the run")
        raise KernelDied("killed")

    def close(self) -> None:
        self.closed = True


def test_stopped_once_a_worker_takes_no_new_job(desk: Desk) -> None:
    runner = FakeRunner(RESULT)
    worker = desk.worker(runner)
    worker.stop()
    worker.run_forever()
    assert not runner.runs
    assert runner.closed


def test_stopped_twice_a_worker_gives_its_job_back_without_holding_it_against_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = Waiting()
    worker = desk.worker(runner)
    monkeypatch.setattr("tng.lease.LeaseKeeper._kill", lambda keeper: runner.ended.set())
    thread = threading.Thread(target=worker.run_forever)
    thread.start()
    assert runner.running.wait(10)
    worker.stop()
    assert not runner.ended.wait(0.5), "the first stop lets the run go on"
    worker.stop()
    thread.join(10)
    assert not thread.is_alive()
    job = job_in(desk.store)
    assert (job.state, job.failures, job.given_back) == (JobState.QUEUED, 0, 1)
    assert runner.closed


def test_a_worker_outlives_a_database_that_is_away(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("tng.worker.IDLE_SECONDS", 0.01)
    worker: Worker

    class Stopping(FakeRunner):
        def run(self, *args: Any, **named: Any) -> dict[str, Any]:
            worker.stop()
            return super().run(*args, **named)

    worker = desk.worker(Stopping(RESULT), claim=[ConnectionError("password=hunter2"), StoreBusy("locked")])
    worker.run_forever()
    assert order_in(desk.store).state is OrderState.DELIVERED
    assert "hunter2" not in caplog.text
