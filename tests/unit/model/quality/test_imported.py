"""Imported teleplays are measured as the demonstration corpus is, and there copying counts."""

from __future__ import annotations

import pytest

from model.corpus.imported_text import build_imported_corpus
from model.corpus.teleplays.importing import import_teleplays
from model.corpus.teleplays.shelf import Shelf
from model.corpus.training_text import Corpus, CorpusConfig
from model.quality.bands import Sample
from model.quality.comparison import Comparison
from model.quality.texts import as_script, training_episodes, with_names
from tests.teleplays import invented_script, studio_pages
from tng.shows import Show


@pytest.fixture(scope="module")
def imported(show: Show, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Three invented episodes, one of them held out."""
    folder = tmp_path_factory.mktemp("in")
    for number in (103, 104, 105):
        pages = studio_pages(invented_script(number, scenes=24, speeches=120), number)
        (folder / f"{number}.txt").write_text(pages, encoding="utf-8")
    shelf = Shelf(tmp_path_factory.mktemp("kept") / "show")
    import_teleplays([folder], show, shelf)
    config = CorpusConfig(episodes=0, held_out_episodes=0, vocabulary_tokens=500)
    return build_imported_corpus(shelf, show, config, tmp_path_factory.mktemp("corpus"), window_tokens=300)


def test_a_script_that_copies_somebody_elses_text_is_outside(imported: Corpus, show: Show) -> None:
    comparison = Comparison(imported, show)
    assert not comparison.corpus_is_ours
    copied = with_names(as_script(training_episodes(imported)[0], "T"), 1, show)
    column = comparison.column("release", [Sample(copied, tuple(show.lengths))])
    assert {"longest_run", "copied_share"} <= set(column.outside)
    assert "longest_run" not in comparison.held_out.outside, "the control: it is new"
    assert comparison.held_out.values["copied_share"] < (0.3,) < column.values["copied_share"]


def test_the_controls_are_made_of_it(imported: Corpus, show: Show) -> None:
    for control in Comparison(imported, show).controls(2):
        assert control.outside


def test_an_episode_keeps_its_acts(imported: Corpus) -> None:
    for episode in training_episodes(imported):
        names = [act.name for act in as_script(episode, "T").acts]
        assert names == list(dict.fromkeys(names))
        assert names[0] == "TEASER"
        assert len(names) > 1
