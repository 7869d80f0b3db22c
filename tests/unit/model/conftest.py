"""Fixtures of the writer's tests.

``show`` (the one that comes along), ``bank``, ``assembler``, ``corpus`` (built once), ``tokenizer``, ``episodes`` (the
corpus as tokens), ``markov`` (a network that has read them), ``writer`` (a writer with that network), ``empty_folder``.
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
from model.writing import Writer
from tests.shows import first_show
from tests.unit.model.networks import MarkovNetwork
from tng.shows import Show

SMALL = CorpusConfig(episodes=11, held_out_episodes=2, vocabulary_tokens=1500, tokenizer_episodes=11)


@pytest.fixture(scope="session")
def show() -> Show:
    return first_show()


@pytest.fixture(scope="session")
def bank(show: Show) -> Bank:
    return read_bank(show)


@pytest.fixture(scope="session")
def assembler(bank: Bank, show: Show) -> Assembler:
    return Assembler(bank, show, seed=1)


@pytest.fixture(scope="session")
def corpus(show: Show, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_corpus(SMALL, show, tmp_path_factory.mktemp("corpus"))


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
def writer(markov: MarkovNetwork, tokenizer: Tokenizer, corpus: Corpus, show: Show) -> Writer:
    return Writer("test-1", markov, tokenizer, read_outlines(corpus.folder), read_words(corpus.folder), show)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few and short tries a line, for networks that never say anything of use: what is promised holds all the same."""
    monkeypatch.setattr("model.pen.LINE_TOKENS", 20)
    for name, few in (("FREE_DRAWS", 2), ("FORCED_DRAWS", 1), ("MOST_LINES", 8)):
        monkeypatch.setattr(f"model.drafting.{name}", few)


@pytest.fixture
def empty_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "empty"
    folder.mkdir()
    return folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test's derived exports are its own: neither another test's nor those of whoever runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
