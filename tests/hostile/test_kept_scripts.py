"""What is done to a script that one has: names, bin, link, receipt, other words. Whoever else asks finds nothing."""

from __future__ import annotations

import json
import re
import unicodedata
from contextlib import AsyncExitStack
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import httpx
import pytest

from tests.hostile.attacks import answers
from tests.hostile.payloads import ALL, PAYLOADS, UNTYPED
from tests.hostile.routes import Route, order_routes
from tests.shows import first_show
from tests.unit.tng.api_support import ADA, BEN, PREFIX, House, make_house, visiting
from tests.unit.tng.export_support import COLOPHON
from tests.unit.tng.test_api_auth import sign_in
from tng.api.downloads import content_disposition
from tng.api.pages import receipt_page, shared_page, sheet_of
from tng.money.receipts import receipt_of
from tng.orders import Order
from tng.script import Act, Element, ElementKind, Scene, Script, parse

BROWSER = "a customer's browser"
STRANGER = "a stranger"
TEXT = "stored text"
UNKNOWN = "ord_" + "0" * 32
FRONT = "http://house.test/"
SHEET = sheet_of(first_show().look)
LONG = 20_001
SAFE = frozenset({"GET", "HEAD"})


def routes(house: House) -> list[Route]:
    """Every route of the library and of reworking that belongs to an order."""
    return [route for route in order_routes(house.app.openapi(), PREFIX) if route.tags & {"library", "rework"}]


@pytest.fixture(scope="module")
def house() -> House:
    return make_house()


@pytest.fixture
def bens(house: House) -> Order:
    """A new script of Ben's that is ready, has a name of its own, a link and another edition."""
    order = house.order(BEN, title="Not for Ada")
    house.deliver(order)
    house.shop.shelving.rename(order.id, BEN, "Still Not for Ada")
    house.shop.shelving.share(order.id, BEN)
    house.shop.rework.edit_line(order.id, BEN, 1, 0, "Ben turns from the glass.", 0)
    return house.shop.order(order.id, BEN)


def everything(house: House, order: Order) -> str:
    """All that is known of an order, and of what was done to it."""
    with house.store.read() as work:
        known = work.orders.get(order.id), work.shelf.get(order.id), work.shelf.shares(order.id)
        return repr((*known, work.editions.listed(order.id), work.editions.takes(order.id)))


# --- somebody else ----------------------------------------------------------------------------------------------------


@answers(
    "names, throws away, has back, shares, reads the receipt or changes the words of somebody else's script",
    "the same answer as for an order that never was, and nothing of it is changed",
    who=BROWSER,
)
async def test_a_script_of_somebody_else_is_as_one_that_never_was(house: House, bens: Order) -> None:
    before, asked = everything(house, bens), routes(house)
    assert len(asked) >= 13
    async with visiting(house) as ada:
        for route in asked:
            theirs, never = await ada.request(**route.of(bens.id)), await ada.request(**route.of(UNKNOWN))
            assert (theirs.status_code, never.status_code) == (404, 404), route
            assert theirs.text == never.text, route
            assert dict(theirs.headers) == dict(never.headers), route
    assert everything(house, bens) == before


async def test_the_control_the_same_requests_of_its_owner_are_answered(house: House, bens: Order) -> None:
    async with visiting(house, "ben-token") as ben:
        for route in routes(house):
            answer = await ben.request(**route.of(bens.id))
            assert answer.status_code != 404 or answer.json()["error"] != "OrderNotFound", (route, answer.text)
            await ben.delete(f"/orders/{bens.id}/bin")


@answers(
    "throws its script away and goes on: names it, shares it, changes its words, takes a file or an edition of it",
    "what lies in the bin is there for nothing but to be had back",
    who=BROWSER,
)
async def test_what_lies_in_the_bin_is_there_to_be_had_back_alone(house: House, bens: Order) -> None:
    async with visiting(house, "ben-token") as ben:
        await ben.post(f"/orders/{bens.id}/bin")
        for path in (f"/orders/{bens.id}/script.txt", f"/orders/{bens.id}/editions", f"/orders/{bens.id}/editions/1"):
            assert (await ben.get(path)).status_code == 404, path
        for route in routes(house):
            if route.body is not None and not route.path.endswith("/title"):
                assert (await ben.request(**route.of(bens.id))).status_code == 404, route
        assert (await ben.post(f"/orders/{bens.id}/share")).status_code == 404
        assert (await ben.delete(f"/orders/{bens.id}/bin")).status_code == 200


@answers(
    "asks for any of these without having signed in, with a forged token, or with that of a service",
    "who it is is asked first: no order is looked for",
    who=STRANGER,
)
async def test_who_has_not_signed_in_is_asked_who_they_are(house: House, bens: Order) -> None:
    house.hub.admit_service("cull", "service-token")
    before = everything(house, bens)
    for token, status in ((None, 401), ("forged", 401), ("service-token", 403)):
        async with visiting(house, token) as nobody:
            for route in routes(house):
                told = [(await nobody.request(**route.of(each))) for each in (bens.id, UNKNOWN)]
                assert [answer.status_code for answer in told] == [status, status], route
                assert told[0].text == told[1].text
    assert everything(house, bens) == before


@answers(
    "has a page of its own send the browser's cookie along: forms, other content types, a forged header",
    "a write by cookie carries a header that only a page of the house knows; a body that is not JSON is none",
    who=BROWSER,
)
async def test_a_page_of_others_changes_nothing_with_the_cookie(house: House, bens: Order) -> None:
    before = everything(house, bens)
    async with visiting(house, None) as browser:
        await sign_in(house, browser, name=BEN)
        csrf = (await browser.get("/me")).json()["csrf"]
        writes = [route for route in routes(house) if route.method not in SAFE]
        assert len(writes) >= 9
        for route in writes:
            asked = route.of(bens.id)
            for headers in (
                {},
                {"X-CSRF-Token": "0" * 64},
                {"X-CSRF-Token": csrf[:-1]},
                {"Origin": "http://evil.test"},
            ):
                assert (await browser.request(**asked, headers=headers)).status_code == 403, (route, headers)
            if "json" in asked:
                for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
                    headers = {"X-CSRF-Token": csrf, "Content-Type": kind}
                    body = json.dumps(asked["json"]).encode()
                    answer = await browser.request(route.method, asked["url"], content=body, headers=headers)
                    assert answer.status_code == 422, (route, kind)
        assert everything(house, bens) == before
        named = await browser.post(f"/orders/{bens.id}/title", json={"title": "Ben's"}, headers={"X-CSRF-Token": csrf})
    assert named.status_code == 200, "the control: with the header it is done"


@answers(
    "sends a title, a line, a name or a number that is far too long or of another kind, or fields nobody asked for",
    "refused with a sentence that does not repeat it, before an order is looked at",
    who=BROWSER,
)
async def test_what_is_too_long_or_of_another_kind_is_refused(house: House, bens: Order) -> None:
    before = everything(house, bens)
    async with visiting(house, "ben-token") as ben:
        for route in routes(house):
            for field in route.body or {}:
                for wrong in ("x" * LONG, 10**30, -7, [], {}, None, True, 1.5, "\ud800"):
                    asked = route.of(bens.id)
                    body = json.dumps(asked.pop("json") | {field: wrong}).encode()
                    json_ = {"Content-Type": "application/json"}
                    answer = await ben.request(**asked, content=body, headers=json_)
                    assert answer.status_code == 422, (route, field, str(wrong)[:20], answer.text)
                    assert "x" * 50 not in answer.text
            if route.body is not None:
                more = route.of(bens.id)
                more["json"] |= {"customer": BEN, "price": 0}
                assert (await ben.request(**more)).status_code == 422, route
                huge = await ben.request(**{**route.of(bens.id), "json": {"title": "x" * 300_000}})
                assert huge.status_code == 413
    assert everything(house, bens) == before


# --- the link ---------------------------------------------------------------------------------------------------------


@answers(
    "guesses the link of a script: a letter off, cut, the order's id, what the database holds of it, a very long one",
    "192 bits that are kept as their hash alone; every wrong one gets the same page, to the byte",
    who=STRANGER,
)
async def test_no_link_is_guessed(house: House, bens: Order) -> None:
    token = house.shop.shelving.share(bens.id, BEN)
    async with visiting(house, None) as anybody:
        assert (await anybody.get(f"/shared/{token}")).status_code == 200, "the control: the right one leads there"
        never = await anybody.get("/shared/never")
        for guess in _guesses(house, bens, token):
            answer = await anybody.get(f"/shared/{guess}")
            assert (answer.status_code, answer.text) == (404, never.text), guess[:60]
            assert dict(answer.headers) == dict(never.headers)


def _guesses(house: House, order: Order, token: str) -> list[str]:
    with house.store.read() as work:
        hashes = [share.token_sha256 for share in work.shelf.shares(order.id)]
    near = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token))]
    forms = [token[:-1], token + "=", token + "A", token.swapcase(), token + "%00", token + "%20"]
    others = [order.id, *hashes, "null", "*", "%25", "..%2eorders", "' OR 1=1 --", "%ff", "x" * 513, "x" * 20_000]
    return [*near, *forms, *others]


@answers(
    "keeps a link, or its page, after its owner took it back, replaced it, threw the script away or was forgotten",
    "it leads nowhere from that moment on, and no browser, proxy or search engine was told to keep the page",
    who=STRANGER,
)
async def test_a_link_that_was_taken_back_is_dead_at_once_and_nobody_keeps_its_page(house: House, bens: Order) -> None:
    async with visiting(house, "ben-token") as ben, visiting(house, None) as anybody:
        for ending in ("share", "unshare", "bin"):
            link = (await ben.post(f"/orders/{bens.id}/share")).json()["url"]
            page = await anybody.get(link)
            assert page.status_code == 200, "the control"
            assert page.headers["cache-control"] == "no-store"
            assert page.headers["referrer-policy"] == "no-referrer", "where its reader goes next learns no link"
            assert {"noindex", "noarchive"} <= set(page.headers["x-robots-tag"].split(", "))
            assert '<meta name="robots" content="noindex">' in page.text
            match ending:
                case "share":
                    await ben.post(f"/orders/{bens.id}/share")
                case "unshare":
                    await ben.delete(f"/orders/{bens.id}/share")
                case "bin":
                    await ben.post(f"/orders/{bens.id}/bin")
            assert (await anybody.get(link)).status_code == 404, ending


@answers(
    "reads in a shared page, or in one that leads nowhere, who owns it, or tries to write by it",
    "it says nothing of its owner, takes no cookie and no write, and stands in no frame of others",
    who=STRANGER,
)
async def test_a_shared_page_says_nothing_of_its_owner_and_can_only_be_read(house: House, bens: Order) -> None:
    link = f"/shared/{house.shop.shelving.share(bens.id, BEN)}"
    async with visiting(house, None) as anybody:
        page = await anybody.get(link)
        for told in (page.text, str(page.headers)):
            for secret in (BEN, BEN.split("@")[0] + "@", bens.id, bens.premise.logline, "2.99"):
                assert secret not in told
        assert "set-cookie" not in page.headers
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert (await anybody.request(method, link)).status_code == 405
        asked_as_json = await anybody.get(link, headers={"Accept": "application/json"})
        assert asked_as_json.headers["content-type"].startswith("text/html")


# --- stored text ------------------------------------------------------------------------------------------------------


class Skeleton(HTMLParser):
    """Every element of a page, with the names of its attributes and what its links lead to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[tuple[str, str], ...]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, tuple((name, str(value)) for name, value in attrs)))


def a_script(text: str) -> Script:
    """A script that says nothing but this."""
    elements = (
        Element(ElementKind.ACTION, text),
        Element(ElementKind.SPEECH, text, text, text, text),
        Element(ElementKind.SHOT, text),
        Element(ElementKind.TRANSITION, text),
    )
    return Script(text, (Act(text, (Scene(text, elements),)),))


@answers(
    "has its title, cues and lines read by others on a shared page, to run there or to lead elsewhere",
    "the same elements and links as of any script, whatever it says; and no script could run there anyway",
    who=TEXT,
)
@pytest.mark.parametrize("name", ALL)
def test_a_shared_page_has_the_elements_of_any_script(name: str) -> None:
    page, usual = (shared_page(a_script(text), COLOPHON, sheet=SHEET, front_url=FRONT) for text in (ALL[name], "Rain"))
    assert Skeleton(page).elements == Skeleton(usual).elements
    assert ("script", ()) not in Skeleton(page).elements
    policy = SHEET.policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy


@answers(
    "is called by a payload, and has its receipt opened",
    "a receipt is text: the same elements, whatever the order is called",
    who=TEXT,
)
@pytest.mark.parametrize("name", ALL)
def test_a_receipt_has_the_elements_of_any_receipt(bens: Order, name: str) -> None:
    plain = receipt_of(bens, title="Rain", product="A Product", is_play_money=True)
    pages = (
        receipt_page(replace(plain, title=text, reference=text), sheet=SHEET, front_url=FRONT)
        for text in (ALL[name], "Rain")
    )
    page, usual = pages
    assert Skeleton(page).elements == Skeleton(usual).elements


@answers(
    "renames a script to a payload, and has it listed, taken along, shared and printed under that name",
    "kept as one plain line, or refused with a sentence that does not repeat it",
    who=TEXT,
)
@pytest.mark.parametrize("name", ALL)
async def test_a_name_is_one_plain_line_or_refused(house: House, bens: Order, name: str) -> None:
    async with visiting(house, "ben-token") as ben:
        body = json.dumps({"title": ALL[name]}).encode()
        json_ = {"Content-Type": "application/json"}
        answer = await ben.post(f"/orders/{bens.id}/title", content=body, headers=json_)
        if answer.status_code == 422:
            message = answer.json()["message"]
            assert re.fullmatch(r"[A-Z][^\n]{10,200}\.", message)
            assert not (len(ALL[name]) > 3 and ALL[name] in message)
            return
        title = answer.json()["title"]
        assert title == unicodedata.normalize("NFC", " ".join(ALL[name].split()))
        assert title.isprintable()
        file = await ben.get(f"/orders/{bens.id}/script.txt")
        receipt = await ben.get(f"/orders/{bens.id}/receipt")
    assert file.headers["content-disposition"] == content_disposition(title, "txt")
    assert receipt.headers["content-security-policy"] == SHEET.policy
    assert [tag for tag, _attributes in Skeleton(receipt.text).elements if tag in ("script", "img", "iframe")] == []


@answers(
    "puts a payload into a line or a heading of its script: markup, forms of a teleplay, letters nobody types",
    "the line says just that, or is refused; it becomes no other line, scene or speaker",
    who=TEXT,
)
@pytest.mark.parametrize("name", ALL)
async def test_other_words_become_no_other_line(house: House, bens: Order, name: str) -> None:
    before = parse(str(house.shop.rework.text_of(bens)))
    async with AsyncExitStack() as stack:
        ben = await stack.enter_async_context(visiting(house, "ben-token"))
        for block, seen in ((0, 1), (1, None), (-1, None)):
            answer = await _change(ben, bens, {"scene": 1, "block": block, "text": ALL[name]}, seen)
            if answer.status_code == 422:
                assert not (len(ALL[name]) > 3 and ALL[name] in answer.json()["message"])
            else:
                assert answer.status_code == 200, answer.text
        after = parse(str(house.shop.rework.text_of(bens)))
        assert _shape(after) == _shape(before)
        assert all(line.isprintable() for line in str(house.shop.rework.text_of(bens)).splitlines())


async def _change(client: httpx.AsyncClient, order: Order, line: dict[str, Any], seen: int | None) -> httpx.Response:
    """Change a line of the newest edition."""
    if seen is None:
        seen = (await client.get(f"/orders/{order.id}/editions")).json()["edition"]
    body = json.dumps(line | {"seen": seen}).encode()
    return await client.post(f"/orders/{order.id}/lines", content=body, headers={"Content-Type": "application/json"})


def _shape(script: Script) -> list[list[str]]:
    return [[element.kind.value for element in scene.elements] for scene in script.scenes]


def test_the_control_a_page_that_was_glued_is_found_out() -> None:
    glued = shared_page(a_script("Rain"), COLOPHON, sheet=SHEET, front_url=FRONT).replace("Rain", PAYLOADS["script"])
    assert ("script", ()) in Skeleton(glued).elements
    assert not all(text.isprintable() for text in UNTYPED.values())
    assert ADA != BEN
