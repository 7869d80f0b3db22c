"""MLflow's record of a training, in a SQLite file of the operator's own: parameters, losses, the checkpoint's digest.

Nothing leaves the machine. A training never fails because of its record: where MLflow's file cannot be written, a line
in the log says so and the training goes on. One that is resumed goes on in the same record.
"""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from model.checkpoint import latest
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.training.mlflow_store import failures, open_store, unheard
from model.training.processes import beginning_of, is_gone
from model.training.progress import Progress, Report
from tng.errors import ReleaseDamaged

logger = logging.getLogger(__name__)

EXPERIMENT: Final = "finetune"
RUN_FILE: Final = "mlflow_run.txt"
"""Which record a checkpoint folder belongs to."""
HOST, PID, BEGINNING, RETRAINING, RESUMED = "host", "pid", "process_started", "retraining", "resumed"
_RUNNING: Final = "attributes.status = 'RUNNING'"
_PAGE: Final = 500
_WRITE_EVERY: Final = 50
"""Steps that are written together: each writing waits for the disk."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is recorded: a training of ``config`` on ``corpus`` into ``checkpoint``, for a retraining or for none."""

    config: FinetuneConfig
    corpus: Corpus
    checkpoint: Path
    retraining: str = ""


@contextmanager
def recorded(database: Path | str, subject: Subject, *, resume: bool = False) -> Iterator[Report]:
    """A report that records a training in ``database``; where that is empty, one that records nothing.

    What is raised inside ends the record as failed. When it ends well, the digest of the checkpoint is written down.
    """
    if not str(database):
        yield lambda _: None
        return
    record = _Record(Path(database), subject)
    record.begin(resume=resume)
    try:
        yield record.tell
    except BaseException:
        record.end("FAILED")
        raise
    record.keep_digest()
    record.end("FINISHED")


def reap(database: Path) -> int:
    """End the records of trainings on this host whose process is gone, as killed; how many there were.

    Those of other hosts, and those that do not say whose they are, are left. Raises what ``failures`` names.
    """
    if not database.is_file():
        return 0
    client = open_store(database)
    with unheard():
        left_behind = [run for run in _running(client) if _is_left_behind(run.data.tags)]
        for run in left_behind:
            client.set_terminated(run.info.run_id, "KILLED")
    return len(left_behind)


class _Record:
    """One run of MLflow's, as long as it can be written."""

    def __init__(self, database: Path, subject: Subject) -> None:
        self._database, self._subject = database, subject
        self._client: Any = None
        self._run = ""
        self._is_lost = self._goes_on = self._is_named = False
        self._waiting: list[tuple[str, float, int, int]] = []

    def begin(self, *, resume: bool) -> None:
        """Open the record that the checkpoint folder names, where that is asked for and it is there; else a new one."""
        self._try(lambda: self._open(_run_of(self._subject.checkpoint) if resume else ""))

    def tell(self, progress: Progress) -> None:
        """Take a step; it is written with others."""
        if self._goes_on and progress.step == 1:  # what was to be resumed could not be
            self._try(self._begin_again)
        self._goes_on = False
        self._name_folder()
        now = int(time.time() * 1000)
        measured = {"loss": progress.loss, "avg_loss": progress.mean_loss, "held_out_loss": progress.held_out_loss}
        self._waiting += [(name, loss, now, progress.step) for name, loss in measured.items() if loss is not None]
        if progress.step % _WRITE_EVERY == 0:
            self._try(self._write)

    def keep_digest(self) -> None:
        """Write down which weights came of it."""
        checkpoint = self._subject.checkpoint
        try:
            prefix = latest(checkpoint)
        except ReleaseDamaged:
            return  # it was stopped before there was anything to keep
        digest = hashlib.sha256()
        for path in sorted(checkpoint.glob(f"{prefix.name}.data-*")):
            digest.update(path.read_bytes())
        self._try(lambda: self._client.set_tag(self._run, "checkpoint_sha256", digest.hexdigest()))

    def end(self, status: str) -> None:
        """Write what waits, and close the run."""
        self._try(self._write)
        self._try(lambda: self._client.set_terminated(self._run, status))

    def _open(self, known: str) -> None:
        self._client = open_store(self._database)
        self._run = self._reopened(known) if known else ""
        self._goes_on = bool(self._run)
        if not self._run:
            self._create()

    def _reopened(self, run_id: str) -> str:
        """The run again, with one more resumption counted; empty where it is no more."""
        from mlflow.exceptions import MlflowException

        try:
            run = self._client.get_run(run_id)
        except MlflowException:
            return ""
        if run.info.lifecycle_stage != "active":
            return ""
        self._client.update_run(run_id, status="RUNNING")
        resumed = int(run.data.tags.get(RESUMED, "0")) + 1
        for name, value in {**self._tags(), RESUMED: str(resumed)}.items():
            self._client.set_tag(run_id, name, value)
        return run_id

    def _create(self) -> None:
        subject, experiment = self._subject, _experiment(self._client, self._database)
        name = subject.retraining or None
        self._run = self._client.create_run(experiment, tags=self._tags(), run_name=name).info.run_id
        for parameter, value in _parameters(subject.config, subject.corpus).items():
            self._client.log_param(self._run, parameter, value)

    def _begin_again(self) -> None:
        self._client.set_terminated(self._run, "KILLED")
        self._create()

    def _tags(self) -> dict[str, str]:
        """Whose the run is: enough to tell later whether its process is still there."""
        pid = os.getpid()
        tags = {HOST: socket.gethostname(), PID: str(pid), BEGINNING: beginning_of(pid)}
        return tags | ({RETRAINING: self._subject.retraining} if self._subject.retraining else {})

    def _name_folder(self) -> None:
        if not self._is_named and self._run and self._subject.checkpoint.is_dir():
            (self._subject.checkpoint / RUN_FILE).write_text(self._run + "\n", encoding="ascii")
            self._is_named = True

    def _write(self) -> None:
        from mlflow.entities import Metric

        waiting, self._waiting = self._waiting, []
        self._client.log_batch(self._run, metrics=[Metric(*row) for row in waiting])

    def _try(self, write: Callable[[], Any]) -> None:
        """Write something; from the first time that it cannot be, nothing more is."""
        if self._is_lost:
            return
        try:
            with unheard():
                write()
        except failures() as error:
            self._is_lost = True
            logger.warning("MLflow's record of this training ends here (%s)", type(error).__name__)


def _run_of(checkpoint: Path) -> str:
    path = checkpoint / RUN_FILE
    return path.read_text(encoding="ascii", errors="replace").strip() if path.is_file() else ""


def _is_left_behind(tags: dict[str, str]) -> bool:
    """Whether a run was this host's and its process is gone."""
    pid = tags.get(PID, "")
    return tags.get(HOST) == socket.gethostname() and pid.isdigit() and is_gone(int(pid), tags.get(BEGINNING, ""))


def _running(client: Any) -> list[Any]:
    """All runs that count as running."""
    experiment, found = client.get_experiment_by_name(EXPERIMENT), []
    token: str | None = None if experiment else ""
    while token != "":
        page = client.search_runs([experiment.experiment_id], _RUNNING, max_results=_PAGE, page_token=token)
        found += page
        token = page.token or ""
    return found


def _experiment(client: Any, database: Path) -> str:
    """The id of the experiment that all trainings belong to. Files that anybody adds to a run stand by the database."""
    known = client.get_experiment_by_name(EXPERIMENT)
    artifacts = database.resolve().with_suffix(".artifacts")
    return str(known.experiment_id if known else client.create_experiment(EXPERIMENT, artifacts.as_uri()))


def _parameters(config: FinetuneConfig, corpus: Corpus) -> dict[str, Any]:
    """The configuration, its parts one level deep, and which corpus it was."""
    fields: dict[str, Any] = {}
    for name, value in asdict(config).items():
        fields |= {f"{name}.{key}": part for key, part in value.items()} if isinstance(value, dict) else {name: value}
    return fields | {"corpus_fingerprint": corpus.fingerprint}


__all__ = ["EXPERIMENT", "RUN_FILE", "Subject", "reap", "recorded"]
