"""A checkpoint from elsewhere is checked before it is kept, and the first sentence names the real fault."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.checkpoint import fresh_weights, latest, load_weights
from model.foreign import import_base, inspect, read_facts
from tests.checkpoints import SHAPE, make_checkpoint, write_tensors
from tng.errors import CheckpointError

WEIGHTS = "model-7.data-00000-of-00001"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_checkpoint(tmp_path / "run1")


def test_a_whole_checkpoint_is_described(source: Path) -> None:
    facts = inspect(source)
    assert facts.hparams == SHAPE
    assert facts.parameters == sum(array.size for array in fresh_weights(SHAPE, 1).values())
    assert facts.nats == pytest.approx(np.log(SHAPE.n_vocab), rel=0.1)


def test_a_base_is_kept_whole_and_can_be_moved(source: Path, tmp_path: Path) -> None:
    import_base(source, tmp_path / "bases" / "mine")
    moved = (tmp_path / "bases" / "mine").rename(tmp_path / "elsewhere")
    assert latest(moved).name == "model-7"
    assert (load_weights(moved)["wte"] == load_weights(source)["wte"]).all()
    assert read_facts(moved)["parameters"] > 0
    assert not list((tmp_path / "bases").iterdir())


def test_the_same_checkpoint_again_changes_nothing(source: Path, tmp_path: Path) -> None:
    first = import_base(source, tmp_path / "mine")
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "mine").iterdir()}
    assert import_base(source, tmp_path / "mine") == first
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "mine").iterdir()} == before


def test_another_checkpoint_does_not_take_a_name_that_is_taken(source: Path, tmp_path: Path) -> None:
    import_base(source, tmp_path / "mine")
    other = make_checkpoint(tmp_path / "run2", seed=2)
    with pytest.raises(CheckpointError, match="another checkpoint named mine"):
        import_base(other, tmp_path / "mine")


def test_other_keys_of_hparams_are_no_obstacle(source: Path) -> None:
    fields = json.loads((source / "hparams.json").read_text(encoding="ascii"))
    (source / "hparams.json").write_text(json.dumps({**fields, "res_dropout": 0.1}), encoding="ascii")
    assert inspect(source).hparams == SHAPE


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _cut(folder: Path) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(content[: len(content) // 2])


def _flip(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[1000] ^= 64
    (folder / WEIGHTS).write_bytes(content)


def _reshape(**changes: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        fields = json.loads((folder / "hparams.json").read_text(encoding="ascii"))
        (folder / "hparams.json").write_text(json.dumps({**fields, **changes}), encoding="ascii")

    return change


def _spoil(value: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        weights = fresh_weights(SHAPE, 1)
        weights["h0/mlp/c_fc/w"][0, 0, 0] = value
        write_tensors(weights, folder, "model-7")

    return change


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        pytest.param(_remove("hparams.json"), r"lacks hparams\.json", id="no-shape"),
        pytest.param(_remove("encoder.json"), r"lacks encoder\.json", id="no-vocabulary"),
        pytest.param(_remove("model-7.index"), "cannot be read", id="no-index"),
        pytest.param(_remove(WEIGHTS), "cannot be read", id="no-weights"),
        pytest.param(_cut, "checksum", id="cut-short"),
        pytest.param(_flip, "differs from its checksum", id="one-bit"),
        pytest.param(_reshape(n_layer=3), "h2", id="a-layer-more"),
        pytest.param(_reshape(n_embd=32), "shape", id="wider"),
        pytest.param(_reshape(n_vocab=281), "encoder.json has 280", id="another-vocabulary"),
        pytest.param(_reshape(n_head=3), "no multiple of n_head 3", id="heads"),
        pytest.param(_reshape(n_ctx=0), "n_ctx must be at least 1", id="no-window"),
        pytest.param(_spoil(float("nan")), "no numbers", id="not-a-number"),
        pytest.param(_spoil(float("inf")), "no numbers", id="infinite"),
    ],
)
def test_a_fault_is_named(source: Path, tmp_path: Path, spoil: Callable[[Path], None], sentence: str) -> None:
    spoil(source)
    with pytest.raises(CheckpointError, match=sentence):
        import_base(source, tmp_path / "mine")
    assert not (tmp_path / "mine").exists()
    assert not (tmp_path / "mine.partial").exists()


def test_a_folder_without_the_file_checkpoint_says_what_was_found(source: Path, tmp_path: Path) -> None:
    (source / "checkpoint").unlink()
    with pytest.raises(CheckpointError, match="found: model-7"):
        import_base(source, tmp_path / "mine")


@pytest.mark.parametrize("path", ["nothing", "run1/hparams.json"])
def test_what_is_no_folder_is_refused(source: Path, path: str) -> None:
    with pytest.raises(CheckpointError, match="is not a folder"):
        inspect(source.parent / path)
