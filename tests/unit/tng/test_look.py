"""The colours that follow from a show's own, and that what is written in them can be read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shows import first_show, second_show
from tng.look import ENOUGH, contrast, mix, whole_look
from tng.shows import Show

READ = [("on-night", "night"), ("on-night-soft", "night-soft"), ("link-on-night", "night"), ("on-amber", "amber")]
"""What is written on what."""

READ += [("on-amber", "amber-hover"), ("amber-dark", "#ffffff"), ("amber-dark", "#f4f2ec")]

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


def unreadable(look: dict[str, str]) -> list[tuple[str, str]]:
    """The pairs that could not be read."""
    return [pair for pair in READ if contrast(*(look.get(name, name) for name in pair)) < ENOUGH]


@given(colours, colours)
def test_whatever_two_colours_a_show_names_its_pages_can_be_read(night: str, amber: str) -> None:
    look = whole_look({"night": night, "amber": amber})
    assert (look["night"], look["amber"]) == (night, amber)
    assert not unreadable(look)


@pytest.mark.parametrize("read", [first_show, second_show], ids=["first", "second"])
def test_the_pages_of_the_shows_can_be_read(read: Callable[[], Show]) -> None:
    assert not unreadable(whole_look(read().look))


def test_a_show_without_colours_has_those_of_the_house() -> None:
    assert not unreadable(whole_look({}))


def test_a_shows_own_colours_are_taken_as_they_are() -> None:
    own = {"night": "#ffffff", "on-night": "#fffffe", "page": "#000000"}
    assert whole_look(own).items() >= own.items()
    assert ("on-night", "night") in unreadable(whole_look(own)), "the measure finds what cannot be read"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#777777", 1.0), ("#767676", "#ffffff", 4.54)],
    ids=["black-on-white", "the-same", "the-grey-that-is-just-enough"],
)
def test_contrast_is_that_of_the_recommendation(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize(("share", "mixed"), [(0.0, "#102030"), (0.5, "#889098"), (1.0, "#ffffff")])
def test_mixing_goes_from_one_to_the_other(share: float, mixed: str) -> None:
    assert mix("#102030", "#ffffff", share) == mixed
