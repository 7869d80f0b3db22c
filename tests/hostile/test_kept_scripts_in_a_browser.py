"""A shared script and a receipt in a real browser, with every payload in them and with nothing to hold scripts back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.axe import serious
from tests.hostile.attacks import answers
from tests.hostile.payloads import MARK, PAYLOADS
from tests.integration.live_api import LiveApi, live_api
from tests.unit.tng.api_support import ADA, PREFIX
from tng.orders import Order
from tng.script import Act, Element, ElementKind, Scene, Script, render

pytestmark = pytest.mark.browser

SHORT = [text for text in PAYLOADS.values() if len(text) <= 80]


@pytest.fixture(scope="module")
def api() -> Iterator[LiveApi]:
    with live_api() as running:
        yield running


def delivered(api: LiveApi, title: str) -> Order:
    """A script of Ada's that says every payload, and is called so."""
    scenes = tuple(
        Scene(text, (Element(ElementKind.ACTION, text), Element(ElementKind.SPEECH, text, "PICARD")))
        for text in (" ".join(each.split()) for each in PAYLOADS.values())
    )
    order = api.house.order(title=title)
    api.house.pay(order)
    text = render(Script(title, (Act("TEASER", scenes),)))
    api.house.fulfilment.deliver(api.house.claim(), script_text=text, release_id="tng-test", run_sha256="0" * 64)
    return order


def address_of(api: LiveApi, order: Order) -> str:
    """The page of a new link to it."""
    return f"{api.url}/shared/{api.house.shop.shelving.share(order.id, ADA)}"


def bare(launched: Browser, **options: Any) -> BrowserContext:
    """A browser that obeys no policy of a page: what stays text does so because it is text."""
    return launched.new_context(bypass_csp=True, **options)


def seen(context: BrowserContext, address: str, **headers: str) -> tuple[Page, list[str]]:
    """A page, and all that it asked for."""
    page, asked = context.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.set_extra_http_headers(headers)
    page.goto(address)
    return page, asked


@answers(
    "has a shared page or a receipt run scripts, load something or lead elsewhere, where no policy would stop it",
    "nothing runs and nothing is loaded: every word is escaped",
    who="stored text",
)
def test_nothing_of_a_shared_page_or_a_receipt_runs(launched: Browser, api: LiveApi) -> None:
    context = bare(launched)
    for title in SHORT[:: len(SHORT) // 6]:
        order = delivered(api, title)
        shared, receipt = address_of(api, order), f"{api.url}/orders/{order.id}/receipt"
        for address, headers in ((shared, {}), (receipt, {"Authorization": "Bearer ada-token"})):
            page, asked = seen(context, address, **headers)
            expect(page.locator("main")).to_contain_text(" ".join(title.split())[:20])
            assert not page.evaluate(f"window.{MARK}")
            assert page.locator("script, img, iframe, object, svg, form, base, meta[http-equiv]").count() == 0
            assert [url for url in asked if not url.startswith((api.url, "data:"))] == []
            links = set(page.locator("a").evaluate_all("all => all.map(a => a.href)"))
            assert links == {"http://house.test/"}
            page.close()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_pages_of_a_link_keep_nobody_out_and_nothing_stands_out(
    launched: Browser, api: LiveApi, theme: Any, width: int
) -> None:
    order = delivered(api, "W" * 80)
    context = bare(launched, color_scheme=theme, viewport={"width": width, "height": 844})
    ada = {"Authorization": "Bearer ada-token"}
    pages: tuple[tuple[str, dict[str, str]], ...] = (
        (address_of(api, order), {}),
        (f"{api.url}/shared/never", {}),
        (f"{api.url}/orders/{order.id}/receipt", ada),
    )
    for address, headers in pages:
        page, _asked = seen(context, address, **headers)
        assert serious(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.close()
    context.close()


def test_the_policy_of_the_pages_lets_their_own_look_through(launched: Browser, api: LiveApi) -> None:
    context = launched.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(f"{api.url}/shared/never")
    assert page.locator("header").evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(20, 27, 45)"
    assert [said for said in complaints if "404" not in said] == []
    assert PREFIX in page.url
    context.close()
