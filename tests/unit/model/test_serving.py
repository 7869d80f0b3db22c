"""The cache changes nothing but the time. That logits equal gpt-2-simple's is an integration test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.arrays import NumpyArrays, best_arrays, compute_on_one_thread
from model.checkpoint import HParams, fresh_weights
from model.serving import Gpt2

SHAPE = HParams(n_vocab=120, n_ctx=24, n_embd=32, n_head=4, n_layer=3)
IDS = [5, 17, 99, 3, 3, 64, 0, 119]


@pytest.fixture
def network() -> Gpt2:
    rng = np.random.default_rng(3)
    weights = {
        name: weight + rng.normal(0, 0.2, weight.shape).astype(np.float32)
        for name, weight in fresh_weights(SHAPE, seed=1).items()
    }
    return Gpt2(SHAPE, weights, NumpyArrays())


def test_token_by_token_equals_all_at_once(network: Gpt2) -> None:
    whole = network.score(IDS)
    network.rewind(0)
    one_by_one = np.stack([network.feed([token]) for token in IDS])
    np.testing.assert_allclose(one_by_one, whole, atol=1e-4)
    assert whole.shape == (len(IDS), SHAPE.n_vocab)


@pytest.mark.parametrize("cut", range(1, len(IDS)))
def test_in_two_parts_equals_all_at_once(network: Gpt2, cut: int) -> None:
    whole = network.score(IDS)[-1]
    network.rewind(0)
    network.feed(IDS[:cut])
    np.testing.assert_allclose(network.feed(IDS[cut:]), whole, atol=1e-4)


def test_going_back_forgets(network: Gpt2) -> None:
    network.feed(IDS[:4])
    expected = network.feed(IDS[4:])
    network.rewind(4)
    network.feed([1, 2, 3, 4, 5, 6])
    network.rewind(4)
    assert network.position == 4
    assert (network.feed(IDS[4:]) == expected).all()


def test_a_token_knows_nothing_of_those_behind_it(network: Gpt2) -> None:
    np.testing.assert_allclose(network.score(IDS)[:4], network.score(IDS[:4]), atol=1e-4)


def test_positions_count(network: Gpt2) -> None:
    scores = network.score([7, 7, 7])
    assert not np.allclose(scores[0], scores[2], atol=1e-3)


def test_the_window_is_a_limit(network: Gpt2) -> None:
    network.feed([1] * SHAPE.n_ctx)
    with pytest.raises(ValueError, match="do not fit a window of 24"):
        network.feed([1])
    assert network.position == network.window == 24


@pytest.mark.parametrize("position", [-1, 5])
def test_it_cannot_go_where_it_never_was(network: Gpt2, position: int) -> None:
    network.feed(IDS[:4])
    with pytest.raises(ValueError, match="cannot go back"):
        network.rewind(position)


def test_no_tokens_are_no_question(network: Gpt2) -> None:
    with pytest.raises(ValueError, match="0 tokens"):
        network.feed([])


def test_without_a_card_numpy_computes(tmp_path: Path) -> None:
    assert isinstance(best_arrays(tmp_path / "no-card"), NumpyArrays)


def test_numpy_is_told_to_use_one_thread(tmp_path: Path) -> None:
    network_free = np.ones((2, 2), np.float32) @ np.ones((2, 2), np.float32)
    assert network_free.sum() == 8
    assert compute_on_one_thread(tmp_path / "no-such-file") is False
    assert isinstance(compute_on_one_thread(), bool)
