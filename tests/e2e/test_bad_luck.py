"""The house under the customer's hands while its parts die: nothing is lost, and the page says what happens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.architecture.sources import ROOT
from tests.browser import Visitor
from tests.e2e.conftest import MakeVisitor
from tests.open_house import OpenHouse, opened, server_path
from tests.processes import words_of

SCENES = 50
"""Of a full episode."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

ADA = "ada@example.com"
DECLINED, GOOD = "4000 0000 0000 0002", "4242 4242 4242 4242"
RELEASE = ROOT / "model" / "releases" / "tng-small-2"


def _started(visitor: Visitor, title: str) -> None:
    visitor.sign_in(ADA)
    visitor.compose(title, length="Full episode")
    visitor.order()
    visitor.pay()
    visitor.come_back()
    visitor.wait_for_scenes(2)


def _words(visitor: Visitor) -> list[str]:
    """What the first scene says; of one that is out of sight a browser has no inner text."""
    return visitor.page.locator(".tng-scene").nth(1).locator(".tng-dialogue, .tng-action").all_text_contents()


def _told(house: OpenHouse, words: str, order_id: str) -> int:
    """How many lines of the log say this of the order."""
    return len(re.findall(rf": {re.escape(words)} (.* )?order={order_id}\b", house.log))


def test_the_worker_is_killed_in_mid_script_and_the_script_is_delivered_once(
    visitor: MakeVisitor, house: OpenHouse
) -> None:
    ada = visitor()
    _started(ada, "The Interrupted Hand")
    first_scene = _words(ada)
    order_id = ada.page.url.split("order=")[1][:36]
    house.service("tng.cli worker").kill()

    ada.expect_sentence("ready", patience_ms=180_000)
    assert _told(house, "job claimed", order_id) == 2
    assert _told(house, "WRITING→DELIVERED", order_id) == 1
    assert _words(ada) == first_scene, "the seed gives the same script"
    expect(ada.page.locator(".tng-heading")).to_have_count(SCENES)


def test_the_api_is_killed_while_a_script_is_written_and_the_page_reconnects(
    visitor: MakeVisitor, house: OpenHouse
) -> None:
    ada = visitor()
    _started(ada, "The Broken Thread")
    house.service("tng.api").kill()
    expect(ada.page.locator(".tng-connection")).to_contain_text("reconnecting")
    ada.photograph("10-reconnecting")
    ada.expect_sentence("ready", patience_ms=180_000)
    expect(ada.page.locator(".tng-connection")).to_have_count(0)
    expect(ada.page.locator(".tng-heading")).to_have_count(SCENES)


def _kernel_of(house: OpenHouse, visitor: Visitor) -> psutil.Process:
    """What runs the page that this visitor sees."""
    kernel_id = visitor.page.evaluate("window.jupyterapp.widgetManager.kernel.id")
    found = [process for process in house.belongings() if any(kernel_id in word for word in words_of(process))]
    assert len(found) == 1, found
    return found[0]


def _orders(visitor: Visitor, title: str) -> list[str]:
    """The states of the orders of this title."""
    orders = visitor.ask("/orders").json()["orders"]
    return [order["state"] for order in orders if order["premise"]["title"] == title]


def test_a_page_whose_kernel_is_killed_says_so_and_is_there_again_when_it_is_loaded(
    visitor: MakeVisitor, house: OpenHouse
) -> None:
    ada = visitor()
    _started(ada, "The Empty Chair")
    _kernel_of(house, ada).kill()
    lost = ada.page.locator(".tng-lost[role=alert]")
    expect(lost).to_contain_text("Nothing of yours is lost")
    ada.photograph("14-lost")
    lost.get_by_role("button", name="Load it again").click()
    ada.wait_for_scenes(2)
    expect(lost).to_have_count(0)
    ada.page.get_by_role("button", name="Stop writing").click()
    ada.page.get_by_role("button", name="Stop now").click()
    ada.expect_sentence("refunded in full")


def test_a_house_that_dies_in_mid_script_opens_again_and_the_script_is_delivered_once(
    launched: Browser, tmp_path: Path
) -> None:
    title = "The House of Cards"
    with opened(tmp_path / "var") as house:
        ada = Visitor(launched, house)
        _started(ada, title)
        order_id = ada.page.url.split("order=")[1][:36]
        house.service("jupyterhub").kill()
        assert house.wait() == 1
        expect(ada.page.locator(".tng-lost")).to_contain_text("tries again by itself")
        ada.photograph("15-interrupted")
    with opened(tmp_path / "var", port=house.port) as again:
        ada.page.get_by_role("button", name="Load it again").click()
        ada.page.locator("#start").click()  # the desk was put away
        ada.wait_until_usable()
        assert f"order={order_id}" in ada.page.url, "the way leads back to where it was"
        ada.expect_sentence("ready", patience_ms=180_000)
        expect(ada.page.locator(".tng-heading")).to_have_count(SCENES)
        assert _told(again, "WRITING→DELIVERED", order_id) == 1
        assert _orders(ada, title) == ["delivered"]
        ada.close()


def test_two_tabs_tell_the_same_of_an_order_that_is_cancelled_in_one(visitor: MakeVisitor) -> None:
    ada = visitor()
    ada.sign_in(ADA)
    ada.compose("The Double")
    ada.order()
    ada.page.get_by_text("Back without paying").click()
    ada.come_back()
    other = ada.context.new_page()
    other.goto(ada.page.url)
    expect(other.get_by_role("button", name=re.compile("^Pay "))).to_be_visible()
    ada.page.get_by_role("button", name="Cancel the order").click()
    for tab in (ada.page, other):
        expect(tab.locator(".tng-sentence")).to_contain_text("You cancelled this order, and nothing was charged")


def test_who_goes_back_from_the_payment_page_finds_the_order_and_orders_nothing_twice(visitor: MakeVisitor) -> None:
    title = "The Way Back"
    ada = visitor()
    ada.sign_in(ADA)
    ada.compose(title)
    ada.order()
    ada.page.go_back()
    ada.wait_until_usable()
    expect(ada.page.locator(".tng-order h2").first).to_have_text(title)
    ada.page.get_by_role("button", name=re.compile("^Pay ")).click()
    ada.page.wait_for_selector("#card")
    ada.pay()
    ada.come_back()
    ada.expect_sentence("ready", patience_ms=120_000)
    assert _orders(ada, title) == ["delivered"]


def test_a_card_that_is_declined_thrice_charges_nothing_and_the_fourth_is_charged_once(
    visitor: MakeVisitor, house: OpenHouse
) -> None:
    title = "Third Time Unlucky"
    ada = visitor()
    ada.sign_in(ADA)
    ada.compose(title)
    ada.order()
    for _ in range(3):
        ada.pay(DECLINED)
        expect(ada.page.get_by_role("alert")).to_contain_text("declined")
        ada.page.locator("#card").clear()
    assert _orders(ada, title) == ["placed"]
    ada.pay(GOOD)
    order_id = ada.come_back()
    ada.expect_sentence("ready", patience_ms=120_000)
    assert _orders(ada, title) == ["delivered"]
    assert _told(house, "payment confirmed: PLACED→PAID", order_id) == 1


def test_a_script_that_is_given_back_while_it_is_read_is_closed_with_a_sentence(
    visitor: MakeVisitor, house: OpenHouse
) -> None:
    ada = visitor()
    ada.sign_in(ADA)
    ada.compose("The Borrowed Book")
    ada.order()
    ada.pay()
    order_id = ada.come_back()
    ada.expect_sentence("ready", patience_ms=120_000)
    command = [sys.executable, "-m", "tng", "orders", "refund", order_id, "--reason", "a test"]
    environment = os.environ | {"TNG_HOME": str(house.home), "TNG_PORT": str(house.port)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=60)
    ada.page.wait_for_timeout(5_000)  # the page looks again at most every few seconds
    ada.page.evaluate("window.dispatchEvent(new Event('focus'))")
    ada.expect_sentence("The whole price of this script was given back to you, and the script is closed")
    expect(ada.page.locator(".tng-scene")).to_have_count(0)
    expect(ada.page.locator(".tng-downloads a")).to_have_count(0)
    ada.photograph("16-given-back")
    assert ada.ask(f"/orders/{order_id}/script.txt").status in (404, 409)
    ada.page.goto(f"{house.url}{server_path(ADA)}?view=library")
    expect(ada.page.locator(".tng-row", has_text="The Borrowed Book").locator(".tng-state")).to_contain_text("refunded")


def _cut_short(weights: Path) -> None:
    with weights.open("rb+") as file:
        file.truncate(weights.stat().st_size // 2)


@pytest.mark.parametrize("damage", [pytest.param(_cut_short, id="cut-short"), pytest.param(Path.unlink, id="missing")])
def test_a_damaged_release_refunds_the_order_and_tells_the_operator_what_to_do(
    launched: Browser, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    folder = tmp_path / RELEASE.name
    shutil.copytree(RELEASE, folder)
    damage(next(folder.glob("*.data-*")))
    with opened(tmp_path / "var", TNG_RELEASE=str(folder)) as house:
        ada = Visitor(launched, house)
        ada.sign_in("ada@example.com")
        ada.compose("The Empty Page")
        ada.order()
        ada.pay()
        order_id = ada.come_back()
        ada.expect_sentence("refunded in full", patience_ms=120_000)
        ada.photograph("11-refunded")
        ada.close()
        assert _told(house, "refund done: REFUNDING→REFUNDED", order_id) == 1
        assert re.search(r"is damaged: .* Restore its folder", house.log)
