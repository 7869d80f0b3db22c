"""What a training starts from: fresh weights, or a checkpoint that fits the network and the corpus."""

from __future__ import annotations

import json
from pathlib import Path

from model.checkpoint import Weights, fresh_weights, load_weights, read_hparams
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.tokenizer import ENCODER_FILE, MERGES_FILE
from tng.errors import CheckpointError, CorpusError, ReleaseDamaged


def check_vocabulary(config: FinetuneConfig, corpus: Corpus) -> None:
    """Refuse a corpus of other ids than the network has. Raises CorpusError."""
    ids = corpus.summary["config"]["vocabulary_tokens"]
    if ids != config.network.n_vocab:
        raise CorpusError(
            f"the corpus was made for {ids} ids, the network has {config.network.n_vocab}. "
            "Build the corpus with the same preset."
        )


def first_weights(config: FinetuneConfig, corpus: Corpus, base: Path | None) -> Weights:
    """Fresh weights by the seed, or those of the checkpoint folder ``base``.

    Raises CheckpointError where the base cannot be read, is of another shape, or means other pieces by its ids.
    """
    if base is None:
        return fresh_weights(config.network, config.seed)
    try:
        shape, weights = read_hparams(base), load_weights(base)
        pieces = [_pieces(folder) for folder in (base, corpus.folder)]
    except (ReleaseDamaged, OSError, ValueError) as error:
        raise CheckpointError(f"the base {base.name} cannot be read ({type(error).__name__})") from error
    if shape != config.network:
        raise CheckpointError(f"the base {base.name} is of another shape than the network of the preset")
    if pieces[0] != pieces[1]:
        raise CheckpointError(
            f"the corpus was not made with the vocabulary of the base {base.name}: build it with that"
        )
    return weights


def _pieces(folder: Path) -> tuple[object, list[str]]:
    """Ids and merges of a folder, however its files are laid out."""
    ids = json.loads((folder / ENCODER_FILE).read_text(encoding="utf-8"))
    return ids, (folder / MERGES_FILE).read_text(encoding="utf-8").split()


__all__ = ["check_vocabulary", "first_weights"]
