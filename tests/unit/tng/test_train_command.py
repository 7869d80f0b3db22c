"""``tng train`` without a kernel: what the notebook is given, what is printed, and what Ctrl-C does."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from papermill.inspection import inspect_notebook

from model.finetune import Trainer
from model.presets import PRESETS as WRITERS_PRESETS
from tests.architecture.sources import ROOT
from tng.commands import train as command
from tng.commands.train import PRESETS, STOPPED, TRAINERS, TrainingGuard, parameters_of, progress_line
from tng.errors import RunFailed
from tng.jobs import EventKind
from tng.ports import RunGuard

OUTCOME = {"steps": 5, "mean_loss": 4.5, "best_held_out_loss": None}
NONE: dict[str, Any] = {
    "preset": "small", "base": None, "steps": None, "minutes": None, "trainer": "tng", "resume": False,
}  # fmt: skip


class OneRun:
    """Stands in for the runner: tells one step, and answers or raises."""

    def __init__(self, error: Exception | None = None, *, presses: int = 0) -> None:
        self.error, self.presses = error, presses
        self.given: dict[str, Any] = {}
        self.is_closed = False

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        assert notebook == "finetune"
        self.given = parameters
        guard.say(EventKind.PROGRESS, {"percent": 10, "step": 1, "steps": 10, "loss": 4.5, "seconds": 3.2})
        for _ in range(self.presses):
            assert isinstance(guard, TrainingGuard)
            guard.interrupt()
        if self.error is not None:
            raise self.error
        return OUTCOME

    def close(self) -> None:
        self.is_closed = True


def run(runner: OneRun, monkeypatch: pytest.MonkeyPatch, home: Path, *words: str) -> Any:
    monkeypatch.setenv("TNG_HOME", str(home))
    monkeypatch.setattr(command, "build_training_runner", lambda _: runner)
    return CliRunner().invoke(command.train, words)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as process:
        yield process
        process.kill()


def test_the_choices_are_those_of_the_writer() -> None:
    assert list(WRITERS_PRESETS) == PRESETS
    assert [trainer.value for trainer in Trainer] == TRAINERS


def test_every_parameter_is_one_of_the_notebook() -> None:
    notebook = nbformat.read(ROOT / "notebooks" / "runs" / "finetune.ipynb", as_version=4)
    of_retrainings_alone = {"retraining", "resume_or_restart"}
    given = {*parameters_of(Path("c"), Path("k"), **NONE), "runs_database"}
    assert given | of_retrainings_alone == set(inspect_notebook(notebook))


def test_paths_are_absolute_and_what_is_not_given_is_left_to_the_preset() -> None:
    parameters = parameters_of(Path("c"), Path("k"), **NONE)
    assert parameters["corpus_folder"] == str(Path.cwd() / "c")
    assert (parameters["steps"], parameters["most_seconds"], parameters["base_folder"]) == (0, 0, "")


@pytest.mark.parametrize(("minutes", "seconds"), [(1.5, 90), (0.001, 1), (None, 0)])
def test_minutes_are_seconds_and_never_by_rounding_without_a_limit(minutes: float | None, seconds: int) -> None:
    assert parameters_of(Path("c"), Path("k"), **{**NONE, "minutes": minutes})["most_seconds"] == seconds


def test_a_line_tells_how_far_it_is() -> None:
    body = {"percent": 5, "step": 10, "steps": 200, "loss": 4.5, "seconds": 61.7}
    assert progress_line(body) == "  5 %  step 10/200  loss 4.500  62 s"
    assert "held out 4.250" in progress_line({**body, "held_out_loss": 4.25})


def test_it_prints_each_step_and_what_came_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = OneRun()
    done = run(runner, monkeypatch, tmp_path / "home", "--preset", "tiny", "--steps", "5", "--resume")
    assert done.exit_code == 0, done.output
    assert " 10 %  step 1/10  loss 4.500  3 s" in done.output
    assert "5 steps in" in done.output
    assert (runner.given["preset_name"], runner.given["steps"], runner.given["resume"]) == ("tiny", 5, True)
    assert runner.given["checkpoint_folder"] == str(tmp_path / "home" / "training" / "checkpoint")
    assert runner.is_closed


@pytest.mark.parametrize("words", [("--preset", "huge"), ("--steps", "0"), ("--minutes", "0"), ("--base", "/nowhere")])
def test_what_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    runner = OneRun()
    assert run(runner, monkeypatch, tmp_path / "home", *words).exit_code == 2
    assert not runner.given


def test_a_run_that_failed_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = OneRun(RunFailed("finetune: cell 4 raised CorpusError: no corpus", cause="CorpusError"))
    done = run(runner, monkeypatch, tmp_path / "home")
    assert isinstance(done.exception, RunFailed)
    assert runner.is_closed


@pytest.mark.parametrize("error", [None, RunFailed("finetune: cell 4 raised KeyboardInterrupt", cause="x")])
def test_ctrl_c_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None) -> None:
    assert run(OneRun(error, presses=1), monkeypatch, tmp_path / "home").exit_code == STOPPED


def test_the_first_ctrl_c_asks_and_the_second_ends(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    sent: list[int] = []
    guard = TrainingGuard()
    guard._signal = sent.append  # type: ignore[method-assign,assignment]
    guard.started(sleeper.pid, tmp_path / "alive")
    guard.interrupt()
    guard.interrupt()
    assert sent == [signal.SIGINT, signal.SIGKILL]


def test_ctrl_c_before_there_is_a_kernel_ends_it_when_it_comes(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    guard = TrainingGuard()
    guard.interrupt()
    guard.started(sleeper.pid, tmp_path / "alive")
    assert sleeper.wait(10) == -signal.SIGKILL


def test_the_kernel_is_kept_alive_and_may_be_gone(tmp_path: Path) -> None:
    guard = TrainingGuard()
    guard.keep_alive()
    alive = tmp_path / "alive"
    guard.started(0, alive)
    before = alive.stat().st_mtime_ns
    guard.keep_alive()
    assert alive.stat().st_mtime_ns >= before
    alive.unlink()
    guard.keep_alive()


def test_what_was_raised_without_ctrl_c_is_raised() -> None:
    running: Future[dict[str, Any]] = Future()
    running.set_exception(RunFailed("no", cause="x"))
    with pytest.raises(RunFailed):
        command._result(running, TrainingGuard())
