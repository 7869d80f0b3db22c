"""A delivered script is reworked on the whole page, by its kernel and a real api, while it is open in another tab."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.live_api import LiveApi
from tng.orders import Order

pytestmark = pytest.mark.browser
PATIENCE_MS = 90_000
TAKE = "# INT. MAIN BRIDGE\nThe hands of the clock run backwards.\nDATA: It is tomorrow, sir."


@pytest.fixture
def order(api: LiveApi) -> Order:
    order = api.house.order()
    api.house.deliver(order)
    return order


def opened(launched: Browser, address: str, order: Order) -> Any:
    """The order in a tab of its own."""
    tab = launched.new_page(viewport={"width": 1280, "height": 900})
    tab.set_default_timeout(PATIENCE_MS)
    tab.goto(f"{address}?order={order.id}")
    tab.get_by_role("button", name="Scene 2: more").wait_for()
    return tab


def change(tab: Any, label: str, words: str) -> None:
    """Open the fields of the second scene, and save other words in a line."""
    if not tab.locator(".tng-editing").count():
        tab.get_by_role("button", name="Scene 2: more").click()
        tab.get_by_role("menuitem", name="Edit its lines").click()
    tab.get_by_label(label).fill(words)
    tab.get_by_label(label).press("Enter")


def test_a_change_in_one_tab_is_seen_in_the_other_and_nothing_typed_is_lost(
    launched: Browser, api: LiveApi, address: str, order: Order
) -> None:
    first, second = (opened(launched, address, order) for _ in range(2))
    change(first, "Line 2, DATA", "The clock is late, sir.")
    first.get_by_text("Saved").wait_for()
    change(second, "Line 3, PICARD", "Then so are we.")
    expect(
        second.get_by_text("another page", exact=False).or_(second.locator(".tng-field-note:not(:empty)"))
    ).to_be_visible()
    expect(second.get_by_label("Line 2, DATA")).to_have_value("The clock is late, sir.")
    expect(second.get_by_label("Line 3, PICARD")).to_have_value("Then so are we.")
    second.get_by_role("button", name="Done").click()
    expect(second.locator(".tng-downloads")).to_contain_text("version 2")
    first.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(first.get_by_label("Line 3, PICARD")).to_have_value("Then so are we.")
    links = first.locator(".tng-downloads a").evaluate_all("links => links.map(link => link.search)")
    assert set(links) == {"?edition=2"}
    for tab in (first, second):
        tab.close()


def test_a_scene_is_written_again_and_a_toast_offers_the_old_one(
    launched: Browser, api: LiveApi, address: str, order: Order
) -> None:
    tab = opened(launched, address, order)
    tab.get_by_role("button", name="Scene 2: more").click()
    tab.get_by_role("menuitem", name=re.compile("Write this scene again")).click()
    tab.get_by_text("being written again…").wait_for()
    api.house.fulfilment.deliver_take(api.house.claim(), text=TAKE, release_id="tng-test")
    tab.get_by_text("The hands of the clock run backwards.").wait_for()
    takes = tab.get_by_role("group", name="Takes of scene 2")
    expect(takes.get_by_role("button", name="Take 1")).to_have_attribute("aria-pressed", "true")
    expect(tab.get_by_text("Scene 2 was written again.")).to_be_visible()
    tab.get_by_role("button", name="Keep the old one").click()
    expect(tab.get_by_text("The clock is correct, sir.")).to_be_visible()
    expect(takes.get_by_role("button", name="Original")).to_have_attribute("aria-pressed", "true")
    tab.reload()
    tab.get_by_text("Versions (3)").click()
    tab.get_by_role("button", name="Back to version 1").click()
    tab.get_by_text("The hands of the clock run backwards.").wait_for()
    tab.close()
