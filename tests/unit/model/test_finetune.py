"""Who trains and what is refused; the cures of gpt-2-simple's traps, one by one, without TensorFlow."""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.checkpoint import HParams
from model.corpus.training_text import Corpus
from model.finetune import Progress, Trainer, finetune
from model.presets import PRESETS, FinetuneConfig, config_from, preset
from model.training.beginning import first_weights
from model.training.reference import _Listener, record_sampler
from tests.training_corpora import invented_corpus
from tng.errors import CheckpointError, CorpusError

CONFIG = replace(preset("tiny"), network=HParams(n_vocab=50, n_ctx=8, n_embd=4, n_head=1, n_layer=1))
END = 49


class SimpleSampler:
    """As gpt-2-simple's: a window from anywhere."""

    def __init__(self, chunks: list[NDArray[np.int32]]) -> None:
        self.chunks = chunks

    def sample(self, length: int) -> NDArray[np.int32]:
        start = random.randrange(len(self.chunks[0]) - length)
        return self.chunks[0][start : start + length]


def chunks() -> list[NDArray[np.int32]]:
    record = [END, *range(12)]
    return [np.array(record * 5 + [END], np.int32), np.array(record * 3 + [END], np.int32)]


def test_a_window_is_as_long_as_the_network_holds() -> None:
    sampler = record_sampler(SimpleSampler, CONFIG)(chunks())
    assert {len(sampler.sample(1024)) for _ in range(50)} == {8}
    assert len(sampler.sample(1)) == 1


@pytest.mark.parametrize(("share", "fewest", "most"), [(1.0, 200, 200), (0.0, 0, 60), (0.5, 80, 160)])
def test_as_many_windows_as_asked_begin_with_a_record(share: float, fewest: int, most: int) -> None:
    random.seed(1)
    sampler = record_sampler(SimpleSampler, replace(CONFIG, whole_records=share))(chunks())
    assert fewest <= sum(sampler.sample(1024)[0] == 0 for _ in range(200)) <= most


def test_no_window_runs_over_the_end_of_an_episode() -> None:
    sampler = record_sampler(SimpleSampler, replace(CONFIG, whole_records=1.0))(chunks())
    for _ in range(200):
        window = sampler.sample(1024)
        assert window.tolist() == list(range(8))


def test_what_gpt_2_simple_prints_is_read() -> None:
    heard: list[Progress] = []
    listener = _Listener(9, lambda progress: bool(heard.append(progress)) or True)
    listener.write("Training...\n[1 | 0.52] loss=7.25 avg")
    listener.write("=7.25\n[2 | 1.10] loss=6.75 avg=7.00\nSaving x\n")
    assert heard == listener.heard == [Progress(1, 9, 0.52, 7.25, 7.25), Progress(2, 9, 1.10, 6.75, 7.00)]


def test_a_report_that_says_stop_interrupts() -> None:
    listener = _Listener(9, lambda progress: progress.step < 2)
    listener.write("[1 | 0.52] loss=7.25 avg=7.25\n")
    with pytest.raises(KeyboardInterrupt):
        listener.write("[2 | 0.52] loss=7.25 avg=7.25\n")


def test_a_corpus_of_another_preset_is_refused(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="Build the corpus with the same preset"):
        finetune(preset("small"), corpus, tmp_path / "checkpoint")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("trainer", list(Trainer))
def test_a_corpus_smaller_than_a_window_is_refused(corpus: Corpus, tmp_path: Path, trainer: Trainer) -> None:
    network = HParams(n_vocab=1500, n_ctx=100_000, n_embd=4, n_head=1, n_layer=1)
    with pytest.raises(CorpusError, match=r"10000[12]"):
        finetune(replace(preset("tiny"), network=network), corpus, tmp_path / "checkpoint", trainer=trainer)
    assert not list(tmp_path.iterdir())


def test_gpt_2_simple_does_not_resume(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="only our trainer resumes"):
        finetune(CONFIG, invented_corpus(tmp_path, vocabulary=50), tmp_path, trainer=Trainer.REFERENCE, resume=True)


def test_a_base_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="the base nothing cannot be read"):
        first_weights(CONFIG, invented_corpus(tmp_path), tmp_path / "nothing")


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_read_back_from_its_fields(name: str) -> None:
    assert config_from(asdict(preset(name))) == preset(name)


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_fits_together(name: str) -> None:
    config = preset(name)
    assert config.network.n_vocab == config.corpus.vocabulary_tokens
    assert config.network.n_embd % config.network.n_head == 0
    assert config.warmup_steps < config.steps


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of: tiny, small, 124M, 355M"):
        preset("huge")


def test_other_steps_are_taken_and_none_leaves_the_preset() -> None:
    config: FinetuneConfig = preset("tiny")
    assert config.with_steps(7).steps == 7
    assert config.with_steps(0) == config
