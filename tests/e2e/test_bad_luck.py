"""The house under the customer's hands while its parts die: nothing is lost, and the page says what happens."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.architecture.sources import ROOT
from tests.browser import Visitor
from tests.e2e.conftest import MakeVisitor
from tests.open_house import OpenHouse, opened

SCENES = 50
"""Of a full episode."""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

RELEASE = ROOT / "model" / "releases" / "tng-small-2"


def _started(visitor: Visitor, title: str) -> None:
    visitor.sign_in("ada@example.com")
    visitor.compose(title, length="Full episode")
    visitor.order()
    visitor.pay()
    visitor.come_back()
    visitor.wait_for_scenes(2)


def _told(house: OpenHouse, words: str, order_id: str) -> int:
    """How many lines of the log say this of the order."""
    return len(re.findall(rf": {re.escape(words)} (.* )?order={order_id}\b", house.log))


def test_the_worker_is_killed_in_mid_script_and_the_script_is_delivered_once(
    visitor: MakeVisitor, house: OpenHouse
) -> None:
    ada = visitor()
    _started(ada, "The Interrupted Hand")
    first_scene = ada.page.locator(".tng-scene").nth(1).inner_text()
    order_id = ada.page.url.split("order=")[1][:36]
    house.service("tng.cli worker").kill()

    ada.expect_sentence("ready", patience_ms=180_000)
    assert _told(house, "job claimed", order_id) == 2
    assert _told(house, "WRITING→DELIVERED", order_id) == 1
    assert ada.page.locator(".tng-scene").nth(1).inner_text() == first_scene, "the seed gives the same script"
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
