"""The interval is paired, seeded, and holds what it says, of few episodes and of many."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.promotion.bootstrap import FEWEST_CLUSTERS, Pair, ratio_of


def pair(rng: np.random.Generator, records: int, better: float, *, noise: float = 0.1, shift: float = 0.0) -> Pair:
    """Records of a hundred tokens that surprise the candidate by ``better`` nats a token less; ``shift`` is of all."""
    tokens = np.full(records, 100)
    champion = tokens * rng.normal(3, 1, records)
    candidate = champion - tokens * (better + shift + rng.normal(0, noise, records))
    return Pair(tuple(candidate.tolist()), tuple(champion.tolist()), tuple(tokens.tolist()))


def test_the_ratio_is_that_of_the_perplexities() -> None:
    found = ratio_of([Pair((10.0, 20.0), (12.0, 22.0), (4, 6)), Pair((5.0,), (5.0,), (2,))])
    assert found.value == pytest.approx(math.exp(35 / 12) / math.exp(39 / 12))


def test_equal_networks_have_a_ratio_of_one_and_no_doubt() -> None:
    same = pair(np.random.default_rng(1), 50, 0.0, noise=0.0)
    found = ratio_of([same])
    assert (found.low, found.value, found.high) == pytest.approx((1, 1, 1))


def test_what_both_find_hard_widens_nothing() -> None:
    """Records differ by a nat a token, which an unpaired interval would take for doubt."""
    found = ratio_of([pair(np.random.default_rng(2), 60, 0.02, noise=0.01)])
    assert 0.97 < found.low < found.value < found.high < 0.99


def test_the_same_seed_gives_the_same_interval() -> None:
    episodes = [pair(np.random.default_rng(3), 40, 0.01)]
    assert ratio_of(episodes, seed=5) == ratio_of(episodes, seed=5)
    assert ratio_of(episodes, seed=5) != ratio_of(episodes, seed=6)


@pytest.mark.parametrize(("episodes", "whole"), [(FEWEST_CLUSTERS - 1, False), (FEWEST_CLUSTERS, True)])
def test_whole_episodes_are_drawn_where_there_are_enough(episodes: int, whole: bool) -> None:
    rng = np.random.default_rng(4)
    assert ratio_of([pair(rng, 20, 0.01) for _ in range(episodes)]).is_of_episodes is whole


def test_episodes_that_differ_widen_the_interval_of_episodes() -> None:
    """A candidate that is better in some episodes and worse in others is not surely better."""
    rng = np.random.default_rng(5)
    shifts = rng.normal(0, 0.1, 10)
    found = ratio_of([pair(rng, 40, 0.01, shift=shift) for shift in shifts])
    assert found.low < 1 < found.high


@pytest.mark.parametrize("episodes", [2, 10])
def test_the_interval_holds_the_truth_about_as_often_as_it_says(episodes: int) -> None:
    """Records that have no part in a common mood for two episodes; a mood of each episode for ten."""
    rng = np.random.default_rng(6)
    mood = 0.05 if episodes >= FEWEST_CLUSTERS else 0.0
    held = 0
    for seed in range(200):
        each = [pair(rng, 25, 0.02, shift=float(rng.normal(0, mood))) for _ in range(episodes)]
        found = ratio_of(each, seed=seed, resamples=1000)
        held += found.low <= math.exp(-0.02) <= found.high
    assert 0.9 <= held / 200 <= 0.99


def test_nothing_to_compare_is_an_error() -> None:
    with pytest.raises(ValueError, match="no record"):
        ratio_of([])
