"""Perplexity counts the scene alone, and knows a good guess from a bad one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.arrays import NumpyArrays
from model.checkpoint import HParams, fresh_weights
from model.corpus.training_text import Record
from model.evaluate import Surprise, surprise
from model.serving import Gpt2
from model.tokenizer import Tokenizer
from tng.script import parse_scene

RECORD = Record("ACT: TEASER / HOOK\n# INT. BRIDGE", parse_scene("# INT. BRIDGE\nDATA: Captain.\nPicard turns."))


def network_of(tokenizer: Tokenizer, window: int = 64) -> Gpt2:
    shape = HParams(n_vocab=tokenizer.size, n_ctx=window, n_embd=8, n_head=2, n_layer=1)
    return Gpt2(shape, fresh_weights(shape, seed=1), NumpyArrays())


def test_who_knows_nothing_is_as_surprised_as_there_are_tokens(tokenizer: Tokenizer) -> None:
    assert surprise(network_of(tokenizer), tokenizer, RECORD).perplexity == pytest.approx(tokenizer.size, rel=0.05)


def test_only_the_scene_and_its_end_are_counted(tokenizer: Tokenizer) -> None:
    scene = tokenizer.encode("DATA: Captain.\nPicard turns.\n")
    assert surprise(network_of(tokenizer), tokenizer, RECORD).tokens == len(scene) + 1


def test_a_good_guess_surprises_less(tokenizer: Tokenizer) -> None:
    class Knowing(Gpt2):
        def score(self, ids: list[int]) -> np.ndarray:  # type: ignore[override, type-arg]
            logits = np.zeros((len(ids), tokenizer.size), np.float32)
            following = [*tokenizer.encode(RECORD.text), tokenizer.end_of_text][1 : len(ids) + 1]
            logits[np.arange(len(ids)), following] = 20
            return logits

    network = network_of(tokenizer)
    network.__class__ = Knowing
    assert surprise(network, tokenizer, RECORD).perplexity == pytest.approx(1.0, abs=0.01)


def test_a_header_that_fills_the_window_leaves_nothing_to_measure(tokenizer: Tokenizer) -> None:
    nothing = surprise(network_of(tokenizer, window=4), tokenizer, RECORD)
    assert nothing == Surprise()
    assert math.isnan(nothing.perplexity)


def test_surprises_add_up() -> None:
    assert Surprise(2.0, 3) + Surprise(1.0, 1) == Surprise(3.0, 4)
    assert Surprise(math.log(8) * 4, 4).perplexity == pytest.approx(8)
