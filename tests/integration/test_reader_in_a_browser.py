"""The reader in a real browser, alone on a page: outline, find, places, fields, and sixty pages without a stutter."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from tests.reader_host import draw, open_reader, scenes, sections_of, tell_all

pytestmark = pytest.mark.browser
FRAMES = """
async () => {
  const page = document.querySelector(".tng-page"), gaps = [];
  let last = performance.now();
  for (let frame = 0; frame < 150; frame++) {
    page.scrollTop += page.scrollHeight / 150;
    await new Promise(requestAnimationFrame);
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  return gaps.sort((a, b) => a - b);
}
"""


def test_the_outline_leads_to_a_scene_and_the_place_is_kept_by_a_reload(launched: Browser) -> None:
    page = open_reader(launched)
    tell_all(page, sections_of(scenes(12)))
    outline = page.get_by_role("navigation", name="Acts and scenes")
    outline.get_by_role("button", name="INT. DECK 7").click()
    expect(outline.locator("[aria-current]")).to_contain_text("INT. DECK 7")
    page.wait_for_function("localStorage.getItem('tng-reader-places')")
    draw(page)
    tell_all(page, sections_of(scenes(12)))
    expect(outline.locator("[aria-current]")).to_contain_text("INT. DECK 7")
    expect(page.locator("h4", has_text="INT. DECK 7")).to_be_in_viewport()
    page.keyboard.press("Tab")
    page.locator(".tng-page").press("j")
    expect(outline.locator("[aria-current]")).to_contain_text("INT. DECK 8")
    page.close()


def test_what_is_found_is_counted_and_marked_without_a_change_of_the_text(launched: Browser) -> None:
    page = open_reader(launched, width=390, height=844)
    tell_all(page, sections_of(scenes(3)))
    before = page.locator(".tng-body").evaluate("e => e.innerHTML")
    page.locator(".tng-page").press("/")
    page.keyboard.type("AMBER, 3")
    expect(page.locator(".tng-count")).to_have_text("1 of 3")
    page.keyboard.press("Enter")
    expect(page.locator(".tng-count")).to_have_text("2 of 3")
    assert page.evaluate("CSS.highlights.get('tng-found').size") == 3
    assert page.locator(".tng-body").evaluate("e => e.innerHTML") == before
    page.close()


def test_a_line_is_saved_by_itself_and_other_fields_keep_what_is_typed(launched: Browser) -> None:
    page = open_reader(launched, editable=True)
    sections = sections_of(scenes(2))
    tell_all(page, sections)
    page.get_by_role("button", name="Scene 2: more").click()
    page.get_by_role("menuitem", name="Edit its lines").click()
    first, second = page.get_by_label("Line 1, action"), page.get_by_label("Line 2, DATA")
    second.fill("Half a thou")
    first.fill("The light goes out.")
    first.press("Enter")
    assert page.evaluate("sent.at(-1)") == {"kind": "line", "scene": 2, "block": 0, "text": "The light goes out."}
    heading = next(index for index, block in enumerate(sections[1]) if block["kind"] == "heading")
    sections[1][heading + 1]["text"] = "The light goes out."
    page.evaluate("s => tell({kind: 'changed', drawing: 1, place: 'ord_1/1', index: 1, section: s})", sections[1])
    expect(second).to_have_value("Half a thou")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_text("The light goes out.")).to_be_visible()
    page.close()


def test_sixty_pages_are_drawn_and_scrolled_without_a_stutter(launched: Browser) -> None:
    page = open_reader(launched)
    sections = sections_of(scenes(60), acts=5)
    told = {"kind": "all", "drawing": 1, "place": "ord_1/0", "sections": sections}
    drawn_ms = page.evaluate("m => { const t = performance.now(); tell(m); return performance.now() - t }", told)
    gaps = page.evaluate(FRAMES)
    assert drawn_ms < 150
    assert gaps[int(len(gaps) * 0.95)] < 34
    assert gaps[-1] < 200
    page.close()
