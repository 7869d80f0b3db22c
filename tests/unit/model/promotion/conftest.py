"""Fixtures of the gate's tests: ``releases`` are trained once for all tests, see ``lab``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from model.checkpoint import Weights, latest, load_weights
from model.corpus.training_text import Corpus, open_corpus
from model.promotion.evaluation import Question, evaluate, read_evaluation
from model.promotion.script_measures import read_blocked_words
from model.promotion.verdict import Verdict, verdict_on
from model.release import make_release
from tests.checkpoints import write_tensors
from tng.releases import MANIFEST, find_release, writing_release
from tng.script import Length

SAMPLES = 4


@dataclass(frozen=True)
class Lab:
    """The trained releases and corpora, and a folder for others that are made of them."""

    folder: Path
    made: Path

    def corpus(self, name: str = "ours") -> Corpus:
        return open_corpus(self.folder / name)

    def release(self, name: str) -> Path:
        return self.folder / name

    def copy(self, name: str, of: str) -> Path:
        """The same files under another id."""
        return Path(shutil.copytree(self.release(of), self.made / name))

    def with_weights(self, name: str, of: str, change: Callable[[Weights], None]) -> Path:
        """A whole release whose weights are others."""
        checkpoint = self.made / f"{name}-checkpoint"
        shutil.copytree(self.folder / "checkpoints" / of, checkpoint)
        weights = load_weights(checkpoint)
        change(weights)
        write_tensors(weights, checkpoint, latest(checkpoint).name)
        meta = find_release(self.release(of)).meta
        return make_release(checkpoint, self.corpus().folder, self.made / name, meta).folder

    def with_file(self, name: str, of: str, file: str, content: bytes) -> Path:
        """A release in whose manifest another file of that name stands."""
        with writing_release(self.made / name) as partial:
            for path in self.release(of).iterdir():
                if path.name != MANIFEST:
                    shutil.copyfile(path, partial / path.name)
            (partial / file).write_bytes(content)
        return self.made / name


@pytest.fixture
def releases(trained: Path, tmp_path: Path) -> Lab:
    made = tmp_path / "made"
    made.mkdir()
    return Lab(trained, made)


@pytest.fixture
def question(releases: Lab) -> Question:
    return asked(releases.corpus())


def asked(corpus: Corpus) -> Question:
    return Question(corpus, SAMPLES, Length.TEASER, 1, read_blocked_words())


def gate(candidate: Path, champion: Path, question: Question, folder: Path) -> Verdict:
    """The whole way: measured, written down, read again and judged."""
    evaluate(candidate, champion, question, folder, lambda _percent: None)
    verdict = verdict_on(read_evaluation(folder / "evaluation.json"))
    assert json.loads(json.dumps(verdict.to_fields(), allow_nan=False)) == verdict.to_fields()
    return verdict


def failed(verdict: Verdict) -> list[str]:
    return [check.name for check in verdict.checks if check.passed is False]


def no_number(weights: Weights) -> None:
    weights["h0/mlp/c_fc/w"][0, 0, 0] = np.nan


def too_sure(weights: Weights) -> None:
    """It knows what its original knows, and takes it for surer than it is: it is more surprised, and repeats more."""
    for name in ("ln_f/g", "ln_f/b"):
        weights[name] *= 1.3


def too_large(weights: Weights) -> None:
    """Each weight is a number, and what is computed of them is none."""
    weights["ln_f/g"][:] = 3e38
