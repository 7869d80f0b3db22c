"""Give a checkpoint a name: copy what serving needs, write down how it was made, and leave it whole or absent.

A release never changes. Which one is current is not decided here.
"""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from model.card import model_card
from model.checkpoint import HPARAMS_FILE, latest, make_relocatable
from model.copies import COPIES_FILE
from model.corpus.outlines import OUTLINES_FILE, WORDS_FILE
from model.engine.export import export
from model.tokenizer import ENCODER_FILE, MERGES_FILE
from tng.releases import META, Release, find_release, writing_release
from tng.shows import SHOW_FILE

CARD_FILE: Final = "MODEL_CARD.md"
PACKAGES: Final = ("gpt-2-simple", "tensorflow", "numpy", "tokenizers")


def make_release(checkpoint: Path, corpus_folder: Path, folder: Path, meta: Mapping[str, Any]) -> Release:
    """Make the release ``folder`` of a checkpoint and a corpus; ``meta`` says how they were made.

    The vocabulary is the checkpoint's own where it has one beside its weights, else the corpus's.
    Raises FileExistsError where there is one already, ReleaseDamaged where the checkpoint names no weights.
    """
    prefix = latest(checkpoint)
    weights = sorted(checkpoint.glob(f"{prefix.name}.index")) + sorted(checkpoint.glob(f"{prefix.name}.data-*"))
    with writing_release(folder) as partial:
        for path in (checkpoint / HPARAMS_FILE, checkpoint / "checkpoint", *weights):
            shutil.copyfile(path, partial / path.name)
        for name in (ENCODER_FILE, MERGES_FILE):
            has_own = (checkpoint / name).is_file()
            shutil.copyfile((checkpoint if has_own else corpus_folder) / name, partial / name)
        for name in (OUTLINES_FILE, WORDS_FILE, SHOW_FILE):
            shutil.copyfile(corpus_folder / name, partial / name)
        # the copies are those of the corpus that was trained on; an imported checkpoint's is not known
        if "corpus" in meta and (corpus_folder / COPIES_FILE).is_file():
            shutil.copyfile(corpus_folder / COPIES_FILE, partial / COPIES_FILE)
        make_relocatable(partial)
        export(partial, partial)
        full = {"id": folder.name, **meta, "made_with": made_with()}
        (partial / META).write_text(json.dumps(full, indent=2) + "\n", encoding="utf-8")
        (partial / CARD_FILE).write_text(model_card(full), encoding="utf-8")
    return find_release(folder)


def made_with() -> dict[str, str]:
    """The versions that decide what a training gives."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **packages}


__all__ = ["CARD_FILE", "made_with", "make_release"]
