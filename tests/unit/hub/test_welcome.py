"""The front door's own page: what it says, that it is small, and that it is made of this house alone."""

from __future__ import annotations

import re
import shutil
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from hub.welcome import tokens_of, welcome
from tests.shows import FIRST, SECOND, first_show
from tests.unit.hub.test_templates import the_hubs
from tng.errors import ShowError
from tng.settings import Settings
from tng.shows import SHOW_FILE, Show, read_show

MOST_BYTES = 150_000


def landing(show: Show, **more: object) -> str:
    more = {"login_service": "Google", "authenticator_login_url": "/hub/oauth_login?next=%2Fa&b"} | more
    return the_hubs("login.html", show, **more)


def told(folder: Path, **settings: object) -> str:
    return welcome(Settings(show=folder, _env_file=None, **settings), read_show(folder)).price  # type: ignore[arg-type]


def test_the_price_is_the_houses_where_it_has_one_of_its_own() -> None:
    assert told(SECOND) == "4.50 EUR"
    assert told(SECOND, price_cents=999) == "9.99 EUR"


def test_the_landing_page_says_what_it_is_what_it_costs_and_what_is_promised() -> None:
    page = landing(first_show())
    words = " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())
    for said in (
        "2.99 USD",
        "you get your money back without asking",
        "GPT-2",
        "no professional writer",
        "delete them",
    ):
        assert said in words
    assert re.search(r'id="sign-in"[^>]*href="/hub/oauth_login\?next=%2Fa&amp;b">Sign in with Google<', page)
    assert '<meta property="og:title"' in page
    assert '<meta name="robots" content="index, follow">' in page


def test_its_headings_are_in_order_and_it_has_landmarks_and_a_way_past_the_bar() -> None:
    page = landing(first_show())
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert [page.count(f"<{mark}") for mark in ("header", "main", "footer")] == [1, 1, 1]
    assert page.index('href="#login-main"') < page.index("<header")


def test_it_is_small_and_loads_nothing() -> None:
    page = landing(first_show())
    assert len(page.encode()) < MOST_BYTES / 3
    assert not re.search(r"\bsrc=|url\(|@import|rel=\"stylesheet\"", page)
    assert "require" not in page
    assert "jquery" not in page


def test_why_a_sign_in_failed_is_said_as_text() -> None:
    assert '<p class="alert" role="alert">a &lt;b&gt;</p>' in landing(first_show(), login_error="a <b>")
    assert 'role="alert"' not in landing(first_show())


def test_a_show_without_a_sample_has_a_page_without_one(tmp_path: Path) -> None:
    shutil.copy(FIRST / SHOW_FILE, tmp_path)
    page = landing(read_show(tmp_path))
    assert "<figure" not in page
    assert 'id="sign-in"' in page


def test_no_word_of_a_sample_becomes_markup(tmp_path: Path) -> None:
    shutil.copy(FIRST / SHOW_FILE, tmp_path)
    evil = "<img src=x onerror=alert(1)>"
    (tmp_path / "sample.txt").write_text(f"Title: {evil}\n## {evil}\n# {evil}\n{evil}\nA: ({evil}) {evil}\n")
    assert "<img" not in landing(read_show(tmp_path))


def test_a_broken_sample_keeps_the_house_closed_and_is_named(tmp_path: Path) -> None:
    shutil.copy(FIRST / SHOW_FILE, tmp_path)
    (tmp_path / "sample.txt").write_text("nothing of the kind\n")
    with pytest.raises(ShowError, match=r"sample\.txt"):
        told(tmp_path)


def test_the_tokens_begin_with_the_shows_own_colours() -> None:
    show = first_show()
    assert tokens_of(show).startswith(f":root {{ --tng-night: {show.look['night']};")
