"""Our trainer computes what gpt-2-simple computes, and an interrupted training goes on as if nothing had been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.checkpoint import load_weights, read_hparams
from tests.architecture.sources import ROOT
from tests.integration.training_lab import CONFIG, CRASHES, SHAPE, STEPS
from tests.training_corpora import invented_corpus

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LAB = [sys.executable, "-m", "tests.integration.training_lab"]


def lab(what: str, folder: Path) -> None:
    done = subprocess.run([*LAB, what, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, Path]:
    """Our answers, gpt-2-simple's, and the folder in which both left their checkpoints."""
    folder = tmp_path_factory.mktemp("sides")
    lab("ours", folder)
    lab("theirs", folder)
    return np.load(folder / "ours.npz"), np.load(folder / "theirs.npz"), folder


def farthest(ours: Any, theirs: Any, mine: str, kind: str) -> float:
    """The largest difference of anything of a kind."""
    names = [name for name in theirs.files if name.startswith(kind)]
    assert len(names) == len(SHAPE.shapes())
    return max(float(np.abs(ours[mine + name].reshape(theirs[name].shape) - theirs[name]).max()) for name in names)


@pytest.mark.parametrize("way", ["plain", "recomputed"])
def test_loss_gradients_and_logits_are_those_of_gpt_2_simple(sides: tuple[Any, Any, Path], way: str) -> None:
    ours, theirs, _ = sides
    assert ours[f"{way}/loss"] == pytest.approx(theirs["loss"], abs=1e-5)
    assert np.abs(ours[f"{way}/logits"] - theirs["logits"]).max() < 1e-4
    assert farthest(ours, theirs, f"{way}/", "gradient/") < 1e-6
    assert max(np.abs(theirs[name]).max() for name in theirs.files if name.startswith("gradient/")) > 1e-2


def test_bfloat16_is_near_enough(sides: tuple[Any, Any, Path]) -> None:
    ours, theirs, _ = sides
    assert ours["narrow/loss"] == pytest.approx(theirs["loss"], abs=0.01)
    assert farthest(ours, theirs, "narrow/", "gradient/") < 5e-3


def test_the_losses_of_some_steps_are_those_of_gpt_2_simple(sides: tuple[Any, Any, Path]) -> None:
    ours, theirs, _ = sides
    assert len(theirs["losses"]) == STEPS
    assert ours["losses"] == pytest.approx(theirs["losses"], abs=1e-4)
    assert farthest(ours, theirs, "", "trained/") < 1e-3  # Adam divides by next to nothing where a gradient is so


@pytest.mark.parametrize("way", ["accumulated", "compiled"])
def test_another_way_to_the_same_steps_gives_the_same_losses(sides: tuple[Any, Any, Path], way: str) -> None:
    ours, *_ = sides
    assert ours[f"{way}_losses"] == pytest.approx(ours["losses"], abs=1e-4)


def test_what_gpt_2_simple_saves_is_read(sides: tuple[Any, Any, Path]) -> None:
    _, theirs, folder = sides
    assert read_hparams(folder / "saved") == SHAPE
    for name, weight in load_weights(folder / "saved").items():
        assert (weight == theirs[f"trained/{name}"]).all(), name


def test_muon_makes_matrices_nearly_orthogonal(sides: tuple[Any, Any, Path]) -> None:
    made = sides[0]["orthogonal"]
    assert made.shape == (2, 60, 24)
    singular = np.linalg.svd(made, compute_uv=False)
    assert singular.min() > 0.5
    assert singular.max() < 1.5


# --- trainings that end and go on -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("ways")
    lab("ways", folder)
    facts: dict[str, Any] = json.loads((folder / "ways.json").read_text(encoding="utf-8"))
    return facts


def test_it_learns(told: dict[str, Any]) -> None:
    assert len(told["whole"]) == CONFIG.steps
    assert told["whole"][-1] < told["whole"][0] - 0.3


def test_a_training_that_was_stopped_goes_on_as_if_it_had_not_been(told: dict[str, Any]) -> None:
    assert told["parts"] == pytest.approx(told["whole"], abs=1e-5)
    assert [step for step, _ in told["held_out_at_stop"]] == [4, 7]


def test_weights_that_an_interruption_kept_are_no_weights_of_the_whole_training(told: dict[str, Any]) -> None:
    found = told["interrupted"]
    assert found["over"] == [True, False, True]
    assert found["measured"] == [[4, 8, 12], [4, 7], [4, 8, 12]]
    assert found["kept_at_stop"] == "model-7", "as long as it rests, what it learnt last is there"
    assert found["kept"] == ["model-4", "model-4"]
    assert found["equal"]


def test_what_cannot_be_resumed_is_begun_afresh_where_that_is_said(told: dict[str, Any]) -> None:
    found = told["damaged"]
    assert found["nothing"] == 3, "there was nothing to resume"
    assert found["partial"] == 4, "half a state beside a whole one is no state"
    assert "Train without resuming" in found["refused"]
    assert (found["damaged"], found["other"]) == (1, 1)


def test_one_that_is_interrupted_before_it_began_takes_no_step_and_can_be_run_again(told: dict[str, Any]) -> None:
    assert told["too_early"] == [0, 3]


@pytest.fixture(scope="module")
def crashes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("crashes")
    lab("crashes", folder)
    facts: dict[str, Any] = json.loads((folder / "crashes.json").read_text(encoding="utf-8"))
    return facts


@pytest.mark.parametrize("place", CRASHES)
def test_one_that_died_anywhere_goes_on_to_the_same_weights(crashes: dict[str, Any], place: str) -> None:
    found = crashes[place]
    assert found["died"]
    assert found["lost"] <= CONFIG.save_every
    assert (found["losses"], found["equal"], found["written"]) == (True, True, 12)


def test_one_that_is_over_takes_no_step_unless_it_is_made_longer(told: dict[str, Any]) -> None:
    assert told["resumed_when_over"] == CONFIG.steps
    assert told["longer"] == CONFIG.steps + 2


def test_the_best_weights_are_kept_and_no_others(told: dict[str, Any]) -> None:
    kept = [name for name in told["kept"]["files"] if name.startswith("model-")]
    step = told["kept"]["best"]
    assert kept == [f"model-{step}.data-00000-of-00001", f"model-{step}.index"]


def test_it_ends_early_when_held_out_loss_gets_no_better(told: dict[str, Any]) -> None:
    measured = told["impatient"]
    best = min(measured)
    assert len(measured) == measured.index(best) + 1 + 2 < 40


def test_it_starts_from_a_base(told: dict[str, Any]) -> None:
    assert told["from_base"] < told["whole"][0] - 0.3


def test_without_held_out_windows_the_last_weights_are_kept(told: dict[str, Any]) -> None:
    assert told["without_held_out"] == [None, ["model-3.index"]]


def test_the_same_training_twice_gives_the_same_weights(told: dict[str, Any]) -> None:
    assert told["bytes_equal"]


@pytest.mark.parametrize(
    ("case", "says"),
    [
        ("another_seed", "is of another training"),
        ("other_base", "of another shape"),
        ("no_number", "with a lower learning rate"),
    ],
)
def test_what_does_not_fit_is_refused(told: dict[str, Any], case: str, says: str) -> None:
    assert says in told[case]


def read_until(process: subprocess.Popen[str], enough: Callable[[int], bool]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if enough(int(line)):
            return


def test_one_that_was_killed_goes_on_with_the_same_losses(told: dict[str, Any], tmp_path: Path) -> None:
    invented_corpus(tmp_path)
    with subprocess.Popen([*LAB, "train", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        read_until(process, lambda step: step == CONFIG.save_every * 2 + 3)
        os.kill(process.pid, signal.SIGKILL)
    at_death = json.loads((tmp_path / "checkpoint" / "losses.json").read_text(encoding="ascii"))
    assert CONFIG.save_every * 2 <= len(at_death) < CONFIG.steps
    lab("resume", tmp_path)
    rows = json.loads((tmp_path / "checkpoint" / "losses.json").read_text(encoding="ascii"))
    assert [step for step, _, _ in rows] == list(range(1, CONFIG.steps + 1))
    assert [loss for _, _, loss in rows] == pytest.approx(told["whole"], abs=2e-4)  # they are written in four digits


def test_ctrl_c_ends_it_after_the_step_in_hand_and_keeps_what_was_learnt(told: dict[str, Any], tmp_path: Path) -> None:
    with subprocess.Popen([*LAB, "train", str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        read_until(process, lambda step: step == 2)
        os.kill(process.pid, signal.SIGINT)
        read_until(process, lambda _: False)
    assert process.returncode == 0
    rows = json.loads((tmp_path / "checkpoint" / "losses.json").read_text(encoding="ascii"))
    assert 2 <= len(rows) < CONFIG.steps
    assert [loss for _, _, loss in rows] == pytest.approx(told["whole"][: len(rows)], abs=2e-4)
    assert load_weights(tmp_path / "checkpoint")
