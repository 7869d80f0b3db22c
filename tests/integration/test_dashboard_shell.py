"""The frame of the page in a real browser: its views and their addresses, its bar, its toasts, its theme."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.browser import DESKTOP, PHONE, READY, TABLET
from tests.integration.live_api import LiveApi
from tests.integration.test_dashboard_browser import PATIENCE_MS
from tng.orders import OrderState

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(launched: Browser) -> Iterator[Any]:
    context = launched.new_context(viewport=DESKTOP)
    context.set_default_timeout(PATIENCE_MS)
    context.route(
        "https://pay.example/**", lambda route: route.fulfill(body="<h1>Pay here</h1>", content_type="text/html")
    )
    page: Any = context.new_page()
    yield page
    context.close()


def opened(tab: Any, url: str) -> None:
    tab.goto(url)
    tab.wait_for_selector(READY)


def view(tab: Any, name: str) -> Locator:
    found: Locator = tab.locator(f".tng-view-{name}")
    return found


def expect_view(tab: Any, name: str) -> None:
    """This one is seen, and no other."""
    for other in ("new", "library", "order"):
        expect(view(tab, other)).to_be_visible(visible=other == name, timeout=PATIENCE_MS)


def press(tab: Any, words: str) -> None:
    tab.locator(".tng-nav").get_by_role("link", name=words).click()


def test_back_and_forward_lead_through_the_views_and_a_reload_stays(api: LiveApi, address: str, tab: Any) -> None:
    order = api.house.order(title="There And Back")
    api.house.deliver(order)
    opened(tab, address)
    expect_view(tab, "new")
    press(tab, "My scripts")
    expect_view(tab, "library")
    expect(tab).to_have_url(re.compile(r"\?view=library$"))
    expect(tab).to_have_title("My scripts")
    view(tab, "library").get_by_role("button", name="Read").first.click()
    expect_view(tab, "order")
    expect(tab).to_have_url(f"{address}?order={order.id}")
    expect(tab).to_have_title("Ready · There And Back")
    tab.go_back()
    expect_view(tab, "library")
    tab.go_back()
    expect_view(tab, "new")
    tab.go_forward()
    tab.go_forward()
    expect_view(tab, "order")
    tab.reload()
    tab.wait_for_selector(READY)
    expect_view(tab, "order")
    expect(tab.locator(".tng-order h2").first).to_contain_text("There And Back")
    tab.get_by_role("link", name="My scripts").last.click()
    expect_view(tab, "library")


def test_the_bar_is_used_without_a_mouse(address: str, tab: Any) -> None:
    opened(tab, address)
    current = tab.locator(".tng-nav [aria-current=page]")
    expect(current).to_have_text("New script")
    seen = []
    for _ in range(4):
        tab.keyboard.press("Tab")
        seen.append(tab.evaluate("document.activeElement.textContent.split(' ')[0]"))
    assert seen[1:3] == ["New", "My"]
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Enter")
    expect_view(tab, "library")
    expect(current).to_contain_text("My scripts")
    expect(view(tab, "library").locator("h2")).to_be_focused()
    tab.locator(".tng-account-menu summary").focus()
    tab.keyboard.press("Enter")
    leave = tab.get_by_role("link", name="Sign out")
    expect(leave).to_be_visible()
    assert leave.evaluate("link => link.classList.contains('tng-leave')")
    tab.keyboard.press("Escape")
    expect(leave).to_be_hidden()
    expect(tab.locator(".tng-account-menu summary")).to_be_focused()


def test_a_view_in_a_tab_of_its_own_is_the_browsers_affair(address: str, tab: Any) -> None:
    opened(tab, address)
    with tab.context.expect_page() as another:
        tab.locator(".tng-nav").get_by_role("link", name="My scripts").click(modifiers=["ControlOrMeta"])
    another.value.wait_for_selector(READY)
    expect_view(another.value, "library")
    expect_view(tab, "new")


def test_the_theme_that_is_chosen_holds_over_a_reload_and_the_systems_comes_back(address: str, tab: Any) -> None:
    opened(tab, address)
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.locator(".tng-account-menu summary").click()
    tab.get_by_role("group", name="Light or dark").get_by_label("Dark").check()
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != paper
    tab.reload(wait_until="commit")
    tab.locator("#loading").wait_for(state="attached")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark", "before the page is drawn"
    tab.wait_for_selector(READY)
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    tab.locator(".tng-account-menu summary").click()
    tab.get_by_label("As the system").check()
    assert tab.evaluate("localStorage.getItem('tng-theme')") is None
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == paper


def test_what_was_thrown_away_comes_back_by_the_toast_and_with_a_keyboard(api: LiveApi, address: str, tab: Any) -> None:
    api.house.deliver(api.house.order(title="Undone"))
    opened(tab, f"{address}?view=library")
    row = view(tab, "library").locator(".tng-row", has_text="Undone")
    toast = tab.locator(".tng-toasts")
    for with_keys in (False, True):
        row.get_by_role("button", name=re.compile("More")).click()
        delete = row.get_by_role("button", name="Delete")
        if with_keys:
            delete.focus()
            tab.keyboard.press("Enter")
        else:
            delete.click()
        expect(row).to_have_count(0)
        expect(toast).to_contain_text("Undone")
        assert (toast.get_attribute("role"), toast.get_attribute("aria-live")) == ("status", "polite")
        undo = toast.get_by_role("button", name="Undo")
        if with_keys:
            undo.focus()
            tab.keyboard.press("Enter")
        else:
            undo.click()
        expect(row).to_have_count(1)


def test_a_toast_goes_by_itself_but_not_while_it_is_pointed_at(api: LiveApi, address: str, tab: Any) -> None:
    api.house.order(title="Pointed At")
    tab.clock.install()
    opened(tab, address)
    toast = tab.locator(".tng-toast")
    ask_again(tab)
    expect(toast).to_have_text(re.compile("premise was copied"))
    toast.hover()
    tab.clock.run_for(60_000)
    expect(toast).to_be_visible()
    tab.mouse.move(5, 5)
    tab.clock.run_for(16_500)
    expect(toast).to_have_count(0)


def ask_again(tab: Any) -> None:
    """Ask for a premise again, from the list."""
    press(tab, "My scripts")
    row = view(tab, "library").locator(".tng-row").first
    row.get_by_role("button", name=re.compile("More")).click()
    row.get_by_role("button", name="Order one like it").click()
    expect_view(tab, "new")


@pytest.mark.parametrize("kept", [False, True], ids=["the page is loaded again", "the browser had kept the page"])
def test_the_back_button_of_the_payment_page_leads_to_the_order_and_never_to_a_second_one(
    api: LiveApi, address: str, tab: Any, kept: bool
) -> None:
    title = f"Back From The Till {kept}"
    opened(tab, address)
    tab.get_by_label("Title", exact=True).fill(title)
    tab.get_by_role("button", name="Order & pay").click()
    tab.wait_for_url("https://pay.example/**")
    tab.go_back()
    tab.wait_for_selector(READY)
    if kept:
        tab.evaluate("window.stale = true")
        tab.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        tab.wait_for_function("!window.stale")
        tab.wait_for_selector(READY)
    expect_view(tab, "order")
    expect(tab.locator(".tng-order h2").first).to_contain_text(title)
    tab.locator(".tng-order").get_by_role("button", name=re.compile("^Pay ")).click()
    tab.wait_for_url("https://pay.example/**")
    mine = [order for order in api.house.store.tables.orders.values() if order.premise.title == title]
    assert [order.state for order in mine] == [OrderState.PLACED]


def test_no_view_stands_out_at_the_side(api: LiveApi, address: str, tab: Any) -> None:
    order = api.house.order(title="W" * 80)
    api.house.deliver(order)
    opened(tab, f"{address}?order={order.id}")
    for name, words in (("order", ""), ("library", "My scripts"), ("new", "New script")):
        if words:
            press(tab, words)
        expect_view(tab, name)
        for size in (PHONE, TABLET, DESKTOP):
            tab.set_viewport_size(size)
            assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"], (name, size)
    tab.locator(".tng-account-menu summary").click()
    for size in (PHONE, TABLET, DESKTOP):
        tab.set_viewport_size(size)
        box = tab.locator(".tng-account-inside").bounding_box()
        assert 0 <= box["x"] <= box["x"] + box["width"] <= size["width"]


def test_a_dark_system_has_a_dark_page(address: str, tab: Any) -> None:
    tab.emulate_media(color_scheme="dark")
    opened(tab, address)
    for part in ("body", ".tng-form"):
        shade = tab.locator(part).first.evaluate("e => getComputedStyle(e).backgroundColor")
        assert sum(int(light) for light in re.findall(r"\d+", shade)[:3]) < 200, shade
    ink = tab.locator(".tng-form h2").first.evaluate("e => getComputedStyle(e).color")
    assert sum(int(light) for light in re.findall(r"\d+", ink)[:3]) > 500, ink


def test_what_is_printed_of_an_order_is_the_teleplay_and_whose_it_is(api: LiveApi, address: str, tab: Any) -> None:
    order = api.house.order(title="On Paper")
    api.house.deliver(order)
    opened(tab, f"{address}?order={order.id}")
    tab.get_by_text("THE END", exact=True).wait_for()
    tab.emulate_media(media="print")
    for part in (".tng-header", ".tng-back", ".tng-order h2 >> nth=0", ".tng-downloads", ".tng-toasts"):
        expect(tab.locator(part).first).to_be_hidden()
    expect(tab.locator(".tng-page .tng-title")).to_have_text(re.compile("on paper", re.IGNORECASE))
    expect(tab.locator(".tng-footer")).to_contain_text(api.house.show.product)
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") in ("rgba(0, 0, 0, 0)", "rgb(255, 255, 255)")


def test_words_of_a_stranger_are_text_in_the_tab_and_in_a_toast(api: LiveApi, address: str, tab: Any) -> None:
    evil = "<img src=x onerror=document.title='owned'>"
    order = api.house.order(title=evil)
    opened(tab, f"{address}?order={order.id}")
    press(tab, "My scripts")
    expect_view(tab, "library")
    api.house.deliver(order)
    toast = tab.locator(".tng-toast")
    expect(toast).to_contain_text(f"“{evil}” is ready.", timeout=PATIENCE_MS)
    toast.get_by_role("button", name="Read it").click()
    expect(tab).to_have_title(f"Ready · {evil}")
    assert tab.locator("img").count() == 0
