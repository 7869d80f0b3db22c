"""One training from its first step to its last: batches, steps, held-out losses, what is kept. It computes nothing.

In the checkpoint folder stand the best weights so far by held-out loss (the last ones where nothing is held out), and
beside them the state that an interrupted training goes on from. A training that is stopped, by its report or by
Ctrl-C, ends after the step in hand and keeps what it learnt; when it goes on, it ends as if nothing had been.
"""

from __future__ import annotations

import logging
import math
import shutil
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.training.beginning import first_weights
from model.training.interruption import interruptions
from model.training.kept import KeptWeights
from model.training.progress import Progress, Report, RunningMean, write_losses
from model.training.schedule import learning_rate_at
from model.training.state import STATE_FILE, TrainingState, saved_state
from model.training.steps import Steps
from model.training.windows import Windows
from tng.errors import CheckpointError

logger = logging.getLogger(__name__)

_MUST_MATCH: Final = ("network", "batch_size", "accumulate", "optimizer", "seed", "whole_records")
"""What of a configuration a training cannot change when it is resumed; how long it is, it can."""


class Training:
    """A training of ``config`` on ``corpus`` into the checkpoint folder ``folder``. It loads TensorFlow."""

    def __init__(
        self,
        config: FinetuneConfig,
        corpus: Corpus,
        folder: Path,
        *,
        base: Path | None = None,
        resume: bool = False,
        restart: bool = False,
        xla: bool | None = None,
    ) -> None:
        """From ``base`` or fresh weights, or where ``resume`` finds a state in ``folder``, from there.

        Raises CorpusError where the corpus is too small, CheckpointError where the base does not fit, or the state,
        which starts the training afresh where ``restart`` is said.
        """
        window, end_of_text = config.network.n_ctx + 1, config.network.n_vocab - 1
        self._config, self._corpus, self._folder = config, corpus, folder
        self._windows = Windows(corpus.training_file, window, end_of_text)
        self._held_out = Windows(corpus.held_out_file, window, end_of_text) if config.hold_out_every else None
        state = _resumable(folder, _origin(config, corpus), restart=restart) if resume else None
        self._steps = Steps(config, state.weights if state else first_weights(config, corpus, base), xla=xla)
        self._heard: list[Progress] = list(state.heard) if state else []
        self._best = state.best_loss if state else math.inf
        self._stale = state.stale if state else 0
        self._best_step = state.best_step if state else 0
        self._kept = KeptWeights(folder, corpus.folder)
        if state is not None:
            self._steps.optimizer.recall(state.memory)
            self._kept.go_back(self._best_step)
        else:
            _empty(folder)

    def run(self, report: Report | None = None) -> list[Progress]:
        """Take the steps that are left; answers with every step, also those of before an interruption.

        The last of them says whether the training is over. Raises CheckpointError where the loss is no number any
        more; what was saved before stays.
        """
        started = time.perf_counter() - (self._heard[-1].seconds if self._heard else 0.0)
        mean = RunningMean([progress.loss for progress in self._heard])
        with interruptions() as interrupted:
            stopped = interrupted.is_set()
            while not (stopped or self._is_over()):
                loss = self._step(len(self._heard))
                seconds = time.perf_counter() - started
                step = Progress(len(self._heard) + 1, self._config.steps, seconds, loss, mean.after(loss))
                self._heard.append(step)
                self._measure_when_due()
                stopped = (report is not None and report(self._heard[-1]) is False) or interrupted.is_set()
                self._save_when_due(ending=stopped or self._is_over())
        return self._told()

    def _told(self) -> list[Progress]:
        """Every step; they are written down once more, because one that was killed may not have come to it."""
        if self._heard:
            self._heard[-1] = replace(self._heard[-1], ends_training=self._is_over())
            write_losses(self._folder, self._heard)
        return self._heard

    def _step(self, number: int) -> float:
        config = self._config
        size = config.batch_size * config.accumulate
        tokens = self._windows.batch(config.seed, number, size, config.whole_records)
        loss = self._steps.take(tokens, learning_rate_at(number, config), number)
        if not math.isfinite(loss):
            raise CheckpointError(f"the loss of step {number + 1} is {loss}: train with a lower learning rate")
        return loss

    def _is_over(self) -> bool:
        """All steps taken, or no better held-out loss for as long as the configuration has patience."""
        config = self._config
        return len(self._heard) >= config.steps or bool(config.patience and self._stale >= config.patience)

    def _measure_when_due(self) -> None:
        """In turn: the best weights so far become the checkpoint, and patience is counted."""
        done = len(self._heard)
        if self._held_out is None or (done % self._config.hold_out_every and done != self._config.steps):
            return
        loss = self._measure(self._held_out)
        if not loss < self._best:
            self._stale += 1
            return
        self._best, self._stale = loss, 0
        if not self._config.keeps_last:
            self._best_step = done
            self._keep()

    def _measure(self, held_out: Windows) -> float:
        """The held-out loss of this step, which remembers it."""
        loss = self._steps.measure(held_out.fixed(self._config.held_out_windows))
        self._heard[-1] = replace(self._heard[-1], held_out_loss=loss)
        return loss

    def _save_when_due(self, *, ending: bool) -> None:
        if not ending and len(self._heard) % self._config.save_every:
            return
        if self._held_out is None or self._config.keeps_last:
            self._keep()
        weights, memory = self._steps.network.weights(), self._steps.optimizer.memory()
        origin = _origin(self._config, self._corpus)
        state = TrainingState(weights, memory, self._heard, self._best, self._stale, origin, self._best_step)
        state.save(self._folder)
        if ending:
            self._measure_out_of_turn()
        write_losses(self._folder, self._heard)

    def _measure_out_of_turn(self) -> None:
        """One that ends early is measured once more, and better weights are its checkpoint as long as it rests.

        The state knows nothing of it: a training that goes on has as much patience and the same best weights.
        """
        if self._held_out is None or self._heard[-1].held_out_loss is not None:
            return
        if self._measure(self._held_out) < self._best and not self._config.keeps_last:
            self._keep(beside=self._best_step)

    def _keep(self, *, beside: int = 0) -> None:
        """Make the weights the checkpoint of the folder."""
        self._kept.keep(self._config.network, self._steps.network.weights(), len(self._heard), beside=beside)


def _origin(config: FinetuneConfig, corpus: Corpus) -> dict[str, Any]:
    fields = asdict(config)
    return {name: fields[name] for name in _MUST_MATCH} | {"corpus": corpus.fingerprint}


def _resumable(folder: Path, origin: dict[str, Any], *, restart: bool) -> TrainingState | None:
    """The state that a training goes on from; None where there is none, or none that fits and ``restart`` is said."""
    try:
        state = saved_state(folder)
        if state is not None and state.origin != origin:
            raise CheckpointError(
                f"{folder.name}/{STATE_FILE} is of another training: resume with its preset, seed and corpus"
            )
    except CheckpointError as error:
        if not restart:
            raise
        logger.warning("the training starts afresh: %s", error)
        return None
    return state


def _empty(folder: Path) -> None:
    """An older checkpoint goes: two trainings in one folder could not be told apart."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


__all__ = ["Training"]
