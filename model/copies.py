"""How much of a text stands in the training text, word for word: an index of its eight-word runs. It keeps no text.

Every run of eight words ("shingle") of the training text is hashed to 32 bits; the sorted hashes are a file of a few
megabytes that travels with the release, so that novelty can be checked where the scripts themselves may not be. A run
that stands in the training text is found whole, eight words and longer. The check errs on the safe side alone: pieces
of several places that overlap by seven words count as one run, and a foreign shingle is taken for a known one about
once in three thousand, which makes a run longer by a word.

Compare like with like: the network's own text, with its marks for names, against the training text, with its own.
"""

from __future__ import annotations

import functools
import hashlib
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tng.errors import ReleaseDamaged

COPIES_FILE: Final = "copies.npz"
SHINGLE_WORDS: Final = 8
COUNTED_WORDS: Final = 10
"""A shorter run is common speech: in held-out teleplays the longest has 12 words on the average, and 0.4 % of the words
stand in runs of ten and more."""

STOCK_PHRASES: Final = re.compile(
    r"\b(?:[a-z]+'s|personal|medical|ship's) log\b(?:\W+supplemental)?(?:\W+star ?date\W+(?:[0-9.]+|x[a-z]+))?"
    r"|\bstar ?date\W+(?:[0-9.]+|x[a-z]+)"
)
"""What every episode says; it is taken out on both sides before words are compared. In small letters."""

_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)

Hashes = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Copied:
    """How much of a text stands in the training text. ``longest_run_words`` is 0 where no eight words do;
    ``share`` is the part of its words inside runs of ten words and more, 0 to 1."""

    longest_run_words: int
    share: float


class CopyIndex:
    """The shingles of a training text. Ask it for words as :func:`comparable` gives them."""

    def __init__(self, hashes: Hashes) -> None:
        """``hashes`` sorted, each once."""
        self._hashes = hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def longest_run(self, words: Sequence[str]) -> int:
        """The words of the longest run that stands in the training text; 0 where it has fewer than eight."""
        return max((end - start for start, end in self._runs(words)), default=0)

    def share(self, words: Sequence[str]) -> float:
        """The share of the words inside runs of ten words and more, from 0 to 1."""
        return self._copied_words(words) / len(words) if words else 0.0

    def measure(self, texts: Iterable[str]) -> Copied:
        """Both, over several texts: no run crosses from one to the next."""
        spoken = [comparable(text) for text in texts]
        total = sum(map(len, spoken))
        copied = sum(map(self._copied_words, spoken))
        return Copied(max(map(self.longest_run, spoken), default=0), copied / total if total else 0.0)

    def save(self, folder: Path) -> None:
        """Write ``copies.npz``: the distances between the sorted hashes, which press better than they do."""
        distances = np.diff(self._hashes, prepend=np.uint32(0))
        np.savez_compressed(folder / COPIES_FILE, distances=distances, shingle_words=np.int64(SHINGLE_WORDS))

    def _copied_words(self, words: Sequence[str]) -> int:
        covered = np.zeros(len(words), dtype=bool)
        for start, end in self._runs(words):
            if end - start >= COUNTED_WORDS:
                covered[start:end] = True
        return int(covered.sum())

    def _runs(self, words: Sequence[str]) -> list[tuple[int, int]]:
        """The copied runs as (first word, behind the last word)."""
        hashes = _shingles(words)
        if not len(hashes) or not len(self._hashes):
            return []
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        known = np.concatenate(([False], self._hashes[places] == hashes, [False]))
        edges = np.flatnonzero(known[1:] != known[:-1])
        return [(int(a), int(b) + SHINGLE_WORDS - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def build_copies(texts: Iterable[str]) -> CopyIndex:
    """The index of a training text, given as its scenes: no run crosses from one to the next."""
    hashes = [_shingles(comparable(text)) for text in texts]
    return CopyIndex(np.unique(np.concatenate([_shingles(()), *hashes])))


def read_copies(folder: Path) -> CopyIndex | None:
    """The index of a release or a corpus; None where there is none. Raises ReleaseDamaged where it cannot be read."""
    path = folder / COPIES_FILE
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            distances, words = arrays["distances"], int(arrays["shingle_words"])
        if words != SHINGLE_WORDS or distances.dtype != np.uint32 or distances.ndim != 1:
            raise ValueError("shingles of another kind")
        return CopyIndex(np.cumsum(distances, dtype=np.uint32))
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise ReleaseDamaged(f"{folder.name}/{COPIES_FILE} cannot be read ({type(error).__name__})") from error


def comparable(text: str) -> list[str]:
    """The words of a text as they are compared: in small letters, without signs and without stock phrases."""
    return _WORD.findall(STOCK_PHRASES.sub(" ", text.replace("’", "'").lower()))


def _shingles(words: Sequence[str]) -> Hashes:
    """The hash of the eight words from each word on: (len(words) - 7,), empty where there are fewer than eight."""
    count = len(words) - SHINGLE_WORDS + 1
    if count <= 0:
        return np.empty(0, dtype=np.uint32)
    each = np.array([_word_hash(word) for word in words], dtype=np.uint64)
    mixed = np.zeros(count, dtype=np.uint64)
    for place in range(SHINGLE_WORDS):  # a polynomial over 64 bits, which overflow as they should
        mixed = mixed * _STEP + each[place : place + count]
    return (mixed >> np.uint64(32)).astype(np.uint32)


@functools.lru_cache(maxsize=1 << 16)
def _word_hash(word: str) -> int:
    """Of the word alone: the same in every process and on every machine, unlike ``hash``."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little")


__all__ = ["COPIES_FILE", "SHINGLE_WORDS", "Copied", "CopyIndex", "build_copies", "comparable", "read_copies"]
