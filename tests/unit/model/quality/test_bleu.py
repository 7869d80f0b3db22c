"""BLEU as its papers define it."""

from __future__ import annotations

import math

import pytest

from model.quality.bleu import MOST_WORDS, bleu, self_bleu


@pytest.mark.parametrize(
    ("candidate", "references", "value"),
    [
        pytest.param("a b c d e", ["a b c d e"], 100, id="the same"),
        pytest.param(
            "the cat sat on the mat",
            ["the cat is on the mat"],
            100 * (5 / 6 * 3 / 5 * 1 / 4 * (1 / 2) / 3) ** (1 / 4),
            id="precisions 5/6, 3/5, 1/4 and a smoothed 0/3",
        ),
        pytest.param(
            "the the the the the the the",
            ["the cat is on the mat", "there is a cat on the mat"],
            100 * (2 / 7 * (1 / 2) / 6 * (1 / 4) / 5 * (1 / 8) / 4) ** (1 / 4),
            id="no more matches than one reference has, as in the paper",
        ),
        pytest.param("a b c d e", ["a b c d e f g h i j"], 100 * math.exp(1 - 10 / 5), id="too short"),
        pytest.param("a b c d e", ["a b c d e f g h i j", "a b c d e"], 100, id="as long as the closest reference"),
        pytest.param("a b", ["a b"], 100, id="shorter than four words"),
        pytest.param("", ["a b"], 0, id="nothing said"),
        pytest.param("a b", [""], 0, id="nothing to compare with"),
        pytest.param("a b", [], 0, id="no reference"),
    ],
)
def test_a_value_that_one_computes_by_hand(candidate: str, references: list[str], value: float) -> None:
    assert bleu(candidate.split(), [reference.split() for reference in references]) == pytest.approx(value)


def test_texts_that_are_all_the_same_are_wholly_alike() -> None:
    assert self_bleu([["a", "b", "c", "d", "e"]] * 3) == pytest.approx([100, 100, 100])


def test_texts_of_other_words_are_hardly_alike() -> None:
    texts = [[f"{letter}{number}" for number in range(50)] for letter in "abc"]
    assert max(self_bleu(texts)) < 1


def test_a_text_that_is_alone_is_like_nobody() -> None:
    assert self_bleu([["a", "b"]]) == [0]
    assert self_bleu([]) == []


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    start = [f"w{number}" for number in range(MOST_WORDS)]
    assert self_bleu([[*start, "one"], [*start, "other"]]) == pytest.approx([100, 100])


def test_the_same_seed_takes_the_same_references() -> None:
    texts = [[f"w{(number * step) % 97}" for number in range(60)] for step in range(1, 16)]
    assert self_bleu(texts, seed=3) == self_bleu(texts, seed=3)
