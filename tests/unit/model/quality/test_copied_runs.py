"""A copied run is found word for word, and not a word more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.copies import build_copies, comparable
from model.quality.copied_runs import LONGEST, CopiedRuns, copied_share, longest_run, seen_ngrams

WORDS = st.lists(st.sampled_from("abcde"), max_size=30)


def by_hand(texts: list[list[str]], tokens: list[str]) -> list[int]:
    """For each word the longest run from it on that a text has."""
    places = [text[start:] for text in texts for start in range(len(text))]

    def shared(start: int, place: list[str]) -> int:
        same = [a == b for a, b in zip(tokens[start:], place, strict=False)]
        return same.index(False) if False in same else len(same)

    return [max((shared(start, place) for place in places), default=0) for start in range(len(tokens))]


@given(st.lists(WORDS, max_size=4), WORDS)
def test_runs_are_those_that_one_finds_by_looking_everywhere(texts: list[list[str]], tokens: list[str]) -> None:
    index = CopiedRuns(" ".join(text) for text in texts)
    assert index.runs(tokens).tolist() == by_hand(texts, tokens)


def test_no_run_goes_over_the_end_of_a_text() -> None:
    assert CopiedRuns(["one two", "three four"]).runs(["two", "three"]).tolist() == [1, 1]
    assert CopiedRuns(["one two three four"]).runs(["two", "three"]).tolist() == [2, 1], "the control: one text"


def test_a_very_long_run_counts_as_so_many_words() -> None:
    words = [f"w{number}" for number in range(3 * LONGEST)]
    runs = CopiedRuns([" ".join(words)]).runs(words)
    assert longest_run(runs) == LONGEST
    assert copied_share(runs) == 1


def test_a_period_of_repeats_is_sorted_too() -> None:
    runs = CopiedRuns(["go " * 500]).runs(["go"] * 70)
    assert runs.tolist() == [*[LONGEST] * 6, *range(LONGEST, 0, -1)]


def test_only_long_runs_are_shares() -> None:
    ten = [f"w{number}" for number in range(10)]
    index = CopiedRuns([" ".join(ten)])
    assert copied_share(index.runs([*ten, *["new"] * 10])) == pytest.approx(0.5)
    assert copied_share(index.runs([*ten[:9], "new"])) == 0


def test_seen_ngrams_are_a_share_of_all_ngrams() -> None:
    index = CopiedRuns(["a b c d"])
    runs = index.runs(["a", "b", "c", "x"])
    assert seen_ngrams(runs, 2) == pytest.approx(2 / 3)
    assert seen_ngrams(runs, 5) == 0


@pytest.mark.parametrize("texts", [[], [""], ["only these"]], ids=["no text", "an empty text", "other words"])
def test_what_was_never_written_is_not_copied(texts: list[str]) -> None:
    runs = CopiedRuns(texts).runs(["quite", "new"])
    assert (longest_run(runs), copied_share(runs), seen_ngrams(runs, 8)) == (0, 0, 0)
    assert longest_run(CopiedRuns(texts).runs([])) == 0


def test_words_are_compared_as_they_are_while_writing() -> None:
    text = "Captain's log, stardate 41000.1. We’ve found THE ship, and nobody is aboard of her now."
    runs = CopiedRuns([text]).runs(comparable("We've found the ship and nobody is aboard of her now!"))
    assert runs[0] == len(runs)


@given(
    st.lists(st.lists(st.sampled_from("abc"), max_size=40), max_size=3), st.lists(st.sampled_from("abc"), max_size=40)
)
def test_the_hashes_of_a_release_never_find_less(texts: list[list[str]], tokens: list[str]) -> None:
    joined = [" ".join(text) for text in texts]
    exact = longest_run(CopiedRuns(joined).runs(tokens))
    assert exact < 8 or build_copies(joined).longest_run(tokens) >= exact
