"""MLflow's record of a training, in a SQLite file of the operator's own: parameters, losses, the checkpoint's digest.

Nothing leaves the machine: no server is asked, and MLflow's telemetry is switched off before it is loaded.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from model.checkpoint import latest
from model.corpus.training_text import Corpus
from model.presets import FinetuneConfig
from model.training.progress import Progress, Report
from tng.errors import ReleaseDamaged

EXPERIMENT: Final = "finetune"
_WRITE_EVERY: Final = 50
"""Steps that are written together: each writing waits for the disk."""
_QUIET: Final = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


@contextmanager
def recorded(database: Path | str, config: FinetuneConfig, corpus: Corpus, checkpoint: Path) -> Iterator[Report]:
    """A report that records a training in ``database``; where that is empty, one that records nothing.

    What is raised inside ends the record as failed. When it ends well, the digest of the checkpoint is written down.
    """
    if not str(database):
        yield lambda _: None
        return
    record = _Record(Path(database), config, corpus)
    try:
        yield record.tell
    except BaseException:
        record.end("FAILED")
        raise
    record.keep_digest(checkpoint)
    record.end("FINISHED")


class _Record:
    """One run of MLflow's."""

    def __init__(self, database: Path, config: FinetuneConfig, corpus: Corpus) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        with _mlflow_unheard():
            self._client = _client(database)
            self._run = self._client.create_run(_experiment(self._client, database)).info.run_id
            for name, value in _parameters(config, corpus).items():
                self._client.log_param(self._run, name, value)
        self._waiting: list[tuple[str, float, int, int]] = []

    def tell(self, progress: Progress) -> None:
        """Take a step; it is written with others."""
        now = int(time.time() * 1000)
        measured = {"loss": progress.loss, "avg_loss": progress.mean_loss, "held_out_loss": progress.held_out_loss}
        self._waiting += [(name, loss, now, progress.step) for name, loss in measured.items() if loss is not None]
        if progress.step % _WRITE_EVERY == 0:
            self._write()

    def keep_digest(self, checkpoint: Path) -> None:
        """Write down which weights came of it."""
        try:
            prefix = latest(checkpoint)
        except ReleaseDamaged:
            return  # it was stopped before there was anything to keep
        digest = hashlib.sha256()
        for path in sorted(checkpoint.glob(f"{prefix.name}.data-*")):
            digest.update(path.read_bytes())
        with _mlflow_unheard():
            self._client.set_tag(self._run, "checkpoint_sha256", digest.hexdigest())

    def end(self, status: str) -> None:
        """Write what waits, and close the run."""
        self._write()
        with _mlflow_unheard():
            self._client.set_terminated(self._run, status)

    def _write(self) -> None:
        from mlflow.entities import Metric

        waiting, self._waiting = self._waiting, []
        with _mlflow_unheard():
            self._client.log_batch(self._run, metrics=[Metric(*row) for row in waiting])


def _client(database: Path) -> Any:
    os.environ.update(_QUIET)
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{database.resolve()}")


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


@contextmanager
def _mlflow_unheard() -> Iterator[None]:
    """MLflow logs its tables, and warns of what its own code does with SQLAlchemy: neither is for an operator."""
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


__all__ = ["EXPERIMENT", "recorded"]
