"""A desk may ask for an early end, and gives each attempt the release that was current at its claim. No kernel."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeRunner
from tests.orders import job_in, order_in
from tests.releases import a_release
from tests.unit.tng.worker_support import RESULT, TEXT, Desk
from tng.desk import WritingDesk
from tng.errors import KernelDied, RunFailed
from tng.fulfilment import Fulfilment
from tng.jobs import Job, JobState
from tng.library.editions import Take
from tng.library.reworking import Reworking
from tng.orders import OrderState
from tng.worker import Worker


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- a desk whose runs may be asked to end early ----------------------------------------------------------------------


class Yielding(WritingDesk):
    """A desk that asks for an early end as soon as somebody asks it; it remembers what it was brought."""

    def __init__(self, desk: Desk, *, yields: bool = True) -> None:
        super().__init__(Fulfilment(desk.store, desk.clock, lease_seconds=10, spread=lambda: 0), desk.ledger)
        self._yields, self.asked = yields, threading.Event()
        self.accepted: list[Mapping[str, Any]] = []

    def yields(self, job: Job) -> bool:
        self.asked.set()
        return self._yields

    def accept(self, job: Job, result: Mapping[str, Any], run_folder: Path) -> None:
        self.accepted.append(result)
        self.give_back(job)


class Interrupted(FakeRunner):
    """Its run ends when the desk was asked whether it should: with ``result``, or with ``error``."""

    def __init__(self, desk: Yielding, result: dict[str, Any] | None = None, error: Exception | None = None) -> None:
        super().__init__(result, error=error)
        self._desk = desk

    def run(self, *args: Any, **named: Any) -> dict[str, Any]:
        assert self._desk.asked.wait(10)
        guard = named["guard"]
        while self._desk._yields and not guard.yielded:
            threading.Event().wait(0.01)
        return super().run(*args, **named)


BY_SIGINT = RunFailed("finetune: cell 3 raised KeyboardInterrupt", cause="KeyboardInterrupt")


@pytest.mark.parametrize(
    ("yields", "error", "ended"),
    [
        pytest.param(True, BY_SIGINT, (0, 1), id="asked-to-end"),
        pytest.param(False, BY_SIGINT, (1, 0), id="nobody-asked"),
        pytest.param(True, RunFailed("x", cause="ValueError"), (1, 0), id="asked-but-failed"),
    ],
)
def test_a_run_that_ended_because_it_was_asked_to_is_given_back_not_failed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, yields: bool, error: Exception, ended: tuple[int, int]
) -> None:
    monkeypatch.setattr("tng.lease.YIELD_SECONDS", 0.0)
    yielding = Yielding(desk, yields=yields)
    Worker(yielding, Interrupted(yielding, error=error), name="w1", runs_folder=desk.folder, lease_seconds=10).run_one()
    job = job_in(desk.store)
    assert (job.state, (job.failures, job.given_back)) == (JobState.QUEUED, ended)


def test_what_a_run_came_to_that_was_asked_to_end_goes_to_its_desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tng.lease.YIELD_SECONDS", 0.0)
    yielding, result = Yielding(desk), {"is_finished": False}
    runner = Interrupted(yielding, result)
    Worker(yielding, runner, name="w1", runs_folder=desk.folder, lease_seconds=10).run_one()
    assert yielding.accepted == [result]


# --- a release an attempt ---------------------------------------------------------------------------------------------


def test_each_attempt_uses_the_release_that_was_current_when_it_was_claimed(desk: Desk) -> None:
    a_release(desk.folder / "releases", "better")
    runner = FakeRunner(error=KernelDied("x"))
    worker = desk.worker(runner)
    worker.run_one()
    desk.ledger.promote("better", actor="shell:ola", reason="on trial", unproven=True)
    desk.clock.advance(minutes=6)
    runner.error, runner.result = None, RESULT | {"release_id": "better"}
    worker.run_one()
    assert [Path(parameters["release_folder"]).name for _, parameters in runner.runs] == ["tiny", "better"]
    job, order = job_in(desk.store), order_in(desk.store)
    assert (job.release_id, job.promotion_id, order.release_id) == ("better", 2, "better")


def test_a_script_of_another_release_is_not_delivered(desk: Desk) -> None:
    desk.worker(FakeRunner(RESULT | {"release_id": "another"})).run_one()
    job = job_in(desk.store)
    assert (job.state, job.failures) == (JobState.QUEUED, 1)
    assert "another" in str(job.error)
    assert order_in(desk.store).script_text is None


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_where_the_promoted_release_is_not_here_the_operator_is_told_and_the_job_waits(
    desk: Desk, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    folder = a_release(desk.folder / "releases", "better").folder
    desk.ledger.promote("better", actor="shell:ola", reason="on trial", unproven=True)
    if harm == "gone":
        shutil.rmtree(folder)
    else:
        (folder / "manifest.json").write_text("{}", encoding="utf-8")
    runner = FakeRunner(RESULT)
    worker = desk.worker(runner)
    worker.run_one()
    assert not runner.runs
    assert (job_in(desk.store).state, job_in(desk.store).failures) == (JobState.QUEUED, 1)
    assert "nothing can be written until somebody acts" in caplog.text
    desk.ledger.roll_back(actor="shell:ola", reason="it is not there")
    desk.clock.advance(minutes=6)
    worker.run_one()
    assert order_in(desk.store).release_id == "tiny"


# --- a scene of a delivered script, once more -------------------------------------------------------------------------

SCENE = {"scene_text": "# INT. SICKBAY\nRain.\nPICARD: Where?", "release_id": "tiny"}


@pytest.fixture
def delivered(desk: Desk) -> Desk:
    """Its order is delivered, and the first scene asked for again."""
    desk.worker(FakeRunner(RESULT)).run_one()
    Reworking(desk.store, desk.clock).write_again("ord_1", "ada", 1, 0)
    return desk


def takes(desk: Desk) -> list[Take]:
    with desk.store.read() as work:
        return list(work.editions.takes("ord_1"))


def take_job(desk: Desk) -> Job:
    with desk.store.read() as work:
        return work.jobs.of("ord_1")[-1]


def test_a_take_is_written_by_its_own_notebook_from_the_original_script(delivered: Desk) -> None:
    Reworking(delivered.store, delivered.clock).edit_line("ord_1", "ada", 1, 0, "Snow.", 0)
    runner = FakeRunner(SCENE)
    delivered.worker(runner).run_one()
    ((notebook, given),) = runner.runs
    assert notebook == "write_scene"
    assert (given["script_text"], given["scene_number"], given["take_number"]) == (TEXT, 1, 1)
    assert given["release_folder"] == str(delivered.folder / "releases" / "tiny")
    assert [take.text for take in takes(delivered)] == [SCENE["scene_text"]]


@pytest.mark.parametrize(
    "result",
    [
        pytest.param({}, id="nothing"),
        pytest.param(RESULT, id="a-script"),
        pytest.param({"scene_text": "Rain.", "release_id": "tiny"}, id="no-heading"),
        pytest.param({"scene_text": "# INT. SICKBAY", "release_id": "tiny"}, id="no-line"),
        pytest.param({"scene_text": 5, "release_id": "tiny"}, id="no-text"),
    ],
)
def test_a_result_that_is_no_scene_gives_the_take_back(delivered: Desk, result: dict[str, Any]) -> None:
    delivered.worker(FakeRunner(result)).run_one()
    assert (take_job(delivered).state, takes(delivered)) == (JobState.DEAD, [])
    assert order_in(delivered.store).state is OrderState.DELIVERED


def test_the_canary_hears_nothing_of_takes(delivered: Desk) -> None:
    heard: list[Job] = []

    class Ears:
        def look(self, job: Job) -> None:
            heard.append(job)

    fulfilment = Fulfilment(delivered.store, delivered.clock, lease_seconds=10, spread=lambda: 0)
    desk = WritingDesk(fulfilment, delivered.ledger, Ears())  # type: ignore[arg-type]
    job = desk.claim("w1")
    assert job is not None
    desk.accept(job, SCENE, delivered.folder)
    assert (len(takes(delivered)), heard) == (1, [])


@pytest.mark.parametrize("how", ["gone", "damaged"])
def test_where_the_release_of_the_script_is_gone_the_current_one_writes(delivered: Desk, how: str) -> None:
    a_release(delivered.folder / "releases", "other")
    delivered.ledger.promote("other", actor="ola", reason="try", unproven=True)
    if how == "gone":
        shutil.rmtree(delivered.folder / "releases" / "tiny")
        delivered.worker(FakeRunner(SCENE)).run_one()
    else:
        damaged = RunFailed("vocab.bpe is missing", cause="ReleaseDamaged", retryable=False)
        delivered.worker(FakeRunner(error=damaged)).run_one()
    assert take_job(delivered).state is JobState.QUEUED
    delivered.clock.advance(minutes=1)
    delivered.worker(FakeRunner(SCENE | {"release_id": "other"})).run_one()
    assert [take.release_id for take in takes(delivered)] == ["other"]
