"""What a training tells while it runs, and what is written down of it. It trains nothing."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

LOSSES_FILE: Final = "losses.json"
HELD_OUT_LOSSES_FILE: Final = "held_out_losses.json"
_LINE_EVERY: Final = 20


@dataclass(frozen=True, slots=True)
class Progress:
    """One step done: its number, how many there are, seconds since the first, its loss and the running mean (nats).

    ``held_out_loss`` is the mean over held-out windows after this step, where it was measured then. When a training
    has ended, ``ends_training`` of its last step says whether it is over, and not only interrupted.
    """

    step: int
    steps: int
    seconds: float
    loss: float
    mean_loss: float
    held_out_loss: float | None = None
    ends_training: bool = False


Report = Callable[[Progress], bool | None]
"""Told each step. Answering False stops the training; what was learnt so far is saved."""


class RunningMean:
    """The mean that gpt-2-simple prints: each loss counts a hundredth less with every step after it."""

    def __init__(self, losses: Sequence[float] = ()) -> None:
        self._sum = self._weight = 0.0
        for loss in losses:
            self.after(loss)

    def after(self, loss: float) -> float:
        """Take one more loss; the mean with it."""
        self._sum = self._sum * 0.99 + loss
        self._weight = self._weight * 0.99 + 1.0
        return self._sum / self._weight


def stop_after(seconds: float) -> Report:
    """A report that stops the training when this run of it has taken so long; 0 never stops it."""
    begun: list[float] = []

    def report(progress: Progress) -> bool:
        begun[:] = begun or [time.monotonic()]
        return not seconds or time.monotonic() - begun[0] < seconds

    return report


def together(*reports: Report) -> Report:
    """One report of several: each is told every step, and it stops when one of them says so."""

    def report(progress: Progress) -> bool:
        answers = [tell(progress) for tell in reports]
        return False not in answers

    return report


def write_losses(folder: Path, heard: Sequence[Progress]) -> None:
    """Leave the loss of every step, and the held-out losses, beside the weights."""
    losses = [[p.step, round(p.seconds, 1), round(p.loss, 4)] for p in heard]
    (folder / LOSSES_FILE).write_text(json.dumps(losses) + "\n", encoding="ascii")
    measured = [[p.step, round(p.held_out_loss, 4)] for p in heard if p.held_out_loss is not None]
    if measured:
        (folder / HELD_OUT_LOSSES_FILE).write_text(json.dumps(measured) + "\n", encoding="ascii")


def log_step(progress: Progress) -> None:
    """A report that writes a line to the log now and then."""
    if progress.held_out_loss is not None:
        logger.info("step %d/%d held out: %.3f", progress.step, progress.steps, progress.held_out_loss)
    if progress.step % _LINE_EVERY == 0 or progress.step == progress.steps:
        logger.info(
            "step %d/%d loss=%.2f mean=%.3f %.0f s",
            progress.step, progress.steps, progress.loss, progress.mean_loss, progress.seconds,
        )  # fmt: skip


__all__ = [
    "HELD_OUT_LOSSES_FILE",
    "LOSSES_FILE",
    "Progress",
    "Report",
    "RunningMean",
    "log_step",
    "stop_after",
    "together",
    "write_losses",
]
