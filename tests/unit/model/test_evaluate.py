"""A checkpoint is measured on what it never saw, and its scripts beside those that must be noticed."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from model.checkpoint import HParams, fresh_weights, write_checkpoint
from model.corpus.training_text import Corpus, CorpusConfig, open_corpus
from model.evaluate import (
    counted,
    evaluation_of,
    held_out_perplexity,
    perplexity_of,
    premises_of,
    quality_report,
    script_measures,
    write_all,
)
from model.presets import CONFIG_FILE, FinetuneConfig
from model.quality.comparison import corpus_of
from model.quality.perplexity import RecordText
from model.tokenizer import ENCODER_FILE, MERGES_FILE, Tokenizer
from model.writing import Writer
from tng.errors import CorpusError
from tng.releases import META, Release
from tng.script import Length
from tng.shows import Show

SEEN = RecordText("ACT: TEASER\n# INT. BRIDGE\n", "DATA: Captain.\n", "TEASER")
UNSEEN = RecordText("ACT: TEASER\n# INT. SICKBAY\n", "Picard turns.\n", "TEASER")


class Even:
    """Finds all tokens equally likely."""

    window = 100

    def __init__(self, size: int) -> None:
        self._size = size

    def score(self, ids: Sequence[int]) -> NDArray[np.float32]:
        return np.zeros((len(ids), self._size), np.float32)


def test_both_kinds_of_scenes_are_counted_apart(tokenizer: Tokenizer) -> None:
    trained_on = {"# INT. BRIDGE\nDATA: Captain.\n"}
    measures = perplexity_of(Even(tokenizer.size), tokenizer, [(SEEN, UNSEEN), (UNSEEN,)], trained_on)
    tokens = len(tokenizer.encode(SEEN.scene)) + 2 * len(tokenizer.encode(UNSEEN.scene)) + 3
    text_bytes = len(SEEN.scene) + 2 * len(UNSEEN.scene)
    assert measures["episode_perplexities"] == [tokenizer.size, tokenizer.size]
    assert measures["recombined_perplexity"] == measures["unseen_perplexity"] == tokenizer.size
    assert measures["measured_tokens"] == tokens
    assert measures["bits_per_byte"] == pytest.approx(tokens * math.log2(tokenizer.size) / text_bytes, abs=1e-4)
    assert list(measures["kinds"]) == ["dialogue", "action", "heading", "cue", "end"]
    assert json.loads(json.dumps(measures, allow_nan=False)) == measures


def test_what_there_is_nothing_of_is_left_out(tokenizer: Tokenizer) -> None:
    measures = perplexity_of(Even(tokenizer.size), tokenizer, [(UNSEEN,)], set())
    assert "recombined_perplexity" not in measures
    nothing = perplexity_of(Even(tokenizer.size), tokenizer, [], set())
    assert (nothing["measured_tokens"], nothing["bits_per_byte"], nothing["kinds"]) == (0, None, {})


@pytest.fixture
def checkpoint(corpus: Corpus, tokenizer: Tokenizer, tmp_path: Path) -> Path:
    """Weights that know nothing."""
    folder = tmp_path / "checkpoint"
    shape = HParams(n_vocab=tokenizer.size, n_ctx=64, n_embd=8, n_head=2, n_layer=1)
    write_checkpoint(shape, fresh_weights(shape, seed=1), folder)
    for name in (ENCODER_FILE, MERGES_FILE):
        (folder / name).write_bytes((corpus.folder / name).read_bytes())
    return folder


def test_a_network_that_knows_nothing_is_as_surprised_as_there_are_tokens(
    checkpoint: Path, corpus: Corpus, tokenizer: Tokenizer
) -> None:
    measures = held_out_perplexity(checkpoint, corpus)
    assert measures["episode_perplexities"] == pytest.approx([tokenizer.size] * 2, rel=0.05)
    assert measures["measured_tokens"] > 100


@pytest.mark.parametrize("remembers", [True, False])
def test_what_a_release_remembers_of_its_corpus_is_not_measured_again(
    checkpoint: Path, corpus: Corpus, remembers: bool
) -> None:
    fingerprint = corpus.fingerprint if remembers else "another"
    meta = {"evaluation": {"kinds": {}, "told": True}, "corpus": {"fingerprint": fingerprint}}
    (checkpoint / META).write_text(json.dumps(meta), encoding="utf-8")
    assert ("told" in evaluation_of(Release("r", checkpoint), corpus)) is remembers


def test_premises_differ_and_are_the_same_again(show: Show) -> None:
    premises = premises_of(show, 8, Length.EPISODE, seed=3)
    assert premises == premises_of(show, 8, Length.EPISODE, seed=3)
    assert [premise.seed for premise in premises] == list(range(3, 11))
    assert len({premise.tone for premise in premises}) == 4
    assert len({premise.cast for premise in premises}) > 4
    assert all(5 <= len(premise.cast) <= 8 and set(premise.cast) <= set(show.cues) for premise in premises)
    assert premises_of(show, 1, seed=3)[0].length is Length.TEASER


def test_scripts_are_counted(writer: Writer, show: Show) -> None:
    premises = premises_of(show, 2)
    measures = script_measures(writer, premises)
    assert measures["scripts"] == 2
    assert measures["reads_back"] == 1
    assert 0.3 < measures["speeches_by_known_cast"] <= 1
    assert measures["drawn_a_line"] >= 0.5
    assert measures == counted(write_all(writer, premises), show)


def test_nothing_written_is_nothing_to_count(show: Show) -> None:
    with pytest.raises(CorpusError, match="no script"):
        counted([], show)


def test_a_report_puts_scripts_beside_real_ones_and_controls(writer: Writer, corpus: Corpus, show: Show) -> None:
    report = quality_report(writer, corpus, premises_of(show, 2), {"episode_perplexities": [3.0]})
    assert [column.name for column in report.columns] == ["release", "held_out", "markov", "loop", "copy"]
    assert [len(column.values["speakers"]) for column in report.columns] == [2, 2, 2, 2, 2]
    assert report.verdict.unnoticed == ()
    assert report.release.values["parse_rate"] == (1, 1)
    assert report.release.values["acts_in_order"] == (1, 1)
    assert report.facts["corpus_is_ours"]
    assert report.facts["script_measures"]["scripts"] == 2
    assert report.perplexity["episode_perplexities"] == [3.0]
    assert not report.release.is_whole


def test_a_writer_that_repeats_the_corpus_is_seen_to(writer: Writer, corpus: Corpus, show: Show) -> None:
    """It is a Markov chain over tokens, and its text is compared with its marks: names do not hide a copied run."""
    release = quality_report(writer, corpus, premises_of(show, 2)).release
    assert max(release.values["longest_run"]) > 10


def config_fields() -> dict[str, Any]:
    """The configuration of a training on a corpus of three episodes."""
    shape = HParams(n_vocab=400, n_ctx=64, n_embd=8, n_head=2, n_layer=1)
    tiny = CorpusConfig(episodes=2, held_out_episodes=1, vocabulary_tokens=400, tokenizer_episodes=1)
    return asdict(FinetuneConfig(tiny, shape, steps=1, batch_size=1, learning_rate=1e-3, warmup_steps=1, save_every=1))


def test_a_corpus_with_a_name_is_opened(corpus: Corpus, show: Show, tmp_path: Path) -> None:
    assert corpus_of(tmp_path, str(corpus.folder), show, tmp_path / "new") == corpus
    assert not (tmp_path / "new").exists()


def test_the_corpus_of_a_checkpoint_is_built_again(show: Show, tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text(json.dumps(config_fields()), encoding="utf-8")
    built = corpus_of(tmp_path, "", show, tmp_path / "new")
    assert built.summary["config"]["held_out_episodes"] == 1
    assert open_corpus(tmp_path / "new") == built


def test_the_corpus_of_a_release_must_be_the_same_again(show: Show, tmp_path: Path) -> None:
    meta: dict[str, Any] = {"config": config_fields(), "corpus": {"fingerprint": "0" * 64}}
    (tmp_path / META).write_text(json.dumps(meta), encoding="utf-8")
    with pytest.raises(CorpusError, match="was not trained on the demonstration corpus as it is now"):
        corpus_of(tmp_path, "", show, tmp_path / "new")
    meta["corpus"]["fingerprint"] = open_corpus(tmp_path / "new").fingerprint
    (tmp_path / META).write_text(json.dumps(meta), encoding="utf-8")
    assert corpus_of(tmp_path, "", show, tmp_path / "new").fingerprint == meta["corpus"]["fingerprint"]


def test_a_checkpoint_with_another_vocabulary_was_trained_on_something_else(show: Show, tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text(json.dumps(config_fields()), encoding="utf-8")
    (tmp_path / ENCODER_FILE).write_text("{}", encoding="ascii")
    with pytest.raises(CorpusError, match="was not trained on"):
        corpus_of(tmp_path, "", show, tmp_path / "new")


@pytest.mark.parametrize("said", [None, "{}", "[]", "[3]", "{", '{"config": {"network": {}}}', '{"config": null}'])
def test_a_checkpoint_that_does_not_say_its_corpus_needs_the_name(show: Show, tmp_path: Path, said: str | None) -> None:
    if said is not None:
        (tmp_path / META).write_text(said, encoding="utf-8")
    with pytest.raises(CorpusError):
        corpus_of(tmp_path, "", show, tmp_path / "new")
