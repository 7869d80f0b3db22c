"""How sure a ratio of perplexities is: a paired bootstrap over records, or over whole episodes. Pure numbers.

Both networks read the same records, so their differences are resampled, not their values. Where eight episodes and
more were held out, whole episodes are drawn: records of an episode are alike, and the interval then speaks of episodes
that were not held out, too. Of fewer episodes there are too few ways to draw; then records are drawn within each
episode, and the interval speaks of these episodes. An interval of few draws is too narrow; it is widened as Hesterberg
(2015, arXiv 1411.5279, 3.5) does, by the quantile of Student's t in place of the normal one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

RESAMPLES: Final = 4000
FEWEST_CLUSTERS: Final = 8
FEWEST_RECORDS: Final = 30
CONFIDENCE: Final = 0.95

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """One episode that both read: nats of each record by the candidate and by the champion, and the champion's tokens.

    The tokens are the common denominator: with equal vocabularies this is perplexity a token, with others it compares
    all the same, for both sums are of the same text.
    """

    candidate_nats: tuple[float, ...]
    champion_nats: tuple[float, ...]
    tokens: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """The candidate's perplexity by the champion's, and its 95 % interval. ``is_of_episodes``: they were drawn."""

    value: float
    low: float
    high: float
    is_of_episodes: bool


def ratio_of(episodes: Sequence[Pair], seed: int = 1, resamples: int = RESAMPLES) -> Ratio:
    """The ratio over all episodes and its interval. Raises ValueError where there is no record."""
    differences = [np.subtract(pair.candidate_nats, pair.champion_nats) for pair in episodes]
    tokens = [np.array(pair.tokens, np.float64) for pair in episodes]
    if not sum(map(len, tokens)):
        raise ValueError("there is no record to compare")
    rng = np.random.default_rng(seed)
    is_of_episodes = len(episodes) >= FEWEST_CLUSTERS
    if is_of_episodes:
        sums = [np.array([part.sum() for part in parts]) for parts in (differences, tokens)]
        lost, read = _resampled(rng, sums[0], sums[1], resamples)
        draws = len(episodes)
    else:
        drawn = [_resampled(rng, d, t, resamples) for d, t in zip(differences, tokens, strict=True) if len(t)]
        lost, read = (np.sum([part[which] for part in drawn], axis=0) for which in (0, 1))
        draws = sum(map(len, tokens))
    low, high = np.quantile(lost / read, _widened(draws))
    value = sum(float(d.sum()) for d in differences) / sum(float(t.sum()) for t in tokens)
    return Ratio(_exp(value), _exp(float(low)), _exp(float(high)), is_of_episodes)


def _exp(value: float) -> float:
    """Of a difference that no two networks have, the largest that a number can be."""
    return math.exp(min(value, 700.0))


def _resampled(rng: np.random.Generator, values: Numbers, weights: Numbers, resamples: int) -> tuple[Numbers, Numbers]:
    """The sums of both over draws with replacement: (resamples,) each."""
    counts = rng.multinomial(len(values), np.full(len(values), 1 / len(values)), size=resamples)
    return counts @ values, counts @ weights


def _widened(draws: int) -> tuple[float, float]:
    """The two quantiles to read where there were so many draws."""
    if draws < 2:
        return 0.0, 1.0
    normal = NormalDist()
    t = _student(normal.inv_cdf((1 + CONFIDENCE) / 2), draws - 1)
    outside = normal.cdf(-t * math.sqrt(draws / (draws - 1)))
    return outside, 1 - outside


def _student(z: float, freedom: int) -> float:
    """The quantile of Student's t beside that of the normal distribution (Cornish and Fisher, to the third term)."""
    first = (z**3 + z) / (4 * freedom)
    second = (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    return z + first + second + third


__all__ = ["FEWEST_CLUSTERS", "FEWEST_RECORDS", "RESAMPLES", "Pair", "Ratio", "ratio_of"]
