"""Which retraining a checkpoint folder belongs to: a line beside the weights, from which their release takes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from model.training.progress import Progress

_FILE: Final = "retraining.txt"


class Belonging:
    """A report that leaves the line at the first step that it is told: a training empties its folder before that."""

    def __init__(self, checkpoint: Path, retraining: str) -> None:
        """``retraining`` is empty where somebody trains by hand: then nothing is left."""
        self._checkpoint, self._retraining = checkpoint, retraining

    def __call__(self, progress: Progress) -> None:
        """Take one step."""
        if self._retraining:
            (self._checkpoint / _FILE).write_text(self._retraining + "\n", encoding="utf-8")
            self._retraining = ""


def retraining_of(checkpoint: Path) -> str:
    """The retraining that a checkpoint belongs to; empty where it belongs to none."""
    path = checkpoint / _FILE
    return path.read_text(encoding="utf-8").strip() if path.is_file() else ""


__all__ = ["Belonging", "retraining_of"]
