"""Imported episodes become the corpus that the demonstration corpus is: same files, same form, other words."""

from __future__ import annotations

import json
import random
import stat
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model.copies import read_copies
from model.corpus.episode_records import marked_scenes, told_acts
from model.corpus.guests import guests_of
from model.corpus.imported_text import build_imported_corpus
from model.corpus.outlines import read_outlines, read_words
from model.corpus.slots import MARKS, draw_names, fill_heading
from model.corpus.teleplays.importing import import_teleplays
from model.corpus.teleplays.shelf import Shelf
from model.corpus.training_text import Corpus, CorpusConfig, open_corpus
from model.gate import EXTENSIONS
from model.planning import plan
from model.quality.texts import as_script, held_out_episodes, training_episodes
from model.tokenizer import Tokenizer
from model.writing import Writer, write
from tests.shows import first_show, second_show
from tests.teleplays import invented_script, studio_pages
from tests.unit.model.networks import MarkovNetwork
from tng.errors import CorpusError, ReleaseDamaged
from tng.script import Act, Element, ElementKind, Length, Premise, Scene, Script, Tone, parse, parse_scene, render
from tng.shows import Show

CONFIG = CorpusConfig(episodes=0, held_out_episodes=0, vocabulary_tokens=500)
NUMBERS = (103, 104, 105, 148)
"""One of them is held out, one is a clip show."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    folder = tmp_path_factory.mktemp("in")
    for number in NUMBERS:
        pages = studio_pages(invented_script(number, scenes=24, speeches=120), number)
        (folder / f"{number}.txt").write_text(pages, encoding="utf-8")
    shelf = Shelf(tmp_path_factory.mktemp("kept") / "show")
    assert import_teleplays([folder], first_show(), shelf).refused == 0
    return shelf


@pytest.fixture(scope="module")
def imported(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_imported_corpus(shelf, first_show(), CONFIG, tmp_path_factory.mktemp("corpus"), window_tokens=300)


def test_the_sides_are_the_shows(imported: Corpus) -> None:
    assert imported.summary["held_out"] == ["104"]
    assert imported.summary["excluded"] == ["148"]
    assert (imported.summary["config"]["episodes"], imported.summary["config"]["held_out_episodes"]) == (2, 1)
    assert imported.summary["is_ours"] is False


def test_every_scene_is_a_record_between_real_ends_of_text(imported: Corpus) -> None:
    tokenizer = Tokenizer(imported.folder)
    with np.load(imported.training_file) as arrays:
        assert arrays.files == ["episode_00000", "episode_00001"]
        episode = arrays["episode_00000"]
    assert episode.dtype == np.int32
    ends = np.flatnonzero(episode == tokenizer.end_of_text)
    assert (ends[0], ends[-1], len(ends)) == (0, len(episode) - 1, 25)


def test_the_scenes_come_back_from_the_arrays(imported: Corpus, shelf: Shelf) -> None:
    (first, _) = training_episodes(imported)
    kept = next(episode for episode in shelf.episodes() if episode.facts.key == "103")
    script = as_script(first, kept.script.title)
    assert [act.name for act in script.acts] == [act.name for act in kept.script.acts]
    assert [len(scene.elements) for scene in script.scenes] == [len(scene.elements) for scene in kept.script.scenes]
    assert script.scenes[0].elements[0] == kept.script.scenes[0].elements[0]


def test_headers_say_what_a_teleplay_says(imported: Corpus) -> None:
    records = [record for episode in training_episodes(imported) for record in episode]
    for record in records:
        assert "\nACT: " in f"\n{record.header}"
        assert "TONE: " not in record.header
        assert " / " not in record.header
        assert "\nCAST: " in f"\n{record.header}"
    for line in ("TITLE: The Paper Sun 10", "BEFORE: "):
        assert 0 < sum(line in record.header for record in records) < len(records)


def test_the_guests_of_an_episode_are_marks_everywhere(imported: Corpus) -> None:
    said = "".join(record.header + record.scene for episode in training_episodes(imported) for record in episode)
    assert "XGUEST" in said
    assert "TALLAN" not in said
    assert "PICARD" in said


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("V.O.", "V.O."),
        ("O.S.", "O.S."),
        ("COM VOICE", "COM"),
        ("RECORDED COM VOICE", "COM"),
        ("ON VIEWSCREEN", "COM"),
        ("VOICE", "O.S."),
        ("JUDGE", ""),
        ("", ""),
    ],
)
def test_the_network_is_told_the_extensions_that_a_script_may_have(
    typed: str, told: str, shelf: Shelf, show: Show
) -> None:
    scene = Scene("INT. HALL", (Element(ElementKind.SPEECH, "Yes.", "PICARD", typed),))
    script = Script("T", (Act("TEASER", (scene,)),))
    kept = replace(next(shelf.episodes()), script=script)
    (one,) = marked_scenes(kept, guests_of(script, show), show)
    assert one.scene.elements[0].extension == told
    assert told in EXTENSIONS


def test_acts_are_told_by_the_names_that_the_show_plans_with(show: Show) -> None:
    first, *rest = show.acts
    assert told_acts([first, *rest], show) == [first, *rest]
    assert told_acts(["ACT ONE", "ACT TWO"], second_show()) == ["PART ONE", "PART TWO"]
    eleven = told_acts([first, *(f"ACT {number}" for number in range(10))], show)
    assert (eleven[0], eleven[-1]) == (first, rest[-1])
    assert list(dict.fromkeys(eleven)) == list(show.acts), "in their order, and every one of them"


def test_another_shows_teleplays_make_a_corpus_of_its_own(tmp_path: Path) -> None:
    other = second_show()
    pages = studio_pages(invented_script(1, scenes=24, speeches=120), 7)
    told = {"STAR TREK": other.teleplays.page_heading, "THE NEXT GENERATION": other.teleplays.title}
    for theirs, ours in (told | dict(zip(("PICARD", "DATA"), other.cues, strict=False))).items():
        pages = pages.replace(theirs, ours)
    (tmp_path / "7.txt").write_text(pages, encoding="utf-8")
    shelf = Shelf(tmp_path / "kept")
    report = import_teleplays([tmp_path / "7.txt"], other, shelf)
    assert (report.accepted, report.unknown_lines) == (1, 0)
    made = build_imported_corpus(shelf, other, CONFIG, tmp_path / "corpus", window_tokens=300)
    outlines = read_outlines(made.folder)
    assert all(outlines.families[""][act] for act in other.acts)
    assert {record.act for episode in training_episodes(made) for record in episode} == set(other.acts)


def test_the_token_counts_are_those_of_the_arrays(imported: Corpus) -> None:
    with np.load(imported.training_file) as arrays:
        assert imported.summary["training_tokens"] == sum(len(arrays[name]) for name in arrays.files)
    summary = imported.summary
    assert summary["records"] == 3 * 24
    assert 0 < summary["header_tokens"] < summary["training_tokens"]
    assert summary["longest_record_tokens"] > 200
    assert 0 < summary["records_longer_than_window"] < summary["records"]


def test_nothing_of_a_held_out_episode_is_in_what_the_writer_carries(imported: Corpus, tmp_path: Path) -> None:
    copies = read_copies(imported.folder)
    assert copies is not None
    scenes = [[record.scene for record in e] for e in (*training_episodes(imported), *held_out_episodes(imported))]
    own, held_out = (copies.measure(texts) for texts in (scenes[0], scenes[2]))
    assert own.share > 0.8
    assert held_out.share < 0.2


def test_outlines_stand_under_their_acts_with_open_slots(imported: Corpus, show: Show) -> None:
    outlines = read_outlines(imported.folder)
    assert list(outlines.families) == [""]
    assert list(outlines.families[""]) == list(show.acts)
    allowed = {*show.cues, *show.always_aboard, "{GUEST}", "{GUEST2}", "{CREWMAN}"}
    found = [one for act in outlines.families[""].values() for one in act]
    assert {cue for one in found for cue in one.cues} <= allowed
    assert any("{GUEST}" in one.cues for one in found)
    names = draw_names(random.Random(1), show)
    assert all("{" not in fill_heading(one.heading, names) for one in found)


def test_words_hold_neither_marks_nor_guests(imported: Corpus) -> None:
    words = read_words(imported.folder)
    assert "console" in words
    assert not words & (set(MARKS.values()) | {"TALLAN", "Tallan"})


@pytest.mark.parametrize("length", list(Length))
@pytest.mark.parametrize("tone", list(Tone))
def test_a_script_can_be_planned_of_it(imported: Corpus, length: Length, tone: Tone, show: Show) -> None:
    premise = Premise("The Quiet Hours", "", ("PICARD", "DATA"), tone, length, 3)
    planned = plan(premise, read_outlines(imported.folder), show)
    assert list(planned.acts) == list(show.lengths[length])
    assert {"PICARD", "DATA"} <= {name for scene in planned.scenes for name in scene.cast} <= planned.speakers


def test_a_script_can_be_written_of_it(imported: Corpus, show: Show) -> None:
    with np.load(imported.training_file) as arrays:
        read = MarkovNetwork(Tokenizer(imported.folder).size, [arrays[name].tolist() for name in arrays.files])
    outlines, words = read_outlines(imported.folder), read_words(imported.folder)
    writer = Writer("test-1", read, Tokenizer(imported.folder), outlines, words, show)
    written = write(Premise("The Quiet Hours", "", ("PICARD", "DATA"), Tone.DRAMA, Length.TEASER, 3), writer)
    assert parse(render(written.script)) == written.script
    assert {"PICARD", "DATA"} <= set(written.script.speakers)
    assert "XGUEST" not in render(written.script)


def test_the_same_episodes_give_the_same_corpus(shelf: Shelf, imported: Corpus, show: Show, tmp_path: Path) -> None:
    again = build_imported_corpus(shelf, show, CONFIG, tmp_path / "again", window_tokens=300)
    other = build_imported_corpus(shelf, show, replace(CONFIG, seed=2), tmp_path / "other", window_tokens=300)
    assert again.summary == imported.summary == open_corpus(tmp_path / "again").summary
    assert other.fingerprint != imported.fingerprint


def test_the_vocabulary_of_a_base_is_taken_as_it_is(shelf: Shelf, corpus: Corpus, show: Show, tmp_path: Path) -> None:
    made = build_imported_corpus(shelf, show, CONFIG, tmp_path / "made", window_tokens=300, base=corpus.folder)
    for name in ("encoder.json", "vocab.bpe"):
        assert (made.folder / name).read_bytes() == (corpus.folder / name).read_bytes()
    assert made.summary["config"]["vocabulary_tokens"] == Tokenizer(corpus.folder).size
    with pytest.raises(ReleaseDamaged, match="the tokenizer in"):
        build_imported_corpus(shelf, show, CONFIG, tmp_path / "none", window_tokens=300, base=tmp_path)


def test_a_corpus_that_was_not_finished_is_none(
    shelf: Shelf, show: Show, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build_imported_corpus(shelf, show, CONFIG, tmp_path / "made", window_tokens=300)

    def crash(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("model.corpus.imported_text.save_arrays", crash)
    with pytest.raises(OSError, match="no space left"):
        build_imported_corpus(shelf, show, CONFIG, tmp_path / "made", window_tokens=300)
    with pytest.raises(CorpusError, match="Build the corpus first"):
        open_corpus(tmp_path / "made")


def test_the_corpus_is_as_private_as_the_episodes(imported: Corpus) -> None:
    assert stat.S_IMODE(imported.folder.stat().st_mode) == 0o700


def test_an_empty_shelf_says_what_to_do(show: Show, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="import some with `tng corpus import`"):
        build_imported_corpus(Shelf(tmp_path / "none"), show, CONFIG, tmp_path / "corpus", window_tokens=300)
    assert not (tmp_path / "corpus").exists()


def test_scenes_where_nobody_speaks_are_trained_on_and_planned_of_never(imported: Corpus) -> None:
    summary = json.loads((imported.folder / "corpus.json").read_text(encoding="utf-8"))
    records = [record for episode in training_episodes(imported) for record in episode]
    assert len(records) + 24 == summary["records"]
    for outlines in read_outlines(imported.folder).families[""].values():
        assert all(outline.cues for outline in outlines)
    scene = parse_scene("# " + records[0].header.rpartition("# ")[2] + records[0].scene)
    assert any(element.kind is ElementKind.SPEECH for element in scene.elements)
