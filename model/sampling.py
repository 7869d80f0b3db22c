"""Choose the next token from logits. Pure numbers: it knows no network and no text.

One numpy Generator (PCG64) a text draws everything, so the same seed draws the same tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GROUP: Final = 64
"""Scores that are first looked at together when the best of many are sought."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How boldly to draw. ``temperature`` 0 takes the likeliest; ``top_k`` 0 and ``top_p`` 1 leave nothing out.

    No run of ``repeat_tokens`` tokens may stand twice in a scene; 0 allows it. Tokens that stand there already are made
    less likely by ``repeat_penalty``: their logits are divided by it, or multiplied where negative (CTRL, Keskar et al.
    2019, section 4.1); 1 leaves them alone.
    """

    temperature: float = 0.4
    top_k: int = 40
    top_p: float = 0.9
    repeat_tokens: int = 7
    repeat_penalty: float = 1.0

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.top_k < 0 or not 0 < self.top_p <= 1 or self.repeat_tokens < 0:
            raise ValueError(f"no such sampling: {self}")
        if not self.repeat_penalty >= 1:
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
    seen: Sequence[int] = (),
    fits: Callable[[int], bool] = lambda _: True,
) -> int:
    """One token id of logits (V,). ``banned`` ids are never drawn; raises ValueError where all are banned.

    An id that does not fit is drawn only where none of the likeliest does: it is put aside, and another is drawn.
    ``seen`` are the ids whose repetition is made less likely.
    """
    scores = _adjusted(logits, sampling, list(banned), seen)
    kept = _likeliest(scores, sampling.top_k)
    if not np.isfinite(scores[kept[0]]):
        raise ValueError("every token is banned")
    if sampling.temperature == 0:
        return next((int(token) for token in kept if fits(int(token))), int(kept[0]))
    best = scores[kept].astype(np.float64)
    chances = np.exp((best - best[0]) / sampling.temperature)
    chances /= chances.sum()
    enough = int(chances.cumsum().searchsorted(sampling.top_p)) + 1
    for pool in (slice(0, enough), slice(enough, None)):
        if (token := _drawn(kept[pool], chances[pool], rng, fits)) is not None:
            return token
    return int(kept[0])


def _adjusted(
    logits: NDArray[np.float32], sampling: Sampling, banned: list[int], seen: Sequence[int]
) -> NDArray[np.float32]:
    """The logits without what is banned, and less of what was seen; themselves where there is neither."""
    penalty = sampling.repeat_penalty if len(seen) else 1.0
    if penalty == 1.0 and not banned:
        return logits
    scores = logits.copy()
    if penalty != 1.0:
        ids = np.unique(seen)
        before = scores[ids]
        scores[ids] = np.where(before > 0, before / penalty, before * penalty)
    scores[banned] = -np.inf
    return scores


def _drawn(
    tokens: NDArray[np.intp], chances: NDArray[np.float64], rng: np.random.Generator, fits: Callable[[int], bool]
) -> int | None:
    """One of the tokens that fits, each as often as it is likely; None where none does."""
    left = chances
    for _ in range(len(tokens)):
        cumulated = left.cumsum()
        if not cumulated[-1] > 0:
            return None
        place = min(int(cumulated.searchsorted(rng.random() * cumulated[-1], side="right")), len(tokens) - 1)
        if left[place] and fits(int(tokens[place])):
            return int(tokens[place])
        if left is chances:
            left = chances.copy()
        left[place] = 0
    return None


def _likeliest(scores: NDArray[np.float32], count: int) -> NDArray[np.intp]:
    """The ids of the ``count`` best scores (of all: 0), the best one first, of equals the lower id.

    Among many scores the best are sought in the groups whose own best are the best: there are all of them.
    """
    if not 0 < count < len(scores):
        return np.argsort(-scores, kind="stable")
    whole = len(scores) // _GROUP * _GROUP
    if whole < 4 * _GROUP * count:
        return _best_of(scores, np.arange(len(scores)), count)
    groups = scores[:whole].reshape(-1, _GROUP)
    peaks = groups.max(axis=1)
    least = np.partition(peaks, len(peaks) - count)[len(peaks) - count]
    ids = (np.flatnonzero(peaks >= least)[:, None] * _GROUP + np.arange(_GROUP)).ravel()
    return _best_of(scores, np.append(ids, np.arange(whole, len(scores))), count)


def _best_of(scores: NDArray[np.float32], ids: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """The ``count`` best of the ids, which are in order."""
    among = scores[ids]
    least = np.partition(among, len(among) - count)[len(among) - count]
    best = ids[among >= least]
    ordered: NDArray[np.intp] = best[np.argsort(-scores[best], kind="stable")][:count]
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
