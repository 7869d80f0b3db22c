"""Guests and temperature of a premise: what is taken, how it is kept, and what is refused with which sentence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.naming import given_names
from tests.shows import first_show
from tng.errors import PremiseError
from tng.script import (
    COOLEST,
    GUEST_CHARACTERS,
    HOTTEST,
    MOST_GUESTS,
    Element,
    ElementKind,
    Premise,
    parse_line,
    render_element,
)

CUES = ("PICARD", "DATA", "O'BRIEN")
WISH = {"title": "T", "cast": ["PICARD", "DATA"], "tone": "drama", "length": "short", "seed": 1}


def checked(**fields: Any) -> Premise:
    return Premise.checked({**WISH, **fields}, CUES)


def test_a_premise_without_them_leaves_them_to_fate_and_to_the_release() -> None:
    assert (checked().guests, checked().temperature) == ((), None)
    assert checked(guests=[], temperature=None) == checked()


@pytest.mark.parametrize(
    "name", ["Oran", "T'Vral", "T’Vral", "Jean-Pierre", "Zoë", "oran", "Io", "X" * GUEST_CHARACTERS]
)
def test_a_name_of_one_word_is_a_guest(name: str) -> None:
    assert checked(guests=[f"  {name} "]).guests == (name,)


def test_a_name_that_is_written_with_loose_accents_is_brought_together() -> None:
    assert checked(guests=["Zoe\u0308"]).guests == ("Zoë",)


@pytest.mark.parametrize(
    ("guests", "words"),
    [
        ("Oran", "list of names"),
        (None, "list of names"),
        (["Oran", "Mirel", "Tal"], f"room for {MOST_GUESTS} guests"),
        (["X"], "two letters"),
        ([""], "two letters"),
        ([7], "must be text"),
        (["x" * (GUEST_CHARACTERS + 1)], f"{GUEST_CHARACTERS} is the most"),
        (["Two Words"], "one word"),
        (["R2D2"], "one word"),
        (["-Oran"], "one word"),
        (["Oran\x07"], "control character"),
        (["李明"], "Latin letters"),
        (["Straße"], "Latin letters"),
        (["Data"], "somebody aboard"),
        (["Dàta"], "somebody aboard"),
        (["o'brien"], "somebody aboard"),
        (["Oran", "ORAN"], "same name"),
        (["Zoë", "Zoe"], "same name"),
    ],
)
def test_whatever_is_no_guest_is_refused_with_a_sentence(guests: object, words: str) -> None:
    with pytest.raises(PremiseError) as refused:
        checked(guests=guests)
    assert words in refused.value.user_message
    assert not any(str(name) in str(refused.value) for name in (guests or ()) if len(str(name)) > 1)


@given(st.text(min_size=1, max_size=GUEST_CHARACTERS))
def test_every_guest_that_is_taken_can_be_written_down_as_one_who_speaks(name: str) -> None:
    try:
        (guest,) = checked(guests=[name]).guests
    except PremiseError:
        return
    speech = Element(ElementKind.SPEECH, "Yes.", _plain(guest).upper())
    assert parse_line(render_element(speech)) == speech


def _plain(name: str) -> str:
    return given_names(Premise("T", guests=(name,)), first_show())["guest"]


@pytest.mark.parametrize(("asked", "kept"), [(COOLEST, COOLEST), (HOTTEST, HOTTEST), (0.123456, 0.12), (1, 1.0)])
def test_a_temperature_is_kept_to_the_hundredth(asked: float, kept: float) -> None:
    assert checked(temperature=asked).temperature == kept


@pytest.mark.parametrize("asked", [0, 0.09, 1.01, -1, True, "0.5", [0.5], float("nan"), float("inf"), 10**400])
def test_no_other_temperature_is_taken(asked: object) -> None:
    with pytest.raises(PremiseError, match="temperature") as refused:
        checked(temperature=asked)
    assert f"from {COOLEST} to {HOTTEST}" in refused.value.user_message


def test_a_premise_reads_back_as_it_was_and_one_of_an_earlier_house_too() -> None:
    premise = checked(guests=["Oran", "Zoë"], temperature=0.35)
    assert Premise.from_fields(premise.to_fields()) == premise
    old = {name: value for name, value in premise.to_fields().items() if name not in ("guests", "temperature")}
    assert (Premise.from_fields(old).guests, Premise.from_fields(old).temperature) == ((), None)
