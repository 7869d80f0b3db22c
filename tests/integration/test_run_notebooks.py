"""The run notebooks, one after the other, with the tiny preset: from the bank to a script."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from model.checkpoint import latest
from model.corpus.training_text import open_corpus
from model.events import EVENT_MIME, RESULT_MIME
from model.quality.texts import held_out_episodes, scene_texts
from tests.architecture.sources import ROOT
from tng.releases import find_release, verify
from tng.script import Length, Premise, Tone, parse, parse_scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PREMISE = Premise("The Quiet Hours", "Ambassador Sorel comes aboard.", ("PICARD", "DATA"), Tone.DRAMA, Length.TEASER, 0)


def run(notebook: str, parameters: dict[str, Any], folder: Path, *, fails: bool = False) -> list[dict[str, Any]]:
    """Run a notebook as papermill does; the bundles that it displayed."""
    executed = folder / f"{notebook}.ipynb"
    given = [part for name, value in parameters.items() for part in ("-p", name, str(value))]
    raw = ["-r", "premise_json", parameters["premise_json"]] if "premise_json" in parameters else []
    source = ROOT / "notebooks" / "runs" / f"{notebook}.ipynb"
    command = [sys.executable, "-m", "hub.start", "papermill", str(source), str(executed)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3", "IPYTHONDIR": str(folder)}
    done = subprocess.run(
        [*command, *given, *raw, "-k", "python3", "--no-progress-bar"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert (done.returncode != 0) is fails, done.stderr[-3000:]
    cells = nbformat.read(executed, as_version=4).cells
    return [output["data"] for cell in cells for output in cell.get("outputs", []) if "data" in output]


@dataclass(frozen=True)
class Journey:
    """Where everything of the tiny training stands, and what was displayed on the way."""

    folder: Path
    shown: dict[str, list[dict[str, Any]]]

    @property
    def release(self) -> Path:
        return self.folder / "tng-tiny-1"


def measuring(folder: Path) -> dict[str, Any]:
    """What a quick measuring is given."""
    report = {"report_folder": folder / "report", "scripts_to_write": 2, "script_length": "teaser"}
    return {"release_folder": folder / "tng-tiny-1", **report}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    folder = tmp_path_factory.mktemp("journey")
    corpus, checkpoint = folder / "corpus", folder / "checkpoint"
    common = {"preset_name": "tiny", "corpus_folder": corpus}
    shown = {
        "build_corpus": run("build_corpus", common, folder),
        "finetune": run("finetune", {**common, "checkpoint_folder": checkpoint, "retraining": "retraining-7"}, folder),
        "evaluate": run("evaluate", {**common, **measuring(folder), "checkpoint_folder": checkpoint}, folder),
    }
    return Journey(folder, shown)


def write(journey: Journey, premise: Premise, name: str) -> list[dict[str, Any]]:
    folder = journey.folder / name
    folder.mkdir()
    parameters = {
        "order_id": "order-1",
        "premise_json": json.dumps(premise.to_fields()),
        "release_folder": journey.release,
    }
    return run("write_script", parameters, folder)


def test_the_corpus_says_what_it_holds(journey: Journey) -> None:
    (facts,) = journey.shown["build_corpus"]
    assert facts["application/json"]["training_tokens"] > 100_000
    assert len(facts["application/json"]["fingerprint"]) == 64
    assert facts[RESULT_MIME] == {
        "fingerprint": facts["application/json"]["fingerprint"], "episodes": 12, "held_out_episodes": 2,
        "training_tokens": facts["application/json"]["training_tokens"], "is_ours": True,
        "delivered_scripts": 0, "delivered_left_out": 0,
    }  # fmt: skip


def test_the_loss_falls(journey: Journey) -> None:
    facts = journey.shown["finetune"][-1][RESULT_MIME]
    assert (facts["steps"], facts["of_steps"], facts["is_finished"]) == (120, 120, True)
    assert facts["mean_loss"] < facts["first_loss"] - 1
    losses = json.loads((journey.folder / "checkpoint" / "losses.json").read_text(encoding="ascii"))
    assert len(losses) == 120


def test_the_checkpoint_names_its_own_files(journey: Journey) -> None:
    checkpoint = journey.folder / "checkpoint"
    assert latest(checkpoint) == checkpoint / "model-120"
    assert str(journey.folder) not in (checkpoint / "checkpoint").read_text(encoding="ascii")
    assert not (journey.folder / "samples").exists(), "gpt-2-simple was not to write samples"
    assert not (journey.folder / "checkpoint.base").exists()


def test_the_release_is_whole_and_says_how_it_was_made(journey: Journey) -> None:
    release = verify(find_release(journey.release))
    assert release.meta["steps_done"] == 120
    assert release.meta["retraining"] == "retraining-7"
    assert release.meta["corpus"]["fingerprint"] == journey.shown["build_corpus"][0]["application/json"]["fingerprint"]
    assert 20 < release.meta["evaluation"]["recombined_perplexity"] < 700
    assert release.meta["evaluation"]["bits_per_byte"] > 1


def test_the_report_is_the_result_and_a_file(journey: Journey) -> None:
    (result,) = [bundle[RESULT_MIME] for bundle in journey.shown["evaluate"] if RESULT_MIME in bundle]
    report = json.loads((journey.folder / "report" / "report.json").read_text(encoding="utf-8"))
    place = {"release_id": "tng-tiny-1", "release_folder": str(journey.release), "evaluation_file": ""}
    assert result == report | place, "it was compared with none"
    assert result["facts"]["release"] == "tng-tiny-1"
    assert result["facts"]["script_measures"]["reads_back"] == 1
    assert result["perplexity"] == find_release(journey.release).meta["evaluation"]
    assert result["verdict"]["unnoticed"] == []


def test_the_report_is_shown_as_a_table_and_two_pictures(journey: Journey) -> None:
    shown = journey.shown["evaluate"]
    assert sum("<table>" in bundle.get("text/html", "") for bundle in shown) == 1
    assert sum("image/png" in bundle for bundle in shown) == 2


def test_no_line_of_a_script_is_in_the_measured_notebook(journey: Journey) -> None:
    said = json.dumps(journey.shown["evaluate"])
    corpus = open_corpus(journey.folder / "corpus")
    lines = {line for text in scene_texts(held_out_episodes(corpus)) for line in text.splitlines() if len(line) > 20}
    assert len(lines) > 100
    assert not [line for line in lines if json.dumps(line).strip('"') in said]


def test_a_release_that_is_there_is_measured_without_its_corpus(journey: Journey) -> None:
    folder = journey.folder / "again"
    folder.mkdir()
    given = {
        **measuring(journey.folder),
        "report_folder": folder / "report",
        "checkpoint_folder": "",
        "corpus_folder": "",
    }
    (again,) = [bundle[RESULT_MIME] for bundle in run("evaluate", given, folder) if RESULT_MIME in bundle]
    (first,) = [bundle[RESULT_MIME] for bundle in journey.shown["evaluate"] if RESULT_MIME in bundle]
    assert again == first


def test_a_release_is_held_against_another_and_the_gate_decides(journey: Journey) -> None:
    """Against itself, under another name: it is as good, and that is not enough."""
    folder = journey.folder / "gate"
    champion = shutil.copytree(journey.release, folder / "tng-tiny-0")
    given = {
        **measuring(journey.folder), "report_folder": folder / "report", "corpus_folder": journey.folder / "corpus",
        "checkpoint_folder": journey.folder / "checkpoint", "champion_folder": champion, "samples": 3,
    }  # fmt: skip
    shown = run("evaluate", given, folder)
    (measured,) = [bundle[RESULT_MIME] for bundle in shown if RESULT_MIME in bundle]
    percents = [bundle[EVENT_MIME]["percent"] for bundle in shown if EVENT_MIME in bundle]
    assert (measured["release_id"], measured["release_folder"]) == ("tng-tiny-1", str(journey.release))
    assert percents == [16, 33, 50, 66, 83, 100]
    shown = run("decide", {"evaluation_file": measured["evaluation_file"]}, folder)
    (decided,) = [bundle[RESULT_MIME] for bundle in shown if RESULT_MIME in bundle]
    assert (decided["candidate"], decided["champion"], decided["promote"]) == ("tng-tiny-1", "tng-tiny-0", False)
    assert "1.0000 of the champion's perplexity" in " ".join(decided["reasons"])
    assert len(decided["checks"]) == 8
    assert shown[0]["text/html"].count("<tr>") == 9
    assert [sample["candidate"] == sample["champion"] for sample in decided["samples"]] == [True] * 3


def test_there_is_nothing_to_decide_without_an_evaluation(journey: Journey, tmp_path: Path) -> None:
    assert not run("decide", {"evaluation_file": tmp_path / "evaluation.json"}, tmp_path, fails=True)


def test_a_script_is_written_and_told_as_it_is_written(journey: Journey) -> None:
    shown = write(journey, PREMISE, "first")
    kinds = [bundle[EVENT_MIME]["kind"] for bundle in shown if EVENT_MIME in bundle]
    (result,) = [bundle[RESULT_MIME] for bundle in shown if RESULT_MIME in bundle]
    script = parse(result["script_text"])
    assert kinds == ["plan", *["scene", "progress"] * len(script.scenes)]
    assert script.title == PREMISE.title
    assert set(PREMISE.cast) <= set(script.speakers)
    assert (result["release_id"], result["seed"]) == ("tng-tiny-1", 0)
    told = result["provenance"]
    assert (told["release"], told["seed"], told["gates"]["scenes"]) == ("tng-tiny-1", 0, len(script.scenes))
    assert told["copied"]["corpus_is_ours"] is True, "the demonstration corpus"
    assert 0 <= told["copied"]["share"] <= 1
    assert told["measures"]["reads_back"] is True
    assert set(told["measures"]) == {
        "reads_back", "stock_share", "distinct_3", "longest_repeat", "blocked_words", "words",
    }  # fmt: skip


def test_the_same_order_is_written_the_same_again(journey: Journey) -> None:
    results = [
        bundle[RESULT_MIME]["script_text"]
        for name in ("again-1", "again-2")
        for bundle in write(journey, PREMISE, name)
        if RESULT_MIME in bundle
    ]
    assert len(results) == 2
    assert results[0] == results[1]


def test_a_scene_of_it_is_written_again_and_is_another_one(journey: Journey) -> None:
    folder = journey.folder / "scene"
    folder.mkdir()
    (first,) = [bundle[RESULT_MIME] for bundle in write(journey, PREMISE, "before") if RESULT_MIME in bundle]
    script = parse(first["script_text"])
    parameters = {
        "order_id": "order-1",
        "premise_json": json.dumps(PREMISE.to_fields()),
        "release_folder": journey.release,
        "script_text": first["script_text"],
        "scene_number": 2,
    }
    (result,) = [bundle[RESULT_MIME] for bundle in run("write_scene", parameters, folder) if RESULT_MIME in bundle]
    scene = parse_scene(result["scene_text"])
    assert (set(result), result["release_id"]) == ({"scene_text", "release_id"}, "tng-tiny-1")
    assert scene not in script.scenes
    assert set(scene.speakers) & set(PREMISE.cast)
    assert not run("write_scene", parameters | {"scene_number": 99}, folder, fails=True)


def test_a_premise_that_cannot_be_written_stops_the_run(journey: Journey) -> None:
    folder = journey.folder / "refused"
    folder.mkdir()
    parameters = {"order_id": "o", "premise_json": '{"title": ""}', "release_folder": journey.release}
    assert not [b for b in run("write_script", parameters, folder, fails=True) if RESULT_MIME in b]


def test_a_damaged_release_stops_the_run(journey: Journey, tmp_path: Path) -> None:
    parameters = {
        "order_id": "o",
        "premise_json": json.dumps(PREMISE.to_fields()),
        "release_folder": journey.folder / "no-release",
    }
    assert not run("write_script", parameters, tmp_path, fails=True)
