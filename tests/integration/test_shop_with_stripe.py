"""The real shop over the real database and the real SDK, against the local stand-in for Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import session_of
from tests.samples import PREMISE, the_order
from tests.stand_ins import DECLINED, DISPUTED, StripeStandIn, stripe_stand_in
from tng.adapters.clock import SystemClock
from tng.adapters.database.store import SqlStore
from tng.app import build_fulfilment, build_shop, build_store
from tng.errors import ReleaseDamaged
from tng.orders import Order, OrderState
from tng.settings import Settings
from tng.shop import Shop


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StripeStandIn]:
    with stripe_stand_in() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, stand_in: StripeStandIn) -> Settings:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    return Settings.read(
        home=tmp_path / "home",
        release=tmp_path,
        free_disk_mb=0,
        stripe_secret_key=stand_in.key,
        stripe_webhook_secret=stand_in.webhook_secret,
        stripe_api_base=stand_in.api_base,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[SqlStore]:
    store = build_store(settings)
    yield store
    store.close()


@pytest.fixture
def shop(settings: Settings, store: SqlStore) -> Shop:
    return build_shop(settings, store=store, clock=SystemClock())


def placed(shop: Shop) -> Order:
    """An order with an open page."""
    return shop.open_checkout(shop.place_order("ada", PREMISE, "key-1").id, "ada")


def pay(stand_in: StripeStandIn, order: Order, card: str | None = None) -> int:
    """What a customer does on the page: the status of the answer."""
    assert order.checkout_url
    answer = stand_in.pay(order.checkout_url, card) if card else stand_in.pay(order.checkout_url)
    return answer.status_code


def test_paid_written_and_delivered(shop: Shop, store: SqlStore, settings: Settings, stand_in: StripeStandIn) -> None:
    order = placed(shop)
    assert shop.open_checkout(order.id, "ada") == order
    assert pay(stand_in, order) == 303
    paid = shop.confirm_payment(session_of(order))
    assert paid is not None
    assert paid.state is OrderState.PAID
    fulfilment = build_fulfilment(settings, store=store)
    job = fulfilment.claim("w1")
    assert job is not None
    fulfilment.deliver(job, script_text="Title: X\n", release_id=job.release_id or "", run_sha256="a" * 64)
    assert shop.order(order.id, "ada").state is OrderState.DELIVERED


def test_a_declined_card_pays_nothing_and_the_page_stays(shop: Shop, stand_in: StripeStandIn) -> None:
    order = placed(shop)
    assert pay(stand_in, order, DECLINED) != 303
    assert shop.confirm_payment(session_of(order)) == order
    assert shop.open_checkout(order.id, "ada") == order


def test_a_disputed_payment_is_not_written_for(
    shop: Shop, store: SqlStore, settings: Settings, stand_in: StripeStandIn
) -> None:
    order = placed(shop)
    assert pay(stand_in, order, DISPUTED) == 303
    shop.reconcile()
    assert the_order(store, order.id).state is OrderState.DISPUTED
    assert build_fulfilment(settings, store=store).claim("w1") is None


def test_paid_and_not_delivered_is_refunded(
    shop: Shop, store: SqlStore, settings: Settings, stand_in: StripeStandIn
) -> None:
    order = placed(shop)
    pay(stand_in, order)
    shop.reconcile()
    fulfilment = build_fulfilment(settings, store=store)
    job = fulfilment.claim("w1")
    assert job is not None
    fulfilment.fail(job, ReleaseDamaged("model-1.index is missing"))
    assert shop.run_errands() == 1
    assert the_order(store, order.id).state is OrderState.REFUNDED
    intent = the_order(store, order.id).payment_intent_id
    refunds = stand_in.client().v1.refunds.list({"payment_intent": str(intent)}).data
    assert [refund.amount for refund in refunds] == [299]
    assert shop.run_errands() == 0


def test_a_page_closed_at_stripe_is_followed_by_another(shop: Shop, stand_in: StripeStandIn) -> None:
    order = placed(shop)
    stand_in.client().v1.checkout.sessions.expire(session_of(order))
    again = shop.open_checkout(order.id, "ada")
    assert again.checkout_attempt == 2
    assert pay(stand_in, again) == 303
    paid = shop.confirm_payment(session_of(again))
    assert paid is not None
    assert paid.state is OrderState.PAID
