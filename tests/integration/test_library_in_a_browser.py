"""The list of scripts in a real browser, over a running api: what a customer does with it, by mouse or by keys."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.hostile.payloads import MARK, PAYLOADS
from tests.integration.live_api import LiveApi, live_api
from tests.library_host import ADDRESS, LibraryPage
from tng.dashboard.client import ApiClient, OrderCard
from tng.dashboard.library import Library
from tng.orders import OrderState

pytestmark = pytest.mark.browser

PATIENT_SECONDS = 10.0


class Toasts:
    """What was said, and its undo."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.undo: Any = None

    def __call__(self, text: str, action: str = "", on_action: Any = None) -> None:
        self.said.append(text)
        self.undo = on_action


@pytest.fixture
def api() -> Iterator[LiveApi]:
    with live_api() as running:
        yield running


@pytest.fixture
def toasts() -> Toasts:
    return Toasts()


@pytest.fixture
def list_(launched: Browser, api: LiveApi, toasts: Toasts) -> Iterator[LibraryPage]:
    """Ada's list: two scripts that are ready, and an order that waits for its payment."""
    for title in ("The Quiet Hours", "A Game of Mirrors"):
        api.house.deliver(api.house.order(title=title))
        api.house.clock.advance(minutes=1)
    api.house.order(title="Not Yet")
    client = ApiClient(api.url, "ada-token")
    library = Library(lambda _id: None, client=client, duplicate=lambda _order: None, toast=toasts)
    library.show(client.orders())
    page = LibraryPage(launched, library)
    yield page
    page.context.close()


def titles(page: LibraryPage) -> list[str]:
    return page.page.locator(".tng-row b").all_inner_texts()


def stranger_reads(launched: Browser, api: LiveApi, link: str) -> tuple[int, str]:
    """What the link shows in a browser that never signed in."""
    context = launched.new_context(java_script_enabled=False)
    page = context.new_page()
    answer = page.goto(f"{api.url}/shared/{link.rpartition('/')[2]}")
    found = (answer.status if answer else 0, page.inner_text("main"))
    context.close()
    return found


def test_a_script_is_named_in_its_row(list_: LibraryPage) -> None:
    list_.more("Mirrors", "Rename")
    field = list_.page.get_by_role("textbox", name="What to call")
    expect(field).to_be_focused()
    field.fill("x" * 81)
    field.press("Enter")
    list_.work()
    expect(list_.page.get_by_role("alert")).to_contain_text("80 is the most")
    expect(field).to_have_value("x" * 81)
    expect(field).to_be_focused()
    field.fill("Looking Glass")
    field.press("Enter")
    list_.work()
    assert titles(list_) == ["Not Yet", "Looking Glass", "The Quiet Hours"]
    expect(list_.row("Looking Glass").get_by_role("button", name="More for")).to_be_focused()
    list_.more("Looking Glass", "Rename")
    list_.page.keyboard.press("Escape")
    expect(field).to_have_count(0)


def test_what_is_deleted_is_had_back_by_undo_by_a_key_and_out_of_the_bin(
    api: LiveApi, list_: LibraryPage, toasts: Toasts
) -> None:
    list_.page.clock.set_fixed_time(api.house.clock.now())
    list_.more("Mirrors", "Delete")
    assert titles(list_) == ["Not Yet", "The Quiet Hours"]
    assert toasts.said == ["“A Game of Mirrors” is in the bin."]
    expect(list_.row("The Quiet Hours").locator(".tng-title-link")).to_be_focused()
    list_.page.keyboard.press("Control+z")
    list_.work()
    assert titles(list_) == ["Not Yet", "A Game of Mirrors", "The Quiet Hours"]
    expect(list_.row("Mirrors").locator(".tng-title-link")).to_be_focused()
    list_.more("Mirrors", "Delete")
    toasts.undo()
    list_.work()
    assert len(titles(list_)) == 3
    list_.more("Quiet", "Delete")
    list_.page.get_by_role("button", name="Bin", exact=True).click()
    list_.work()
    expect(list_.row("Quiet")).to_contain_text("erased in 30 days")
    list_.page.get_by_role("button", name="Restore").click()
    list_.work()
    expect(list_.page.get_by_text("The bin is empty.")).to_be_visible()
    list_.page.get_by_role("button", name="Back to my scripts").click()
    list_.work()
    assert len(titles(list_)) == 3


def test_a_link_is_copied_read_by_a_stranger_and_ended(launched: Browser, api: LiveApi, list_: LibraryPage) -> None:
    list_.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=ADDRESS.rstrip("/"))
    list_.more("Mirrors", "Share by a link")
    list_.page.get_by_role("button", name="Copy").click()
    expect(list_.page.get_by_role("button", name="Copied")).to_be_visible()
    link = list_.page.evaluate("navigator.clipboard.readText()")
    assert list_.page.get_by_role("textbox", name="Link to").input_value() == link
    status, text = stranger_reads(launched, api, link)
    assert (status, "It stopped." in text) == (200, True)
    list_.page.get_by_role("button", name="Stop sharing").click()
    list_.work()
    expect(list_.page.get_by_role("button", name="Make a link")).to_be_visible()
    status, text = stranger_reads(launched, api, link)
    assert (status, "There is nothing here" in text) == (404, True)


def test_without_a_clipboard_the_link_is_copied_the_older_way(list_: LibraryPage) -> None:
    list_.page.evaluate("delete Navigator.prototype.clipboard")
    list_.more("Mirrors", "Share by a link")
    list_.page.get_by_role("button", name="Copy").click()
    expect(list_.page.get_by_role("button", name="Copied")).to_be_visible()
    selected = "(e => e.value.slice(e.selectionStart, e.selectionEnd))(document.querySelector('.tng-link-line input'))"
    assert "/shared/" in list_.page.evaluate(selected)


def test_each_file_is_a_plain_link_of_its_name_and_type(list_: LibraryPage) -> None:
    list_.row("Mirrors").get_by_role("button", name="Download").click()
    links = list_.row("Mirrors").locator(".tng-file")
    assert links.evaluate_all("all => all.map(a => a.pathname.split('.').pop())") == [
        "pdf", "fdx", "fountain", "epub", "txt",
    ]  # fmt: skip
    assert links.evaluate_all("all => all.every(a => a.hasAttribute('download'))")
    assert links.first.get_attribute("type") == "application/pdf"
    list_.page.keyboard.press("Escape")
    expect(links).to_have_count(0)
    expect(list_.row("Mirrors").get_by_role("button", name="Download")).to_be_focused()


def test_a_list_of_hundreds_is_searched_and_sorted_at_once(list_: LibraryPage) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    cards = [
        OrderCard(f"o{n}", OrderState.DELIVERED, f"Tale {n:03}", "2.99 USD", at - timedelta(days=n)) for n in range(300)
    ]
    list_.library.show(cards)
    began = time.monotonic()
    list_.work()
    list_.page.get_by_role("searchbox").fill("tale 29")
    expect(list_.page.locator(".tng-row")).to_have_count(10)
    assert time.monotonic() - began < PATIENT_SECONDS
    expect(list_.page.locator(".tng-count")).to_have_text("10 of 300")
    list_.page.get_by_role("searchbox").fill("nothing has this")
    expect(list_.page.get_by_text("No script has these words")).to_be_visible()
    list_.page.get_by_role("searchbox").fill("")
    list_.page.get_by_role("combobox").select_option("title")
    assert titles(list_)[:2] == ["Tale 000", "Tale 001"]
    list_.page.get_by_role("button", name="Show all 300").click()
    expect(list_.page.locator(".tng-row")).to_have_count(300)


def test_what_is_typed_stays_while_another_order_goes_on(list_: LibraryPage) -> None:
    list_.more("Mirrors", "Rename")
    field = list_.page.get_by_role("textbox", name="What to call")
    field.fill("Half a name")
    field.press("ArrowLeft")
    waiting = next(card for card in list_.library.orders if card.title == "Not Yet")
    list_.library.update(replace(waiting, state=OrderState.PAID))
    list_.work()
    expect(list_.row("Not Yet").locator(".tng-state")).to_have_text("paid, waiting")
    list_.page.keyboard.type("!")
    assert field.input_value() == "Half a nam!e"


def test_no_title_becomes_markup_and_no_path_a_script(list_: LibraryPage) -> None:
    cards = [
        OrderCard(f"o{n}", OrderState.DELIVERED, text, text, datetime(2026, 1, 1, tzinfo=UTC))
        for n, text in enumerate(PAYLOADS.values())
    ]
    list_.library.show(cards)
    evil = {"ending": "x", "name": "x", "type": "text/html", "path": "javascript:window.pwned=1"}
    list_.library.rows = [{**row, "files": [evil], "receipt": evil["path"]} for row in list_.library.rows]
    list_.work()
    list_.page.get_by_role("button", name="Show all").click()
    assert titles(list_) == [card.title for card in cards]
    list_.page.locator(".tng-row").first.get_by_role("button", name="Download").click()
    assert list_.page.locator(".tng-file").get_attribute("href") is None
    assert list_.page.locator("img, script[src], iframe, svg").count() == 0
    assert not list_.page.evaluate(f"window.{MARK}")


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_stands_out_at_the_side(list_: LibraryPage, width: int) -> None:
    list_.page.set_viewport_size({"width": width, "height": 844})
    wide = [replace(card, title="W" * 80) for card in list_.library.orders]
    list_.library.show(wide)
    list_.work()
    first = list_.page.locator(".tng-row").nth(1)
    for words in ("Download", "More for"):
        first.get_by_role("button", name=words).click()
        assert list_.page.evaluate("document.documentElement.scrollWidth") <= width
        sides = list_.page.locator(".tng-menu-list").evaluate(
            "e => [e.getBoundingClientRect()].map(r => [r.left, r.right])[0]"
        )
        assert 0 <= sides[0] <= sides[1] <= width


def test_who_has_nothing_yet_is_shown_a_way_on(launched: Browser) -> None:
    asked: list[str] = []
    library = Library(lambda _id: None, new=lambda: asked.append("new"))
    page = LibraryPage(launched, library)
    expect(page.page.locator(".tng-ghost")).to_have_count(3)
    expect(page.page.get_by_text("Nothing here yet")).to_have_count(0)
    library.show([])
    page.work()
    expect(page.page.locator(".tng-ghost")).to_have_count(0)
    page.page.get_by_role("button", name="Describe your first episode").click()
    page.work()
    assert asked == ["new"]
    page.context.close()
