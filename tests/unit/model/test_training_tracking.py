"""MLflow's record of a training: in a file of one's own, whole, and without a word to anybody else."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model.corpus.training_text import Corpus
from model.presets import preset
from model.training.progress import Progress
from model.training.tracking import recorded
from tests.training_corpora import invented_corpus

CONFIG = preset("tiny")


def steps(count: int) -> list[Progress]:
    return [Progress(n, count, n / 2, 5.0 - n, 5.0, 4.5 if n == 2 else None) for n in range(1, count + 1)]


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a training that ended well, and one that raised."""
    folder = tmp_path_factory.mktemp("mlflow")
    corpus, checkpoint = invented_corpus(folder / "corpus"), folder / "checkpoint"
    checkpoint.mkdir()
    (checkpoint / "checkpoint").write_text('model_checkpoint_path: "model-3"\n', encoding="ascii")
    (checkpoint / "model-3.data-00000-of-00001").write_bytes(b"weights")
    database = folder / "deeper" / "runs.sqlite"
    with recorded(database, CONFIG, corpus, checkpoint) as record:
        for progress in steps(3):
            record(progress)
    with pytest.raises(RuntimeError, match="in the middle"):
        stumble(database, corpus, folder)
    return database


def stumble(database: Path, corpus: Corpus, checkpoint: Path) -> None:
    with recorded(str(database), CONFIG, corpus, checkpoint) as record:
        record(steps(1)[0])
        raise RuntimeError("in the middle")


def test_the_losses_of_every_step_are_there(database: Path) -> None:
    found = rows(database, "select key, step, value from metrics order by rowid limit 7")
    assert ("loss", 1, 4.0) in found
    assert ("held_out_loss", 2, 4.5) in found
    assert sum(key == "loss" for key, _, _ in found) == 3


def test_the_configuration_and_the_corpus_are_there(database: Path) -> None:
    found = dict(rows(database, "select distinct key, value from params"))
    assert found["optimizer"] == "muon"
    assert found["network.n_embd"] == "64"
    assert found["corpus_fingerprint"] == "of numbers"


def test_the_digest_says_which_weights_came_of_it(database: Path) -> None:
    (found,) = rows(database, "select value from tags where key = 'checkpoint_sha256'")
    assert found[0] == hashlib.sha256(b"weights").hexdigest()


def test_what_was_raised_ends_the_record_as_failed_and_keeps_its_losses(database: Path) -> None:
    assert sorted(rows(database, "select status from runs")) == [("FAILED",), ("FINISHED",)]
    assert rows(database, "select count(*) from metrics where key = 'loss'") == [(4,)]


def test_both_belong_to_one_experiment(database: Path) -> None:
    assert rows(database, "select count(distinct experiment_id) from runs") == [(1,)]


def test_telemetry_is_off(database: Path) -> None:
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_no_database_records_nothing(tmp_path: Path) -> None:
    with recorded("", CONFIG, invented_corpus(tmp_path / "corpus"), tmp_path) as record:
        record(steps(1)[0])
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_training_that_kept_nothing_has_no_digest(tmp_path: Path) -> None:
    with recorded(tmp_path / "runs.sqlite", CONFIG, invented_corpus(tmp_path / "corpus"), tmp_path / "nowhere"):
        pass
    assert rows(tmp_path / "runs.sqlite", "select status from runs") == [("FINISHED",)]
    assert rows(tmp_path / "runs.sqlite", "select * from tags where key = 'checkpoint_sha256'") == []
