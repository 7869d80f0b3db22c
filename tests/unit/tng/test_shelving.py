"""A customer's own name for an order, the bin, and links: never a stranger's, and never in the way of the order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.house import House, session_of
from tests.samples import the_order
from tng.customers import Customers
from tng.erasing import NOTHING_ASKED, Sweep
from tng.errors import IllegalMove, OrderNotFound, PremiseError, TngError
from tng.library.shelf import BIN_KEPT, ORDINARY
from tng.library.shelving import Shelving
from tng.orders import ENDS, Order, OrderState

TEXT = "Title: The Quiet Hours\n## TEASER\n# INT. READY ROOM\nRain.\n"


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def shelving(house: House) -> Shelving:
    return house.shop.shelving


def delivered(house: House, key: str = "key-1") -> Order:
    """An order whose script is ready."""
    now = house.clock.now()
    return house.put(house.paid(key), OrderState.DELIVERED, script_text=TEXT, delivered_at=now, ended_at=now)


def titles(shelving: Shelving, *, binned: bool = False) -> list[str]:
    """What ada's list shows."""
    return [shelved.title_of(order) for order, shelved in shelving.listed("ada", binned=binned)]


def test_an_order_is_called_as_its_customer_says_and_keeps_what_was_asked_for(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    shelving.rename(order.id, "ada", "  My   evening ")
    assert titles(shelving) == ["My evening"]
    assert the_order(house.store, order.id) == order
    assert house.shop.standing(order).shelved.title == "My evening"


def test_its_first_title_again_takes_the_name_away(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    shelving.rename(order.id, "ada", "Mine")
    shelving.rename(order.id, "ada", order.premise.title)
    assert house.shop.standing(order).shelved == ORDINARY


@pytest.mark.parametrize("title", ["", "   ", "x" * 81, "a\x00b", "a\u202eb", 7, None, ["x"]])
def test_a_name_keeps_the_rules_of_a_title(house: House, shelving: Shelving, title: object) -> None:
    order = delivered(house)
    with pytest.raises(PremiseError):
        shelving.rename(order.id, "ada", title)
    assert house.shop.standing(order).shelved == ORDINARY


def test_a_stranger_finds_no_order_to_do_anything_with(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    for attempt in (shelving.bin, shelving.unbin, shelving.share, shelving.unshare, shelving.kept):
        with pytest.raises(OrderNotFound):
            attempt(order.id, "ben")
    with pytest.raises(OrderNotFound):
        shelving.rename(order.id, "ben", "Mine")
    assert house.shop.standing(order).shelved == ORDINARY


def test_what_is_thrown_away_is_gone_from_the_list_and_can_be_had_back(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    shelving.bin(order.id, "ada")
    assert titles(shelving) == []
    assert titles(shelving, binned=True) == ["The Quiet Hours"]
    with pytest.raises(OrderNotFound):
        shelving.kept(order.id, "ada")
    shelving.unbin(order.id, "ada")
    assert titles(shelving) == ["The Quiet Hours"]
    assert titles(shelving, binned=True) == []


def test_thrown_away_twice_the_first_time_counts(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    shelving.bin(order.id, "ada")
    first = house.shop.standing(order).shelved.binned_at
    house.clock.advance(days=1)
    shelving.bin(order.id, "ada")
    assert house.shop.standing(order).shelved.binned_at == first


@pytest.mark.parametrize("state", sorted(set(OrderState) - ENDS))
def test_what_is_under_way_cannot_be_thrown_away(house: House, shelving: Shelving, state: OrderState) -> None:
    order = house.put(house.paid(), state, ended_at=None)
    with pytest.raises(IllegalMove) as refused:
        shelving.bin(order.id, "ada")
    assert "cancel" in refused.value.user_message or "disputed" in refused.value.user_message
    assert titles(shelving) == ["The Quiet Hours"]


def test_money_that_comes_late_brings_an_order_back_out_of_the_bin(house: House, shelving: Shelving) -> None:
    order = house.placed()
    house.gateway.expire(session_of(order))
    house.shop.reconcile()
    shelving.bin(order.id, "ada")
    house.clock.advance(minutes=1)
    house.gateway.change(session_of(order), paid=True, payment_intent_id="pi_late")
    house.shop.confirm_payment(session_of(order))
    assert titles(shelving) == ["The Quiet Hours"]
    house.clock.advance(minutes=1)
    house.put(order, OrderState.DELIVERED, script_text=TEXT, ended_at=house.clock.now())
    assert titles(shelving) == ["The Quiet Hours"], "it was thrown away before it was written"


def test_a_link_leads_to_the_script_until_it_is_taken_back(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    token = shelving.share(order.id, "ada")
    assert len(token) >= 22, "128 bits and more"
    assert shelving.shared(token)[0].id == order.id
    with house.store.read() as work:
        assert token not in str(work.shelf.shares(order.id)), "who reads the database has no link"
    shelving.unshare(order.id, "ada")
    with pytest.raises(OrderNotFound):
        shelving.shared(token)


def test_a_new_link_ends_the_old_one(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    old, new = shelving.share(order.id, "ada"), shelving.share(order.id, "ada")
    with pytest.raises(OrderNotFound):
        shelving.shared(old)
    assert shelving.shared(new)[0].id == order.id


def test_a_token_that_is_nearly_right_leads_nowhere(house: House, shelving: Shelving) -> None:
    token = shelving.share(delivered(house).id, "ada")
    for wrong in (token[:-1], token + "A", token.swapcase(), "", "\ud800", token[:-1] + chr(ord(token[-1]) ^ 1)):
        with pytest.raises(OrderNotFound):
            shelving.shared(wrong)


@pytest.mark.parametrize("state", [OrderState.DISPUTED, OrderState.REFUNDING, OrderState.REFUNDED])
def test_a_link_leads_nowhere_while_a_bank_holds_the_order_or_it_is_paid_back(
    house: House, shelving: Shelving, state: OrderState
) -> None:
    order = delivered(house)
    token = shelving.share(order.id, "ada")
    house.put(order, state, is_part=True, ended_at=house.clock.now() if state in ENDS else None)
    with pytest.raises(OrderNotFound):
        shelving.shared(token)
    with pytest.raises(TngError):
        shelving.share(order.id, "ada")


def test_a_link_is_dead_while_its_order_is_in_the_bin(house: House, shelving: Shelving) -> None:
    order = delivered(house)
    token = shelving.share(order.id, "ada")
    shelving.bin(order.id, "ada")
    with pytest.raises(OrderNotFound):
        shelving.shared(token)
    with pytest.raises(OrderNotFound):
        shelving.share(order.id, "ada")
    shelving.unbin(order.id, "ada")
    assert shelving.shared(token)[0].id == order.id


def test_what_was_never_delivered_is_not_shared(house: House, shelving: Shelving) -> None:
    with pytest.raises(IllegalMove):
        shelving.share(house.paid().id, "ada")


def test_after_thirty_days_the_words_in_the_bin_are_erased_and_nothing_else(
    house: House, shelving: Shelving, tmp_path: Path
) -> None:
    old, kept, new = delivered(house, "a"), delivered(house, "b"), delivered(house, "c")
    shelving.rename(old.id, "ada", "Mine")
    token = shelving.share(old.id, "ada")
    shelving.bin(old.id, "ada")
    house.clock.advance(days=1)
    shelving.bin(new.id, "ada")
    sweep = Sweep(house.store, house.clock, tmp_path, days=0, expired_days=0, run_days=30)
    assert sweep.run()["orders"] == 0
    house.clock.advance(seconds=(BIN_KEPT - timedelta(days=1)).total_seconds() + 1)
    assert sweep.run()["orders"] == 1
    gone = the_order(house.store, old.id)
    assert (gone.premise, gone.script_text, gone.state) == (NOTHING_ASKED, None, OrderState.DELIVERED)
    assert the_order(house.store, kept.id) == kept
    assert [order.id for order, _ in shelving.listed("ada", binned=True)] == [new.id]
    assert [order.id for order, _ in shelving.listed("ada")] == [kept.id]
    with pytest.raises(OrderNotFound):
        shelving.shared(token)
    shelving.unbin(old.id, "ada")
    with pytest.raises(IllegalMove):
        shelving.rename(old.id, "ada", "Back")


def test_a_customer_is_handed_their_names_and_links_and_is_forgotten_with_them(
    house: House, shelving: Shelving, tmp_path: Path
) -> None:
    order = delivered(house)
    shelving.rename(order.id, "ada", "My evening")
    shelving.share(order.id, "ada")
    customers = Customers(house.store, house.clock, tmp_path)
    handed = dict(customers.everything("ada"))
    noted = handed[f"orders/{order.id}/shelf.json"].decode()
    assert "My evening" in noted
    assert '"made_at"' in noted
    customers.forget("ada")
    with house.store.read() as work:
        assert work.shelf.get(order.id) == ORDINARY
        assert work.shelf.shares(order.id) == []
