"""A corpus on disk reads back as the episodes that it was made of."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model.corpus.assembler import Assembler
from model.corpus.slots import MARKS
from model.corpus.training_text import Corpus, held_out_records, records
from model.quality.comparison import Comparison, is_own_text
from model.quality.texts import (
    as_script,
    guests_of,
    held_out_episodes,
    scene_texts,
    training_episodes,
    with_marks,
    with_names,
)
from model.tokenizer import Tokenizer
from tests.unit.model.conftest import SMALL
from tng.errors import CorpusError
from tng.script import parse, render, render_scene
from tng.shows import Show


def test_the_records_are_those_that_were_written(corpus: Corpus, assembler: Assembler, show: Show) -> None:
    written = [record.text for record in records(assembler.episode(3), assembler, SMALL.seed)]
    assert [record.text for record in training_episodes(corpus)[3]] == written
    held_out = [[record.text for record in episode] for episode in held_out_records(SMALL, show)]
    assert [[record.text for record in episode] for episode in held_out_episodes(corpus)] == held_out


def test_a_header_ends_with_its_heading_and_knows_its_act(corpus: Corpus) -> None:
    for record in training_episodes(corpus)[0]:
        assert record.header.splitlines()[-1].startswith("# ")
        assert not record.scene.startswith("#")
        assert f"ACT: {record.act} / " in record.header


def test_an_episode_is_a_script_again(corpus: Corpus, assembler: Assembler) -> None:
    script = as_script(training_episodes(corpus)[3], "T")
    parts = assembler.episode(3).parts
    assert list(script.scenes) == [part.scene for part in parts]
    assert [act.name for act in script.acts] == list(dict.fromkeys(part.act for part in parts))


def test_names_stand_where_marks_stood(corpus: Corpus, show: Show) -> None:
    marked = as_script(training_episodes(corpus)[3], "T")
    named = with_names(marked, 5, show)
    assert any(mark in render(marked) for mark in MARKS.values()), "the control"
    assert not [mark for mark in MARKS.values() if mark in render(named)]
    assert parse(render(named)) == named
    assert len(named.speakers) == len(marked.speakers)
    assert guests_of(named, show).isdisjoint({*show.cues, *show.always_aboard})
    assert with_names(marked, 5, show) == named != with_names(marked, 6, show)


def test_marks_go_back_where_names_stand(assembler: Assembler) -> None:
    episode = assembler.episode(3)
    text = with_marks(episode.script, episode.names)
    told = "\n".join(render_scene(part.scene) for part in episode.parts).lower()
    kept = [line for line in text.splitlines() if not line.startswith("## ")]
    same = sum(a == b for a, b in zip(kept, told.splitlines(), strict=True))
    assert same > 0.93 * len(kept), "decks, hours and ranks alone are words of any text"
    assert episode.names["guest"].lower() not in text


def test_a_scene_is_compared_without_its_header(corpus: Corpus) -> None:
    for text in scene_texts(training_episodes(corpus)[:1]):
        assert text.startswith("# ")
        assert "CAST: " not in text


@pytest.mark.parametrize("damage", ["missing", "no archive", "no heading"])
def test_a_damaged_corpus_is_named(corpus: Corpus, tmp_path: Path, damage: str) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(corpus.folder, folder)
    damaged = replace(corpus, folder=folder)
    if damage == "missing":
        damaged.training_file.unlink()
    elif damage == "no archive":
        damaged.training_file.write_bytes(b"secret words")
    else:
        ids = Tokenizer(folder).encode("secret words without a heading")
        np.savez(damaged.training_file, episode_00000=np.array(ids, np.int32))
    with pytest.raises(CorpusError) as caught:
        training_episodes(damaged)
    assert "secret" not in str(caught.value)


def test_a_corpus_that_holds_nothing_out_is_refused(corpus: Corpus, show: Show, tmp_path: Path) -> None:
    folder = tmp_path / "all"
    shutil.copytree(corpus.folder, folder)
    np.savez(replace(corpus, folder=folder).held_out_file)
    with pytest.raises(CorpusError, match="held-out"):
        Comparison(replace(corpus, folder=folder), show)


@pytest.mark.parametrize(
    ("summary", "ours"),
    [
        pytest.param({"config": {"episodes": 3}}, True, id="assembled"),
        pytest.param({"is_ours": True}, True, id="said to be"),
        pytest.param({"is_ours": False, "config": {"episodes": 3}}, False, id="said not to be"),
        pytest.param({}, False, id="silent"),
    ],
)
def test_a_text_is_ours_only_where_the_corpus_says_so(corpus: Corpus, summary: dict[str, Any], ours: bool) -> None:
    assert is_own_text(Corpus(corpus.folder, summary)) is ours
