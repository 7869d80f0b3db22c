"""A training in a kernel of the runner's: it yields to a signal, goes on, and is not trained again when it is over."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.checkpoint import load_weights
from model.training.belonging import retraining_of
from tests.integration.test_train_command import corpus
from tng.app import build_training_runner
from tng.errors import RunFailed
from tng.jobs import EventKind
from tng.ports import NotebookRunner
from tng.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

STEPS = 90


@dataclass
class Signaller:
    """A ``RunGuard`` that keeps the kernel alive, and sends it a signal when a step is told."""

    number: signal.Signals | None = None
    steps: list[int] = field(default_factory=list)
    kernel_pid: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def started(self, kernel_pid: int, alive_file: Path) -> None:
        """There is a kernel; it is kept alive until the run is over."""
        self.kernel_pid = kernel_pid
        alive_file.touch()
        threading.Thread(target=self._keep_alive, args=(alive_file,), daemon=True).start()

    def say(self, kind: EventKind, body: dict[str, Any]) -> None:
        """A step was told; the first one is answered with the signal."""
        if kind is EventKind.PROGRESS:
            self.steps.append(body["step"])
            if self.number is not None and len(self.steps) == 1:
                os.kill(self.kernel_pid, self.number)

    def _keep_alive(self, alive_file: Path) -> None:
        while not self.over.wait(1):
            with suppress(FileNotFoundError):  # the run ended meanwhile, and its folder is gone
                os.utime(alive_file)


Train = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NotebookRunner]:
    runner = build_training_runner(Settings.draft(home=tmp_path_factory.mktemp("home")))
    yield runner
    runner.close()


@pytest.fixture
def train(runner: NotebookRunner, tmp_path: Path) -> Train:
    """Run the notebook in ``tmp_path``; answers with its result."""
    given = {"preset_name": "tiny", "corpus_folder": str(corpus(tmp_path / "corpus")), "steps": STEPS}
    given |= {"runs_database": str(tmp_path / "mlflow.sqlite"), "retraining": "retraining-7"}

    def run(checkpoint: str, guard: Signaller | None = None, **more: Any) -> dict[str, Any]:
        parameters = {**given, "checkpoint_folder": str(tmp_path / checkpoint), **more}
        guard = guard or Signaller()
        try:
            return runner.run("finetune", parameters, run_folder=tmp_path / "run", guard=guard)
        finally:
            guard.over.set()

    return run


def test_one_that_yields_goes_on_and_ends_as_one_that_never_did(train: Train, tmp_path: Path) -> None:
    yielded = train("parts", Signaller(signal.SIGINT))
    assert (yielded["is_finished"], yielded["of_steps"]) == (False, STEPS)
    assert 1 <= yielded["steps"] < STEPS
    on = Signaller()
    finished = train("parts", on, resume=True, resume_or_restart=True)
    assert (finished["is_finished"], finished["steps"]) == (True, STEPS)
    assert on.steps[0] > yielded["steps"], "no step is taken twice"
    whole = train("whole")
    timeless = {"checkpoint", "seconds"}
    assert {k: v for k, v in finished.items() if k not in timeless} == {
        k: v for k, v in whole.items() if k not in timeless
    }
    parts, unbroken = (load_weights(tmp_path / name) for name in ("parts", "whole"))
    assert all(np.array_equal(parts[name], unbroken[name]) for name in unbroken)

    assert retraining_of(tmp_path / "parts") == "retraining-7"
    with closing(sqlite3.connect(tmp_path / "mlflow.sqlite")) as records:
        runs = records.execute("select run_uuid, status from runs where name = 'retraining-7'").fetchall()
        resumed = records.execute("select value from tags where key = 'resumed'").fetchall()
    assert ([status for _, status in runs], resumed) == (["FINISHED", "FINISHED"], [("1",)]), "one record a training"

    again = Signaller()
    assert train("parts", again, resume=True) == finished
    assert again.steps == [], "what is over is not trained again"


def test_a_damaged_state_stops_it_unless_it_may_start_afresh(train: Train, tmp_path: Path) -> None:
    train("damaged", steps=3, resume=True)
    state = tmp_path / "damaged" / "training_state.npz"
    state.write_bytes(state.read_bytes()[:500])
    with pytest.raises(RunFailed, match="Train without resuming"):
        train("damaged", resume=True, steps=3)
    assert train("damaged", resume=True, resume_or_restart=True, steps=3)["is_finished"]
