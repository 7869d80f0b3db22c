"""MLflow is told what the ledger says, by a command in a process of its own, and only when it says something new."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeStore
from tests.retraining_lab import CHAMPION, PASSED, STEPS, Lab
from tng.promotion.shelf import ReleaseShelf
from tng.training.model_records import ModelRecords

WRITES = """
import json, sys, os
told = {"words": sys.argv[1:], "given": sys.stdin.read(), "names": sorted(os.environ)}
with open(os.environ["TMPDIR"] + "/told", "a") as file: file.write(json.dumps(told) + "\\n")
sys.exit(int(open(os.environ["TMPDIR"] + "/status").read()))
"""


class Told:
    """Records, and what their command was told."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.folder = folder
        self.ends_with(0)
        command = folder / "command.py"
        command.write_text(WRITES, encoding="ascii")
        self.records = ModelRecords(
            lab.store,
            ReleaseShelf([lab.places.releases]),
            lab.places,
            threading.Event(),
            command=(sys.executable, str(command)),
        )

    def ends_with(self, status: int) -> None:
        (self.folder / "status").write_text(str(status), encoding="ascii")

    def all(self) -> list[dict[str, Any]]:
        file = self.folder / "told"
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []

    def ledger(self) -> dict[str, Any]:
        return dict(json.loads(self.all()[-1]["given"]))


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(FakeStore(), tmp_path / "shop")


@pytest.fixture
def told(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_never")
    monkeypatch.setenv("TNG_SMTP_PASSWORD", "never")
    return Told(lab, tmp_path)


def test_in_a_house_that_has_never_retrained_nothing_is_done(lab: Lab, told: Told) -> None:
    lab.ledger.current()
    told.records.look()
    assert told.all() == []


def test_a_promotion_is_mirrored_once_with_what_proved_it(lab: Lab, told: Told) -> None:
    lab.begin()
    ended = lab.go(*STEPS)
    for _ in range(3):
        told.records.look()
    assert len(told.all()) == 1
    assert told.all()[0]["words"] == ["mirror", "--database", str(lab.places.mlflow)]
    ledger = told.ledger()
    assert (ledger["champion"], ledger["challenger"], ledger["ledger_id"]) == (ended.candidate_id, None, 2)
    first, promoted = ledger["releases"]
    assert (first["id"], promoted["id"], promoted["metrics"]) == (CHAMPION, ended.candidate_id, {"perplexity": 3.1})
    assert promoted["folder"] == str(lab.places.releases / str(ended.candidate_id))
    lab.ledger.roll_back(actor="shell:ola", reason="worse after all")
    told.records.look()
    assert told.ledger()["champion"] == CHAMPION


def test_a_candidate_that_was_kept_is_the_challenger(lab: Lab, told: Told) -> None:
    lab.begin()
    lab.go(*STEPS[:3])
    ended = lab.go(STEPS[3], promote=False, checks=[PASSED | {"passed": False}])
    told.records.look()
    ledger = told.ledger()
    assert (ledger["champion"], ledger["challenger"]) == (CHAMPION, ended.candidate_id)
    assert {release["id"] for release in ledger["releases"]} == {CHAMPION, ended.candidate_id}


def test_what_failed_is_tried_again_and_is_a_line_in_the_log(
    lab: Lab, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    lab.begin()
    lab.ledger.current()
    lab.retrainings.cancel("1", actor="shell:ola")
    told.ends_with(1)
    told.records.look()
    assert "mirror ended with status 1" in caplog.text
    told.ends_with(0)
    for _ in range(2):
        told.records.look()
    assert len(told.all()) == 2


def test_records_of_trainings_that_died_are_ended_once_a_process(lab: Lab, told: Told) -> None:
    lab.begin()
    lab.places.make("1")
    lab.places.mlflow.touch()
    for _ in range(2):
        told.records.look()
    assert [one["words"][0] for one in told.all()] == ["reap", "mirror"]


def test_a_new_file_is_left_to_the_training_that_comes_to_it_first(lab: Lab, told: Told) -> None:
    lab.begin()
    told.records.look()
    lab.go(STEPS[0])
    lab.places.mlflow.touch()
    told.records.look()
    assert told.all() == []
    lab.go(STEPS[1])
    told.records.look()
    assert told.all()[-1]["words"][0] == "mirror"


def test_the_command_is_given_no_key_and_no_channel(lab: Lab, told: Told) -> None:
    lab.begin()
    lab.retrainings.cancel("1", actor="shell:ola")
    told.records.look()
    assert not [name for name in told.all()[0]["names"] if "STRIPE" in name or "SMTP" in name or name.startswith("TNG")]


def test_a_release_that_is_gone_is_mirrored_all_the_same(lab: Lab, told: Told) -> None:
    lab.begin()
    lab.retrainings.cancel("1", actor="shell:ola")
    lab.ledger.current()
    (lab.places.releases / CHAMPION / "manifest.json").unlink()
    told.records.look()
    assert [release["id"] for release in told.ledger()["releases"]] == [CHAMPION]
