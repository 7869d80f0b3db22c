"""Stripe is slow, down, angry or answers into nothing: a person hears within five seconds, and no money moves twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.samples import PREMISE
from tests.stand_ins import StripeStandIn, stripe_stand_in
from tng.adapters.clock import SystemClock
from tng.app import build_shop, build_store
from tng.errors import GatewayUnavailable
from tng.orders import Order, OrderState
from tng.settings import Settings
from tng.shop import Shop

PATIENCE_SECONDS = 5.0
SLACK_SECONDS = 2.0  # this machine's own
KINDS = ["slow", "down", "error"]


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeStandIn]:
    with stripe_stand_in() as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, stripe: StripeStandIn) -> Iterator[Shop]:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    settings = Settings.read(
        home=tmp_path / "home",
        release=tmp_path,
        free_disk_mb=0,
        stripe_secret_key=stripe.key,
        stripe_webhook_secret=stripe.webhook_secret,
        stripe_api_base=stripe.api_base,
    )
    store = build_store(settings)
    yield build_shop(settings, store=store, clock=SystemClock())
    stripe.mend()
    store.close()


def hears_in_time(shop: Shop, order: Order) -> None:
    """The person is told that Stripe is away."""
    begun = time.monotonic()
    with pytest.raises(GatewayUnavailable) as refused:
        shop.open_checkout(order.id, "ada")
    assert time.monotonic() - begun < PATIENCE_SECONDS + SLACK_SECONDS
    assert refused.value.retryable
    assert refused.value.user_message


def ledger_of(stripe: StripeStandIn, order: Order) -> list[dict[str, object]]:
    """What Stripe has for the order."""
    return [line for line in stripe.ledger().values() if line["order_id"] == order.id]


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_that_could_not_be_opened_is_opened_by_the_next_click_and_paid_once(
    shop: Shop, stripe: StripeStandIn, kind: str
) -> None:
    order = shop.place_order("ada", PREMISE, f"key-{kind}")
    stripe.fault("checkout.sessions.create", kind, seconds=30, status=500, times=1)
    hears_in_time(shop, order)
    stripe.mend()
    opened = again(shop, order, tries=2)
    stripe.pay(str(opened.checkout_url))
    paid = shop.confirm_payment(str(opened.checkout_session_id))
    assert paid is not None
    assert paid.state is OrderState.PAID
    assert [line["captured"] for line in ledger_of(stripe, order)] == [paid.paid_cents]


def again(shop: Shop, order: Order, *, tries: int) -> Order:
    """The person clicks again."""
    for _ in range(tries - 1):
        try:
            return shop.open_checkout(order.id, "ada")
        except GatewayUnavailable:
            continue
    return shop.open_checkout(order.id, "ada")
