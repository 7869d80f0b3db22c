"""The release that comes along: it is what its records say, and it writes what is asked."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model.corpus.training_text import build_corpus
from model.mentions import names as mentioned
from model.planning import plan
from model.presets import config_from
from model.writing import Writer, warm, write
from tests.architecture.sources import ROOT
from tests.shows import first_show
from tng.errors import ReleaseDamaged, ReleaseMissing
from tng.releases import Release, find_release, verify
from tng.script import ElementKind, Length, Premise, Tone, parse, render

pytestmark = pytest.mark.slow

FOLDER = ROOT / "model" / "releases" / "tng-small-2"
MOST_BYTES = 50_000_000
PREMISE = Premise(
    "The Quiet Hours",
    "Ambassador Sorel brings the Dawnstrider home to Kadris Two, and nobody aboard is awake.",
    ("PICARD", "DATA", "TROI"),
    Tone.MYSTERY,
    Length.SHORT,
    7,
)


@pytest.fixture(scope="module")
def release() -> Release:
    return verify(find_release(FOLDER))


@pytest.fixture(scope="module")
def writer() -> Writer:
    return warm(FOLDER)


def test_it_is_small_enough_to_come_along(release: Release) -> None:
    assert sum(path.stat().st_size for path in release.folder.iterdir()) <= MOST_BYTES


def test_its_corpus_can_be_built_again(release: Release, tmp_path: Path) -> None:
    """With its own vocabulary: that came from the first part of its training."""
    config = config_from(release.meta["config"])
    built = build_corpus(config.corpus, first_show(), tmp_path, base=release.folder)
    assert built.fingerprint == release.meta["corpus"]["fingerprint"]


def test_its_records_hold_what_was_measured(release: Release) -> None:
    meta = release.meta
    evaluation = meta["evaluation"]
    assert len(evaluation["episode_perplexities"]) == meta["config"]["corpus"]["held_out_episodes"]
    assert 1 < evaluation["recombined_perplexity"] <= evaluation["unseen_perplexity"]
    assert meta["training_loss"] < meta["losses"][0][1]
    assert f"{evaluation['unseen_perplexity']:,}" in (release.folder / "MODEL_CARD.md").read_text(encoding="utf-8")


def test_it_is_loaded_once_a_process(writer: Writer) -> None:
    assert warm(str(FOLDER)) is writer


def test_it_writes_what_is_asked(writer: Writer) -> None:
    script = write(PREMISE, writer).script
    guests = plan(PREMISE, writer.outlines, writer.show).speakers
    assert script.title == PREMISE.title
    assert parse(render(script)) == script
    assert set(PREMISE.cast) <= set(script.speakers) <= guests
    assert "SOREL" in script.speakers
    assert not set(script.speakers) & (set(writer.show.cues) - set(PREMISE.cast))


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        pytest.param({"length": Length.TEASER, "seed": 21}, ("Sorel", "Dawnstrider", "Kadris Two"), id="teaser"),
        pytest.param(
            {
                "length": Length.TEASER,
                "tone": Tone.ADVENTURE,
                "cast": ("RIKER", "WORF", "GEORDI", "BEVERLY"),
                "logline": "At Outpost Nine, the freighter Palomar waits for Governor Anka Velde and for Ruhl.",
                "seed": 22,
            },
            ("Outpost Nine", "Palomar", "Velde"),
            id="outpost",
        ),
        pytest.param(
            {"length": Length.TEASER, "tone": Tone.COMEDY, "cast": ("GUINAN", "WESLEY"), "logline": "", "seed": 23},
            (),
            id="no-logline",
        ),
    ],
)
def test_it_keeps_every_promise(writer: Writer, changes: dict[str, Any], names: tuple[str, ...]) -> None:
    premise = replace(PREMISE, **changes)
    written = write(premise, writer)
    script, text = written.script, render(written.script)
    assert text.startswith(f"Title: {premise.title}\n")
    assert parse(text) == script
    assert set(premise.cast) <= set(script.speakers) <= plan(premise, writer.outlines, writer.show).speakers
    assert [name for name in names if not mentioned(text, name)] == []
    for scene in script.scenes:
        assert sum(element.kind is ElementKind.SPEECH for element in scene.elements) >= 3
    gates = written.gates
    assert gates["scenes"] == len(script.scenes)
    assert gates["let_stand"] <= 1, "the default release has something to say for nearly every scene"
    assert gates["drafts"] <= 2 * gates["scenes"]


def test_it_seldom_needs_help(writer: Writer) -> None:
    gates = write(PREMISE, writer).gates
    assert gates["stock"] <= 0.1 * gates["lines"]
    assert gates["drawn"] <= 4 * gates["lines"]


def test_it_writes_the_same_for_the_same_seed_and_another_for_another(writer: Writer) -> None:
    premise = replace(PREMISE, length=Length.TEASER)
    texts = [render(write(replace(premise, seed=seed), writer).script) for seed in (0, 0, 1)]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize(
    "changes", [{"tone": Tone.COMEDY}, {"cast": ("WORF", "GUINAN")}, {"logline": "Nobody sleeps."}]
)
def test_what_is_asked_changes_what_is_written(writer: Writer, changes: dict[str, Any]) -> None:
    premise = replace(PREMISE, length=Length.TEASER)
    other = render(write(replace(premise, **changes), writer).script)
    assert render(write(premise, writer).script) != other


def test_a_fresh_process_writes_the_same_without_tensorflow(writer: Writer) -> None:
    premise = replace(PREMISE, length=Length.TEASER)
    code = (
        "import json, sys\n"
        "from model.events import read_premise\n"
        "from model.writing import warm, write\n"
        "from tng.script import render\n"
        "writer = warm(sys.argv[1])\n"
        "written = write(read_premise(sys.argv[2], writer.show), writer)\n"
        "assert 'tensorflow' not in sys.modules\n"
        "print(json.dumps(render(written.script)))\n"
    )
    arguments = [sys.executable, "-c", code, str(FOLDER), json.dumps(premise.to_fields())]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == render(write(premise, writer).script)


def test_a_missing_release_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReleaseMissing):
        warm(tmp_path)


@pytest.mark.parametrize("name", ["words.txt", "vocab.bpe", "outlines.json", "hparams.json"])
def test_a_damaged_release_does_not_write(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(FOLDER, folder)
    (folder / name).write_bytes((folder / name).read_bytes()[:-2] + b"??")
    with pytest.raises(ReleaseDamaged, match=name):
        warm(folder)


def test_the_first_scene_does_not_keep_anybody_waiting(writer: Writer) -> None:
    """Two seconds on a quiet core; processor time, so that neighbours do not count."""
    times: list[float] = []
    started = time.process_time()
    write(PREMISE, writer, lambda kind, _: times.append(time.process_time() - started) if kind == "scene" else None)
    assert times[0] < 4
