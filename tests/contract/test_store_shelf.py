"""What every Store promises of the shelf: own names, the bin, and links to read by."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes import START
from tests.samples import an_order, forced, keep
from tng.library.shelf import ORDINARY, SHARES_KEPT, Share, Shelved
from tng.orders import OrderState
from tng.ports import Store

ADAS = forced(an_order(1), OrderState.DELIVERED, script_text="Title: X\n", ended_at=START)
BENS = forced(an_order(2, customer="ben"), OrderState.DELIVERED, script_text="Title: Y\n", ended_at=START)
LATER = START + timedelta(hours=1)
HASH = "a" * 64


def a_share(number: int = 1, order_id: str = ADAS.id) -> Share:
    """A link; its hash follows from ``number``."""
    return Share(order_id, f"{number:064x}", START + timedelta(minutes=number))


@pytest.fixture(autouse=True)
def _orders(store: Store) -> None:
    keep(store, ADAS, BENS)


def test_an_order_of_which_nothing_is_noted_is_an_ordinary_one(store: Store) -> None:
    with store.read() as work:
        assert work.shelf.get(ADAS.id) == ORDINARY
        assert work.shelf.of("ada") == {}
        assert work.shelf.shares(ADAS.id) == []


def test_a_name_and_a_bin_are_noted_and_noted_again(store: Store) -> None:
    with store.begin() as work:
        work.shelf.save(ADAS.id, Shelved("Mine", LATER))
        assert work.shelf.get(ADAS.id) == Shelved("Mine", LATER)
        work.shelf.save(ADAS.id, Shelved("Mine still"))
        work.commit()
    with store.read() as work:
        assert work.shelf.get(ADAS.id) == Shelved("Mine still")


def test_what_is_noted_of_a_customers_orders_comes_at_once_and_nobody_elses(store: Store) -> None:
    with store.begin() as work:
        work.shelf.save(ADAS.id, Shelved("Mine"))
        work.shelf.share(a_share(3))
        work.shelf.share(a_share(4, BENS.id))
        work.commit()
    with store.read() as work:
        assert work.shelf.of("ada") == {ADAS.id: Shelved("Mine", None, a_share(3).made_at)}
        assert work.shelf.of("ben") == {BENS.id: Shelved(None, None, a_share(4).made_at)}


def test_a_token_leads_to_its_order_until_it_is_taken_back(store: Store) -> None:
    with store.begin() as work:
        work.shelf.share(a_share())
        work.commit()
    with store.begin() as work:
        assert work.shelf.shared(a_share().token_sha256) == ADAS.id
        assert work.shelf.shared(HASH) is None
        work.shelf.unshare(ADAS.id, LATER)
        work.shelf.unshare(ADAS.id, LATER + timedelta(hours=1))
        work.commit()
    with store.read() as work:
        assert work.shelf.shared(a_share().token_sha256) is None
        assert [share.revoked_at for share in work.shelf.shares(ADAS.id)] == [LATER]


def test_a_new_link_ends_the_old_one_and_no_other_orders(store: Store) -> None:
    with store.begin() as work:
        work.shelf.share(a_share(1))
        work.shelf.share(a_share(2, BENS.id))
        work.shelf.share(a_share(3))
        work.commit()
    with store.read() as work:
        found = [work.shelf.shared(a_share(number).token_sha256) for number in (1, 2, 3)]
        assert found == [None, BENS.id, ADAS.id]
        assert work.shelf.get(ADAS.id).shared_at == a_share(3).made_at


def test_links_made_all_day_fill_nothing(store: Store) -> None:
    with store.begin() as work:
        work.shelf.share(a_share(900, BENS.id))
        for number in range(SHARES_KEPT + 5):
            work.shelf.share(a_share(number))
        work.commit()
    with store.read() as work:
        kept = work.shelf.shares(ADAS.id)
        assert len(kept) == SHARES_KEPT
        assert kept[-1].token_sha256 == a_share(SHARES_KEPT + 4).token_sha256
        assert len(work.shelf.shares(BENS.id)) == 1


def test_what_lies_in_the_bin_for_long_is_found_but_not_what_moved_since_or_is_erased(store: Store) -> None:
    moved = forced(an_order(3), OrderState.DELIVERED, ended_at=LATER)
    erased = forced(an_order(4), OrderState.EXPIRED, ended_at=START, erased_at=LATER)
    open_again = forced(an_order(5), OrderState.PLACED)
    keep(store, moved, erased, open_again)
    with store.begin() as work:
        for order in (moved, erased, open_again, BENS, ADAS):
            work.shelf.save(order.id, Shelved(binned_at=START + timedelta(minutes=1 if order is ADAS else 2)))
        work.commit()
    with store.read() as work:
        assert work.shelf.binned_before(START + timedelta(minutes=1)) == []
        assert work.shelf.binned_before(LATER) == [ADAS.id, BENS.id]
        assert work.shelf.binned_before(LATER, limit=1) == [ADAS.id]


def test_forgetting_takes_the_name_and_the_links_and_leaves_it_in_the_bin(store: Store) -> None:
    with store.begin() as work:
        work.shelf.save(ADAS.id, Shelved("Mine", LATER))
        work.shelf.share(a_share(1))
        work.shelf.share(a_share(2, BENS.id))
        work.shelf.forget(ADAS.id)
        assert work.shelf.get(ADAS.id) == Shelved(None, LATER)
        work.commit()
    with store.read() as work:
        assert work.shelf.get(ADAS.id) == Shelved(None, LATER)
        assert work.shelf.shares(ADAS.id) == []
        assert work.shelf.shared(a_share(2, BENS.id).token_sha256) == BENS.id
