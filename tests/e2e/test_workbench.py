"""A power user in JupyterLab: our kernel, the own folder, a notebook from top to bottom, Write and Stop."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import PATIENCE_MS, Visitor
from tests.open_house import OpenHouse

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

NOTEBOOK = "workbench/03_prompt_the_writer.ipynb"
EVIL = "<img src=x onerror=\"document.title='caught'\">"


@pytest.fixture(scope="module")
def pia(launched: Browser, house: OpenHouse) -> Iterator[Visitor]:
    """Pia, whose workbench is open."""
    person = Visitor(launched, house)
    person.come_in()
    person.choose("pia@example.com")
    person.page.wait_for_url(re.compile(r"/hub/spawn$|/lab"))
    if person.page.url.endswith("/hub/spawn"):  # the workbench is what is chosen at first
        person.page.locator("form button[type=submit], form input[type=submit]").first.click()
    person.page.wait_for_url(re.compile(r"/lab"))
    person.page.wait_for_selector("#jp-main-dock-panel")
    yield person
    person.close()


@pytest.fixture(scope="module")
def desk(pia: Visitor) -> Page:
    """The notebook with the desk, run from its first cell to its last."""
    page = pia.page
    page.goto(f"{page.url.split('/lab')[0]}/lab/tree/{NOTEBOOK}?reset")
    expect(page.get_by_text("Script Generator | Idle")).to_be_visible(timeout=PATIENCE_MS)
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    expect(page.locator(".jp-InputPrompt").filter(has_text="[6]:")).to_be_attached(timeout=PATIENCE_MS)
    return page


def test_the_one_kernel_that_is_offered_is_ours(pia: Visitor) -> None:
    cards = pia.page.locator(".jp-LauncherCard[data-category=Notebook]")
    expect(cards).to_have_count(1)
    expect(cards).to_have_attribute("title", "Script Generator")
    pia.page.get_by_title("workbench", exact=True).wait_for()
    pia.photograph("10-launcher")


def test_a_notebook_of_the_own_folder_runs_from_top_to_bottom(desk: Page, pia: Visitor) -> None:
    assert not desk.locator(".jp-Notebook [data-mime-type='application/vnd.jupyter.stderr']").count()
    assert desk.locator(".tng-scene .tng-heading").count() > 1
    desk.locator(".tng-page").scroll_into_view_if_needed()
    pia.photograph("11-desk")


def test_stop_ends_what_write_began(desk: Page) -> None:
    desk.get_by_label("Length").select_option("episode")
    desk.get_by_role("button", name="Write").click()
    expect(desk.locator(".tng-waiting")).to_contain_text("being written")
    desk.locator(".tng-scene .tng-heading").first.wait_for()
    desk.get_by_role("button", name="Stop").click()
    expect(desk.get_by_text(re.compile(r"Stopped after \d+ scene"))).to_be_visible()
    expect(desk.get_by_role("button", name="Write")).to_be_enabled()


def test_what_is_typed_stays_text(desk: Page) -> None:
    title = desk.get_by_label("Title", exact=True)
    title.fill(EVIL)
    title.press("Tab")
    desk.get_by_label("Length").select_option("teaser")
    desk.get_by_role("button", name="Write").click()
    expect(desk.get_by_text(re.compile(r"Written: \d+ scenes"))).to_be_visible(timeout=PATIENCE_MS)
    expect(desk.locator(".tng-title")).to_have_text(EVIL)
    assert not desk.locator(".tng-page img").count()
    assert "caught" not in desk.title()


def test_the_control_of_that_finds_markup(desk: Page) -> None:
    desk.locator(".tng-title").evaluate("(title, markup) => { title.innerHTML = markup }", EVIL)
    assert desk.locator(".tng-page img").count() == 1


def test_nobody_else_is_asked_for_anything(desk: Page, pia: Visitor) -> None:
    assert desk.url.startswith(pia.house.url)
    assert pia.hosts <= {urlsplit(pia.house.url).netloc, "(the page itself)"}
