"""Where a retraining keeps its things, and what each of its notebooks is run with. It runs none.

shop/retraining/<id>/delivered/    customers' scripts, where the operator said so; until the corpus is built
shop/retraining/<id>/corpus/       what is trained on
shop/retraining/<id>/checkpoint/   the weights, and what a training needs to go on
shop/retraining/<id>/report/       the evaluation
shop/retraining/<id>/notebooks/    every notebook as it was run, for operators
shop/retraining/mlflow.sqlite      MLflow's records of all of them
shop/releases/<candidate>/         the release that came of it
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tng.jobs import JobKind
from tng.training.retrainings import Retraining

RETRAINING: Final = "retraining"
MOST_SCRIPTS: Final = 6
"""Whole scripts that a candidate's quality is measured on, beside the samples of the gate."""

PASSABLE: Final = 0o710
LISTED: Final = 0o750
READABLE: Final = 0o640


@dataclass(frozen=True, slots=True)
class TrainingPlaces:
    """The folders of a house, as far as training needs them. ``episodes`` holds a folder of episodes a show."""

    shop: Path
    releases: Path
    episodes: Path
    show: Path
    show_id: str

    @property
    def root(self) -> Path:
        """The folder of all retrainings."""
        return self.shop / RETRAINING

    @property
    def mlflow(self) -> Path:
        """MLflow's records."""
        return self.root / "mlflow.sqlite"

    def of(self, retraining_id: str, part: str = "") -> Path:
        """The folder of one retraining, or of a part of it."""
        return self.root / retraining_id / part

    def candidate_id(self, retraining: Retraining) -> str:
        """The release that a retraining makes."""
        return f"{self.show_id}-{retraining.options.preset}-r{retraining.id}"

    def candidate(self, retraining: Retraining) -> Path:
        """Its folder."""
        return self.releases / self.candidate_id(retraining)

    def notebooks(self, retraining_id: str) -> Path:
        """Where its notebooks are kept for operators."""
        return self.of(retraining_id, "notebooks")

    def notebook(self, retraining_id: str, attempt: Mapping[str, Any]) -> Path:
        """The notebook of an attempt, as the retraining notes it; its page ends in ``.html``."""
        return self.notebooks(retraining_id) / f"{attempt['step']}-{attempt['job']}.{attempt['attempt']}.ipynb"

    def make(self, retraining_id: str) -> None:
        """Make the folder of a retraining. Whoever shares the shop may pass through, on the way to the notebooks."""
        for folder in (self.root, self.of(retraining_id)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            let(folder, PASSABLE)

    def imported(self) -> Path | None:
        """The operator's episodes of this show, where there are any."""
        folder = self.episodes / self.show_id
        return folder if folder.is_dir() and any(folder.glob("*.json")) else None

    def forget_delivered(self, open_id: str | None) -> None:
        """Remove customers' scripts of every retraining that is over."""
        for folder in self.root.glob("*/delivered*"):
            if folder.parent.name != open_id:
                shutil.rmtree(folder, ignore_errors=True)


def parameters(places: TrainingPlaces, retraining: Retraining, *, champion: Path | None = None) -> dict[str, Any]:
    """What the notebook of the retraining's step is run with; ``champion`` is the folder of the current release."""
    make = {
        JobKind.BUILD_CORPUS: _corpus_parameters,
        JobKind.FINETUNE: _finetune_parameters,
        JobKind.EVALUATE: _evaluate_parameters,
        JobKind.DECIDE: _decide_parameters,
    }[retraining.step]
    given = make(places, retraining)
    return given | ({"champion_folder": str(champion)} if champion else {})


def _corpus_parameters(places: TrainingPlaces, retraining: Retraining) -> dict[str, Any]:
    delivered = places.of(retraining.id, "delivered") if retraining.options.delivered_scripts else ""
    return {
        "show_folder": str(places.show),
        "preset_name": retraining.options.preset,
        "corpus_folder": str(places.of(retraining.id, "corpus")),
        "episodes_folder": str(places.imported() or ""),
        "base_folder": retraining.options.base,
        "delivered_folder": str(delivered),
    }


def _finetune_parameters(places: TrainingPlaces, retraining: Retraining) -> dict[str, Any]:
    return {
        "preset_name": retraining.options.preset,
        "corpus_folder": str(places.of(retraining.id, "corpus")),
        "base_folder": retraining.options.base,
        "checkpoint_folder": str(places.of(retraining.id, "checkpoint")),
        "steps": retraining.options.steps,
        "most_seconds": seconds_left(retraining),
        "resume": True,
        "resume_or_restart": True,
        "retraining": retraining.id,
        "runs_database": str(places.mlflow),
    }


def _evaluate_parameters(places: TrainingPlaces, retraining: Retraining) -> dict[str, Any]:
    return {
        "show_folder": str(places.show),
        "preset_name": retraining.options.preset,
        "corpus_folder": str(places.of(retraining.id, "corpus")),
        "checkpoint_folder": str(places.of(retraining.id, "checkpoint")),
        "release_folder": str(places.candidate(retraining)),
        "report_folder": str(places.of(retraining.id, "report")),
        "samples": retraining.options.samples,
        "scripts_to_write": min(MOST_SCRIPTS, retraining.options.samples),
        "seed": retraining.options.seed,
    }


def _decide_parameters(places: TrainingPlaces, retraining: Retraining) -> dict[str, Any]:
    return {"evaluation_file": str(places.of(retraining.id, "report") / "evaluation.json")}


def seconds_left(retraining: Retraining) -> int:
    """How long the training may go on: what it had before it was interrupted counts. 0: it stops by itself."""
    if not retraining.options.minutes:
        return 0
    had = float(retraining.notes.get(JobKind.FINETUNE.value, {}).get("seconds") or 0.0)
    return max(1, round(retraining.options.minutes * 60 - had))


def show_to_group(folder: Path) -> None:
    """Let the others of the shop read what is in a folder, and nobody else."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            let(path, LISTED if path.is_dir() else READABLE)


def let(path: Path, mode: int) -> None:
    """A chmod that keeps the bit which gives a folder's files to its group."""
    path.chmod(mode | (path.stat().st_mode & 0o2000))


__all__ = ["LISTED", "READABLE", "TrainingPlaces", "let", "parameters", "seconds_left", "show_to_group"]
