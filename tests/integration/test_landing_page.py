"""The front door as a stranger meets it: small, quick, in both themes and on a phone, and nothing starts for it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Browser, Page, Response, ViewportSize

from tests.browser import DESKTOP, PHONE, WHY_SKIPPED, browser, chromium
from tests.open_house import NOTHING_WRITTEN, OpenHouse, opened, visitor

pytestmark = [pytest.mark.slow, pytest.mark.skipif(chromium() is None, reason=WHY_SKIPPED)]

MOST_BYTES = 150_000
MOST_SECONDS = 0.1
AA = 4.5

CONTRASTS = """() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b]
    .map(p => p / 255).map(p => p <= .04045 ? p / 12.92 : ((p + .055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [.2126, .7152, .0722][place], 0);
  const ground = element => {
    for (; element; element = element.parentElement) {
      const colour = numbers(getComputedStyle(element).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const element = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || /^(SCRIPT|STYLE)$/.test(element.tagName)) continue;
    const pair = [numbers(getComputedStyle(element).color), ground(element)].map(light).sort();
    const ratio = (pair[1] + .05) / (pair[0] + .05);
    if (ratio < 4.5) low.push([element.className || element.tagName, ratio, walk.currentNode.data.trim().slice(0, 30)]);
  }
  return low;
}"""
"""Every text whose contrast to what is behind it is below WCAG's AA."""


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    with opened(tmp_path_factory.mktemp("landing") / "var", **NOTHING_WRITTEN) as house:
        yield house


@pytest.fixture(scope="module")
def launched() -> Iterator[Browser]:
    with browser() as ready:
        yield ready


def look(launched: Browser, scheme: Literal["light", "dark"], viewport: ViewportSize = DESKTOP) -> Page:
    return launched.new_context(viewport=viewport, color_scheme=scheme).new_page()


def test_all_that_a_browser_loads_is_small_and_of_this_house(launched: Browser, quiet: OpenHouse) -> None:
    page = look(launched, "light")
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))
    page.goto(quiet.url, wait_until="networkidle")
    assert page.url.startswith(f"{quiet.url}/hub/login")
    assert {answer.url.startswith(quiet.url) for answer in answers} == {True}
    assert sum(len(answer.body()) for answer in answers if answer.ok) < MOST_BYTES


def test_it_is_served_at_once_and_starts_nothing(quiet: OpenHouse) -> None:
    before = {process.pid for process in quiet.belongings()}
    took = []
    with visitor(quiet) as somebody:
        somebody.get("/hub/login")
        for _ in range(20):
            began = time.perf_counter()
            answer = somebody.get("/hub/login")
            took.append(time.perf_counter() - began)
            assert answer.status_code == httpx.codes.OK
    assert statistics.median(took) < MOST_SECONDS
    assert {process.pid for process in quiet.belongings()} <= before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_word_can_be_read_and_nothing_sticks_out(
    launched: Browser, quiet: OpenHouse, scheme: Literal["light", "dark"], viewport: ViewportSize
) -> None:
    page = look(launched, scheme, viewport)
    for path in ("/hub/login", "/hub/error/404"):
        page.goto(quiet.url + path)
        assert page.evaluate(CONTRASTS) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.goto(quiet.url)
    for box in page.locator("a.house-go, button").all():
        size = box.bounding_box()
        assert size is not None
        assert size["height"] >= 44


def test_control_a_text_that_cannot_be_read_would_be_seen(launched: Browser, quiet: OpenHouse) -> None:
    page = look(launched, "light")
    page.goto(quiet.url)
    page.evaluate("document.querySelector('.lead').style.color = '#ccc'")
    assert page.evaluate(CONTRASTS)


def test_the_theme_that_is_chosen_stays_from_page_to_page(launched: Browser, quiet: OpenHouse) -> None:
    page = look(launched, "light")
    page.goto(quiet.url)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme-switch")
    assert page.evaluate("localStorage.getItem('tng-theme')") == "dark"
    night = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert night != paper
    for path in ("/", "/hub/error/404"):
        page.goto(quiet.url + path)
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == night


def test_without_scripts_it_says_the_same_and_leads_in(launched: Browser, quiet: OpenHouse) -> None:
    page = launched.new_context(java_script_enabled=False).new_page()
    page.goto(quiet.url)
    assert page.locator(".teleplay .heading").count() >= 2
    assert not page.locator("#theme-switch").is_visible()
    page.click("#sign-in")
    page.wait_for_selector("button[name=email]")


def test_the_first_press_of_tab_leads_past_the_bar(launched: Browser, quiet: OpenHouse) -> None:
    page = look(launched, "light")
    page.goto(quiet.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#login-main"
