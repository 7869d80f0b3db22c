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

from model.checkpoint import HPARAMS_FILE, latest, make_relocatable
from model.corpus.outlines import OUTLINES_FILE, WORDS_FILE
from model.tokenizer import ENCODER_FILE, MERGES_FILE
from tng.releases import META, Release, find_release, writing_release

CARD_FILE: Final = "MODEL_CARD.md"
PACKAGES: Final = ("gpt-2-simple", "tensorflow", "numpy", "tokenizers")

_CARD: Final = """\
# {id}

A small GPT-2 that writes scenes of teleplays from a header, trained from nothing with gpt-2-simple on a demonstration
corpus: {episodes:,} episodes, assembled by code from the {bank} of this repository. No text of a broadcast
episode was used.

| | |
| --- | --- |
| network | {n_layer} layers, {n_embd} wide, {n_head} heads, a window of {n_ctx} tokens, {n_vocab:,} tokens known |
| training | {steps:,} steps of {batch_size} windows, learning rate {learning_rate}, seed {seed} |
| corpus | {training_tokens:,} tokens, fingerprint `{fingerprint}` |
| loss at the end of training, nats a token | {training_loss} |
| perplexity a token, scenes that training held with other names | {recombined} |
| perplexity a token, scenes never trained on | {unseen} |

## What it is for
Drafts of scenes for entertainment, one scene at a time, under a plan made by code. Every line passes a gate that
checks its form and its speaker.

## What it is not for
It knows nothing of the world. The bank is small, so scenes keep close to those that were written for it. It does not
reason, and it must not be taken for any writer or studio: this is an independent work of fans.

## Made with
{packages}
"""


def make_release(checkpoint: Path, corpus_folder: Path, folder: Path, meta: Mapping[str, Any]) -> Release:
    """Make the release ``folder`` of a trained checkpoint and its corpus; ``meta`` says how they were made.

    Raises FileExistsError where there is one already, ReleaseDamaged where the checkpoint names no weights.
    """
    prefix = latest(checkpoint)
    weights = sorted(checkpoint.glob(f"{prefix.name}.index")) + sorted(checkpoint.glob(f"{prefix.name}.data-*"))
    with writing_release(folder) as partial:
        for path in (checkpoint / HPARAMS_FILE, checkpoint / "checkpoint", *weights):
            shutil.copyfile(path, partial / path.name)
        for name in (ENCODER_FILE, MERGES_FILE, OUTLINES_FILE, WORDS_FILE):
            shutil.copyfile(corpus_folder / name, partial / name)
        make_relocatable(partial)
        full = {"id": folder.name, **meta, "made_with": made_with()}
        (partial / META).write_text(json.dumps(full, indent=2) + "\n", encoding="utf-8")
        (partial / CARD_FILE).write_text(model_card(full), encoding="utf-8")
    return find_release(folder)


def made_with() -> dict[str, str]:
    """The versions that decide what a training gives."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version(), **packages}


def model_card(meta: Mapping[str, Any]) -> str:
    """The card for people, out of the facts for machines."""
    config, corpus, evaluation = meta["config"], meta["corpus"], meta.get("evaluation", {})
    return _CARD.format(
        id=meta["id"],
        bank="scene bank (`model/scenebank`)",
        episodes=corpus["config"]["episodes"],
        training_tokens=corpus["training_tokens"],
        fingerprint=corpus["fingerprint"],
        training_loss=meta.get("training_loss", "not measured"),
        recombined=evaluation.get("recombined_perplexity", "not measured"),
        unseen=evaluation.get("unseen_perplexity", "not measured"),
        packages=", ".join(f"{name} {version}" for name, version in meta["made_with"].items()),
        **config["network"],
        **{name: config[name] for name in ("steps", "batch_size", "learning_rate", "seed")},
    )


__all__ = ["CARD_FILE", "made_with", "make_release", "model_card"]
