"""The frame of the page, without a browser: its bar, its views, its address, and what it says in passing."""

from __future__ import annotations

from typing import Any

import pytest

from tng.dashboard.again import draft_of
from tng.dashboard.compose_words import OWN_RELEASE
from tng.dashboard.form import ComposeForm
from tng.dashboard.masthead import Masthead
from tng.dashboard.navigator import Navigator
from tng.dashboard.request import Visit
from tng.dashboard.toasts import Toasts
from tng.dashboard.views import AWAY, LIBRARY, NEW, ORDER, Views

PREMISE = {"title": "T", "logline": "", "cast": ["DATA"], "tone": "comedy", "length": "short", "seed": 7}


def said_by(widget: Any) -> list[dict[str, Any]]:
    """All that a widget says to a browser from now on."""
    said: list[dict[str, Any]] = []
    widget.send = lambda content, *_: said.append(content)
    return said


# --- views ----------------------------------------------------------------------------------------------------------


def test_one_view_is_seen_at_a_time() -> None:
    views = Views({NEW: [], LIBRARY: [], ORDER: []})
    for name in (NEW, ORDER, LIBRARY, NEW):
        views.show(name)
        seen = [other for other, box in views.boxes.items() if AWAY not in box._dom_classes]
        assert (seen, views.here) == ([name], name)


def test_a_view_that_is_none_changes_nothing() -> None:
    views = Views({NEW: [], LIBRARY: []})
    with pytest.raises(KeyError):
        views.show("elsewhere")
    assert views.here == NEW


# --- the address ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "visit"),
    [
        ("view=library", Visit(view="library")),
        ("?view=new", Visit(view="new")),
        ("view=order", Visit()),
        ("view=<b>", Visit()),
        ("view=library&view=new", Visit(view="library")),
        ("order=ord_1&view=library", Visit("ord_1")),
        ("order=../x&view=library", Visit(view="library")),
    ],
)
def test_an_address_names_a_view_or_an_order(query: str, visit: Visit) -> None:
    assert Visit.read(query) == visit


@pytest.mark.parametrize("query", ["?view=new", "?view=library", "?order=ord_1"])
def test_the_address_is_told_where_the_page_is(query: str) -> None:
    navigator = Navigator()
    said = said_by(navigator)
    navigator.at(query, replaces=True, turns=False)
    assert said == [{"kind": "at", "query": query, "replaces": True, "turns": False}]


@pytest.mark.parametrize(
    "query", ["", "?", "?view=x", "?order=", "?order=a/b", "/hub/logout", "?view=new#x", "?view=new\n"]
)
def test_no_other_address_is_written(query: str) -> None:
    with pytest.raises(ValueError, match="place of the page"):
        Navigator().at(query)


def test_what_a_browser_asks_for_is_heard_and_nonsense_is_not() -> None:
    heard: list[tuple[str, bool]] = []
    navigator = Navigator()
    navigator.on_asked(lambda query, there: heard.append((query, there)))
    good = [{"kind": "asked", "query": "?view=new", "there": True}, {"kind": "asked", "query": "?order=x"}]
    bad = [None, "asked", {}, {"kind": "asked"}, {"kind": "asked", "query": 7}, {"kind": "asked", "query": "x" * 201}]
    for content in [*bad, *good, {"kind": "here"}]:
        navigator._handle_custom_msg(content, [])
    assert heard == [("?view=new", True), ("?order=x", False)]


# --- the bar --------------------------------------------------------------------------------------------------------


def test_the_account_menu_has_addresses_of_this_house_alone() -> None:
    header = Masthead()
    for url in ("/user/7/bridge", "javascript:alert(1)", "", "//evil.test"):
        header.link("A way", url)
    assert header.links == [{"words": "A way", "url": "/user/7/bridge"}]


# --- toasts ---------------------------------------------------------------------------------------------------------


def test_a_toast_can_be_acted_on_once_and_only_while_it_is_the_last() -> None:
    toasts, done = Toasts(), []
    said = said_by(toasts)
    toasts.say("Deleted.", "Undo", lambda: done.append("first"))
    toasts.say("Deleted another.", "Undo", lambda: done.append("second"))
    for number in (1, 2, 2, "2", None):
        toasts._handle_custom_msg({"kind": "action", "number": number}, [])
    assert done == ["second"]
    assert [toast["number"] for toast in said] == [1, 2]


def test_a_toast_without_a_deed_has_no_button() -> None:
    toasts = Toasts()
    said = said_by(toasts)
    toasts.say("Copied.", "Undo")
    toasts._handle_custom_msg({"kind": "action", "number": 1}, [])
    assert said == [{"kind": "say", "number": 1, "text": "Copied.", "action": ""}]


# --- the same premise again -----------------------------------------------------------------------------------------


def test_a_premise_comes_back_whole_and_nothing_of_what_stood_there_before_stays() -> None:
    form = ComposeForm(lambda: None)
    form.draft = {"title": "Old", "logline": "Old.", "guests": ["Tarn", "Oke"], "preset": "Wild", "temperature": 0.9}
    form.draft = draft_of(PREMISE)
    held = form.draft
    assert (held["title"], held["logline"], held["guests"], held["seed"]) == ("T", "", ["", ""], 7)
    assert (held["temperature"], held["preset"], form.temperature) == (None, OWN_RELEASE.name, None)
    form.draft = draft_of({**PREMISE, "guests": ["Tarn"], "temperature": 0.4})
    assert (form.wish["guests"], form.temperature) == (["Tarn"], 0.4)
