"""A release that an attempt before has made of the same weights is taken; every other is in the way."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from model.corpus.training_text import Corpus
from model.presets import preset
from model.promotion.candidate import candidate_of, is_made_of
from model.promotion.pages import Compared, compared
from model.release import make_release
from tests.checkpoints import make_checkpoint
from tng.errors import CorpusError
from tng.releases import MANIFEST, Release
from tng.shows import Show


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return make_checkpoint(tmp_path / "checkpoint")


@pytest.fixture
def release(checkpoint: Path, corpus: Corpus, tmp_path: Path) -> Release:
    meta = {"config": asdict(preset("tiny")), "corpus": corpus.summary}
    return make_release(checkpoint, corpus.folder, tmp_path / "tng-test-1", meta)


def test_a_release_of_the_same_weights_is_taken_as_it_is(
    checkpoint: Path, release: Release, corpus: Corpus, show: Show
) -> None:
    before = (release.folder / MANIFEST).stat().st_mtime_ns
    assert candidate_of(preset("tiny"), corpus, checkpoint, release.folder, show) == release
    assert (release.folder / MANIFEST).stat().st_mtime_ns == before


def test_a_release_of_other_weights_is_not(release: Release, tmp_path: Path) -> None:
    assert not is_made_of(make_checkpoint(tmp_path / "another", seed=2), release.folder)


def test_a_checkpoint_without_a_release_is_measured_for_one(checkpoint: Path, corpus: Corpus, show: Show) -> None:
    """The control: here it goes on to make the release, for which this checkpoint has no losses."""
    with pytest.raises(CorpusError, match=r"losses\.json"):
        candidate_of(preset("tiny"), corpus, checkpoint, checkpoint.with_name("new"), show)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"files": {"model-7.index": {}}}'])
def test_a_manifest_that_says_nothing_is_of_no_weights(checkpoint: Path, release: Release, content: str) -> None:
    (release.folder / MANIFEST).write_text(content, encoding="utf-8")
    assert not is_made_of(checkpoint, release.folder)


def test_without_a_champion_nothing_is_compared(release: Release, corpus: Corpus, tmp_path: Path) -> None:
    assert compared(release, "", corpus, str(tmp_path / "report"), samples=4, length="teaser", seed=1) == Compared()
    assert not (tmp_path / "report").exists()
