"""What an interrupted training goes on from: weights, the optimizer's memory, how far it came, what was heard.

It is one file beside the checkpoint, replaced whole; a release never takes it along. The checkpoint itself holds the
best weights so far, which need not be the last.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.checkpoint import Weights
from model.training.optimizer import Memory
from model.training.progress import Progress
from tng.errors import CheckpointError

STATE_FILE: Final = "training_state.npz"
_FACTS: Final = "facts"
_WEIGHT: Final = "weight/"
_MEMORY: Final = "memory/"


@dataclass(frozen=True, slots=True)
class TrainingState:
    """A training as it stands after ``len(heard)`` steps. ``origin`` says what it must be resumed with."""

    weights: Weights
    memory: Memory
    heard: Sequence[Progress]
    best_loss: float
    stale: int
    """Measurements of held-out loss since the best one."""
    origin: dict[str, Any]
    best_step: int = 0
    """The step whose weights the checkpoint holds where it holds the best; 0 where none was kept so."""

    def save(self, folder: Path) -> None:
        """Replace the file of ``folder``: whole, or the one before stays."""
        facts = {
            "heard": [asdict(progress) for progress in self.heard],
            "best_loss": self.best_loss,
            "stale": self.stale,
            "best_step": self.best_step,
            "origin": self.origin,
        }
        arrays: dict[str, Any] = {_FACTS: np.array(json.dumps(facts))}
        arrays |= {_WEIGHT + name: weight for name, weight in self.weights.items()}
        arrays |= {_MEMORY + name: remembered for name, remembered in self.memory.items()}
        partial = folder / f"{STATE_FILE}.partial"
        with partial.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / STATE_FILE)


def saved_state(folder: Path) -> TrainingState | None:
    """The training that ``folder`` can go on from; None where there is none. Raises CheckpointError for a bad file."""
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(str(arrays[_FACTS]))
            held = {name: arrays[name] for name in arrays.files}
        return TrainingState(
            {name.removeprefix(_WEIGHT): array for name, array in held.items() if name.startswith(_WEIGHT)},
            {name.removeprefix(_MEMORY): array for name, array in held.items() if name.startswith(_MEMORY)},
            [Progress(**fields) for fields in facts["heard"]],
            float(facts["best_loss"]),
            int(facts["stale"]),
            dict(facts["origin"]),
            int(facts.get("best_step", 0)),
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise CheckpointError(
            f"{folder.name}/{STATE_FILE} cannot be read ({type(error).__name__}). Train without resuming."
        ) from error


__all__ = ["STATE_FILE", "TrainingState", "saved_state"]
