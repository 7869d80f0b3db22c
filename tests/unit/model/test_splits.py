"""Episodes are held out whole, by number or by hash; parts stay together, and clip shows are on neither side."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from model.corpus.splits import HOLD_OUT_EVERY, Split, split
from model.corpus.teleplays.shelf import EpisodeFacts
from tests.shows import first_show
from tng.errors import CorpusError
from tng.shows import Show, TeleplaySource

SOURCE = TeleplaySource(
    "PAGE", "TITLE", {}, held_out=frozenset({5, 8}), excluded=frozenset({9}), together=((3, 4), (5, 6))
)


def a_show(source: TeleplaySource = SOURCE) -> Show:
    return replace(first_show(), teleplays=source)


def facts(number: int | None, title: str = "", key: str = "") -> EpisodeFacts:
    key = key or (str(number) if number is not None else f"t-{title.lower()}")
    told = {"writer": "", "director": "", "draft": "", "date": "", "story": "", "dialect": "", "encoding": ""}
    return EpisodeFacts(
        key=key, title=title or key, number=number, season=None, text_sha256="", acts=6, scenes=50, speeches=400, **told
    )


def test_the_show_says_which_episodes_are_held_out_and_which_are_excluded() -> None:
    divided = split([facts(number) for number in range(1, 11)], a_show())
    assert divided == Split(("1", "2", "3", "4", "7", "10"), ("5", "6", "8"), ("9",))


@pytest.mark.parametrize(
    "titles",
    [
        ("The Long Way, Part I", "The Long Way, Part II"),
        ("The Long Way, Part One", "THE LONG WAY, PART TWO"),
        ("The Long Way, I", "The Long Way, II"),
        ("The Long Way (Part 1)", "The Long Way (Part 2)"),
    ],
)
def test_parts_go_together_by_their_titles(titles: tuple[str, str]) -> None:
    divided = split([facts(1), facts(2, titles[0]), facts(8, titles[1])], a_show())
    assert divided.held_out == ("2", "8")


def test_a_number_in_a_title_makes_no_part() -> None:
    divided = split([facts(1, "Deck Two"), facts(8, "Deck One")], a_show())
    assert divided.held_out == ("8",)


def test_without_numbers_every_eleventh_is_held_out_by_its_hash() -> None:
    divided = split([facts(None, f"Story {number}") for number in range(1000)], a_show())
    assert 1000 / HOLD_OUT_EVERY * 0.7 < len(divided.held_out) < 1000 / HOLD_OUT_EVERY * 1.3


def test_a_show_that_says_nothing_gets_the_same_rule_for_its_numbers() -> None:
    divided = split([facts(number) for number in range(1000)], a_show(TeleplaySource("PAGE", "TITLE", {})))
    assert 60 < len(divided.held_out) < 120


@given(st.sets(st.integers(1, 500), min_size=2, max_size=60), st.integers(501, 600))
def test_an_episode_stays_on_its_side_when_others_come(numbers: set[int], another: int) -> None:
    show = a_show(TeleplaySource("PAGE", "TITLE", {}))
    try:
        before = split([facts(number) for number in numbers], show)
    except CorpusError:  # the rule holds out all of these few
        reject()
    after = split([facts(number) for number in (*numbers, another)], show)
    by_rule = len(before.held_out) > 1 or len(after.held_out) > 1
    assert not by_rule or set(before.training) <= set(after.training)
    assert sorted((*after.training, *after.held_out), key=int) == [str(n) for n in sorted((*numbers, another))]


def test_something_is_held_out_wherever_there_are_two_stories() -> None:
    assert len(split([facts(1), facts(2)], a_show()).held_out) == 1
    assert split([facts(1)], a_show()) == Split(("1",), (), ())


@pytest.mark.parametrize("numbers", [(), (9,), (5, 6)], ids=["none", "excluded", "held out"])
def test_nothing_to_train_on_is_said(numbers: tuple[int, ...]) -> None:
    with pytest.raises(CorpusError, match="no episode is left to train on"):
        split([facts(number) for number in numbers], a_show())
