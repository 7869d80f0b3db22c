"""A corpus of numbers for tests of the trainer: no text, no tokenizer to learn, records that repeat themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.checkpoint import HParams
from model.corpus.training_text import Corpus

NETWORK = HParams(n_vocab=64, n_ctx=32, n_embd=32, n_head=2, n_layer=2)
END = NETWORK.n_vocab - 1


def invented_corpus(folder: Path, *, vocabulary: int = NETWORK.n_vocab) -> Corpus:
    """A corpus in ``folder``: records count upwards from somewhere, so that there is something to learn."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True, exist_ok=True)
    for name, episodes in (("training", 6), ("held_out", 2)):
        np.savez(folder / f"{name}.npz", **{f"episode_{number:05}": episode(rng) for number in range(episodes)})
    (folder / "encoder.json").write_text('{"a": 0, "<|endoftext|>": 63}', encoding="ascii")
    (folder / "vocab.bpe").write_text("#version: 0.2\n", encoding="ascii")
    return Corpus(folder, {"config": {"vocabulary_tokens": vocabulary}, "fingerprint": "of numbers"})


def episode(rng: np.random.Generator, records: int = 20) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    """Records of 8 to 19 tokens, each between two end-of-text ids."""
    tokens = [END]
    for _ in range(records):
        first, length = rng.integers(END), rng.integers(8, 20)
        tokens += [int((first + place) % END) for place in range(length)] + [END]
    return np.array(tokens, np.int32)


__all__ = ["END", "NETWORK", "episode", "invented_corpus"]
