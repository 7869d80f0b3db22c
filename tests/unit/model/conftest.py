"""Fixtures of the writer's tests.

``bank``, ``assembler``, ``corpus`` (built once), ``tokenizer``, ``episodes`` (the corpus as tokens), ``markov`` (a
network that has read them), ``writer`` (a writer with that network), ``empty_folder``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.corpus.assembler import Assembler
from model.corpus.outlines import read_outlines, read_words
from model.corpus.scenebank import Bank, read_bank
from model.corpus.training_text import Corpus, CorpusConfig, build_corpus
from model.tokenizer import Tokenizer
from model.train import BANK_FOLDER
from model.writing import Writer
from tests.unit.model.networks import MarkovNetwork

SMALL = CorpusConfig(episodes=11, held_out_episodes=2, vocabulary_tokens=1500, tokenizer_episodes=11)


@pytest.fixture(scope="session")
def bank() -> Bank:
    return read_bank(BANK_FOLDER)


@pytest.fixture(scope="session")
def assembler(bank: Bank) -> Assembler:
    return Assembler(bank, seed=1)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_corpus(SMALL, BANK_FOLDER, tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def tokenizer(corpus: Corpus) -> Tokenizer:
    return Tokenizer(corpus.folder)


@pytest.fixture(scope="session")
def episodes(corpus: Corpus) -> list[list[int]]:
    with np.load(corpus.training_file) as arrays:
        return [arrays[name].tolist() for name in arrays.files]


@pytest.fixture(scope="session")
def well_read(tokenizer: Tokenizer, episodes: list[list[int]]) -> MarkovNetwork:
    return MarkovNetwork(tokenizer.size, episodes)


@pytest.fixture
def markov(well_read: MarkovNetwork) -> MarkovNetwork:
    return well_read.fresh()


@pytest.fixture
def writer(markov: MarkovNetwork, tokenizer: Tokenizer, corpus: Corpus) -> Writer:
    return Writer("test-1", markov, tokenizer, read_outlines(corpus.folder), read_words(corpus.folder))


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder
