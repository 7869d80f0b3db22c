"""What helps to read a script, without a browser: what a reader may ask for, who speaks, and how it was written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reader_host import scenes
from tests.unit.tng.api_support import SCRIPT
from tng.dashboard.reader import CHANGED_MEANWHILE, LINE_CHARACTERS, ScriptReader
from tng.dashboard.voices import Voice, draw_voices, voices_of
from tng.export.layout import scene_blocks
from tng.script import parse


def test_who_says_the_most_words_comes_first() -> None:
    assert voices_of(parse(SCRIPT)) == (Voice("PICARD", 8, 3), Voice("DATA", 5, 1))
    assert draw_voices(None) == draw_voices("no script") == draw_voices("Title: X\n") == ""


def test_a_name_becomes_no_markup_and_the_rest_is_counted() -> None:
    lines = "\n".join(f"WHO {name}&: one" for name in range(10))
    html = draw_voices(f"Title: X\n## ACT\n# INT. X\n{lines}\n")
    assert html.count("<tr>") == 9
    assert "&amp;" in html
    assert "And 2 others, with 2 words together." in html


@pytest.fixture
def reader() -> ScriptReader:
    """A reader of two scenes that may be reworked; what it sends is in ``reader.told``."""
    reader = ScriptReader(editable=True)
    reader.told = []
    reader.send = lambda content, *_: reader.told.append(content)
    reader.show([list(scene_blocks(scene, number)) for number, scene in enumerate(scenes(3), 1)], place="ord_1/0")
    reader.told.clear()
    return reader


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "scene", "number": 4, "act": "again"},
        {"kind": "scene", "number": True, "act": "again"},
        {"kind": "scene", "number": "1", "act": "again"},
        {"kind": "scene", "number": 1, "act": "delete"},
        {"kind": "scene", "number": 1, "act": "takes"},
        {"kind": "line", "scene": 1, "block": -2, "text": "x", "place": "ord_1/0"},
        {"kind": "line", "scene": 1, "block": 24, "text": "x", "place": "ord_1/0"},
        {"kind": "line", "scene": 1, "block": 0, "text": "x" * (LINE_CHARACTERS + 1), "place": "ord_1/0"},
        {"kind": "line", "scene": 1, "block": 0, "text": "x"},
        {"kind": "take", "scene": 4, "take": 1},
        {"kind": "take", "scene": 1, "take": 4},
        {"kind": "take", "scene": 1, "take": -1},
        {"kind": "take", "scene": True, "take": 1},
    ],
)
def test_what_is_not_on_the_page_cannot_be_asked_for(reader: ScriptReader, said: dict[str, Any]) -> None:
    heard: list[Any] = []
    reader.on_scene(lambda *told: heard.append(told))
    reader.on_line(lambda *told: heard.append(told))
    reader.on_take(lambda *told: heard.append(told))
    reader._asked(reader, said, [])
    assert heard == []
    rightly = (
        {"kind": "scene", "number": 1, "act": "again"},
        {"kind": "line", "scene": 3, "block": -1, "text": "INT. X", "place": "ord_1/0"},
        {"kind": "take", "scene": 1, "take": 0},
    )
    for said in rightly:
        reader._asked(reader, said, [])
    assert heard == [(1, "again"), (3, -1, "INT. X"), (1, 0)], "the control"
    reader.editable = False
    for said in rightly:
        reader._asked(reader, said, [])
    assert len(heard) == 3


def test_a_line_of_a_script_that_has_changed_is_refused_and_never_put_into_another_line(reader: ScriptReader) -> None:
    heard: list[Any] = []
    reader.on_line(lambda *told: heard.append(told))
    line = {"kind": "line", "scene": 2, "block": 5, "text": "x", "place": "ord_1/0"}
    reader._place = "ord_1/1"
    reader._asked(reader, line, [])
    assert heard == []
    assert reader.told == [{"kind": "refused", "scene": 2, "block": 5, "sentence": CHANGED_MEANWHILE}]
    reader._asked(reader, line | {"place": "ord_1/1"}, [])
    assert heard == [(2, 5, "x")]


def test_a_browser_hears_of_another_edition_that_looks_the_same(reader: ScriptReader) -> None:
    same = [list(scene_blocks(scene, number)) for number, scene in enumerate(scenes(3), 1)]
    reader.show(same, place="ord_1/1")
    reader.show(same, place="ord_1/1")
    assert reader.told == [{"kind": "place", "place": "ord_1/1"}]


def test_only_the_scene_that_differs_is_sent_again_and_another_order_is_drawn_anew(reader: ScriptReader) -> None:
    changed = [list(scene_blocks(scene, number)) for number, scene in enumerate(scenes(3), 1)]
    changed[1] = changed[1][:-1]
    reader.show(changed, place="ord_1/1")
    assert [(told["kind"], told["index"], told["place"]) for told in reader.told] == [("changed", 1, "ord_1/1")]
    reader.show(changed, place="ord_2/0")
    assert reader.told[-1]["kind"] == "all"
