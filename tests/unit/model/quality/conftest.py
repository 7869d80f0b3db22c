"""``comparison``: the small corpus with its show, read once."""

from __future__ import annotations

import pytest

from model.corpus.training_text import Corpus
from model.quality.comparison import Comparison
from tng.shows import Show


@pytest.fixture(scope="session")
def comparison(corpus: Corpus, show: Show) -> Comparison:
    return Comparison(corpus, show)
