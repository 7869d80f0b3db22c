"""What helps to read a script, without a browser: what a reader may ask for, who speaks, and how it was written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.reader_host import scenes
from tests.unit.tng.api_support import SCRIPT
from tng.dashboard.reader import LINE_CHARACTERS, ScriptReader
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
        {"kind": "line", "scene": 1, "block": -2, "text": "x"},
        {"kind": "line", "scene": 1, "block": 24, "text": "x"},
        {"kind": "line", "scene": 1, "block": 0, "text": "x" * (LINE_CHARACTERS + 1)},
    ],
)
def test_what_is_not_on_the_page_cannot_be_asked_for(reader: ScriptReader, said: dict[str, Any]) -> None:
    heard: list[Any] = []
    reader.on_scene(lambda *told: heard.append(told))
    reader.on_line(lambda *told: heard.append(told))
    reader._asked(reader, said, [])
    assert heard == []
    reader._asked(reader, {"kind": "scene", "number": 1, "act": "again"}, [])
    reader._asked(reader, {"kind": "line", "scene": 3, "block": -1, "text": "INT. X"}, [])
    assert heard == [(1, "again"), (3, -1, "INT. X")], "the control"
    reader.editable = False
    reader._asked(reader, {"kind": "scene", "number": 1, "act": "again"}, [])
    assert len(heard) == 2


def test_only_the_scene_that_differs_is_sent_again_and_another_order_is_drawn_anew(reader: ScriptReader) -> None:
    changed = [list(scene_blocks(scene, number)) for number, scene in enumerate(scenes(3), 1)]
    changed[1] = changed[1][:-1]
    reader.show(changed, place="ord_1/1")
    assert [(told["kind"], told["index"], told["place"]) for told in reader.told] == [("changed", 1, "ord_1/1")]
    reader.show(changed, place="ord_2/0")
    assert reader.told[-1]["kind"] == "all"
