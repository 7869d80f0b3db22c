"""Train a checkpoint: by our trainer, or by gpt-2-simple itself, which stays the reference. One training a process.

Both start from fresh weights or from a checkpoint folder, and leave a folder in gpt-2-simple's format with the losses
of every step. Only ours measures held-out losses, keeps the best weights, stops early, and is resumed.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.training import reference
from model.training.beginning import check_vocabulary, first_weights
from model.training.loop import Training
from model.training.progress import Progress, Report
from tng.errors import CheckpointError


class Trainer(StrEnum):
    """Who trains."""

    OURS = "tng"
    REFERENCE = "gpt-2-simple"


def finetune(
    config: FinetuneConfig,
    corpus: Corpus,
    folder: Path,
    report: Report | None = None,
    *,
    trainer: Trainer = Trainer.OURS,
    base: Path | None = None,
    resume: bool = False,
    restart: bool = False,
) -> list[Progress]:
    """Train on ``corpus`` into the checkpoint folder ``folder``; answers with every step, also of before a resumption.

    It starts from the checkpoint ``base`` or fresh weights; where ``resume`` is said and the folder holds an
    interrupted training, from there; one that cannot be resumed is begun afresh where ``restart`` is said. Raises
    CorpusError where the corpus was made for another vocabulary or is smaller than a window, CheckpointError where base
    or interrupted training do not fit the configuration.
    """
    check_vocabulary(config, corpus)
    if trainer is Trainer.OURS:
        return Training(config, corpus, folder, base=base, resume=resume, restart=restart).run(report)
    if resume:
        raise CheckpointError("gpt-2-simple forgets its optimizer: only our trainer resumes")
    return reference.finetune(config, corpus, first_weights(config, corpus, base), folder, report)


__all__ = ["Progress", "Report", "Trainer", "finetune"]
