"""MLflow's record of a training: in a file of one's own, whole, and without a word to anybody else."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from model.corpus.training_text import Corpus
from model.presets import preset
from model.training import tracking
from model.training.processes import beginning_of, is_gone
from model.training.progress import Progress
from model.training.tracking import RUN_FILE, Subject, reap, recorded
from tests.architecture.sources import ROOT
from tests.training_corpora import invented_corpus

CONFIG = preset("tiny")


def steps(count: int) -> list[Progress]:
    return [Progress(n, count, n / 2, 5.0 - n, 5.0, 4.5 if n == 2 else None) for n in range(1, count + 1)]


def subject(checkpoint: Path, corpus: Path | None = None) -> Subject:
    checkpoint.mkdir(parents=True, exist_ok=True) if corpus is None else None
    return Subject(CONFIG, invented_corpus(corpus or checkpoint / "corpus"), checkpoint)


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
    with recorded(database, Subject(CONFIG, corpus, checkpoint, "retraining-7")) as record:
        for progress in steps(3):
            record(progress)
    with pytest.raises(RuntimeError, match="in the middle"):
        stumble(database, corpus, folder)
    return database


def stumble(database: Path, corpus: Corpus, checkpoint: Path) -> None:
    with recorded(str(database), Subject(CONFIG, corpus, checkpoint)) as record:
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
    with recorded("", subject(tmp_path)) as record:
        record(steps(1)[0])
    assert [path.name for path in tmp_path.iterdir()] == ["corpus"]


def test_a_record_says_whose_it_is_and_which_retraining_it_belongs_to(database: Path) -> None:
    found = rows(database, "select key, value from tags")
    assert ("host", socket.gethostname()) in found
    assert ("pid", str(os.getpid())) in found
    assert ("process_started", beginning_of(os.getpid())) in found
    assert [value for key, value in found if key == "retraining"] == ["retraining-7"]


def test_what_goes_on_goes_on_in_the_same_record(tmp_path: Path) -> None:
    database = tmp_path / "runs.sqlite"
    for resume, first in ((False, 1), (True, 4), (True, 6)):
        with recorded(database, subject(tmp_path), resume=resume) as record:
            for progress in steps(first + 1)[first - 1 :]:
                record(progress)
    assert rows(database, "select status from runs") == [("FINISHED",)]
    assert rows(database, "select value from tags where key = 'resumed'") == [("2",)]
    found = rows(database, "select step from metrics where key = 'loss' order by step")
    assert [step for (step,) in found] == [1, 2, 4, 5, 6, 7]


def test_what_could_not_be_resumed_after_all_is_another_record(tmp_path: Path) -> None:
    database = tmp_path / "runs.sqlite"
    for resume in (False, True):
        with recorded(database, subject(tmp_path), resume=resume) as record:
            record(steps(1)[0])
    assert sorted(rows(database, "select status from runs")) == [("FINISHED",), ("KILLED",)]


def test_a_record_that_is_no_more_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / RUN_FILE).write_text("no such run\n", encoding="ascii")
    with recorded(tmp_path / "runs.sqlite", subject(tmp_path), resume=True) as record:
        record(steps(2)[1])
    assert rows(tmp_path / "runs.sqlite", "select status from runs") == [("FINISHED",)]


def test_a_training_goes_on_where_its_record_cannot_be_written(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = tmp_path / "runs.sqlite"
    database.write_text("this is no database, and long enough to be seen as none" * 20, encoding="ascii")
    with recorded(database, subject(tmp_path)) as record:
        for progress in steps(60):
            record(progress)
    assert caplog.messages == ["MLflow's record of this training ends here (DatabaseError)"]


# --- what a killed training leaves ---------------------------------------------------------------------------

TRAINING = """
import sys, time
from pathlib import Path
from tests.unit.model.test_training_tracking import steps, subject
from model.training.tracking import recorded
with recorded(Path(sys.argv[1]), subject(Path(sys.argv[2]))) as record:
    record(steps(1)[0])
    print("recorded", flush=True)
    time.sleep(600)
"""


@contextmanager
def training(database: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that records a training, and has begun to."""
    command = [sys.executable, "-c", TRAINING, str(database), str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "recorded\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_killed_training_is_reaped_and_a_living_one_is_left(tmp_path: Path) -> None:
    database = tmp_path / "runs.sqlite"
    with training(database, tmp_path / "dead") as dead:
        os.kill(dead.pid, signal.SIGKILL)
        dead.wait()
    with recorded(database, subject(tmp_path / "living")):
        assert rows(database, "select status from runs") == [("RUNNING",)] * 2
        assert reap(database) == 1
        found = rows(database, "select value, status from runs join tags using (run_uuid) where key = 'pid'")
        assert sorted(found) == sorted([(str(dead.pid), "KILLED"), (str(os.getpid()), "RUNNING")])
        assert reap(database) == 0, "again there is nothing to do"


def test_one_that_nobody_has_buried_yet_is_dead(tmp_path: Path) -> None:
    with training(tmp_path / "runs.sqlite", tmp_path) as process:
        beginning = beginning_of(process.pid)
        assert not is_gone(process.pid, beginning)
        os.kill(process.pid, signal.SIGKILL)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone(process.pid, beginning)


@pytest.mark.parametrize(
    ("tag", "value", "reaped"),
    [("process_started", "another process of this id", 1), ("host", "another", 0), ("process_started", "", 0)],
    ids=["id-used-again", "another-host", "unknown"],
)
def test_whose_process_it_was_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str, value: str, reaped: int
) -> None:
    database, tags = tmp_path / "runs.sqlite", tracking._Record._tags
    monkeypatch.setattr(tracking._Record, "_tags", lambda record: {**tags(record), tag: value})
    with recorded(database, subject(tmp_path)):
        assert reap(database) == reaped


def test_where_nothing_was_ever_recorded_nothing_is_made(tmp_path: Path) -> None:
    assert reap(tmp_path / "runs.sqlite") == 0
    assert not list(tmp_path.iterdir())


def test_more_records_than_a_page_are_all_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "_PAGE", 1)
    monkeypatch.setattr(tracking, "is_gone", lambda *_: True)
    with ExitStack() as open_records:
        for _ in range(3):
            open_records.enter_context(recorded(tmp_path / "runs.sqlite", subject(tmp_path)))
        assert reap(tmp_path / "runs.sqlite") == 3


def test_a_training_that_kept_nothing_has_no_digest(tmp_path: Path) -> None:
    with recorded(tmp_path / "runs.sqlite", subject(tmp_path / "nowhere", tmp_path / "corpus")):
        pass
    assert rows(tmp_path / "runs.sqlite", "select status from runs") == [("FINISHED",)]
    assert rows(tmp_path / "runs.sqlite", "select * from tags where key = 'checkpoint_sha256'") == []
