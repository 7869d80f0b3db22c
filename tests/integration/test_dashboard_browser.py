"""The page in a real browser: Voilà, our template and our widgets, against a running api."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from tests.integration.live_api import LiveApi, live_api
from tests.page_host import voila
from tests.shows import second_show
from tests.unit.tng.api_support import PREFIX, SCRIPT, WISH
from tng.jobs import EventKind, Job

PATIENCE_MS = 30_000
EVIL = "<img src=x onerror=document.title='owned'>"

pytestmark = pytest.mark.browser


@pytest.fixture
def tab(launched: Browser) -> Iterator[Any]:
    page: Any = launched.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.route(
        "https://pay.example/**", lambda route: route.fulfill(body="<h1>Pay here</h1>", content_type="text/html")
    )
    yield page
    page.close()


def foreign(tab: Any, address: str) -> list[str]:
    """Requests that left the house."""
    return [url for url in tab.asked if not url.startswith((address, "data:", "blob:")) and "pay.example" not in url]


def _photograph(tab: Any, name: str) -> None:
    """For people to look at, where a folder is named."""
    if folder := os.environ.get("TNG_PHOTOGRAPHS"):
        tab.screenshot(path=f"{folder}/{name}.png", full_page=True)


def two_scenes_on_a_low_page(api: LiveApi, address: str, tab: Any, *, title: str) -> Job:
    """The job of a paid order that is being written; its first two scenes do not fit on the page that shows them."""
    order = api.house.order(title=title)
    api.house.pay(order)
    job = api.house.claim()
    tab.set_viewport_size({"width": 1280, "height": 500})
    tab.goto(f"{address}?order={order.id}")
    tab.wait_for_selector(".tng-now")
    api.house.say_scenes(job, 0, 2)
    tab.get_by_text("Then we are not.").wait_for()
    return job


def test_a_customer_orders_and_watches_and_reads(api: LiveApi, address: str, tab: Any) -> None:
    tab.goto(address, wait_until="commit")
    tab.get_by_text("One moment…").wait_for(state="attached")
    tab.wait_for_selector(".tng-price")
    assert tab.title() == "TNG Script Generator"
    tab.get_by_label("Title", exact=True).fill(EVIL)
    tab.get_by_role("button", name="Order this script and pay for it").or_(
        tab.locator(".tng-form .tng-primary")
    ).click()
    tab.wait_for_url("https://pay.example/**")
    order = next(o for o in api.house.store.tables.orders.values() if o.premise.title == EVIL)
    api.house.pay(order)
    job = api.house.claim()
    tab.goto(f"{address}?order={order.id}")
    tab.wait_for_selector(".tng-now")
    api.house.say_scenes(job, 0, 1)
    tab.wait_for_selector(".tng-cue")
    tab.reload()
    tab.wait_for_selector(".tng-cue")
    api.house.say_scenes(job, 1, 3)
    tab.get_by_text("The ship turns.").wait_for()
    assert tab.locator(".tng-cue").all_inner_texts() == ["PICARD (V.O.)", "PICARD (CONT'D)", "DATA", "PICARD"]
    assert tab.locator(".tng-page .tng-title").inner_text() == EVIL.upper()
    expect(tab).to_have_title(f"Writing · {EVIL}")
    assert "<circle" in unquote(str(tab.evaluate("document.querySelector('link[rel=icon]').href")))
    assert tab.locator("img").count() == 0
    assert foreign(tab, address) == []


class DeafPage:
    """Between a page and its kernel. From the picture of the page on, no change gets through until the order's end.

    ``then`` is done when the page has been sent the state of all its widgets. It is deaf to every update of one of them
    until the last scene of the script was told, which comes after all of them (a widget that is born meanwhile, it
    hears). That it is here it may say only then, and never where it is to be ``dumb``.
    """

    def __init__(self, tab: Any, then: Callable[[], object], *, dumb: bool = False) -> None:
        self._then, self._dumb = then, dumb
        self.pictured = self.told = False
        self.unheard: list[str] = []
        self._born: set[str] = set()
        self._held: list[str | bytes] = []
        tab.route_web_socket(re.compile(r"/api/kernels/.+/channels"), self._between)

    def _between(self, page: WebSocketRoute) -> None:
        kernel = page.connect_to_server()
        page.on_message(lambda frame: self._from_page(frame, kernel))
        kernel.on_message(lambda frame: self._from_kernel(frame, page, kernel))

    def _from_page(self, frame: str | bytes, kernel: WebSocketRoute) -> None:
        if not re.search(r'"kind":\s*"here"', _text(frame)):
            kernel.send(frame)
        else:
            self._held.append(frame)
            self._let_speak(kernel)

    def _from_kernel(self, frame: str | bytes, page: WebSocketRoute, kernel: WebSocketRoute) -> None:
        text = _text(frame)
        if self.pictured and not self.told and self._is_unheard(text):
            self.unheard.append(text)
            return
        page.send(frame)
        if not self.pictured and '"update_states"' in text:
            self.pictured = True
            self._then()
        elif self.pictured and "THE END" in text:
            self.told = True
            self._let_speak(kernel)

    def _is_unheard(self, text: str) -> bool:
        comm = re.search(r'"comm_id":\s*"(\w+)"', text)
        if comm and re.search(r'"msg_type":\s*"comm_open"', text):
            self._born.add(comm[1])
        return comm is not None and comm[1] not in self._born and re.search(r'"method":\s*"update"', text) is not None

    def _let_speak(self, kernel: WebSocketRoute) -> None:
        while self.told and self._held and not self._dumb:
            kernel.send(self._held.pop())


def _text(frame: str | bytes) -> str:
    return frame if isinstance(frame, str) else frame.decode(errors="replace")


@pytest.mark.parametrize(
    "dumb", [False, True], ids=["a page that says that it is here", "the control: one that does not"]
)
def test_an_end_that_falls_between_the_pages_picture_and_its_ears_is_shown_all_the_same(
    api: LiveApi, address: str, tab: Any, dumb: bool
) -> None:
    order = api.house.order(title="In Between")
    page = DeafPage(tab, then=lambda: api.house.deliver(order), dumb=dumb)
    tab.goto(f"{address}?order={order.id}")
    tab.get_by_text("THE END", exact=True).wait_for()
    assert any("Your script is ready." in update for update in page.unheard)
    sentence, pay = tab.locator(".tng-sentence"), tab.locator(".tng-order .tng-primary")
    if dumb:
        expect(sentence).to_contain_text("This order waits for its payment.")
        expect(pay).to_be_visible()
    else:
        expect(sentence).to_have_text("Your script is ready.", timeout=PATIENCE_MS)
        expect(pay).to_be_hidden(timeout=PATIENCE_MS)
        expect(tab.locator(".tng-order .tng-downloads a")).to_have_count(5)
        row = tab.locator(".tng-library .tng-row", has_text="In Between").first
        expect(row.locator(".tng-state")).to_have_text("ready")


def test_another_show_has_its_own_page(launched: Browser, tmp_path: Path) -> None:
    show = replace(second_show(), product=f"Lantern {EVIL}", title=EVIL, disclaimer=f"Not theirs. {EVIL}")
    with live_api(show) as api, voila(api, tmp_path) as address:
        tab = launched.new_page(viewport={"width": 1280, "height": 900})
        tab.set_default_timeout(PATIENCE_MS)
        tab.goto(address, wait_until="commit")
        tab.locator("#loading").wait_for(state="attached")
        assert tab.locator("#loading").get_attribute("data-product") == show.product
        tab.wait_for_selector(".tng-price")
        assert tab.title() == show.product
        assert tab.locator(".tng-header h1").inner_text() == show.product
        assert EVIL in tab.locator(".tng-form h2").inner_text()
        assert tab.locator(".tng-cast .tng-option-name").all_inner_texts() == [member.names[0] for member in show.cast]
        assert tab.locator(".tng-footer").inner_text() == show.disclaimer
        assert tab.locator(".tng-price").inner_text() == str(api.house.shop.price)
        night = tab.evaluate("getComputedStyle(document.querySelector('.tng-header')).backgroundColor")
        assert night == f"rgb({', '.join(str(part) for part in bytes.fromhex(show.look['night'][1:]))})"
        assert tab.locator("img").count() == 0
        tab.close()


def test_a_finished_script_is_offered_in_five_files_and_says_how_it_was_written(
    api: LiveApi, address: str, tab: Any
) -> None:
    order = api.house.order(title="Five Files")
    api.house.deliver(order)
    tab.goto(f"{address}?order={order.id}")
    tab.get_by_text("THE END", exact=True).wait_for()
    offered = tab.locator(".tng-order .tng-downloads a").evaluate_all("links => links.map(link => link.pathname)")
    endings = ["pdf", "fdx", "fountain", "epub", "txt"]
    assert offered == [f"{PREFIX}/orders/{order.id}/script.{ending}" for ending in endings]
    told = tab.get_by_text("Longest passage shared with the training text")
    assert not told.is_visible()
    tab.get_by_text("How it was written").click()
    assert told.is_visible()


@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_a_customer_stops_in_mid_script_and_keeps_what_is_written(
    api: LiveApi, address: str, tab: Any, width: int
) -> None:
    order = api.house.order(title=f"The Stopped Hand {width}")
    api.house.pay(order)
    job = api.house.claim()
    api.house.fulfilment.heartbeat(job, [(EventKind.PLAN, {"acts": [{"scenes": [{}] * 12}]})])
    tab.set_viewport_size({"width": width, "height": 900})
    tab.goto(f"{address}?order={order.id}")
    api.house.say_scenes(job, 0, 1)
    expect(tab.locator(".tng-heading")).to_have_count(1)
    tab.get_by_role("button", name="Stop writing").click()
    question = tab.get_by_text("1 of 12 scenes is written: you get your money back and keep it.")
    expect(question).to_be_visible()
    _photograph(tab, f"stop-question-{width}")
    tab.get_by_role("button", name="Go on writing").click()
    expect(question).to_have_count(0)
    tab.get_by_role("button", name="Stop writing").click()
    tab.get_by_role("button", name="Stop now").click()
    expect(tab.locator(".tng-sentence")).to_contain_text("on its way back")
    api.house.shop.run_errands()
    expect(tab.locator(".tng-sentence")).to_contain_text("refunded in full")
    expect(tab.get_by_text("THE WRITING WAS STOPPED HERE")).to_be_visible()
    expect(tab.locator(".tng-heading")).to_have_count(1)
    expect(tab.locator(".tng-order .tng-downloads a")).to_have_count(5)
    expect(tab.get_by_role("button", name="Stop writing")).to_have_count(0)
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    _photograph(tab, f"stopped-{width}")


def test_a_customer_sees_their_place_and_cancels_before_the_writing(api: LiveApi, address: str, tab: Any) -> None:
    order = api.house.order(title="Second Thoughts")
    api.house.pay(order)
    tab.goto(f"{address}?order={order.id}")
    expect(tab.locator(".tng-sentence")).to_contain_text("Paid. Thank you.")
    _photograph(tab, "queue")
    tab.get_by_role("button", name="Cancel the order").click()
    expect(tab.locator(".tng-sentence")).to_contain_text("The whole price is on its way back")
    api.house.shop.run_errands()
    expect(tab.locator(".tng-sentence")).to_contain_text("You cancelled this order, and your money was refunded")
    assert api.house.gateway.payments[str(order.checkout_session_id)].refunded
    _photograph(tab, "cancelled")


def test_the_script_is_set_in_the_columns_of_a_teleplay(api: LiveApi, address: str, tab: Any) -> None:
    order = api.house.order(title="Columns")
    api.house.deliver(order)
    tab.goto(f"{address}?order={order.id}")
    tab.get_by_text("THE END", exact=True).wait_for()
    assert "Courier" in tab.locator(".tng-page").evaluate("e => getComputedStyle(e).fontFamily")

    def left(name: str) -> float:
        return float(tab.locator(f".tng-page {name}").first.evaluate("e => e.getBoundingClientRect().left"))

    action, dialogue, aside, cue = (left(x) for x in (".tng-action", ".tng-dialogue", ".tng-parenthetical", ".tng-cue"))
    character = (cue - action) / 22
    assert round((dialogue - action) / character) == 10
    assert round((aside - action) / character) == 15


def test_the_page_follows_the_writing_only_while_the_reader_is_at_its_end(api: LiveApi, address: str, tab: Any) -> None:
    job = two_scenes_on_a_low_page(api, address, tab, title="Long")
    page = tab.locator(".tng-page")
    assert page.evaluate("e => e.scrollHeight > e.clientHeight")
    assert page.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight") < 50
    page.evaluate("e => { e.scrollTop = 0 }")
    api.house.say_scenes(job, 2, 3)
    tab.get_by_text("The ship turns.").wait_for(state="attached")
    assert page.evaluate("e => e.scrollTop") == 0
    newer = tab.get_by_role("button", name=re.compile("New lines"))
    newer.click()
    assert page.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight") < 50
    newer.wait_for(state="hidden")


def test_who_presses_the_button_is_led_to_what_is_wrong(address: str, tab: Any) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(address)
    tab.wait_for_selector(".tng-price")
    tab.locator(".tng-form .tng-primary").click()
    sentence = tab.locator(".tng-title-field .tng-fault")
    sentence.wait_for()
    title = tab.get_by_label("Title", exact=True)
    expect(title).to_be_focused()
    assert sentence.get_attribute("id") in title.get_attribute("aria-describedby").split()
    box = sentence.bounding_box()
    assert 0 <= box["y"] <= 844 - box["height"]


def test_a_screen_reader_is_told_what_belongs_together(address: str, tab: Any) -> None:
    tab.goto(address)
    tab.wait_for_selector(".tng-price")
    assert tab.get_by_role("group", name="Cast").get_by_role("checkbox").count() == 10
    assert tab.get_by_role("radiogroup", name="Length").get_by_role("radio").count() == 3
    assert tab.get_by_role("radiogroup", name="Tone").get_by_role("radio").count() == 4
    tab.locator(".tng-finer summary").click()
    for label in ("Title", "Logline", "Guest", "Guest 2", "Seed", "Temperature"):
        assert tab.get_by_label(label, exact=True).count() == 1, label


def test_nothing_covers_the_text_of_a_script_that_is_ready(api: LiveApi, address: str, tab: Any) -> None:
    job = two_scenes_on_a_low_page(api, address, tab, title="Ready")
    tab.locator(".tng-page").evaluate("e => { e.scrollTop = 0 }")
    api.house.say_scenes(job, 2, 3)
    tab.get_by_role("button", name=re.compile("New lines")).wait_for()
    api.house.fulfilment.deliver(job, script_text=SCRIPT, release_id="tng-test", run_sha256="0" * 64)
    tab.get_by_text("THE END", exact=True).wait_for(state="attached")
    tab.get_by_role("button", name=re.compile("New lines")).wait_for(state="hidden")


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_nothing_stands_out_at_the_side(api: LiveApi, address: str, tab: Any, width: int) -> None:
    order = api.house.order(title="W" * 80, logline=WISH["logline"])
    api.house.deliver(order)
    tab.set_viewport_size({"width": width, "height": 844})
    tab.goto(f"{address}?order={order.id}")
    tab.get_by_text("THE END", exact=True).wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    sides = tab.locator(".tng-form, .tng-library, .tng-order, .tng-page").evaluate_all(
        "all => all.map(e => e.getBoundingClientRect()).map(r => [r.left, r.right])"
    )
    assert all(left >= 0 and right <= width for left, right in sides)
