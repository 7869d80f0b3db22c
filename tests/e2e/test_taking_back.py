"""A customer changes their mind: before the writing, and in the middle of it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import MakeVisitor
from tests.open_house import OpenHouse

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]


def test_a_customer_stops_in_mid_script_gets_the_money_back_and_keeps_the_scenes(
    visitor: MakeVisitor, house: OpenHouse
) -> None:
    ada = visitor()
    ada.sign_in("ada@example.com")
    ada.compose("The Stopped Hand", length="Full episode")
    ada.order()
    ada.pay()
    order_id = ada.come_back()
    ada.wait_for_scenes(2)
    ada.page.get_by_role("button", name="Stop writing").click()
    expect(ada.page.locator(".tng-question")).to_contain_text("of 50 scenes")
    ada.photograph("12-stop")
    ada.page.get_by_role("button", name="Stop now").click()
    ada.expect_sentence("refunded in full. What was written until then is yours to keep")
    expect(ada.page.get_by_text("THE WRITING WAS STOPPED HERE")).to_be_visible()
    ada.photograph("13-stopped")
    kept = ada.scenes()
    assert 2 <= kept < 25
    order = ada.ask(f"/orders/{order_id}").json()
    assert (order["state"], order["is_part"], order["script_text"].count("\n# ")) == ("refunded", True, kept)
    assert ada.ask(f"/orders/{order_id}/script.pdf").body().startswith(b"%PDF")


def test_a_customer_cancels_before_paying_and_the_page_at_stripe_is_closed(visitor: MakeVisitor) -> None:
    ada = visitor()
    ada.sign_in("ada@example.com")
    ada.compose("Second Thoughts")
    payment_page = ada.order()
    ada.page.go_back()
    ada.wait_until_usable()
    ada.page.get_by_role("button", name="Cancel the order").click()
    ada.expect_sentence("You cancelled this order, and nothing was charged")
    ada.page.goto(payment_page)
    expect(ada.page.locator("#card")).to_have_count(0)
