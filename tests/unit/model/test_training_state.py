"""What an interrupted training goes on from is whole or absent, and read back as it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.training.progress import Progress
from model.training.state import STATE_FILE, TrainingState, saved_state
from tng.errors import CheckpointError

STATE = TrainingState(
    weights={"wte": np.ones((3, 2), np.float32), "h0/mlp/c_fc/w": np.zeros((1, 2, 8), np.float32)},
    memory={"momentum/h0/mlp/c_fc/w": np.full((2, 8), 0.5, np.float32), "power/1": np.float32(0.9).reshape(())},
    heard=[Progress(1, 9, 0.5, 7.25, 7.25), Progress(2, 9, 1.0, 6.5, 6.9, held_out_loss=7.0)],
    best_loss=7.0,
    stale=1,
    origin={"seed": 1, "network": {"n_ctx": 8}},
    best_step=2,
)


def test_it_is_read_back_as_it_was(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    read = saved_state(tmp_path)
    assert read is not None
    assert (read.heard, read.best_loss, read.stale, read.origin) == (STATE.heard, 7.0, 1, STATE.origin)
    assert read.best_step == 2
    for kept, found in ((STATE.weights, read.weights), (STATE.memory, read.memory)):
        assert set(kept) == set(found)
        assert all((kept[name] == found[name]).all() for name in kept)


def test_nothing_measured_is_kept_as_such(tmp_path: Path) -> None:
    replace(STATE, best_loss=float("inf")).save(tmp_path)
    read = saved_state(tmp_path)
    assert read is not None
    assert read.best_loss == float("inf")


def test_one_of_an_older_version_knows_less_and_is_read(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    with np.load(tmp_path / STATE_FILE) as arrays:
        held = dict(arrays)
    facts = json.loads(str(held["facts"]))
    del facts["best_step"]
    for step in facts["heard"]:
        del step["ends_training"]
    np.savez(tmp_path / STATE_FILE, **{**held, "facts": np.array(json.dumps(facts))})
    read = saved_state(tmp_path)
    assert read is not None
    assert (read.heard, read.best_step) == (STATE.heard, 0)


def test_there_may_be_none(tmp_path: Path) -> None:
    assert saved_state(tmp_path) is None
    assert saved_state(tmp_path / "nowhere") is None


def test_a_saving_that_failed_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    STATE.save(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("model.training.state.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace(STATE, stale=5).save(tmp_path)
    read = saved_state(tmp_path)
    assert read is not None
    assert read.stale == 1


@pytest.mark.parametrize("damage", ["cut", "other"])
def test_a_damaged_one_is_refused(tmp_path: Path, damage: str) -> None:
    STATE.save(tmp_path)
    path = tmp_path / STATE_FILE
    path.write_bytes(path.read_bytes()[:300]) if damage == "cut" else np.savez(path, weights=np.zeros(3))
    with pytest.raises(CheckpointError, match="Train without resuming"):
        saved_state(tmp_path)
