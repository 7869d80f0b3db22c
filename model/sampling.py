"""Choose the next token from logits. Pure numbers: it knows no network and no text.

One numpy Generator (PCG64) a script draws everything, so the same seed draws the same tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Sampling:
    """How boldly to draw. ``temperature`` 0 takes the likeliest; ``top_k`` 0 and ``top_p`` 1 leave nothing out.

    No run of ``repeat_tokens`` tokens may stand twice in a scene; 0 allows it.
    """

    temperature: float = 0.5
    top_k: int = 40
    top_p: float = 0.9
    repeat_tokens: int = 7

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1 or self.repeat_tokens < 0:
            raise ValueError(f"no such sampling: {self}")


def generator(*seeds: int) -> np.random.Generator:
    """A generator of its own for these whole numbers, none negative."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seeds)))


def draw(
    logits: NDArray[np.float32],
    sampling: Sampling,
    rng: np.random.Generator,
    *,
    banned: Iterable[int] = (),
    fits: Callable[[int], bool] = lambda _: True,
) -> int:
    """One token id of logits (V,). ``banned`` ids are never drawn; raises ValueError where all are banned.

    An id that does not fit is drawn only where none of the likeliest does: it is put aside, and another is drawn.
    """
    scores = logits.astype(np.float64)
    scores[list(banned)] = -np.inf
    if not np.isfinite(scores.max()):
        raise ValueError("every token is banned")
    kept = _likeliest(scores, sampling.top_k)
    if sampling.temperature == 0:
        return next((int(token) for token in kept if fits(int(token))), int(kept[0]))
    chances = np.exp((scores[kept] - scores[kept[0]]) / sampling.temperature)
    chances /= chances.sum()
    enough = int(np.searchsorted(np.cumsum(chances), sampling.top_p)) + 1
    for pool in (slice(0, enough), slice(enough, None)):
        if (token := _drawn(kept[pool], chances[pool].copy(), rng, fits)) is not None:
            return token
    return int(kept[0])


def _drawn(
    tokens: NDArray[np.intp], chances: NDArray[np.float64], rng: np.random.Generator, fits: Callable[[int], bool]
) -> int | None:
    """One of the tokens that fits, each as often as it is likely; None where none does."""
    for _ in range(len(tokens)):
        cumulated = np.cumsum(chances)
        if not cumulated[-1] > 0:
            return None
        place = int(np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right"))
        place = min(place, len(tokens) - 1)
        if chances[place] and fits(int(tokens[place])):
            return int(tokens[place])
        chances[place] = 0
    return None


def _likeliest(scores: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The ids of the ``count`` best scores (of all: 0), the best one first."""
    if not 0 < count < len(scores):
        return np.argsort(-scores, kind="stable")
    best = np.sort(np.argpartition(-scores, count)[:count])
    ordered: NDArray[np.intp] = best[np.argsort(-scores[best], kind="stable")]
    return ordered


def repeats(ids: Sequence[int], length: int) -> set[int]:
    """The ids that would complete a run of ``length`` tokens that stands in ``ids`` already."""
    if length < 2 or len(ids) < length:
        return set()
    before = length - 1
    ending, last = ids[len(ids) - before :], ids[-1]
    ends = [place for place in range(before - 1, len(ids) - 1) if ids[place] == last]
    return {ids[place + 1] for place in ends if ids[place - before + 1 : place + 1] == ending}


__all__ = ["Sampling", "draw", "generator", "repeats"]
