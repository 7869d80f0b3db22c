"""The tab's title and picture, and the steps of an order, in a real browser, each on an empty page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page

from tests.axe import serious
from tests.reader_host import LOOK
from tests.unit.tng.test_dashboard_waiting import a_story, writing
from tng.dashboard.reader import STATIC
from tng.dashboard.story import Story
from tng.dashboard.waiting import draw_steps, draw_waiting
from tng.look import whole_look
from tng.orders import OrderState

pytestmark = pytest.mark.browser

PICTURE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3C/svg%3E"
TOKENS = ":root { " + "; ".join(f"--tng-{name}: {colour}" for name, colour in whole_look({}).items()) + " }"
MODEL = """
const state = {words: "", mark: ""}, listeners = [];
window.model = {
  get: (name) => state[name],
  on: (names, listener) => listeners.push(listener),
  off: () => listeners.splice(0),
};
window.say = (words, mark) => { Object.assign(state, {words, mark}); listeners.forEach((listener) => listener()); };
"""


@pytest.fixture
def page(launched: Browser) -> Iterator[Page]:
    page = launched.new_page(viewport={"width": 1180, "height": 800})
    yield page
    page.close()


def styled(page: Page, body: str, *, theme: str = "light", icon: str = PICTURE) -> None:
    """A page with this body, in our look."""
    sheets = "".join((LOOK / f"{name}.css").read_text(encoding="utf-8") for name in ("style", "wait"))
    head = f'<title>The shop</title><link rel="icon" href="{icon}"><style>{sheets}{TOKENS}</style>'
    page.set_content(f"<!doctype html><html lang=en data-theme={theme}><head>{head}</head><body>{body}</body></html>")


def with_tab(page: Page, *, icon: str = PICTURE) -> None:
    styled(page, "<div id=tab></div>", icon=icon)
    page.add_script_tag(content=MODEL)
    code = (STATIC / "title.js").read_text(encoding="utf-8").replace("export default", "const tab =")
    page.add_script_tag(
        content=f"{{ {code}\nwindow.leave = tab.render({{model, el: document.querySelector('#tab')}}); }}"
    )


def picture(page: Page) -> str:
    return unquote(str(page.evaluate("document.querySelector('link[rel=icon]').href")))


class TestTab:
    def test_says_what_it_is_told_as_text_and_its_own_title_again_afterwards(self, page: Page) -> None:
        with_tab(page)
        assert page.title() == "The shop"
        page.evaluate("say('Writing 4 of 12 · </title><script>window.owned = 1</script>', 'busy')")
        assert page.title() == "Writing 4 of 12 · </title><script>window.owned = 1</script>"
        assert page.evaluate("window.owned") is None
        page.evaluate("say('', '')")
        assert page.title() == "The shop"
        page.evaluate("say('Ready', 'done')")
        page.evaluate("leave()")
        assert (page.title(), picture(page)) == ("The shop", unquote(PICTURE))

    def test_each_mark_is_one_dot_of_its_own_colour_on_the_picture_that_is_there(self, page: Page) -> None:
        with_tab(page)
        seen = set()
        for mark in ("busy", "done", "alert", "busy"):
            page.evaluate("mark => say('x', mark)", mark)
            drawn = picture(page)
            assert drawn.count("<circle") == 1
            assert drawn.endswith("</svg>")
            assert "fill=''" not in drawn
            seen.add(drawn)
        assert len(seen) == 3
        shown = page.evaluate("""() => new Promise((done) => {
            const image = new Image();
            image.onload = () => done(true); image.onerror = () => done(false);
            image.src = document.querySelector('link[rel=icon]').href; })""")
        assert shown, "a browser can draw it"
        for none in ("", "what", "toString"):
            page.evaluate("mark => say('x', mark)", none)
            assert picture(page) == unquote(PICTURE)

    def test_another_kind_of_picture_stays_as_it_is(self, page: Page) -> None:
        with_tab(page, icon="data:image/png;base64,iVBORw0KGgo=")
        page.evaluate("say('Ready', 'done')")
        assert picture(page) == "data:image/png;base64,iVBORw0KGgo="
        assert page.title() == "Ready"


def order_of(story: Story) -> str:
    inside = f'<div class="widget-html"><div class="widget-html-content">{draw_steps(story)}{draw_waiting(story)}</div>'
    return f'<main class="tng-dashboard"><h1>Shop</h1><div class="tng-order">{inside}</div></div></main>'


def steps_at(page: Page) -> list[dict[str, float]]:
    return list(page.eval_on_selector_all(".tng-step", "all => all.map((one) => one.getBoundingClientRect().toJSON())"))


class TestSteps:
    @pytest.mark.parametrize(("width", "beside"), [(1180, True), (390, False), (320, False)])
    def test_stand_beside_each_other_where_there_is_room_and_else_below(
        self, page: Page, width: int, beside: bool
    ) -> None:
        page.set_viewport_size({"width": width, "height": 800})
        styled(page, order_of(writing(3)))
        at = steps_at(page)
        assert len({step["y"] for step in at}) == (1 if beside else 5)
        assert len({step["x"] for step in at}) == (5 if beside else 1)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    @pytest.mark.parametrize("theme", ["light", "dark"])
    @pytest.mark.parametrize("state", list(OrderState), ids=str)
    def test_every_state_can_be_read_and_heard(self, page: Page, state: OrderState, theme: str) -> None:
        styled(page, order_of(a_story(state)), theme=theme)
        assert serious(page) == []

    def test_a_picture_that_moves_stands_still_for_whoever_asks_for_that(self, page: Page) -> None:
        def moving() -> Any:
            return page.evaluate("document.getAnimations().length")

        styled(page, order_of(writing(3)))
        assert moving() > 0
        page.emulate_media(reduced_motion="reduce")
        styled(page, order_of(writing(3)))
        assert moving() == 0
