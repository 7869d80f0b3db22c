"""What a show may put on a card's statement, and in which colours: what does not fit is named when the show is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.shows import FIRST
from tng.errors import ShowError
from tng.shows import SHOW_FILE, Show, read_show


def changed(folder: Path, line: str, new: str) -> Show:
    """The first show, with the line that begins with ``line`` written otherwise."""
    text = (FIRST / SHOW_FILE).read_text(encoding="utf-8")
    text, times = re.subn(rf"^{line} = .*$", new, text, flags=re.MULTILINE)
    assert times == 1
    (folder / SHOW_FILE).write_text(text, encoding="utf-8")
    return read_show(folder)


@pytest.mark.parametrize("words", ["LANTERN", "A", "Lantern & Co. 2/3", "x" * 22])
def test_a_statement_is_up_to_22_plain_characters(tmp_path: Path, words: str) -> None:
    assert changed(tmp_path, "statement", f'statement = "{words}"').statement == words


def test_a_show_may_leave_the_statement_to_the_account(tmp_path: Path) -> None:
    assert changed(tmp_path, "statement", "").statement == ""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param("x" * 23, id="too-long"),
        pytest.param("123", id="no-letter"),
        pytest.param("Tom's", id="apostrophe"),
        pytest.param("A*B", id="star"),
        pytest.param("<A>", id="brackets"),
        pytest.param("Größe", id="not-plain"),
    ],
)
def test_what_stripe_would_refuse_on_a_statement_is_refused_here(tmp_path: Path, words: str) -> None:
    with pytest.raises(ShowError, match=r"price\.statement must be at most 22 letters"):
        changed(tmp_path, "statement", f'statement = "{words}"')


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('night = "navy"', id="a-word"),
        pytest.param('night = "#123"', id="too-short"),
        pytest.param('night = "#12345G"', id="no-number"),
        pytest.param('night = "red; } body { display: none"', id="more-than-a-colour"),
        pytest.param('"night; }" = "#123456"', id="more-than-a-name"),
    ],
)
def test_a_look_can_say_nothing_but_colours(tmp_path: Path, line: str) -> None:
    with pytest.raises(ShowError, match=r"look\.night.* must be a name in small letters and a colour like #141b2d"):
        changed(tmp_path, "night", line)


def test_a_look_may_name_any_colour(tmp_path: Path) -> None:
    assert changed(tmp_path, "night", 'night = "#00ff7f"\npage-2 = "#ffffff"').look["page-2"] == "#ffffff"
