"""The form in a real browser: a draft that is not lost, the keyboard alone, screen readers, phones, impatient hands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, WebSocketRoute, expect

from tests.browser import DESKTOP, PHONE
from tests.integration.live_api import LiveApi
from tests.unit.tng.api_support import ADA, BEN
from tng.dashboard.draft import draft_key

PATIENCE_MS = 30_000
MOST_TABS = 60
MINE = f"tng-draft-{draft_key(ADA)}"
NAMED = re.compile(r'^(textbox|button|checkbox|radio|radiogroup|group|slider|spinbutton)\b( "[^"]+")?')
ASKS = ("textbox", "button", "checkbox", "radio", "radiogroup", "slider", "spinbutton")
CONTROLS = "button, input, textarea, summary, a"
SMALL = """
elements => elements.filter(e => e.checkVisibility()).map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
  .filter(([_, box]) => box.width < 44 || box.height < 44).map(([html]) => html)
"""
UNDER_THE_BAR = """
() => {
  const focused = document.activeElement, bar = document.querySelector(".tng-pay"), box = bar.getBoundingClientRect();
  const { left, right, top, bottom } = focused.getBoundingClientRect();
  return !bar.contains(focused) && left < box.right && right > box.left && top < box.bottom && bottom > box.top;
}
"""
NO_STORAGE = """
Object.defineProperty(window, "localStorage", { get() { throw new DOMException("", "SecurityError"); } });
"""

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(launched: Browser) -> Iterator[Page]:
    page = _page(launched, DESKTOP)
    yield page
    page.close()


@pytest.fixture
def phone(launched: Browser) -> Iterator[Page]:
    page = _page(launched, PHONE)
    yield page
    page.close()


def _page(launched: Browser, size: Any) -> Page:
    page = launched.new_page(viewport=size)
    page.set_default_timeout(PATIENCE_MS)
    for away in ("https://pay.example/**", "**/hub/**"):
        page.route(away, lambda route: route.fulfill(body="<h1>Elsewhere</h1>", content_type="text/html"))
    return page


def faults_of(page: Page) -> list[str]:
    """What goes wrong in the scripts of the page from now on."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def opened(page: Page, address: str) -> Page:
    """The page with its form, which has heard from the api."""
    page.goto(address)
    page.wait_for_selector(".tng-price")
    return page


def reloaded(page: Page) -> Page:
    """The same, loaded once more."""
    page.reload()
    page.wait_for_selector(".tng-price")
    return page


def field(page: Page, name: str) -> Locator:
    return page.locator(".tng-compose").get_by_label(name, exact=True)


def holds(page: Page, title: str) -> None:
    """The form comes to hold this title."""
    expect(field(page, "Title")).to_have_value(title, timeout=PATIENCE_MS)


def chosen(page: Page) -> list[str]:
    """The names of all options that are chosen, in the order of the form."""
    return page.locator(".tng-option:has(:checked) .tng-option-name").all_inner_texts()


def compose(page: Page, title: str) -> dict[str, Any]:
    """Fill every part of the form, and wait until the browser has it. Returns what it keeps."""
    field(page, "Title").fill(title)
    field(page, "Logline").fill("A clock stops.")
    field(page, "Guest").fill("Oran")
    field(page, "Guest 2").fill("Zoë")
    for name in ("Riker", "Guinan"):
        page.locator(".tng-cast .tng-option", has_text=name).locator("input").click()
    for name in ("Comedy", "Wild", "Teaser"):
        page.get_by_label(re.compile(f"^{name}")).check()
    page.get_by_text("Advanced").click()
    field(page, "Seed").fill("77")
    field(page, "Temperature").fill("0.45")
    page.wait_for_function("key => localStorage[key]?.includes('0.45')", arg=MINE)
    return kept(page)


def kept(page: Page) -> dict[str, Any]:
    found = json.loads(page.evaluate("key => localStorage[key] ?? '{}'", MINE))
    assert isinstance(found, dict)
    return found


def orders(api: LiveApi, title: str) -> list[Any]:
    return [order for order in api.house.store.tables.orders.values() if order.premise.title == title]


# --- the draft ----------------------------------------------------------------------------------------------------


def test_a_reload_keeps_every_field_and_it_can_be_ordered_as_it_was(api: LiveApi, address: str, tab: Page) -> None:
    opened(tab, address)
    before = compose(tab, "The Kept Hours")
    reloaded(tab)
    holds(tab, "The Kept Hours")
    expect(tab.get_by_text("Here is what you had begun.")).to_be_visible()
    assert chosen(tab) == ["Picard", "Data", "Guinan", "Wild", "Comedy", "Teaser"]
    assert kept(tab) == before
    tab.get_by_role("button", name="Order & pay").click()
    tab.wait_for_url("https://pay.example/**")
    (order,) = orders(api, "The Kept Hours")
    premise = order.premise
    assert (premise.logline, premise.cast, premise.guests) == (
        "A clock stops.", ("PICARD", "DATA", "GUINAN"), ("Oran", "Zoë"),
    )  # fmt: skip
    assert (premise.tone, premise.length, premise.seed, premise.temperature) == ("comedy", "teaser", 77, 0.45)


def test_the_last_letters_before_a_reload_are_kept(address: str, tab: Page) -> None:
    opened(tab, address)
    field(tab, "Title").press_sequentially("The Last Letter")
    reloaded(tab)  # at once: neither the kernel nor the clock has had its turn
    holds(tab, "The Last Letter")


def test_what_is_typed_before_the_form_was_given_the_draft_is_added_to_it(address: str, tab: Page) -> None:
    opened(tab, address)
    before = compose(tab, "The First Letter")
    allowing, held = re.compile(rb'"kind":\s*"given"'), []

    def hold_what_allows(page: WebSocketRoute) -> None:
        kernel, waits = page.connect_to_server(), not held

        def from_kernel(said: str | bytes) -> None:
            if waits and allowing.search(said if isinstance(said, bytes) else said.encode()):
                held.append(said)
            else:
                page.send(said)

        kernel.on_message(from_kernel)

    tab.route_web_socket(re.compile(r"/api/kernels/.+/channels"), hold_what_allows)
    opened(tab, address)
    holds(tab, "The First Letter")
    field(tab, "Title").fill("The Last Letter")
    reloaded(tab)
    holds(tab, "The Last Letter")
    assert len(held) == 1
    assert kept(tab) == before | {"title": "The Last Letter"}


def test_what_was_ordered_is_begun_no_longer(api: LiveApi, address: str, tab: Page) -> None:
    opened(tab, address)
    compose(tab, "The Ordered Hours")
    tab.get_by_role("button", name="Order & pay").click()
    tab.wait_for_url("https://pay.example/**")
    opened(tab, address)
    holds(tab, "")
    assert kept(tab).get("title", "") == ""
    assert len(orders(api, "The Ordered Hours")) == 1


def test_another_account_never_sees_a_draft_and_does_not_take_it_away(api: LiveApi, address: str, tab: Page) -> None:
    opened(tab, address)
    compose(tab, "Ada's Own")
    _be(api, BEN)
    try:
        opened(tab, address)
        expect(tab.locator(".tng-header")).to_contain_text(BEN)
        field(tab, "Logline").fill("Ben's.")
        tab.wait_for_function("key => localStorage[key]", arg=f"tng-draft-{draft_key(BEN)}")
        assert "Ada's Own" not in tab.content()
        holds(tab, "")
    finally:
        _be(api, ADA)
    opened(tab, address)
    holds(tab, "Ada's Own")


def _be(api: LiveApi, account: str) -> None:
    """From now on the page's token is this account's, and the api knows of nobody that it did not ask for."""
    api.house.hub.admit(account, "ada-token")
    api.kill()
    api.start()


def test_a_sign_out_leaves_no_draft_of_anybody_behind(address: str, tab: Page) -> None:
    opened(tab, address)
    compose(tab, "Left Behind")
    tab.evaluate("localStorage['tng-draft-another'] = '{}'; localStorage['tng-theme'] = 'light'")
    field(tab, "Title").press_sequentially("!")  # not written down yet
    tab.locator(".tng-account-menu > summary").click()
    tab.get_by_role("link", name="Sign out").click()
    tab.wait_for_url("**/hub/logout")
    assert tab.evaluate("Object.keys(localStorage).filter(key => key !== 'tng-reader-places')") == ["tng-theme"]


@pytest.mark.parametrize("junk", ["{", "null", '{"title": 5, "cast": "x", "seed": [1]}', '"' + "x" * 200_000 + '"'])
def test_junk_in_the_storage_is_no_draft(address: str, tab: Page, junk: str) -> None:
    faults = faults_of(tab)
    tab.add_init_script(f"localStorage['{MINE}'] ??= {json.dumps(junk)}")
    opened(tab, address)
    assert chosen(tab) == ["Picard", "Riker", "Data", "Lively", "Adventure", "Short"]
    field(tab, "Title").fill("After Junk")
    tab.wait_for_function("key => localStorage[key].includes('After Junk')", arg=MINE)
    assert faults == []


def test_a_browser_that_keeps_nothing_orders_all_the_same(api: LiveApi, address: str, tab: Page) -> None:
    faults = faults_of(tab)
    tab.add_init_script(NO_STORAGE)
    opened(tab, address)
    field(tab, "Title").fill("Nothing Kept")
    assert faults == []
    tab.get_by_role("button", name="Order & pay").click()
    tab.wait_for_url("https://pay.example/**")
    assert len(orders(api, "Nothing Kept")) == 1


def test_a_session_that_ends_in_mid_form_costs_no_word(api: LiveApi, address: str, tab: Page) -> None:
    opened(tab, address)
    before = compose(tab, "Signed Out")
    del api.house.hub.users["ada-token"]
    api.kill()
    api.start()
    try:
        tab.get_by_role("button", name="Order & pay").click()
        expect(tab.locator(".tng-connection")).to_contain_text("Please sign in again.", timeout=PATIENCE_MS)
        holds(tab, "Signed Out")
        assert kept(tab) == before
    finally:
        _be(api, ADA)
    opened(tab, address)
    holds(tab, "Signed Out")
    assert kept(tab) == before
    tab.get_by_role("button", name="Order & pay").click()
    tab.wait_for_url("https://pay.example/**")
    assert len(orders(api, "Signed Out")) == 1


# --- hands and ears -----------------------------------------------------------------------------------------------


def tab_to(page: Page, wanted: Locator) -> None:
    """Go there with the tabulator alone; what has the focus is seen all the way."""
    for _ in range(MOST_TABS):
        if wanted.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
        assert not page.evaluate(UNDER_THE_BAR), page.evaluate("document.activeElement.outerHTML")
    raise AssertionError(f"the keyboard does not lead to {wanted}")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_script_is_composed_and_ordered_by_the_keyboard_alone(
    api: LiveApi, launched: Browser, address: str, size: Any
) -> None:
    title = f"By Hand {size['width']}"
    page = opened(_page(launched, size), address)
    tab_to(page, field(page, "Title"))
    page.keyboard.type(title)
    tab_to(page, field(page, "Logline"))
    page.keyboard.type("Nobody touches a mouse.")
    tab_to(page, page.locator(".tng-cast input").first)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    tab_to(page, field(page, "Guest"))
    page.keyboard.type("Oran")
    tab_to(page, page.get_by_label(re.compile("^Lively")))
    page.keyboard.press("ArrowRight")
    tab_to(page, page.locator(".tng-finer summary"))
    page.keyboard.press("Enter")
    tab_to(page, field(page, "Seed"))
    page.keyboard.press("Control+A")
    page.keyboard.type("5")
    tab_to(page, page.get_by_label(re.compile("^Adventure")))
    page.keyboard.press("ArrowDown")
    tab_to(page, page.get_by_label(re.compile("^Short")))
    page.keyboard.press("ArrowUp")
    tab_to(page, page.get_by_role("button", name="Order & pay"))
    page.keyboard.press("Enter")
    page.wait_for_url("https://pay.example/**")
    (order,) = orders(api, title)
    premise = order.premise
    assert (premise.cast, premise.guests, premise.seed) == (("PICARD", "DATA"), ("Oran",), 5)
    assert (premise.tone, premise.length, premise.temperature) == ("mystery", "teaser", 0.7)
    page.close()


def test_what_is_missing_is_said_and_the_keyboard_is_led_there(address: str, tab: Page) -> None:
    opened(tab, address)
    tab.get_by_role("button", name="Order & pay").press("Enter")
    title = field(tab, "Title")
    expect(title).to_be_focused()
    expect(title).to_have_attribute("aria-invalid", "true")
    expect(title).to_have_accessible_description(re.compile("title is empty"))
    tab.keyboard.type("Now")
    expect(title).to_have_attribute("aria-invalid", "false")


def test_every_control_has_a_name_for_those_who_hear_the_page(address: str, tab: Page) -> None:
    opened(tab, address)
    tab.get_by_text("Advanced").click()
    lines = [line.strip().removeprefix("- ") for line in tab.locator(".tng-compose").aria_snapshot().splitlines()]
    found = [match for line in lines if (match := NAMED.match(line)) and match[1] in ASKS]
    assert [match[0] for match in found if not match[2]] == []
    roles = [match[1] for match in found]
    assert (roles.count("textbox"), roles.count("checkbox"), roles.count("radio")) == (4, 10, 10)
    assert {"slider", "spinbutton"} < set(roles)
    assert roles.count("radiogroup") == 3


def test_all_that_is_touched_on_a_phone_is_large_enough(address: str, phone: Page) -> None:
    opened(phone, address)
    phone.get_by_text("Advanced").click()
    controls = phone.locator(".tng-compose").locator(CONTROLS)
    assert controls.count() > 30
    assert controls.evaluate_all(SMALL) == []


def test_the_price_and_the_button_are_in_sight_wherever_one_is_in_the_form(address: str, phone: Page) -> None:
    opened(phone, address)
    for place in ("0", "document.body.scrollHeight / 3", "document.body.scrollHeight"):
        phone.evaluate(f"window.scrollTo(0, {place})")
        for part in (phone.locator(".tng-price"), phone.get_by_role("button", name="Order & pay")):
            expect(part).to_be_in_viewport(ratio=1)
        expect(phone.get_by_text("Paid and not delivered means refunded")).to_be_in_viewport()
    assert phone.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("height", [900, 640])
def test_beside_the_story_on_a_desk_what_it_costs_stays_in_sight(address: str, tab: Page, height: int) -> None:
    tab.set_viewport_size({"width": 1280, "height": height})
    opened(tab, address)
    button = tab.get_by_role("button", name="Order & pay")
    expect(button).to_be_in_viewport(ratio=1)
    field(tab, "Guest").scroll_into_view_if_needed()
    expect(button).to_be_in_viewport(ratio=1)
    edges = "e => e.getBoundingClientRect()"
    story, bill = (tab.locator(part).evaluate(edges) for part in (".tng-story", ".tng-bill"))
    assert bill["left"] > story["right"]


def test_who_presses_twice_orders_once(api: LiveApi, address: str, tab: Page) -> None:
    opened(tab, address)
    field(tab, "Title").fill("Pressed Twice")
    tab.get_by_role("button", name="Order & pay").dblclick()
    tab.wait_for_url("https://pay.example/**")
    assert len(orders(api, "Pressed Twice")) == 1
