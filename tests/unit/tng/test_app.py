"""Wiring: settings in, working parts out."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock, FakeGateway, FakeStore
from tests.samples import PREMISE
from tests.shows import FIRST, SECOND, first_show, second_show
from tng.app import build_fulfilment, build_gateway, build_shop, build_store, build_worker
from tng.errors import SettingsError, ShopClosed
from tng.settings import Settings
from tng.shows import SHOW_FILE


def settings(tmp_path: Path, **changes: Any) -> Settings:
    """The settings of a new house."""
    return Settings.read(**{"home": tmp_path / "home", "free_disk_mb": 0, **changes})


def test_the_store_is_made_with_its_tables_in_a_closed_folder(tmp_path: Path) -> None:
    store = build_store(settings(tmp_path))
    with store.read() as work:
        assert work.orders.of("ada") == []
    store.close()
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "home" / "shop" / "orders.sqlite").stat().st_mode) == 0o600


def test_a_shop_without_keys_does_not_open(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="STRIPE_SECRET_KEY"):
        build_gateway(settings(tmp_path), first_show())


def test_a_shop_with_keys_talks_to_the_address_it_was_given(tmp_path: Path) -> None:
    ours = settings(
        tmp_path,
        stripe_secret_key="sk_test_x",
        stripe_webhook_secret="whsec_x",
        stripe_api_base="http://127.0.0.1:1/services/stripe",
    )
    assert build_gateway(ours, first_show()).livemode is False


def test_a_shop_sells_at_the_price_and_keeps_the_gate_of_its_settings(tmp_path: Path) -> None:
    clock = FakeClock()
    ours = settings(tmp_path, price_cents=450, release=tmp_path / "no-release")
    shop = build_shop(ours, store=FakeStore(), gateway=FakeGateway(clock), clock=clock)
    with pytest.raises(ShopClosed, match="no release"):
        shop.place_order("ada", PREMISE, "key-1")
    (tmp_path / "no-release").mkdir()
    (tmp_path / "no-release" / "manifest.json").write_text("{}", encoding="utf-8")
    assert shop.place_order("ada", PREMISE, "key-1").amount_cents == 450


def test_a_shop_sells_the_show_of_its_settings(tmp_path: Path) -> None:
    clock = FakeClock()
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    ours = settings(tmp_path, show=SECOND, release=tmp_path)
    shop = build_shop(ours, store=FakeStore(), gateway=FakeGateway(clock), clock=clock)
    order = shop.place_order("ada", PREMISE, "key-1")
    assert (order.amount_cents, order.currency) == (second_show().price_cents, second_show().currency)


@pytest.mark.parametrize("build", [build_shop, build_worker])
def test_neither_shop_nor_worker_opens_with_a_release_of_another_show(
    tmp_path: Path, build: Callable[[Settings], object]
) -> None:
    shutil.copy(FIRST / SHOW_FILE, tmp_path)
    with pytest.raises(SettingsError, match="TNG_RELEASE"):
        build(settings(tmp_path, show=SECOND, release=tmp_path))


def test_a_worker_needs_no_key(tmp_path: Path) -> None:
    fulfilment = build_fulfilment(settings(tmp_path))
    assert fulfilment.claim("w1") is None
