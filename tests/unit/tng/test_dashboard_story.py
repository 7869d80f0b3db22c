"""What the page makes of an order's events, whatever they say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.tng.api_support import SCENES, SCRIPT
from tng.dashboard.client import OrderCard, StreamEvent
from tng.dashboard.story import News, Story
from tng.export.layout import BlockKind
from tng.orders import OrderState

CARD = OrderCard("ord_1", OrderState.WRITING, "The Quiet Hours", "2.99 USD", datetime(2026, 11, 24, tzinfo=UTC))


def scene(number: int, text: str = "", act: str = "TEASER") -> StreamEvent:
    return StreamEvent("scene", {"act": act, "number": number, "text": text or SCENES[number - 1]}, str(number))


def headings(story: Story) -> list[str]:
    return [f"{b.number} {b.text}" for section in story.sections for b in section if b.kind is BlockKind.HEADING]


def test_scenes_come_one_after_the_other_with_their_act() -> None:
    story = Story(CARD)
    assert [story.hear(scene(n)) for n in (1, 2, 3)] == [News.SCENE] * 3
    assert headings(story) == ["1 INT. READY ROOM", "2 INT. MAIN BRIDGE", "3 EXT. SPACE"]
    assert [b.text for section in story.sections for b in section if b.kind is BlockKind.ACT] == ["TEASER"]


def test_a_new_act_ends_the_one_before() -> None:
    story = Story(CARD)
    story.hear(scene(1))
    story.hear(scene(2, act="ACT ONE"))
    assert [b.text for b in story.sections[1][:2]] == ["END OF TEASER", "ACT ONE"]


def test_a_scene_that_was_heard_is_not_shown_twice() -> None:
    story = Story(CARD)
    story.hear(scene(1))
    assert story.hear(scene(1)) is News.NOTHING
    assert len(story.sections) == 1


def test_another_attempt_forgets_what_was_shown() -> None:
    story = Story(CARD)
    story.hear(scene(1))
    assert story.hear(StreamEvent("restart", {"attempt": 2})) is News.RESTART
    assert story.sections == []
    story.hear(StreamEvent("progress", {"act": "TEASER", "percent": 10}))
    assert (story.attempt, story.act, story.percent) == (2, "TEASER", 10)


def test_the_delivered_script_is_the_truth() -> None:
    story = Story(CARD)
    for number in (1, 2, 3):
        story.hear(scene(number))
    live = list(story.sections)
    story.tell(SCRIPT)
    assert story.sections[:-1] == live
    assert story.sections[-1][0].text == "THE END"
    story.hear(scene(1, "# INT. LATE\nToo late."))
    assert len(story.sections) == 4


@pytest.mark.parametrize(
    "event",
    [
        StreamEvent("scene", {}),
        StreamEvent("scene", {"number": "x", "text": SCENES[0]}),
        StreamEvent("scene", {"number": 1, "text": "no heading"}),
        StreamEvent("scene", {"number": None, "text": None}),
        StreamEvent("retry", {}),
        StreamEvent("what", {"is": "this"}),
    ],
)
def test_what_it_does_not_understand_changes_nothing(event: StreamEvent) -> None:
    story = Story(CARD)
    assert story.hear(event) is News.NOTHING
    assert story.sections == []


@pytest.mark.parametrize(("said", "shown"), [(50, 50), (-5, 0), (900, 100), ("x", 0), (None, 0), (33.9, 33)])
def test_per_cent_are_between_nothing_and_all(said: Any, shown: int) -> None:
    story = Story(CARD)
    story.hear(StreamEvent("progress", {"act": "ACT ONE", "percent": said}))
    assert story.percent == shown
