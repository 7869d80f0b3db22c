"""From a preset to a release, in three steps: corpus, training, measuring. The run notebooks call these, one each.

The same preset gives the same corpus everywhere, and the same release on the same kind of machine.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from model.corpus.imported_text import build_imported_corpus
from model.corpus.teleplays.shelf import Shelf
from model.corpus.training_text import Corpus, build_corpus
from model.evaluate import held_out_perplexity
from model.finetune import Progress, Report, Trainer, finetune
from model.presets import CONFIG_FILE, FinetuneConfig, config_from, preset
from model.release import make_release
from model.training.belonging import retraining_of
from model.training.board import Board
from model.training.interruption import interruptions
from model.training.progress import HELD_OUT_LOSSES_FILE, LOSSES_FILE, log_step, together
from tng.errors import CorpusError
from tng.releases import Release
from tng.shows import Show, read_show

ROOT = Path(__file__).parents[1]
LAST_STEPS = 100


def show_in(folder: Path | str) -> Show:
    """The show in ``folder``, which may stand relative to the repository. Raises ShowError."""
    return read_show(ROOT / folder)


def corpus_for(
    preset_name: str,
    folder: Path,
    show: Show,
    *,
    episodes: Path | str = "",
    base: Path | str = "",
    delivered: Path | str = "",
) -> Corpus:
    """Build a corpus in ``folder``: of the imported ``episodes`` (a folder), else the show's demonstration corpus.

    The vocabulary is that of the checkpoint folder ``base``; without one it is learnt. The scripts of the folder
    ``delivered`` are trained on, too; without one nothing of a customer's is in it. Raises CorpusError where episodes,
    bank or that folder cannot be read, ReleaseDamaged where the base has no vocabulary.
    """
    config = preset(preset_name)
    of_base, allowed = (Path(named) if named else None for named in (base, delivered))
    if not episodes:
        return build_corpus(config.corpus, show, folder, base=of_base, delivered=allowed)
    shelf, window = Shelf(Path(episodes)), config.network.n_ctx
    return build_imported_corpus(
        shelf, show, config.corpus, folder, window_tokens=window, base=of_base, delivered=allowed
    )


def train(
    config: FinetuneConfig,
    corpus: Corpus,
    checkpoint: Path,
    *,
    trainer: Trainer = Trainer.OURS,
    base: Path | str = "",
    resume: bool = False,
    restart: bool = False,
    reports: Sequence[Report] = (),
) -> list[Progress]:
    """Train into a checkpoint folder, and leave the configuration beside the weights.

    See ``model.finetune`` for what is trained from, and what is raised. Each of ``reports`` is told every step, and one
    that answers False stops the training, as ``stop_after`` does. Ctrl-C ends it after the step in hand, whoever
    trains, and before the first where it comes so early.
    """
    board = [Board(checkpoint)] if trainer is Trainer.OURS else []  # gpt-2-simple writes its own
    with interruptions() as interrupted:
        report = together(log_step, lambda _: not interrupted.is_set(), *board, *reports)
        of_base = Path(base) if base else None
        heard = finetune(
            config, corpus, checkpoint, report, trainer=trainer, base=of_base, resume=resume, restart=restart
        )
    (checkpoint / CONFIG_FILE).write_text(json.dumps(asdict(config), indent=2) + "\n", encoding="utf-8")
    return heard


def facts_of(config: FinetuneConfig, corpus: Corpus, checkpoint: Path, show: Show) -> dict[str, Any]:
    """What a release remembers: configuration, corpus, retraining, losses, the perplexity of held-out episodes."""
    losses = read_losses(checkpoint)
    last = [loss for _, _, loss in losses[-LAST_STEPS:]]
    return {
        "config": asdict(config),
        "corpus": corpus.summary,
        "retraining": retraining_of(checkpoint),
        "seed": config.seed,
        "steps_done": len(losses),
        "training_seconds": losses[-1][1] if losses else 0,
        "training_loss": round(sum(last) / len(last), 3) if last else None,
        "losses": [[step, loss] for step, _, loss in losses[:: max(1, len(losses) // 100)]],
        "held_out_losses": read_held_out_losses(checkpoint),
        "evaluation": held_out_perplexity(checkpoint, corpus),
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


def read_held_out_losses(checkpoint: Path) -> list[tuple[int, float]]:
    """Step and loss of every time that held-out windows were measured; none where gpt-2-simple trained."""
    path = checkpoint / HELD_OUT_LOSSES_FILE
    rows = json.loads(path.read_text(encoding="ascii")) if path.is_file() else []
    return [(int(step), float(loss)) for step, loss in rows]


def release_of(config: FinetuneConfig, corpus: Corpus, checkpoint: Path, folder: Path, show: Show) -> Release:
    """Measure a checkpoint and make it the release ``folder``. Raises FileExistsError where that is there already."""
    return make_release(checkpoint, corpus.folder, folder, facts_of(config, corpus, checkpoint, show))


__all__ = [
    "Trainer",
    "corpus_for",
    "facts_of",
    "read_held_out_losses",
    "read_losses",
    "release_of",
    "show_in",
    "train",
    "trained_config",
]
