"""What a person reads where there is no place."""

from __future__ import annotations

import re

import pytest

from hub.busy import HOUSE_IS_FULL, NO_SUCH_PAGE, Notice, open_already, page
from hub.front import front
from tests.shows import first_show, second_show


def shown(notice: Notice, *, again: str = "/user/1/") -> str:
    return page(notice, front(first_show()), again=again)


def test_it_says_how_many_pages_are_open_and_what_helps() -> None:
    told = shown(open_already(2))
    assert "Your desk is open in two places already" in told
    assert "Close one of them" in told
    assert '<a href="/user/1/">Try again</a>' in told


@pytest.mark.parametrize(("places", "words"), [(1, "in one place already"), (3, "three places"), (12, "12 places")])
def test_it_counts_as_people_do(places: int, words: str) -> None:
    assert words in open_already(places).title


@pytest.mark.parametrize("notice", [open_already(2), HOUSE_IS_FULL])
def test_it_tries_again_by_itself(notice: Notice) -> None:
    assert f'<meta http-equiv="refresh" content="{notice.retry_seconds}">' in shown(notice)


def test_a_page_that_will_never_be_there_does_not_try_again() -> None:
    told = shown(NO_SUCH_PAGE)
    assert "refresh" not in told
    assert "Go to my desk" in told


def test_what_was_asked_for_is_text() -> None:
    told = shown(HOUSE_IS_FULL, again='/user/1/?"><script>alert(1)</script>')
    assert "<script>alert" not in told


def test_it_asks_nobody_else_and_looks_like_the_house() -> None:
    told = page(HOUSE_IS_FULL, front(second_show()), again="/")
    assert second_show().product in told
    assert not re.search(r"https?://", told.replace("http-equiv", ""))
    assert "{" not in re.sub(r"<(style|script)>.*?</\1>", "", told, flags=re.DOTALL)
