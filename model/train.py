"""From a preset to a release, in three steps: corpus, training, measuring. The run notebooks call these, one each.

The same preset gives the same corpus everywhere, and the same release on the same kind of machine.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.corpus.training_text import Corpus, build_corpus
from model.evaluate import held_out_perplexity
from model.finetune import LOSSES_FILE, Progress, finetune, stop_after
from model.presets import FinetuneConfig, config_from, preset
from model.release import make_release
from tng.errors import CorpusError
from tng.releases import Release

BANK_FOLDER = Path(__file__).parent / "scenebank"
CONFIG_FILE = "config.json"
LAST_STEPS = 100


def corpus_for(preset_name: str, folder: Path) -> Corpus:
    """Build the demonstration corpus of a preset in ``folder``. Raises CorpusError where the bank cannot be read."""
    return build_corpus(preset(preset_name).corpus, BANK_FOLDER, folder)


def train(config: FinetuneConfig, corpus: Corpus, checkpoint: Path, *, seconds: float = 0) -> list[Progress]:
    """Train into a checkpoint folder, and leave the configuration beside the weights. 0 ``seconds``: no limit."""
    heard = finetune(config, corpus, checkpoint, stop_after(seconds))
    (checkpoint / CONFIG_FILE).write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    return heard


def facts_of(config: FinetuneConfig, corpus: Corpus, checkpoint: Path) -> dict[str, Any]:
    """What a release remembers: configuration, corpus, losses, and the perplexity of held-out episodes."""
    losses = read_losses(checkpoint)
    last = [loss for _, _, loss in losses[-LAST_STEPS:]]
    return {
        "config": asdict(config),
        "corpus": corpus.summary,
        "seed": config.seed,
        "steps_done": len(losses),
        "training_seconds": losses[-1][1] if losses else 0,
        "training_loss": round(sum(last) / len(last), 3) if last else None,
        "losses": [[step, loss] for step, _, loss in losses[:: max(1, len(losses) // 100)]],
        "evaluation": held_out_perplexity(checkpoint, config.corpus, BANK_FOLDER),
    }


def trained_config(checkpoint: Path, preset_name: str) -> FinetuneConfig:
    """The configuration that a checkpoint was trained with; the preset's where it does not say."""
    path = checkpoint / CONFIG_FILE
    return config_from(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else preset(preset_name)


def read_losses(checkpoint: Path) -> list[tuple[int, float, float]]:
    """Step, seconds and loss of every step of a training. Raises CorpusError where none was written down."""
    try:
        rows = json.loads((checkpoint / LOSSES_FILE).read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise CorpusError(f"{checkpoint.name}/{LOSSES_FILE} cannot be read ({type(error).__name__})") from error
    return [(int(step), float(seconds), float(loss)) for step, seconds, loss in rows]


def release_of(config: FinetuneConfig, corpus: Corpus, checkpoint: Path, folder: Path) -> Release:
    """Measure a checkpoint and make it the release ``folder``. Raises FileExistsError where that is there already."""
    return make_release(checkpoint, corpus.folder, folder, facts_of(config, corpus, checkpoint))


__all__ = ["BANK_FOLDER", "corpus_for", "facts_of", "read_losses", "release_of", "train", "trained_config"]
