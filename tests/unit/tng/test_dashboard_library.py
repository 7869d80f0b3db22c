"""The list of scripts, without a browser: found, named, shared, thrown away and had back, as the api says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import ipywidgets as widgets
import pytest

from tests.unit.tng.api_support import ADA, House, make_house
from tng.api.views import order_view
from tng.dashboard.client import OrderCard
from tng.dashboard.library import BY_TITLE, NOT_FOUND, Library
from tng.orders import OrderState


class FakeClient:
    """The api's side of the list: three calls of it, over a dictionary."""

    def __init__(self, *cards: OrderCard) -> None:
        self.cards = {card.id: card for card in cards}
        self.bin: dict[str, OrderCard] = {}

    def orders(self) -> tuple[OrderCard, ...]:
        return tuple(self.cards.values())

    def binned(self) -> tuple[OrderCard, ...]:
        return tuple(self.bin.values())

    def throw_away(self, order_id: str) -> OrderCard:
        self.bin[order_id] = self.cards.pop(order_id)
        return self.bin[order_id]

    def have_back(self, order_id: str) -> OrderCard:
        self.cards[order_id] = self.bin.pop(order_id)
        return self.cards[order_id]

    def rename(self, order_id: str, title: str) -> OrderCard:
        self.cards[order_id] = a_card(order_id, title)
        return self.cards[order_id]

    def share(self, order_id: str) -> str:
        return f"https://house.example/services/api/shared/{order_id}"

    def unshare(self, order_id: str) -> OrderCard:
        return self.cards[order_id]


def a_card(order_id: str, title: str, state: OrderState = OrderState.DELIVERED) -> OrderCard:
    """An order in the list."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    return OrderCard(order_id, state, title, "2.99 USD", at, premise={"length": "short"}, receipt="/receipt")


@pytest.fixture
def library() -> Library:
    client: Any = FakeClient(a_card("b", "Beta"), a_card("a", "Alpha"), a_card("w", "Waiting", OrderState.WRITING))
    made = Library(lambda _id: None, client=client)
    made.show(client.orders())
    return made


def below(widget: Any) -> list[Any]:
    """A widget and all in it."""
    return [widget, *(one for child in getattr(widget, "children", ()) for one in below(child))]


def press(library: Library, words: str, number: int = 0) -> None:
    """Press a button of the list."""
    buttons = [one for one in below(library) if isinstance(one, widgets.Button) and one.description == words]
    buttons[number].click()


def words_of(library: Library) -> str:
    """All the markup in it."""
    return "".join(str(one.value) for one in below(library) if isinstance(one, widgets.HTML))


def test_a_title_is_found_as_it_is_typed_and_nothing_found_is_said(library: Library) -> None:
    library.search.value = "alp"
    assert "Alpha" in words_of(library)
    assert "Beta" not in words_of(library)
    library.search.value = "zzz"
    assert NOT_FOUND in words_of(library)


def test_the_list_is_sorted_as_it_is_asked_for(library: Library) -> None:
    assert words_of(library).index("Beta") < words_of(library).index("Alpha")
    library.sort.value = BY_TITLE
    assert words_of(library).index("Alpha") < words_of(library).index("Beta")


def test_what_is_thrown_away_is_had_back_by_undo_and_out_of_the_bin(library: Library) -> None:
    press(library, "More")
    press(library, "Delete")
    assert [card.id for card in library.orders] == ["a", "w"]
    press(library, "Undo")
    assert {card.id for card in library.orders} == {"a", "b", "w"}
    library.throw_away("b")
    press(library, "Bin")
    assert "Beta" in words_of(library)
    press(library, "Restore")
    assert library.binned == []
    press(library, "My scripts")
    assert "Beta" in words_of(library)


def test_what_is_under_way_is_offered_neither_the_bin_nor_a_link(library: Library) -> None:
    press(library, "More", 2)
    offered = {one.description for one in below(library) if isinstance(one, widgets.Button)}
    assert not offered & {"Delete", "Share"}


def test_a_script_is_named_and_shared_and_its_link_is_shown_until_it_ends(library: Library) -> None:
    press(library, "More")
    name = next(one for one in below(library) if isinstance(one, widgets.Text) and one.description == "Name")
    name.value = "<b>Mine</b>"
    press(library, "Rename")
    assert "&lt;b&gt;Mine&lt;/b&gt;" in words_of(library)
    press(library, "Share")
    assert 'href="https://house.example/services/api/shared/b"' in words_of(library)
    press(library, "Stop sharing")
    assert "/shared/" not in words_of(library)


def test_a_card_reads_what_the_api_says() -> None:
    house: House = make_house()
    order = house.order()
    house.deliver(order)
    house.shop.shelving.rename(order.id, ADA, "Mine")
    told = order_view(house.shop.order(order.id, ADA), "/x", house.shop.standing(order)).model_dump(mode="json")
    card = OrderCard.read(told)
    assert (card.title, card.premise["title"]) == ("Mine", "The Quiet Hours")
    assert card.receipt.endswith("/receipt")
    assert (card.shared, card.binned_at) == (False, None)
