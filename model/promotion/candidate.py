"""A checkpoint's release: made, or taken where an attempt that was ended has made it already."""

from __future__ import annotations

import json
from pathlib import Path

from model.checkpoint import latest
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.train import release_of
from tng.releases import MANIFEST, Release, digest, find_release
from tng.shows import Show


def candidate_of(config: FinetuneConfig, corpus: Corpus, checkpoint: Path, folder: Path, show: Show) -> Release:
    """The release ``folder`` of a checkpoint; one that is there and has these very weights is taken as it is.

    Raises FileExistsError where another release is there, ReleaseDamaged where the checkpoint cannot be read.
    """
    if is_made_of(checkpoint, folder):
        return find_release(folder)
    return release_of(config, corpus, checkpoint, folder, show)


def is_made_of(checkpoint: Path, folder: Path) -> bool:
    """Whether a release, whole or damaged since, was made of the weights that count in a checkpoint folder."""
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        told = {name: entry["sha256"] for name, entry in listed.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False
    prefix = latest(checkpoint)
    weights = [*checkpoint.glob(f"{prefix.name}.index"), *checkpoint.glob(f"{prefix.name}.data-*")]
    return bool(weights) and all(told.get(path.name) == digest(path) for path in weights)


__all__ = ["candidate_of", "is_made_of"]
