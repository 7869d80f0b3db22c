"""How a script was written, in words: what was told is said, and what was not is left out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tng.api_support import PROVENANCE
from tng.provenance import Provenance

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
told = st.fixed_dictionaries({}, optional=dict.fromkeys(("release", "seed", "gates", "copied"), json_values))


def copied(words: Any, share: Any, *, ours: Any = False) -> Provenance:
    """What was measured against the training text."""
    return Provenance.read({"copied": {"longest_run_words": words, "share": share, "corpus_is_ours": ours}})


def test_all_that_was_told_is_said_in_plain_words() -> None:
    assert Provenance.read(PROVENANCE).sentences == (
        "Written by release tng-test, from seed 7.",
        "3 scenes, of which 1 had to be written again.",
        "Longest passage shared with the training text, which is our own: 12 words; 4% of the script stands in it.",
    )


@pytest.mark.parametrize(
    ("provenance", "rest"),
    [
        (copied(12, 0.04), ": 12 words; 4% of the script stands in it."),
        (copied(1, 0.001), ": 1 word; less than 1% of the script stands in it."),
        (copied(7, 0), ": 7 words; 0% of the script stands in it."),
        (copied(2000, 1.0, ours=True), ", which is our own: 2,000 words; 100% of the script stands in it."),
    ],
)
def test_what_is_shared_is_one_sentence(provenance: Provenance, rest: str) -> None:
    assert provenance.copied == f"Longest passage shared with the training text{rest}"


def test_nothing_shared_is_said_as_plainly() -> None:
    assert copied(0, 0.0).copied == "No passage is shared with the training text."


@pytest.mark.parametrize(
    ("words", "share"), [(None, 0.5), (3, None), (True, 0.5), (-3, 0.5), (3, 1.5), (3, float("nan")), ("3", "0.5")]
)
def test_what_was_not_measured_is_not_said(words: Any, share: Any) -> None:
    assert copied(words, share).copied == ""


@pytest.mark.parametrize(
    ("fields", "sentences"),
    [
        (None, ()),
        ({}, ()),
        ({"seed": 7}, ()),
        ({"release": "r"}, ("Written by release r.",)),
        ({"gates": {"scenes": 1, "written_again": 0}}, ("1 scene, of which none had to be written again.",)),
        ({"gates": {"scenes": 3}}, ()),
    ],
)
def test_a_part_that_was_not_told_is_left_out(fields: dict[str, Any] | None, sentences: tuple[str, ...]) -> None:
    assert Provenance.read(fields).sentences == sentences


@given(told)
def test_whatever_an_old_order_holds_can_be_read(fields: dict[str, Any]) -> None:
    assert all(sentence.endswith(".") for sentence in Provenance.read(fields).sentences)
