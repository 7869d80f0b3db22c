"""One training from its first step to its last: batches, steps, held-out losses, what is kept. It computes nothing.

In the checkpoint folder stand the best weights so far by held-out loss (the last ones where nothing is held out), and
beside them the state that an interrupted training goes on from. A training that is stopped, by its report or by
Ctrl-C, ends after the step in hand and keeps what it learnt.
"""

from __future__ import annotations

import logging
import math
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from model.checkpoint import write_checkpoint
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.tokenizer import ENCODER_FILE, MERGES_FILE
from model.training.beginning import first_weights
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
        xla: bool | None = None,
    ) -> None:
        """From ``base`` or fresh weights, or where ``resume`` finds a state in ``folder``, from there.

        Raises CorpusError where the corpus is too small, CheckpointError where base or state do not fit.
        """
        window, end_of_text = config.network.n_ctx + 1, config.network.n_vocab - 1
        self._config, self._corpus, self._folder = config, corpus, folder
        self._windows = Windows(corpus.training_file, window, end_of_text)
        self._held_out = Windows(corpus.held_out_file, window, end_of_text) if config.hold_out_every else None
        state = _resumable(folder, _origin(config, corpus)) if resume else None
        self._steps = Steps(config, state.weights if state else first_weights(config, corpus, base), xla=xla)
        self._heard: list[Progress] = list(state.heard) if state else []
        self._best = state.best_loss if state else math.inf
        self._stale = state.stale if state else 0
        if state is not None:
            self._steps.optimizer.recall(state.memory)
        else:
            _empty(folder)

    def run(self, report: Report | None = None) -> list[Progress]:
        """Take the steps that are left; answers with every step, also those of before an interruption.

        Raises CheckpointError where the loss is no number any more; what was saved before stays.
        """
        started = time.perf_counter() - (self._heard[-1].seconds if self._heard else 0.0)
        mean = RunningMean([progress.loss for progress in self._heard])
        stopped = False
        with _interrupts() as interrupted:
            while not (stopped or self._is_over()):
                loss = self._step(len(self._heard))
                seconds = time.perf_counter() - started
                step = Progress(len(self._heard) + 1, self._config.steps, seconds, loss, mean.after(loss))
                self._heard.append(step)
                self._measure_when_due()
                stopped = (report is not None and report(self._heard[-1]) is False) or interrupted.is_set()
                self._save_when_due(ending=stopped or self._is_over())
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
        done = len(self._heard)
        if self._held_out is not None and (done % self._config.hold_out_every == 0 or done == self._config.steps):
            self._stale = 0 if self._measure(self._held_out) else self._stale + 1

    def _measure(self, held_out: Windows) -> bool:
        """Measure the held-out loss. The best weights so far become the checkpoint; answers whether these are."""
        loss = self._steps.measure(held_out.fixed(self._config.held_out_windows))
        self._heard[-1] = replace(self._heard[-1], held_out_loss=loss)
        if loss >= self._best:
            return False
        self._best = loss
        if not self._config.keeps_last:
            self._keep()
        return True

    def _save_when_due(self, *, ending: bool) -> None:
        """An ending out of turn measures once more, which costs no patience: a resumed training has as much."""
        if not ending and len(self._heard) % self._config.save_every:
            return
        if self._held_out is None or self._config.keeps_last:
            self._keep()
        if self._held_out is not None and ending and self._heard[-1].held_out_loss is None:
            self._measure(self._held_out)
        weights, memory = self._steps.network.weights(), self._steps.optimizer.memory()
        origin = _origin(self._config, self._corpus)
        TrainingState(weights, memory, self._heard, self._best, self._stale, origin).save(self._folder)
        write_losses(self._folder, self._heard)

    def _keep(self) -> None:
        """Make the weights the checkpoint of the folder. The one before goes when this one is there."""
        step = len(self._heard)
        write_checkpoint(self._config.network, self._steps.network.weights(), self._folder, step=step)
        for name in (ENCODER_FILE, MERGES_FILE):
            shutil.copyfile(self._corpus.folder / name, self._folder / name)
        for path in self._folder.glob("model-*"):
            if path.name.split(".")[0] != f"model-{step}":
                path.unlink()


def _origin(config: FinetuneConfig, corpus: Corpus) -> dict[str, Any]:
    fields = asdict(config)
    return {name: fields[name] for name in _MUST_MATCH} | {"corpus": corpus.fingerprint}


def _resumable(folder: Path, origin: dict[str, Any]) -> TrainingState | None:
    state = saved_state(folder)
    if state is not None and state.origin != origin:
        raise CheckpointError(
            f"{folder.name}/{STATE_FILE} is of another training: resume with its preset, seed and corpus"
        )
    return state


def _empty(folder: Path) -> None:
    """An older checkpoint goes: two trainings in one folder could not be told apart."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """Hear Ctrl-C between steps, so that no step is half taken. Only a main thread can; elsewhere nothing is heard."""
    heard = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield heard
        return
    before = signal.signal(signal.SIGINT, lambda *_: heard.set())
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, before)


__all__ = ["Training"]
