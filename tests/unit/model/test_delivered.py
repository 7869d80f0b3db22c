"""Delivered scripts are trained on where an operator allows it, and nothing of theirs goes anywhere else."""

from __future__ import annotations

import logging
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.copies import read_copies
from model.corpus.delivered import read_delivered, script_records
from model.corpus.imported_text import build_imported_corpus
from model.corpus.teleplays.importing import import_teleplays
from model.corpus.teleplays.shelf import Shelf
from model.corpus.telling import result_of_corpus
from model.corpus.training_text import Corpus, build_corpus
from model.quality.texts import held_out_episodes, scene_texts, training_episodes
from model.train import corpus_for
from tests.teleplays import MARKER, invented_script, studio_pages
from tests.unit.model.conftest import SMALL
from tng.errors import CorpusError
from tng.script import Act, Element, ElementKind, Scene, Script, parse_scene, render, render_scene
from tng.shows import Show

TINY = replace(SMALL, episodes=2, held_out_episodes=1, tokenizer_episodes=1, vocabulary_tokens=400)
NAME = "Quillaneth"
"""A customer's own name for somebody: no other text holds it."""


def delivered_script(title: str = f"The Letters of {NAME}") -> Script:
    opening = Element(ElementKind.SPEECH, f"Is {NAME} aboard, or only near?", "PICARD")
    answer = Element(ElementKind.SPEECH, "Near, and singing of winter.", "DATA")
    scenes = (Scene("INT. MAIN BRIDGE", (opening, answer)), Scene("INT. READY ROOM", (answer,)))
    return Script(title, (Act("TEASER", scenes), Act("ACT ONE", (Scene("EXT. SPACE", (opening,)),))))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two delivered scripts, and two files that are none."""
    folder = tmp_path / "delivered"
    folder.mkdir()
    (folder / "order-1.txt").write_text(render(delivered_script()), encoding="utf-8")
    (folder / "order-2.txt").write_text(render(delivered_script("Second")), encoding="utf-8")
    (folder / "order-3.txt").write_text(f"{MARKER} of no script", encoding="utf-8")
    (folder / "order-4.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "notes.md").write_text("not one", encoding="utf-8")
    return folder


def shelf_of(folder: Path, show: Show, *numbers: int) -> Shelf:
    folder.mkdir()
    for number in numbers:
        pages = studio_pages(invented_script(number, scenes=12, speeches=36), number)
        (folder / f"{number}.txt").write_text(pages, encoding="utf-8")
    shelf = Shelf(folder.with_name(folder.name + "-kept"))
    assert import_teleplays([folder], show, shelf).refused == 0
    return shelf


@pytest.fixture(params=["demonstration", "imported"])
def corpora(request: pytest.FixtureRequest, show: Show, folder: Path, tmp_path: Path) -> tuple[Corpus, Corpus]:
    """A corpus without delivered scripts, and the same one with them."""
    made = []
    for name, delivered in (("without", None), ("with", folder)):
        if request.param == "demonstration":
            made.append(build_corpus(TINY, show, tmp_path / name, delivered=delivered))
        else:
            shelf = shelf_of(tmp_path / f"in-{name}", show, 103, 104)
            into = tmp_path / name
            made.append(build_imported_corpus(shelf, show, TINY, into, window_tokens=300, delivered=delivered))
    return made[0], made[1]


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()) if path.suffix != ".npz")


def test_a_record_is_headed_as_the_writer_would_have_headed_it(show: Show) -> None:
    first, second, third = script_records(delivered_script(), show)
    assert first.prompt == (f"TITLE: The Letters of {NAME}\nACT: TEASER\nCAST: PICARD, DATA\n# INT. MAIN BRIDGE"), (
        "names stay names"
    )
    assert second.prompt.splitlines()[1:] == [
        "ACT: TEASER", "CAST: DATA", "BEFORE: DATA: Near, and singing of winter.", "# INT. READY ROOM",
    ]  # fmt: skip
    assert third.prompt.splitlines()[1] == "ACT: ACT ONE"
    scene = "# EXT. SPACE\n" + third.text.partition("# EXT. SPACE\n")[2]
    assert parse_scene(scene) == third.scene


def test_every_scene_is_trained_on_and_none_is_held_out(corpora: tuple[Corpus, Corpus]) -> None:
    without, with_them = corpora
    more = training_episodes(with_them)[len(training_episodes(without)) :]
    assert [[record.act for record in script] for script in more] == [["TEASER", "TEASER", "ACT ONE"]] * 2
    assert NAME in more[0][0].header
    held_out = "".join(scene_texts(held_out_episodes(with_them)))
    assert held_out == "".join(scene_texts(held_out_episodes(without)))
    assert NAME not in held_out


def test_without_the_folder_nothing_of_a_customers_is_in_a_corpus(corpora: tuple[Corpus, Corpus]) -> None:
    without, _ = corpora
    texts = [r.header + r.scene for e in (*training_episodes(without), *held_out_episodes(without)) for r in e]
    assert NAME not in "".join(texts)
    assert without.summary["delivered_scripts"] == 0
    assert NAME.encode() not in everything_in(without.folder)


def test_what_others_scripts_are_planned_and_worded_of_is_the_same(corpora: tuple[Corpus, Corpus]) -> None:
    without, with_them = corpora
    for name in ("outlines.json", "words.txt", "encoder.json", "vocab.bpe"):
        assert (without.folder / name).read_bytes() == (with_them.folder / name).read_bytes(), name
    assert NAME.encode() not in everything_in(with_them.folder)


def test_copies_of_them_are_noticed(corpora: tuple[Corpus, Corpus]) -> None:
    scene = render_scene(delivered_script().scenes[0])
    runs = [copies.measure([scene]).longest_run_words for corpus in corpora if (copies := read_copies(corpus.folder))]
    assert runs == [0, 16]


def test_the_fingerprint_covers_them(corpora: tuple[Corpus, Corpus], show: Show, folder: Path, tmp_path: Path) -> None:
    without, with_them = corpora
    assert without.fingerprint != with_them.fingerprint
    if with_them.summary["is_ours"]:
        again = build_corpus(TINY, show, tmp_path / "again", delivered=folder)
        (folder / "order-2.txt").unlink()
        fewer = build_corpus(TINY, show, tmp_path / "fewer", delivered=folder)
        assert again.summary == with_them.summary
        assert fewer.fingerprint not in (without.fingerprint, with_them.fingerprint)


def test_one_episode_more_is_another_fingerprint(show: Show, tmp_path: Path) -> None:
    prints = [
        build_imported_corpus(
            shelf_of(tmp_path / str(place), show, *numbers), show, TINY, tmp_path / f"c{place}", window_tokens=300
        ).fingerprint
        for place, numbers in enumerate([(103, 104), (103, 104), (103, 104, 105), (103, 104, 148)])
    ]
    assert prints[0] == prints[1]
    assert prints[2] != prints[0]
    assert prints[3] == prints[0], "an episode that no training sees is nothing new"


def test_what_is_no_script_is_counted_and_never_quoted(
    folder: Path, show: Show, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        found = read_delivered(folder, show)
    assert found.counts == {"delivered_scripts": 2, "delivered_left_out": 2}
    assert caplog.messages == ["2 of 4 delivered scripts cannot be read and are left out"]
    assert MARKER not in caplog.text


def test_a_folder_that_is_not_there_is_said(show: Show, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="name another one, or none"):
        read_delivered(tmp_path / "nowhere", show)


def test_a_corpus_with_them_is_its_owners_alone(show: Show, folder: Path, tmp_path: Path) -> None:
    made = corpus_for("tiny", tmp_path / "made", show, delivered=folder)
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    told = result_of_corpus(made)
    assert told == {
        "fingerprint": made.fingerprint, "episodes": 12, "held_out_episodes": 2, "is_ours": True,
        "training_tokens": made.summary["training_tokens"], "delivered_scripts": 2, "delivered_left_out": 2,
    }  # fmt: skip
    with np.load(made.training_file) as arrays:
        assert told["training_tokens"] == sum(len(arrays[name]) for name in arrays.files)
        assert len(arrays.files) == 14
