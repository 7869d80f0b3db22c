"""The graph computes what GPT-2 computes, whatever its shape; in 8 bits it is close, and a row stands for itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.checkpoint import HParams
from model.engine.form import Kind, Note
from model.engine.graph import BLOCK, build_graph, head_width, quantised, quantised_columns
from model.engine.slots import Engine
from tests.unit.model.engine.conftest import SHAPE, Exports, graph_of
from tests.unit.model.engine.reference import lively_weights, reference_logits

IDS = [5, 17, 99, 3, 3, 64, 0, 119]
SHAPES = [
    pytest.param(SHAPE, id="four-heads-of-8"),
    pytest.param(HParams(90, 20, 16, 4, 2), id="heads-of-4"),
    pytest.param(HParams(90, 20, 36, 3, 2), id="heads-of-12"),
    pytest.param(HParams(101, 32, 96, 12, 1), id="twelve-heads"),
    pytest.param(HParams(33, 9, 8, 1, 1), id="one-head"),
]


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_equal_those_of_plain_numpy(shape: HParams, tmp_path: Path) -> None:
    ids = [number % shape.n_vocab for number in IDS]
    (tmp_path / "float.onnx").write_bytes(graph_of(shape, Kind.FLOAT32))
    ours = Engine(tmp_path / "float.onnx").score(0, ids)
    expected = reference_logits(shape, lively_weights(shape), ids)
    assert expected.std() > 0.2, "a network that says nothing would prove nothing"
    np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_in_8_bits_the_logits_are_close(shape: HParams, tmp_path: Path) -> None:
    ids = [number % shape.n_vocab for number in IDS]
    (tmp_path / "int8.onnx").write_bytes(graph_of(shape, Kind.INT8))
    ours = Engine(tmp_path / "int8.onnx").score(0, ids)
    expected = reference_logits(shape, lively_weights(shape), ids)
    assert np.abs(ours - expected).max() < 0.1 * expected.std() + 0.05
    assert np.abs(ours - expected).max() > 0, "it is no float32 in disguise"


def test_other_weights_give_other_logits(exports: Exports) -> None:
    other = {**lively_weights(SHAPE)}
    other["h1/mlp/c_fc/w"] = other["h1/mlp/c_fc/w"] + 0.05
    ours = Engine(exports(Kind.FLOAT32)).score(0, IDS)
    assert np.abs(ours - reference_logits(SHAPE, other, IDS)).max() > 1e-2


def test_a_head_is_filled_to_a_multiple_of_8() -> None:
    assert [head_width(HParams(9, 9, width, 1, 1)) for width in (1, 8, 9, 64)] == [8, 8, 16, 64]


@pytest.mark.parametrize("width", [1, 31, 32, 33, 70], ids=str)
def test_quantised_weights_are_at_most_half_a_step_away(width: int) -> None:
    matrix = np.random.default_rng(width).normal(size=(width, 5)).astype(np.float32)
    packed, scales = quantised(matrix)
    blocks = -(-width // BLOCK)
    assert packed.shape == (5, blocks, BLOCK)
    assert packed.dtype == np.uint8
    steps = scales.reshape(5, blocks, 1)
    back = ((packed.astype(np.float32) - 128) * steps).reshape(5, -1)
    assert (np.abs(back[:, :width].T - matrix) <= np.repeat(steps[..., 0], BLOCK, 1)[:, :width].T / 2 + 1e-7).all()
    assert (back[:, width:] == 0).all()


def test_a_block_of_nothing_stays_nothing() -> None:
    packed, scales = quantised(np.zeros((40, 3), np.float32))
    assert (packed == 128).all()
    assert (scales == 0).all()


def test_weights_of_a_column_share_a_scale_and_are_at_most_half_a_step_away() -> None:
    matrix = np.random.default_rng(3).normal(size=(70, 5)).astype(np.float32)
    matrix[:, 2] = 0
    whole, scales = quantised_columns(matrix)
    assert whole.dtype == np.int8
    assert np.abs(whole).max(axis=0).tolist() == [127, 127, 0, 127, 127]
    assert (np.abs(whole * scales - matrix) <= scales / 2 + 1e-7).all()


def test_in_8_bits_a_row_of_nothing_gives_the_bias_alone(tmp_path: Path) -> None:
    """Its scale is nothing: a product that divides by it must still be a number."""
    weights = lively_weights(SHAPE)
    for part in "gb":
        weights[f"h0/ln_1/{part}"] = np.zeros_like(weights[f"h0/ln_1/{part}"])
    notes = {Note.KIND.value: Kind.INT8.value, Note.WINDOW.value: str(SHAPE.n_ctx), Note.KEY.value: "-", "format": "-"}
    (tmp_path / "int8.onnx").write_bytes(build_graph(SHAPE, weights, Kind.INT8, notes).SerializeToString())
    ours = Engine(tmp_path / "int8.onnx").score(0, IDS)
    expected = reference_logits(SHAPE, weights, IDS)
    assert np.abs(ours - expected).max() < 0.1 * expected.std() + 0.05
