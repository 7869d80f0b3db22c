"""Sign in, order, be declined, pay, watch, reload, read, take it along; and what a stranger sees of it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import MakeVisitor
from tests.open_house import OpenHouse

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

TITLE = "The Patience of Lanterns"


def test_a_newcomer_orders_pays_watches_reads_and_takes_the_script_along(
    visitor: MakeVisitor, house: OpenHouse, tmp_path: Path
) -> None:
    ada = visitor()
    ada.come_in()
    ada.photograph("01-sign-in")
    ada.choose("ada@example.com")
    ada.wait_until_usable()
    ada.photograph("02-compose")

    ada.compose(TITLE, cast=("Picard", "Worf", "Guinan"), length="Short")
    payment_page = ada.order()
    assert payment_page.startswith(house.url)
    expect(ada.page.get_by_text("$2.99").first).to_be_visible()

    ada.pay("4000 0000 0000 0002")
    expect(ada.page.get_by_role("alert")).to_contain_text("declined")
    ada.photograph("03-declined")
    ada.pay("4000 0000 0000 9995")
    expect(ada.page.get_by_role("alert")).to_contain_text("insufficient funds")

    ada.pay()
    order_id = ada.come_back()
    ada.wait_for_scenes(1)
    ada.photograph("04-writing")

    before = ada.scenes()
    ada.page.reload()
    ada.wait_until_usable()
    ada.wait_for_scenes(before)  # nothing that was there is lost
    assert order_id in ada.page.url

    ada.expect_sentence("ready", patience_ms=120_000)
    ada.page.reload()
    ada.wait_until_usable()
    ada.wait_for_scenes(9)
    assert ada.page.locator(".tng-page").evaluate("page => page.scrollTop") == 0, "a finished script opens at its start"
    ada.photograph("05-read")
    page = ada.page.locator(".tng-page")
    expect(page.locator(".tng-title")).to_have_text(re.compile(TITLE, re.IGNORECASE))
    cues = {cue.split(" (")[0] for cue in page.locator(".tng-cue").all_inner_texts()}
    assert {"PICARD", "WORF", "GUINAN"} <= cues
    assert not {"RIKER", "DATA", "TROI"} & cues
    assert page.evaluate("page => getComputedStyle(page).fontFamily").split(",")[-1].strip() == "monospace"

    for ending, begins in ((".txt", None), (".fountain", f"Title: {TITLE}")):
        with ada.page.expect_download() as waiting:
            ada.page.locator(".tng-downloads").get_by_role("link", name=ending).click()
        saved = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved)
        text = saved.read_text(encoding="utf-8")
        assert saved.name.endswith(ending)
        assert begins is None or text.startswith(begins)
        assert "WORF" in text
        assert TITLE.upper() in text.upper()
    assert ada.hosts <= {urlsplit(house.url).netloc, "(the page itself)"}, "a page asked something of a third party"
    lines = [line.strip() for line in text.splitlines() if len(line.strip()) > 30]
    assert len(lines) > 20, "the control: there are words that could have been logged"
    words = [TITLE, "ada@example.com", "4242 4242", *lines]
    assert not [word for word in words if word in house.log], "the log is discreet"


def test_a_second_customer_cannot_open_the_script_of_the_first(visitor: MakeVisitor, house: OpenHouse) -> None:
    ada = visitor()
    ada.sign_in("ada@example.com")
    ada.compose("A Door Ajar")
    ada.order()
    ada.pay()
    order_id = ada.come_back()
    ada.expect_sentence("ready", patience_ms=120_000)

    ben = visitor()
    ben.sign_in("ben@example.com")
    ben.page.goto(f"{house.url}/hub/user-redirect/?order={order_id}")
    ben.wait_until_usable()
    expect(ben.page.locator(".tng-nowhere").get_by_role("alert")).to_contain_text("no such order")
    assert "A Door Ajar" not in ben.page.content()
    for path in ("", "/events", "/script.txt", "/script.fountain", "/script.pdf", "/script.fdx", "/script.epub"):
        assert ben.ask(f"/orders/{order_id}{path}").status == 404, path
    assert ada.ask(f"/orders/{order_id}/script.txt").status == 200, "the control: the owner may"


def test_leaving_the_payment_page_charges_nothing_and_the_order_waits(visitor: MakeVisitor) -> None:
    ben = visitor()
    ben.sign_in("ben@example.com")
    ben.compose("Second Thoughts")
    ben.order()
    ben.page.get_by_text("Back without paying").click()
    ben.come_back()
    ben.expect_sentence("Nothing was charged")
    ben.photograph("06-cancelled")
    ben.page.get_by_role("button", name=re.compile("^Pay ")).click()
    ben.page.wait_for_selector("#card")
    ben.pay("4000 0025 0000 3155")
    ben.page.click("#complete")
    ben.come_back()
    ben.expect_sentence("ready", patience_ms=120_000)


def test_a_double_click_orders_once(visitor: MakeVisitor) -> None:
    ben = visitor()
    ben.sign_in("ben@example.com")
    ben.compose("Twice Upon a Time")
    ben.page.get_by_role("button", name="Order & pay").dblclick()
    ben.page.wait_for_selector("#card")
    orders = ben.ask("/orders").json()["orders"]
    assert len([order for order in orders if order["premise"]["title"] == "Twice Upon a Time"]) == 1


def test_the_dashboard_fits_a_phone(visitor: MakeVisitor) -> None:
    ada = visitor(phone=True)
    ada.sign_in("ada@example.com")
    ada.photograph("07-phone")
    assert ada.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_someone_with_an_unverified_address_is_refused_with_a_sentence(visitor: MakeVisitor) -> None:
    una = visitor()
    una.come_in()
    una.choose("una@example.com")
    expect(una.page.locator("body")).to_contain_text("verified")
    una.photograph("08-refused")
    assert una.page.locator(".tng-form").count() == 0


def test_a_power_user_gets_jupyterlab(visitor: MakeVisitor, house: OpenHouse) -> None:
    pia = visitor()
    pia.come_in()
    pia.choose("pia@example.com")
    pia.page.get_by_role("radio", name="Workbench").wait_for()
    pia.photograph("09-doors")
    pia.page.get_by_role("button", name="Open").click()
    pia.page.wait_for_url(re.compile("/lab"))
    pia.page.wait_for_selector("#jp-main-dock-panel")
    pia.page.get_by_title("workbench", exact=True).wait_for()
    pia.photograph("09-workbench")
    assert pia.hosts <= {urlsplit(house.url).netloc, "(the page itself)"}, "the workbench asked a third party"


def test_signing_out_closes_the_door_to_the_scripts(visitor: MakeVisitor, house: OpenHouse) -> None:
    ben = visitor()
    ben.sign_in("ben@example.com")
    assert ben.ask("/orders").status == 200
    ben.page.goto(f"{house.url}/hub/logout")
    answer = ben.context.request.get(f"{house.url}/services/api/orders", max_redirects=0)
    assert answer.status in (302, 303, 401)
