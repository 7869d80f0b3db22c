"""What the notebook finetune displays for whoever runs it: progress as events, and one result. It trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from IPython.display import display

from model.events import RESULT_MIME, show_event
from model.training.progress import Progress


class ProgressEvents:
    """A report that displays an event when another percent is done, and when held-out loss was measured."""

    def __init__(self) -> None:
        self._percent = -1

    def __call__(self, progress: Progress) -> None:
        """Take one step."""
        percent = 100 * progress.step // progress.steps
        if percent == self._percent and progress.held_out_loss is None:
            return
        self._percent = percent
        body = {
            "percent": percent,
            "step": progress.step,
            "steps": progress.steps,
            "seconds": round(progress.seconds, 1),
            "loss": round(progress.mean_loss, 4),
        }
        held_out = {} if progress.held_out_loss is None else {"held_out_loss": round(progress.held_out_loss, 4)}
        show_event("progress", body | held_out)


def outcome_of(heard: Sequence[Progress], checkpoint: Path, of_steps: int) -> dict[str, Any]:
    """What came of a training, as plain JSON values. One that was interrupted is not finished: it can go on."""
    measured = [progress.held_out_loss for progress in heard if progress.held_out_loss is not None]
    return {
        "checkpoint": checkpoint.name,
        "steps": len(heard),
        "of_steps": of_steps,
        "seconds": round(heard[-1].seconds, 1) if heard else 0.0,
        "first_loss": round(heard[0].loss, 4) if heard else None,
        "mean_loss": round(heard[-1].mean_loss, 4) if heard else None,
        "best_held_out_loss": round(min(measured), 4) if measured else None,
        "is_finished": bool(heard) and heard[-1].ends_training,
    }


def show_outcome(heard: Sequence[Progress], checkpoint: Path, of_steps: int) -> None:
    """Display the result of a training that was to take ``of_steps``, and the same as lines."""
    outcome = outcome_of(heard, checkpoint, of_steps)
    lines = "\n".join(f"{name}: {value}" for name, value in outcome.items())
    display({RESULT_MIME: outcome, "text/plain": lines}, raw=True)  # type: ignore[no-untyped-call]


__all__ = ["ProgressEvents", "outcome_of", "show_outcome"]
