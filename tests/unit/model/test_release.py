"""A release is whole or absent, names its own files, and remembers how it was made."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from model.build_release import next_release
from model.card import model_card
from model.corpus.outlines import read_outlines, read_words
from model.corpus.training_text import Corpus
from model.presets import preset
from model.release import make_release
from model.train import read_losses, trained_config
from tests.checkpoints import make_checkpoint
from tng.errors import CorpusError, ReleaseDamaged
from tng.releases import find_release, verify


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = make_checkpoint(tmp_path / "checkpoint")
    for name in ("model-7.meta", "model-3.index", "events.out"):
        (folder / name).write_bytes(name.encode())
    return folder


def meta_of(corpus: Corpus) -> dict[str, Any]:
    return {"config": asdict(preset("tiny")), "corpus": corpus.summary, "training_loss": 2.5}


def test_a_release_has_what_serving_needs_and_nothing_else(checkpoint: Path, corpus: Corpus, tmp_path: Path) -> None:
    release = make_release(checkpoint, corpus.folder, tmp_path / "tng-test-1", meta_of(corpus))
    assert sorted(path.name for path in release.folder.iterdir()) == [
        "MODEL_CARD.md",
        "checkpoint",
        "copies.npz",
        "encoder.json",
        "hparams.json",
        "manifest.json",
        "meta.json",
        "model-7.data-00000-of-00001",
        "model-7.index",
        "outlines.json",
        "serving.onnx",
        "show.toml",
        "vocab.bpe",
        "words.txt",
    ]
    assert verify(find_release(release.folder)) == release


def test_a_release_names_its_own_files(checkpoint: Path, corpus: Corpus, tmp_path: Path) -> None:
    release = make_release(checkpoint, corpus.folder, tmp_path / "tng-test-1", meta_of(corpus))
    assert "/somewhere/else" not in (release.folder / "checkpoint").read_text(encoding="ascii")


def test_a_release_remembers_how_it_was_made(checkpoint: Path, corpus: Corpus, tmp_path: Path) -> None:
    meta = make_release(checkpoint, corpus.folder, tmp_path / "tng-test-1", meta_of(corpus)).meta
    assert meta["id"] == "tng-test-1"
    assert meta["corpus"]["fingerprint"] == corpus.fingerprint
    assert meta["config"]["steps"] == preset("tiny").steps
    assert set(meta["made_with"]) == {"python", "gpt-2-simple", "tensorflow", "numpy", "tokenizers"}


def test_a_release_is_never_changed(checkpoint: Path, corpus: Corpus, tmp_path: Path) -> None:
    make_release(checkpoint, corpus.folder, tmp_path / "tng-test-1", meta_of(corpus))
    with pytest.raises(FileExistsError):
        make_release(checkpoint, corpus.folder, tmp_path / "tng-test-1", meta_of(corpus))


def test_of_a_checkpoint_that_cannot_be_copied_nothing_is_left(
    checkpoint: Path, corpus: Corpus, tmp_path: Path
) -> None:
    (checkpoint / "hparams.json").unlink()
    with pytest.raises(FileNotFoundError):
        make_release(checkpoint, corpus.folder, tmp_path / "tng-test-1", meta_of(corpus))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]


def test_the_card_says_what_it_is_and_is_not(corpus: Corpus) -> None:
    card = model_card({"id": "tng-test-1", **meta_of(corpus), "made_with": {"numpy": "2"}})
    assert card.startswith("# tng-test-1\n")
    assert corpus.fingerprint in card
    assert "| 2.5 |" in card
    assert card.count("not measured") == 2


def test_the_next_release_has_the_first_free_number(tmp_path: Path) -> None:
    assert next_release(tmp_path, "tng", "small").name == "tng-small-1"
    (tmp_path / "tng-small-1").mkdir()
    (tmp_path / "tng-small-3").mkdir()
    assert next_release(tmp_path, "tng", "small").name == "tng-small-2"


def test_outlines_come_back_as_they_were_written(corpus: Corpus) -> None:
    outlines = read_outlines(corpus.folder)
    assert len(outlines.families) == 10
    assert all(len(beats) == 17 and all(beats.values()) for beats in outlines.families.values())
    assert all(len(thread) == 4 for thread in outlines.threads)
    assert all(outlines.loglines.values())
    words = read_words(corpus.folder)
    assert {"captain", "Enterprise", "the"} <= words
    assert not {"The", "enterprise", "Whatever"} & words


@pytest.mark.parametrize("content", [None, "{", "{}", "[]", '{"families": {}, "threads": [[["x"]]], "loglines": {}}'])
def test_outlines_that_cannot_be_read_are_a_damaged_release(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "outlines.json").write_text(content, encoding="utf-8")
    with pytest.raises(ReleaseDamaged, match=r"outlines\.json"):
        read_outlines(tmp_path)


def test_a_missing_list_of_words_is_a_damaged_release(empty_folder: Path) -> None:
    with pytest.raises(ReleaseDamaged, match=r"words\.txt"):
        read_words(empty_folder)


def test_a_checkpoint_without_losses_is_no_training(empty_folder: Path) -> None:
    with pytest.raises(CorpusError, match=r"losses\.json"):
        read_losses(empty_folder)


def test_a_checkpoint_remembers_its_configuration(empty_folder: Path) -> None:
    assert trained_config(empty_folder, "tiny") == preset("tiny")
    config = preset("tiny").with_steps(3)
    (empty_folder / "config.json").write_text(json.dumps(asdict(config)), encoding="utf-8")
    assert trained_config(empty_folder, "small") == config
