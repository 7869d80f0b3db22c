"""What a browser does while a script is reworked: lines on their way, takes, and the panel of versions and names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.reader_host import open_panel, open_reader, scenes, sections_of, tell_all

pytestmark = pytest.mark.browser
EVIL = "<img src=x onerror=document.title='owned'>"
SECTIONS = sections_of(scenes(3))
BEFORE = "ord_1/0"
SHOWN: dict[str, Any] = {
    "edition": 2,
    "versions": [
        {"number": 1, "words": "a line changed", "made_at": "2026-01-02T12:04:00Z"},
        {"number": 2, "words": "gone back", "made_at": "2026-01-02T12:05:00Z"},
    ],
    "guests": ["Lena", "Old Man"],
}


@pytest.fixture
def page(launched: Browser) -> Any:
    """A reader of three scenes, the second with its fields open."""
    page = open_reader(launched, editable=True)
    tell_all(page, SECTIONS)
    edit(page)
    yield page
    page.close()


def edit(page: Page, scene: int = 2) -> None:
    page.get_by_role("button", name=f"Scene {scene}: more").click()
    page.get_by_role("menuitem", name="Edit its lines").click()


def tell(page: Page, **message: Any) -> None:
    page.evaluate("m => tell(m)", message)


def lines_sent(page: Page) -> list[tuple[int, str, str]]:
    """The lines that the kernel was told: block, text, and the edition that they were typed in."""
    sent = page.evaluate("sent.filter(m => m.kind === 'line')")
    return [(line["block"], line["text"], line["place"].split("/")[1]) for line in sent]


def section_with(changes: dict[int, str | None]) -> list[dict[str, str]]:
    """The second scene with other words in some lines; a line of None is taken out."""
    blocks: list[dict[str, str]] = json.loads(json.dumps(SECTIONS[1]))
    first = next(index for index, block in enumerate(blocks) if block["kind"] == "heading") + 1
    for block, text in changes.items():
        blocks[first + block]["text"] = text or ""
    return [block for block in blocks if block["text"]]


def answer(page: Page, edition: int, changes: dict[int, str | None], saved: int) -> None:
    """The kernel shows the scene as it is, and says that a line is saved."""
    tell(page, kind="changed", drawing=1, place=f"ord_1/{edition}", index=1, section=section_with(changes))
    tell(page, kind="saved", scene=2, block=saved)


def test_one_line_is_on_its_way_at_a_time_and_the_next_one_means_the_right_line(page: Page) -> None:
    first, fourth = page.get_by_label("Line 1, action"), page.get_by_label("Line 4, action")
    fourth.fill("The light stays.")
    first.fill("")
    first.press("Enter")
    fourth.press("Enter")
    assert lines_sent(page) == [(0, "", "0")]
    answer(page, 1, {0: None}, 0)
    assert lines_sent(page) == [(0, "", "0"), (2, "The light stays.", "1")], "one line higher, and in the new edition"
    expect(page.get_by_label("Line 3, action")).to_have_value("The light stays.")
    answer(page, 2, {0: None, 3: "The light stays."}, 2)
    expect(page.get_by_text("Saved")).to_be_visible()


def test_done_saves_what_is_typed_and_shows_it_at_once(page: Page) -> None:
    page.get_by_label("Line 1, action").fill("The light goes out.")
    page.get_by_role("button", name="Done").click()
    assert lines_sent(page) == [(0, "The light goes out.", "0")]
    expect(page.locator(".tng-editing")).to_have_count(0)
    expect(page.locator(".tng-action", has_text="The light goes out.")).to_be_visible()


def test_a_line_that_is_refused_opens_its_field_again_with_the_sentence_and_what_was_typed(page: Page) -> None:
    page.get_by_label("Line 2, DATA").fill("")
    page.get_by_role("button", name="Done").click()
    sentence = f"A speech needs words. {EVIL}"
    tell(page, kind="refused", scene=2, block=1, sentence=sentence)
    field = page.get_by_label("Line 2, DATA")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    expect(page.get_by_text(sentence)).to_be_visible()
    page.get_by_role("button", name="Leave as it was").click()
    expect(field).to_have_value(SECTIONS[1][-23]["text"])
    assert page.locator("img").count() == 0
    assert lines_sent(page) == [(1, "", "0")]


def test_what_is_typed_is_kept_where_another_tab_was_quicker_with_the_same_line(page: Page) -> None:
    field = page.get_by_label("Line 1, action")
    field.fill("Mine.")
    field.press("Enter")
    tell(page, kind="changed", drawing=1, place="ord_1/1", index=1, section=section_with({0: "Theirs."}))
    tell(page, kind="refused", scene=2, block=0, sentence="Another page was quicker.")
    expect(field).to_have_value("Mine.")
    expect(page.get_by_text("Another page was quicker.")).to_be_visible()
    field.press("Enter")
    assert lines_sent(page)[-1] == (0, "Mine.", "1")
    answer(page, 2, {0: "Mine."}, 0)
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".tng-action", has_text="Mine.")).to_be_visible()


def test_words_that_come_back_otherwise_than_they_were_typed_are_the_ones_that_stay(page: Page) -> None:
    heading = page.get_by_label("Heading of the scene")
    heading.fill("int.  engineering")
    heading.press("Enter")
    assert lines_sent(page) == [(-1, "int. engineering", "0")]
    answer(page, 1, {-1: "INT. ENGINEERING"}, -1)
    expect(heading).to_have_value("INT. ENGINEERING")


def test_another_edition_that_looks_the_same_is_the_one_that_the_next_line_is_for(page: Page) -> None:
    tell(page, kind="place", place="ord_1/7")
    page.get_by_label("Line 1, action").fill("x")
    page.get_by_label("Line 1, action").press("Enter")
    assert lines_sent(page) == [(0, "x", "7")]


def test_takes_are_switched_with_a_press_and_the_menu_says_how_many_are_left(launched: Browser) -> None:
    page = open_reader(launched, editable=True, scene_takes={"2": {"takes": [0, 1, 2], "chosen": 2, "left": 1}})
    tell_all(page, SECTIONS)
    takes = page.get_by_role("group", name="Takes of scene 2")
    assert takes.get_by_role("button").all_text_contents() == ["Original", "Take 1", "Take 2"]
    expect(takes.get_by_role("button", name="Take 2")).to_have_attribute("aria-pressed", "true")
    takes.get_by_role("button", name="Take 2").click()
    takes.get_by_role("button", name="Original").click()
    assert page.evaluate("sent.filter(m => m.kind === 'take')") == [{"kind": "take", "scene": 2, "take": 0}]
    page.evaluate("model.set('scene_takes', {2: {takes: [0, 1, 2], chosen: 0, left: 1}})")
    expect(takes.get_by_role("button", name="Original")).to_be_focused()
    for scene, words in ((1, "(3 left)"), (2, "(1 left)")):
        page.get_by_role("button", name=f"Scene {scene}: more").click()
        expect(page.get_by_role("menuitem", name="Write this scene again")).to_contain_text(words)
        page.keyboard.press("Escape")
    page.close()


def test_while_a_scene_is_written_again_it_says_so_and_no_other_can_be_asked_for(launched: Browser) -> None:
    page = open_reader(launched, editable=True)
    tell_all(page, SECTIONS)
    page.get_by_role("button", name="Scene 2: more").click()
    page.get_by_role("menuitem", name="Write this scene again").click()
    assert page.evaluate("sent.at(-1)") == {"kind": "scene", "number": 2, "act": "again"}
    page.evaluate("model.set('scene_notes', {2: 'being written again…'})")
    page.evaluate("model.set('busy_scene', 2)")
    expect(page.locator(".tng-said")).to_have_text("Scene 2 is being written again")
    expect(page.locator(".tng-rewriting .tng-scene-note")).to_have_text("being written again…")
    page.get_by_role("button", name="Scene 3: more").click()
    entry = page.get_by_role("menuitem", name="Write this scene again")
    expect(entry).to_have_attribute("aria-disabled", "true")
    entry.click(force=True)
    assert page.evaluate("sent.filter(m => m.act === 'again').length") == 1
    page.evaluate("model.set('busy_scene', 0)")
    tell(page, kind="fresh", scene=2)
    expect(page.locator(".tng-fresh h4")).to_contain_text("DECK 2")
    page.close()


def test_a_script_that_is_not_editable_offers_no_change(launched: Browser) -> None:
    page = open_reader(launched, scene_takes={"2": {"takes": [0, 1], "chosen": 1, "left": 2}})
    tell_all(page, SECTIONS)
    expect(page.locator(".tng-take")).to_have_count(0)
    page.get_by_role("button", name="Scene 2: more").click()
    assert page.get_by_role("menuitem").all_inner_texts() == ["Copy this scene"]
    page.close()


def test_the_versions_are_listed_the_newest_first_and_each_but_the_one_seen_can_be_had_back(launched: Browser) -> None:
    page = open_panel(launched, SHOWN)
    page.get_by_text("Versions (3)").click()
    entries = page.locator(".tng-version")
    assert [words.split("\n")[0] for words in entries.all_inner_texts()] == ["Version 2", "Version 1", "Original"]
    expect(entries.first).to_have_attribute("aria-current", "true")
    expect(entries.first).to_contain_text("what you see")
    expect(entries.nth(1)).to_contain_text("Jan")
    page.get_by_role("button", name="Back to version 1").click()
    page.get_by_role("button", name="Back to the original").click()
    assert page.evaluate("sent") == [{"kind": "back", "number": 1}, {"kind": "back", "number": 0}]
    page.evaluate("model.set('shown', {})")
    expect(page.locator("#reader")).to_be_hidden()
    page.close()


def test_a_guest_is_renamed_and_a_refusal_keeps_what_was_typed(launched: Browser) -> None:
    page = open_panel(launched, SHOWN | {"guests": ["Lena", EVIL]}, width=390)
    page.get_by_text("Rename a guest").click()
    name = page.get_by_label("is called")
    page.get_by_role("button", name="Rename everywhere").click()
    expect(page.get_by_role("alert")).to_have_text("Please type the new name.")
    page.get_by_label("Who").select_option("Lena")
    name.fill("Data")
    name.press("Enter")
    assert page.evaluate("sent") == [{"kind": "rename", "old": "Lena", "new": "Data"}]
    tell(page, kind="refused", sentence=f"That is somebody of the show. {EVIL}")
    expect(page.get_by_role("alert")).to_contain_text("somebody of the show")
    expect(name).to_have_value("Data")
    tell(page, kind="renamed")
    expect(name).to_have_value("")
    assert page.locator("img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()


def test_a_page_that_is_come_back_to_asks_what_has_changed(launched: Browser) -> None:
    page = open_panel(launched, SHOWN)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    assert page.evaluate("sent") == [], "not in the moment in which it was drawn"
    page.clock.install()
    page.clock.fast_forward(1600)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    assert page.evaluate("sent") == [{"kind": "look"}]
    page.close()
