"""A corpus of ours can be read; of an imported one only numbers come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.corpus.imported_text import build_imported_corpus
from model.corpus.scenebank import Bank
from model.corpus.teleplays.importing import import_teleplays
from model.corpus.teleplays.shelf import Shelf
from model.corpus.training_text import Corpus, CorpusConfig
from model.workbench.exploring import (
    GUESTS,
    Exploration,
    Place,
    explore,
    show_families,
    show_lengths,
    show_overview,
    show_sets,
    show_speakers,
)
from model.workbench.reading import SceneBrowser, browse
from tests.teleplays import invented_script, studio_pages
from tests.unit.model.workbench.shown import texts
from tng.errors import CorpusError
from tng.script import Element, ElementKind, Scene
from tng.shows import Show

EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def ours() -> Exploration:
    return explore()


@pytest.fixture(scope="module")
def imported(show: Show, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("in")
    for number in (103, 104, 105):
        pages = studio_pages(invented_script(number, scenes=24, speeches=120), number)
        (folder / f"{number}.txt").write_text(pages, encoding="utf-8")
    shelf = Shelf(tmp_path_factory.mktemp("kept") / "show")
    import_teleplays([folder], show, shelf)
    built = tmp_path_factory.mktemp("corpus")
    config = CorpusConfig(episodes=0, held_out_episodes=0, vocabulary_tokens=500)
    build_imported_corpus(shelf, show, config, built, window_tokens=300)
    return built


def test_every_scene_of_the_bank_is_there_once(ours: Exploration, bank: Bank) -> None:
    told = sum(len(scenes) for family in bank.families.values() for scenes in family.scenes.values())
    assert len(ours.places) == told + sum(map(len, bank.threads))
    assert set(ours.scenes_by_group) >= set(bank.families)


def test_no_slot_and_no_mark_is_left_for_the_reader(ours: Exploration) -> None:
    said = json.dumps([element.text for place in ours.places for element in place.scene.elements])
    assert "{" not in said
    assert "XGUEST" not in said


def test_the_numbers_add_up(ours: Exploration) -> None:
    assert sum(ours.scenes_by_set.values()) == len(ours.places) == sum(ours.scenes_by_group.values())
    assert GUESTS in ours.words_by_speaker
    assert set(ours.words_by_speaker) <= {*ours.show.cues, *ours.show.always_aboard, GUESTS}
    assert sum(ours.words_by_speaker.values()) < sum(ours.words_by_scene)


def test_another_seed_gives_the_guests_other_names(ours: Exploration) -> None:
    assert [p.name for p in explore(seed=1).places] == [p.name for p in ours.places]
    assert explore(seed=2).places != ours.places


def test_every_picture_is_drawn(ours: Exploration, shown: list[dict[str, Any]]) -> None:
    for show in (show_overview, show_families, show_sets, show_speakers, show_lengths):
        show(ours)
    assert len(shown) == 5
    assert "1,149" in shown[0]["text/plain"]
    assert all("image/png" in bundle for bundle in shown[1:])


def test_a_corpus_of_ours_that_was_built_may_be_read_too(corpus: Corpus, shown: list[dict[str, Any]]) -> None:
    built = explore(corpus_folder=str(corpus.folder))
    assert built.is_ours
    assert built.facts["episodes"] == 11
    assert not [place for place in built.places if "XGUEST" in str(place)]
    browse(built)
    assert not isinstance(shown[0], dict)


def test_of_an_imported_corpus_no_word_is_shown(imported: Path, shown: list[dict[str, Any]]) -> None:
    foreign = explore(corpus_folder=str(imported))
    assert not foreign.is_ours
    for show in (show_overview, show_sets, show_families, show_speakers, show_lengths, browse):
        show(foreign)
    told = texts(shown) + "".join(bundle.get("text/html", "") for bundle in shown)
    for place in foreign.places:
        assert place.scene.heading not in told
        assert not [element for element in place.scene.elements if element.text and element.text in told]
    with pytest.raises(ValueError, match="not shown"):
        SceneBrowser(foreign)


def test_the_control_of_that_finds_a_heading(ours: Exploration, shown: list[dict[str, Any]]) -> None:
    browse(ours)
    assert ours.places[0].scene.heading in str(SceneBrowser(ours).place.options)
    assert not isinstance(shown[0], dict), "what may be read has a browser"


def test_a_folder_without_a_corpus_is_said(empty_folder: Path) -> None:
    with pytest.raises(CorpusError, match="Build the corpus first"):
        explore(corpus_folder=str(empty_folder))


def test_the_browser_shows_the_scene_that_is_chosen(ours: Exploration) -> None:
    browser = SceneBrowser(ours)
    browser.group.value = "mystery"
    browser.place.index = 2
    chosen = ours.places[browser.place.value]
    assert chosen.group == "mystery"
    blocks = browser.reader.sections[0]
    assert blocks[0]["text"] == chosen.scene.heading
    assert len(browser.reader.sections) == 1
    assert len(blocks) == 1 + len(chosen.scene.elements)


def test_a_scene_is_text_for_the_browser_and_no_markup(show: Show) -> None:
    scene = Scene(f"INT. {EVIL}", (Element(ElementKind.SPEECH, EVIL, "DATA"),))
    hostile = Exploration("x", show, (Place("g", "b", 1, scene),), is_ours=True, facts={})
    browser = SceneBrowser(hostile)
    assert browser.reader.sections[0][1]["text"] == EVIL, (
        "it reaches the reader as it is, and the reader sets it as text"
    )
    assert not [trait for trait in browser.reader.keys if "html" in trait.lower()]
