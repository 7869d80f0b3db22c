"""Folders of checkpoints are read without TensorFlow. That weights equal TensorFlow's is an integration test."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from model.checkpoint import HParams, fresh_weights, latest, load_weights, make_relocatable, read_hparams
from tng.errors import ReleaseDamaged

TINY = HParams(n_vocab=300, n_ctx=32, n_embd=8, n_head=2, n_layer=2)


def test_fresh_weights_have_the_shapes_of_the_network() -> None:
    weights = fresh_weights(TINY, seed=1)
    assert {name: weight.shape for name, weight in weights.items()} == TINY.shapes()
    assert all(weight.dtype == np.float32 for weight in weights.values())
    assert weights["wte"].std() == pytest.approx(0.02, rel=0.1)
    assert (weights["ln_f/g"] == 1).all()
    assert (weights["h0/mlp/c_fc/b"] == 0).all()


def test_fresh_weights_depend_on_the_seed_alone() -> None:
    first, second, other = (fresh_weights(TINY, seed)["wte"] for seed in (1, 1, 2))
    assert (first == second).all()
    assert (first != other).any()


def test_the_shape_of_a_network_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "hparams.json").write_text(json.dumps(asdict(TINY)), encoding="ascii")
    assert read_hparams(tmp_path) == TINY


@pytest.mark.parametrize("content", [None, "{", "{}", '{"n_vocab": "many"}', "[]"])
def test_a_shape_that_cannot_be_read_is_a_damaged_release(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "hparams.json").write_text(content, encoding="ascii")
    with pytest.raises(ReleaseDamaged, match=r"hparams\.json"):
        read_hparams(tmp_path)


@pytest.mark.parametrize("path", ["/elsewhere/run1/model-40", r"C:\\runs\\model-40", "model-40", "../other/model-40"])
def test_the_checkpoint_that_counts_is_always_in_its_own_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "checkpoint").write_text(f'model_checkpoint_path: "{path}"\n', encoding="utf-8")
    assert latest(tmp_path) == tmp_path / "model-40"


@pytest.mark.parametrize("content", [None, "", 'all_model_checkpoint_paths: "model-40"'])
def test_a_folder_that_names_no_checkpoint_is_damaged(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "checkpoint").write_text(content, encoding="utf-8")
    with pytest.raises(ReleaseDamaged, match="checkpoint"):
        latest(tmp_path)


def test_absolute_names_are_made_relative(tmp_path: Path) -> None:
    state = tmp_path / "checkpoint"
    state.write_text(
        'model_checkpoint_path: "/a/b/model-40"\nall_model_checkpoint_paths: "/a/b/model-40"\n', encoding="utf-8"
    )
    make_relocatable(tmp_path)
    make_relocatable(tmp_path)
    assert state.read_text(encoding="utf-8") == (
        'model_checkpoint_path: "model-40"\nall_model_checkpoint_paths: "model-40"\n'
    )


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"not an index at all" * 9], ids=["empty", "zeros", "text"])
def test_an_index_that_cannot_be_read_is_a_damaged_release(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hparams.json").write_text(json.dumps(asdict(TINY)), encoding="ascii")
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model-1"\n', encoding="utf-8")
    (tmp_path / "model-1.index").write_bytes(content)
    (tmp_path / "model-1.data-00000-of-00001").write_bytes(b"\0" * 64)
    with pytest.raises(ReleaseDamaged, match="model-1"):
        load_weights(tmp_path)
