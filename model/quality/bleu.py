"""BLEU-4 and self-BLEU: how alike the scripts of one batch are. Written here so that nothing has to be installed.

BLEU is Papineni and others 2002 (https://aclanthology.org/P02-1040): the geometric mean of clipped 1- to 4-gram
precisions times the brevity penalty, in percent. Where a precision is 0 it is smoothed as sacrebleu's ``exp`` does: the
k-th zero counts as 1/2**k of a match (Chen and Cherry 2014, method 3). Self-BLEU is Zhu and others 2018 (Texygen, arXiv
1802.01886): each text against the others of its batch. It says nothing about whether a text is any good.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import Final

from model.quality.wording import ngrams

ORDER: Final = 4
MOST_WORDS: Final = 2_000
MOST_REFERENCES: Final = 12


def bleu(candidate: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU-4 of a text against references, 0 to 100; 0 where the text or every reference is empty."""
    if not candidate or not any(references):
        return 0.0
    logarithms, zeros = [], 0
    for order in range(1, ORDER + 1):
        found = Counter(ngrams(candidate, order))
        total = sum(found.values())
        if not total:
            break  # a text shorter than four words is judged by the n-grams that it has
        matches: float = sum((found & _most_in_any(references, order)).values())
        if not matches:
            zeros += 1
            matches = 1 / 2**zeros
        logarithms.append(math.log(matches / total))
    return 100 * _brevity(candidate, references) * math.exp(sum(logarithms) / len(logarithms))


def self_bleu(texts: Sequence[Sequence[str]], seed: int = 0) -> list[float]:
    """BLEU-4 of each text against at most twelve others, on its first 2,000 words; 0 for a text that is alone."""
    rng = random.Random(seed)  # noqa: S311 - a choice of references, no secret
    cut = [text[:MOST_WORDS] for text in texts]
    scores = []
    for place, text in enumerate(cut):
        others = cut[:place] + cut[place + 1 :]
        scores.append(bleu(text, rng.sample(others, min(MOST_REFERENCES, len(others)))))
    return scores


def _most_in_any(references: Sequence[Sequence[str]], order: int) -> Counter[tuple[str, ...]]:
    """For each n-gram the most that one reference has of it: no candidate gets more matches than that."""
    most: Counter[tuple[str, ...]] = Counter()
    for reference in references:
        most |= Counter(ngrams(reference, order))
    return most


def _brevity(candidate: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """1, or less for a text shorter than the reference that is closest to it in length, the shorter of two."""
    closest = min((len(reference) for reference in references), key=lambda n: (abs(n - len(candidate)), n))
    return min(1.0, math.exp(1 - closest / len(candidate)))


__all__ = ["bleu", "self_bleu"]
