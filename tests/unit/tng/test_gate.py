"""When the shop is closed, and that it says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeClock, FakeStore
from tests.samples import a_paid_order, an_order, keep
from tng.adapters.gate import ShopGate
from tng.errors import ShopClosed
from tng.orders import OrderState
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.shelf import ReleaseShelf
from tng.releases import MANIFEST, Release


@pytest.fixture
def release_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tng-small-2"
    folder.mkdir()
    (folder / MANIFEST).write_text("{}", encoding="utf-8")
    return folder


def gate(release_folder: Path, store: FakeStore | None = None, **changes: Any) -> ShopGate:
    """A gate that stands open but for ``changes``."""
    values: dict[str, Any] = {"free_disk_mb": 0, "queue_limit": 2}
    store = store or FakeStore()
    shelf = ReleaseShelf([release_folder.parent])
    ledger = ReleaseLedger(store, FakeClock(), shelf, Release(release_folder.name, release_folder))
    return ShopGate(store, ledger=ledger, home=release_folder.parent, **values | changes)


def test_is_open_where_nothing_is_wrong(release_folder: Path) -> None:
    gate(release_folder)()


def test_is_shut_without_a_release(release_folder: Path) -> None:
    (release_folder / MANIFEST).unlink()
    with pytest.raises(ShopClosed, match="no release in"):
        gate(release_folder)()


def test_is_shut_where_the_release_that_writes_is_not_the_one_that_was_promoted(release_folder: Path) -> None:
    ours = gate(release_folder)
    ours()
    (release_folder / MANIFEST).write_text('{"files": {}}', encoding="utf-8")
    with pytest.raises(ShopClosed, match="not the one that was promoted"):
        ours()


def test_is_shut_while_the_disk_is_full(release_folder: Path) -> None:
    with pytest.raises(ShopClosed, match="MB free"):
        gate(release_folder, free_disk_mb=10**9)()


@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.WRITING], ids=str)
def test_is_shut_while_too_many_wait(release_folder: Path, state: OrderState) -> None:
    store = FakeStore()
    keep(store, a_paid_order(1, state), an_order(2), a_paid_order(3, OrderState.DELIVERED))
    gate(release_folder, store)()
    keep(store, a_paid_order(4, state))
    with pytest.raises(ShopClosed, match="2 paid orders wait"):
        gate(release_folder, store)()


def test_pages_that_could_still_be_paid_count_as_half(release_folder: Path) -> None:
    store = FakeStore()
    keep(store, a_paid_order(1), an_order(2), an_order(3, state=OrderState.EXPIRED))
    gate(release_folder, store)()
    keep(store, an_order(4))
    with pytest.raises(ShopClosed, match="1 paid orders wait, 2 more may yet be paid"):
        gate(release_folder, store)()


def test_five_hundred_open_pages_do_not_become_five_hundred_orders(release_folder: Path) -> None:
    store, ours = FakeStore(), []
    for number in range(500):
        try:
            gate(release_folder, store, queue_limit=10)()
        except ShopClosed:
            break
        ours.append(number)
        keep(store, an_order(number))
    assert len(ours) == 20, "twice the limit, should all of them pay"


def test_says_to_the_customer_that_nothing_was_charged(release_folder: Path) -> None:
    with pytest.raises(ShopClosed) as caught:
        gate(release_folder, queue_limit=0)()
    assert "Nothing was charged" in caught.value.user_message
    assert "queue" not in caught.value.user_message
