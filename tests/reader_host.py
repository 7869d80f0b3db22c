"""The reader, or its panel, alone in a browser: script and style on an empty page, and a model that says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from playwright.sync_api import Browser, Page

from tng.dashboard.reader import STATIC, ScriptReader, _plain
from tng.dashboard.story import Story
from tng.script import Element, ElementKind, Scene

ADDRESS = "http://reader.test/"
LOOK = STATIC.parents[2] / "hub" / "templates" / "jupyter" / "voila" / "templates" / "tng"
PAGE = "<!doctype html><html lang=en><title>Reader</title><main><h1>Reader</h1><div id=reader></div></main>"
MODEL = """
const state = {title: "The Quiet Hours", waiting: "", editable: false, scene_notes: {}, scene_takes: {}, most_takes: 3,
  busy_scene: 0}, listeners = [];
window.sent = [];
window.model = {
  get: name => state[name],
  set: (name, value) => {
    state[name] = value;
    listeners.filter(([n]) => n.includes("change:" + name)).forEach(([, l]) => l());
  },
  on: (names, listener) => listeners.push([names, listener]),
  off: () => {},
  send: message => window.sent.push(message),
};
window.tell = message => listeners.filter(([n]) => n === "msg:custom").forEach(([, l]) => l(message));
"""


def scenes(count: int, lines: int = 24) -> list[Scene]:
    """So many scenes, of about a page each."""
    said = "The clock is correct, sir, and yet nobody aboard remembers how long it has been standing still."
    elements = [
        Element(ElementKind.SPEECH, said, ("PICARD", "DATA", "WORF")[line % 3])
        if line % 3
        else Element(ElementKind.ACTION, f"The light of the bridge turns amber, {line}.")
        for line in range(lines)
    ]
    return [Scene(f"INT. DECK {number}", tuple(elements)) for number in range(1, count + 1)]


def sections_of(found: Sequence[Scene], acts: int = 2) -> list[list[dict[str, str]]]:
    """What the kernel tells of these scenes, in so many acts."""
    story = Story.__new__(Story)
    story.sections, story._last_act = [], ""
    for index, scene in enumerate(found):
        story._add(f"ACT {['ONE', 'TWO', 'THREE', 'FOUR', 'FIVE'][index * acts // len(found)]}", scene)
    return [_plain(section) for section in story.sections]


def open_reader(browser: Browser, *, width: int = 1280, height: int = 900, **state: Any) -> Page:
    """A page with the reader on it, which has been told nothing yet; ``tell(…)`` on the page tells it."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.route(f"{ADDRESS}**", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    draw(page, **state)
    return page


def draw(page: Page, **state: Any) -> None:
    """Open the page (anew: as a reload would), and draw the reader."""
    page.goto(ADDRESS)
    page.add_style_tag(content=(LOOK / "style.css").read_text(encoding="utf-8"))
    page.add_style_tag(content=":root { --tng-night: #1c2733; --tng-on-night: #fff; --tng-amber: #d08a2e; }")
    page.add_style_tag(path=STATIC / "reader.css")
    page.add_style_tag(content=(LOOK / "read.css").read_text(encoding="utf-8"))
    _begin(page, str(ScriptReader._esm), state)


def open_panel(browser: Browser, shown: dict[str, Any], *, width: int = 1280) -> Page:
    """A page with the panel of versions and names on it, as it is drawn for ``shown``."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.route(f"{ADDRESS}**", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
    page.goto(ADDRESS)
    for sheet in ("style", "rework"):
        page.add_style_tag(content=(LOOK / f"{sheet}.css").read_text(encoding="utf-8"))
    _begin(page, (STATIC / "rework.js").read_text(encoding="utf-8"), {"shown": shown})
    return page


def _begin(page: Page, code: str, state: dict[str, Any]) -> None:
    page.add_script_tag(content=MODEL)
    for name, value in state.items():
        page.evaluate("([name, value]) => model.set(name, value)", [name, value])
    code = code.replace("export default", "const widget =")
    begin = "window.leave = widget.render({model: window.model, el: document.getElementById('reader')});"
    page.add_script_tag(content=f"(() => {{ {code}\n{begin} }})()")


def tell_all(page: Page, sections: list[list[dict[str, str]]], *, place: str = "ord_1/0", drawing: int = 1) -> None:
    """Tell it the whole script."""
    page.evaluate("m => tell(m)", {"kind": "all", "drawing": drawing, "place": place, "sections": sections})
