"""MLflow's registry is made to say what the ledger says, by the writer's own command in a process of its own.

The ledger is the truth, MLflow a view of it: where that fails, a line in the log is all.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from tng.errors import ReleaseError
from tng.jobs import JobKind
from tng.ports import Store, Work
from tng.promotion.promotions import Evaluation, Promotion
from tng.promotion.shelf import ReleaseShelf
from tng.settings import ROOT
from tng.training.places import TrainingPlaces
from tng.training.retrainings import Retraining, RetrainingState
from tng.training.scheduler import NICE

MOST_SECONDS = 300.0
LOOK_SECONDS = 0.5
COMMAND = (sys.executable, "-m", "model", "tracking")

logger = logging.getLogger(__name__)


class ModelRecords:
    """Keeps MLflow's records in order while the process lives. ``stopping`` set: a command in hand is ended."""

    def __init__(
        self,
        store: Store,
        shelf: ReleaseShelf,
        places: TrainingPlaces,
        stopping: threading.Event,
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._store, self._shelf, self._places = store, shelf, places
        self._stopping, self._command = stopping, command
        self._mirrored: str | None = None
        self._is_reaped = False

    def look(self) -> None:
        """Mirror the ledger where it says something new, and end the records of trainings that died. Raises StoreBusy.

        In a house that has never retrained there is nothing to show, and nothing is done.
        """
        with self._store.read() as work:
            if not work.retrainings.latest(1) or self._has_to_wait(work.retrainings.open()):
                return
            ledger = json.dumps(self._ledger(work))
        if not self._is_reaped and self._places.mlflow.is_file():
            self._is_reaped = self._run("reap")
        if ledger != self._mirrored and self._run("mirror", ledger):
            self._mirrored = ledger

    def _has_to_wait(self, retraining: Retraining | None) -> bool:
        """Two who open a new file at once stumble over each other's tables: the training is to be the first."""
        if retraining is None or self._mirrored is not None:
            return False
        return retraining.step is JobKind.FINETUNE or not self._places.mlflow.is_file()

    def _ledger(self, work: Work) -> dict[str, Any]:
        history = work.promotions.history(100_000)
        releases = {row.to_id: self._release(work, row) for row in reversed(history)}
        challenger = _challenger(work)
        if challenger and challenger not in releases:
            releases[challenger] = self._shown(challenger, _last_evaluation(work, challenger))
        return {
            "champion": history[0].to_id if history else None,
            "challenger": challenger,
            "releases": list(releases.values()),
            "ledger_id": history[0].id if history else 0,
        }

    def _release(self, work: Work, row: Promotion) -> dict[str, Any]:
        evaluation = work.promotions.evaluation(row.evaluation_id) if row.evaluation_id else None
        return self._shown(row.to_id, evaluation) | {"promoted_at": row.at.isoformat(), "reason": row.reason}

    def _shown(self, release_id: str, evaluation: Evaluation | None) -> dict[str, Any]:
        metrics = dict(evaluation.metrics) if evaluation else {}
        return {
            "id": release_id,
            "folder": self._folder(release_id),
            "promoted_at": "",
            "reason": "",
            "metrics": metrics,
        }

    def _folder(self, release_id: str) -> str:
        """Where it stands; where it would stand if it was made here, if it is gone or on another machine."""
        try:
            return str(self._shelf.find(release_id).folder)
        except ReleaseError:
            return str(self._places.releases / release_id)

    def _run(self, name: str, given: str = "") -> bool:
        """Run one of the commands; whether it went well."""
        command = [*self._command, name, "--database", str(self._places.mlflow)]
        self._places.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with subprocess.Popen(
            ["nice", f"-n{NICE}", *command],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env=_environment(),
        ) as process:
            status = self._status(process, given)
        if status:
            logger.warning("MLflow's records are not in order: %s ended with status %d", name, status)
        return status == 0

    def _status(self, process: subprocess.Popen[str], given: str) -> int:
        told: str | None = given
        for _ in range(round(MOST_SECONDS / LOOK_SECONDS)):
            try:
                process.communicate(told, timeout=LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                told = None  # it goes on by itself
                if self._stopping.is_set():
                    break
            else:
                return process.returncode
        process.kill()
        return process.wait()


def _challenger(work: Work) -> str | None:
    """The candidate that was kept last, since the current release became current."""
    current = work.promotions.current()
    for one in work.retrainings.latest(100):
        if one.state is RetrainingState.PROMOTED:
            return None
        if one.state is RetrainingState.KEPT and one.candidate_id:
            is_current = current is not None and current.to_id == one.candidate_id
            return None if is_current else one.candidate_id
    return None


def _last_evaluation(work: Work, candidate_id: str) -> Evaluation | None:
    return next((one for one in work.promotions.evaluations() if one.candidate_id == candidate_id), None)


def _environment() -> dict[str, str]:
    """No key and no channel is for the writer's command."""
    passed = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH")
    return {name: os.environ[name] for name in passed if name in os.environ}
