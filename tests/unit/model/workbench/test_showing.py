"""Tables and pictures show any text as it is, and none of it does anything."""

from __future__ import annotations

from typing import Any

import pytest

from model.workbench.showing import bars, counts, lines, number_text, show_picture, show_table, table_html, table_text

EVIL = "<script>alert(1)</script>"
PNG = b"\x89PNG"


def test_whatever_stands_in_a_table_is_text() -> None:
    html = table_html(("", EVIL), [(EVIL, EVIL)])
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 3


def test_a_table_is_there_for_who_sees_no_markup(shown: list[dict[str, Any]]) -> None:
    show_table(("", "one"), [("steps", "12"), ("longer name", "3")])
    assert shown[0]["text/plain"] == table_text(("", "one"), [("steps", "12"), ("longer name", "3")])
    assert shown[0]["text/plain"].splitlines() == ["             one", "steps        12", "longer name  3"]


@pytest.mark.parametrize("name", ["$\\frac{$", "x" * 500, "", EVIL], ids=["a-formula", "long", "empty", "markup"])
def test_any_label_can_be_drawn(name: str) -> None:
    assert bars({name: 1.5}, "one bar", "scenes").startswith(PNG)


def test_pictures_of_nothing_are_pictures() -> None:
    assert bars({}, "nothing", "").startswith(PNG)
    assert counts([], "nothing", "words").startswith(PNG)
    assert counts([3, 3, 3], "one value", "words").startswith(PNG)
    assert lines({"a": [], "b": []}, "nothing", "step").startswith(PNG)


def test_a_picture_says_what_it_shows(shown: list[dict[str, Any]]) -> None:
    show_picture(lines({"a": [(1, 2), (2, 1)]}, "one", "step"), "losses of a")
    assert shown[0]["text/plain"] == "losses of a"
    assert shown[0]["image/png"]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0.25, "0.250"), (1071.521, "1,071.5"), (2632821, "2,632,821"), ("x", "x")]
)
def test_numbers_are_written_for_people(value: Any, text: str) -> None:
    assert number_text(value) == text
