"""Records as the arrays that gpt-2-simple trains on: int32 ids, one array an episode, in one file.

gpt-2-simple writes the letters ``<|endoftext|>`` as ordinary tokens and never crosses from one array to the next. So
the real id stands before, between and behind the records here, and an array holds a whole episode.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.corpus.records import Record
from model.tokenizer import ENCODER_FILE, MERGES_FILE, Tokenizer, train_tokenizer

Tokens = NDArray[np.int32]
"""One episode: (ids,)."""


def encoded(records: Iterable[Record], tokenizer: Tokenizer) -> Tokens:
    """An episode as tokens: every record between two end-of-text ids."""
    tokens = [tokenizer.end_of_text]
    for record in records:
        tokens += [*tokenizer.encode(record.text), tokenizer.end_of_text]
    return np.array(tokens, dtype=np.int32)


def vocabulary(texts: Iterable[str], most_tokens: int, folder: Path, base: Path | None) -> Tokenizer:
    """Put a tokenizer's two files in ``folder``: those of the checkpoint ``base``, or learnt from texts without one.

    Raises ReleaseDamaged where the base has none that can be read.
    """
    if base is None:
        return train_tokenizer(texts, most_tokens, folder)
    tokenizer = Tokenizer(base)
    for name in (ENCODER_FILE, MERGES_FILE):
        shutil.copyfile(base / name, folder / name)
    return tokenizer


def save_arrays(path: Path, arrays: Sequence[Tokens]) -> None:
    """Write a ``.npz`` that gpt-2-simple's loader takes as it is."""
    np.savez(path, **{f"episode_{number:05}": array for number, array in enumerate(arrays)})  # type: ignore[arg-type]


def fingerprint(folder: Path, arrays: Sequence[Tokens]) -> str:
    """The sha256 of both tokenizer files in ``folder`` and of all arrays."""
    digest = hashlib.sha256()
    for name in (ENCODER_FILE, MERGES_FILE):
        digest.update((folder / name).read_bytes())
    for array in arrays:
        digest.update(array.astype("<i4").tobytes())
    return digest.hexdigest()


__all__ = ["Tokens", "encoded", "fingerprint", "save_arrays", "vocabulary"]
