"""What there is to rework, as the api tells it: read, and turned into what the page shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.unit.tng.test_dashboard_parts import CARD
from tng.dashboard.client import OrderCard
from tng.dashboard.order_view import draw_downloads
from tng.dashboard.rework import ReworkPanel, name_of
from tng.dashboard.rework_desk import BEING_WRITTEN, BY_HAND, CHANGED_BY_HAND, NOT_WRITTEN, Desk, SceneTake, Version

TAKE = {"release_id": "r", "made_at": "2026-11-27T08:50:00Z", "is_another_release": False, "text": "# INT. X\nOne.\n"}
BODY: dict[str, Any] = {
    "edition": 2,
    "editions": [
        {"number": 1, "why": "line", "made_at": "2026-11-27T08:50:00Z"},
        {"number": 2, "why": "something new", "made_at": "2026-11-27T08:51:00Z"},
    ],
    "takes": [{"scene": 4, "number": 1, **TAKE}, {"scene": 4, "number": 2, **TAKE}, {"scene": 6, "number": 1, **TAKE}],
    "stands": [{"scene": 4, "take": 2}, {"scene": 6, "take": None}],
    "pending": {"scene": 6, "take": 2, "is_running": True},
    "failed": None,
    "most_takes": 3,
    "guests": ["Lena"],
}


def test_the_desk_is_read_as_the_api_tells_it() -> None:
    desk = Desk.read(BODY)
    assert desk.versions[0] == Version(1, "a line changed", "2026-11-27T08:50:00Z")
    assert desk.versions[1].words == "something new", "a reason that this page does not know is said as it is"
    assert desk.takes == (SceneTake(4, 1), SceneTake(4, 2), SceneTake(6, 1))
    assert (desk.pending, desk.failed, desk.guests) == (SceneTake(6, 2), None, ("Lena",))


def test_a_scene_shows_its_takes_the_one_that_stands_and_how_many_are_left() -> None:
    bars = Desk.read(BODY).bars()
    assert bars == {
        4: {"takes": [0, 1, 2], "chosen": 2, "left": 1},
        6: {"takes": [0, 1], "chosen": BY_HAND, "left": 1},
    }


def test_a_note_says_what_is_under_way_what_failed_and_what_was_changed_by_hand() -> None:
    assert Desk.read(BODY).notes() == {6: BEING_WRITTEN}
    quiet = Desk.read(BODY | {"pending": None})
    assert quiet.notes() == {6: CHANGED_BY_HAND}
    failed = Desk.read(BODY | {"pending": None, "failed": {"scene": 4, "take": 3, "message": "Sorry."}})
    assert failed.notes() == {6: CHANGED_BY_HAND, 4: NOT_WRITTEN}
    assert failed.why_failed == "Sorry."


def test_the_links_take_the_version_that_is_seen_and_say_so() -> None:
    card: OrderCard = replace(CARD, downloads={"txt": "/api/orders/ord_1/script.txt"})
    assert 'script.txt"' in draw_downloads(card)
    assert "version" not in draw_downloads(card)
    third = draw_downloads(replace(card, edition=3))
    assert 'script.txt?edition=3"' in third
    assert "The links take version 3, which you see." in third
    assert (name_of(3), name_of(0)) == ("version 3", "the original")


@pytest.mark.parametrize(
    "said",
    [
        None,
        {"kind": "back"},
        {"kind": "back", "number": True},
        {"kind": "back", "number": "1"},
        {"kind": "rename", "old": "Lena"},
        {"kind": "rename", "old": "Lena", "new": "x" * 201},
        {"kind": "rename", "old": ["Lena"], "new": "Mara"},
        {"kind": "look!"},
    ],
)
def test_nonsense_from_a_browser_changes_nothing(said: Any) -> None:
    heard: list[Any] = []
    panel = ReworkPanel(back=heard.append, rename=lambda *names: heard.append(names), look=lambda: heard.append("look"))
    panel._asked(panel, said, [])
    assert heard == []
    for rightly in ({"kind": "back", "number": 1}, {"kind": "rename", "old": "Lena", "new": "Mara"}, {"kind": "look"}):
        panel._asked(panel, rightly, [])
    assert heard == [1, ("Lena", "Mara"), "look"], "the control"
