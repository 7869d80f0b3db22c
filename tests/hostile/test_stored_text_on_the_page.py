"""Every payload at once on the customer's page, in a real browser: as titles, as a script, as it is being written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.hostile.attacks import answers
from tests.hostile.payloads import MARK, PAYLOADS
from tests.integration.live_api import LiveApi, live_api
from tests.page_host import voila
from tests.unit.tng.api_support import PROVENANCE
from tng.jobs import EventKind
from tng.script import Act, Element, ElementKind, Scene, Script, render, render_scene

PATIENCE_MS = 60_000
OURS = ".tng-rename, .tng-naming"
ELEMENTS = f"script, iframe, object, embed, img, svg, math, form:not({OURS}), base, meta, style, link, [autofocus]"
HANDLERS = "e => [...e.querySelectorAll('*')].flatMap(x => [...x.attributes]).filter(a => /^on/i.test(a.name)).length"
LINKS = "links => links.map(link => link.href)"

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def api() -> Iterator[LiveApi]:
    """An api whose customer has ordered every payload, and paid for few of them."""
    with pytest.MonkeyPatch.context() as patch, live_api() as running:
        patch.setattr("tng.shop.MOST_UNPAID", 10 * len(PAYLOADS))
        yield running


@pytest.fixture(scope="module")
def address(api: LiveApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where her page is."""
    with voila(api, tmp_path_factory.mktemp("voila")) as url:
        yield url


@pytest.fixture
def tab(launched: Browser) -> Iterator[Any]:
    """A tab that remembers what it was asked, what it fetched and what went wrong."""
    page: Any = launched.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(PATIENCE_MS)
    page.dialogs, page.asked = [], []
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    page.close()


def _said(text: str) -> str:
    """The payload as it stands in a line: its spaces are squeezed."""
    return " ".join(text.split())


def _scene(number: int, text: str) -> Scene:
    elements = (
        Element(ElementKind.ACTION, text),
        Element(ElementKind.SPEECH, text, "PICARD", "V.O.", "softly"),
        Element(ElementKind.SHOT, text),
        Element(ElementKind.TRANSITION, text),
    )
    return Scene(f"INT. ROOM {number} {text}", elements)


def _nothing_ran(tab: Any, address: str) -> None:
    assert tab.evaluate(f"window.{MARK}") is None
    assert tab.dialogs == []
    assert [url for url in tab.asked if not url.startswith((address, "data:", "blob:"))] == []
    dashboard = tab.locator(".tng-dashboard")
    assert dashboard.locator(ELEMENTS).count() == 0
    assert dashboard.evaluate(HANDLERS) == 0
    assert tab.locator(".MathJax, mjx-container").count() == 0
    for link in dashboard.locator("a").evaluate_all(LINKS):
        assert link.startswith((address, "http://house.test/", "https://pay.example/")), link


@answers(
    "writes scripts, handlers, links, styles, formulas and templates into titles and scripts that a page shows",
    "all of it is shown as the text it is: nothing runs, nothing is fetched, no element is made of it",
    who="stored text",
)
def test_no_payload_runs_on_the_page_and_each_can_be_read(api: LiveApi, address: str, tab: Any) -> None:
    titles = [text for text in PAYLOADS.values() if len(text) <= 80]
    for text in titles:
        api.house.order(title=text, logline=text)
    order = api.house.order(title=titles[0])
    scenes = tuple(_scene(number, _said(text)) for number, text in enumerate(PAYLOADS.values(), start=1))
    api.house.pay(order)
    api.house.fulfilment.deliver(
        api.house.claim(),
        script_text=render(Script(titles[0], (Act("TEASER", scenes),))),
        release_id=titles[0],
        run_sha256="0" * 64,
        provenance=PROVENANCE | {"release": titles[0]},
    )
    tab.goto(f"{address}?order={order.id}")
    tab.get_by_text("THE END", exact=True).wait_for()
    tab.get_by_text("How it was written").click()
    _nothing_ran(tab, address)
    spoken = tab.locator(".tng-dialogue").all_text_contents()
    assert [text for text in PAYLOADS.values() if _said(text) not in spoken] == []
    assert tab.locator(".tng-heading .tng-place").count() == 2 * len(PAYLOADS)
    tab.goto(f"{address}?view=library")
    tab.get_by_role("button", name="Show all").click()
    tab.locator(".tng-row").nth(len(titles) - 1).wait_for()
    _nothing_ran(tab, address)
    library = [_said(text) for text in tab.locator(".tng-row b").all_text_contents()]
    assert [text for text in titles if _said(text) not in library] == []


@answers(
    "writes the same into scenes while they appear one by one on an open page",
    "the page grows by text alone",
    who="stored text",
)
def test_no_payload_runs_while_a_script_is_being_written(api: LiveApi, address: str, tab: Any) -> None:
    order = api.house.order(title=next(iter(PAYLOADS.values())))
    api.house.pay(order)
    job = api.house.claim()
    tab.goto(f"{address}?order={order.id}")
    tab.wait_for_selector(".tng-now")
    for number, text in enumerate(PAYLOADS.values(), start=1):
        body = {"act": _said(text), "number": number, "text": render_scene(_scene(number, _said(text)))}
        progress = {"act": _said(text), "percent": number, "scene": number}
        api.house.fulfilment.heartbeat(job, [(EventKind.SCENE, body), (EventKind.PROGRESS, progress)])
    tab.locator(".tng-dialogue").nth(len(PAYLOADS) - 1).wait_for()
    _nothing_ran(tab, address)


@pytest.mark.parametrize("name", ["script", "image that fails", "svg", "details"])
def test_control_a_page_that_takes_text_for_markup_is_noticed(launched: Browser, name: str) -> None:
    page: Any = launched.new_page()
    page.set_content(f"<div class='tng-dashboard'><p>{PAYLOADS[name]}</p></div>")
    page.wait_for_function(f"window.{MARK} !== undefined")
    page.close()
