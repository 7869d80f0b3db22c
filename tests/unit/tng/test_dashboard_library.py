"""The list of scripts, without a browser: found, named, shared, thrown away and had back, as the api says."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.unit.tng.api_support import ADA, PREFIX, House, make_house
from tng.api.views import order_view
from tng.dashboard.client import OrderCard
from tng.dashboard.library import Library
from tng.dashboard.library_row import FILES, PARTS, STEPS, WORDS, row_of
from tng.errors import ApiError
from tng.export import formats
from tng.library.shelf import BIN_KEPT
from tng.orders import OrderState

AT = datetime(2026, 1, 2, tzinfo=UTC)
LINK = "https://house.example/services/api/shared/b"
EVIL = "<img src=x onerror=alert(1)>\"'&"


class FakeClient:
    """The api's side of the list, over a dictionary. A title of eighty letters and more is refused."""

    def __init__(self, *cards: OrderCard) -> None:
        self.cards = {card.id: card for card in cards}
        self.bin: dict[str, OrderCard] = {}
        self.asked: list[str] = []

    def orders(self) -> tuple[OrderCard, ...]:
        return tuple(self.cards.values())

    def binned(self) -> tuple[OrderCard, ...]:
        return tuple(self.bin.values())

    def throw_away(self, order_id: str) -> OrderCard:
        self.asked.append(f"throw_away {order_id}")
        self.bin[order_id] = self.cards.pop(order_id)
        return self.bin[order_id]

    def have_back(self, order_id: str) -> OrderCard:
        self.cards[order_id] = self.bin.pop(order_id)
        return self.cards[order_id]

    def rename(self, order_id: str, title: str) -> OrderCard:
        self.asked.append(f"rename {order_id} {title}")
        if len(title) > 80:
            raise ApiError("too long", status=422, user_message="The title is too long.")
        self.cards[order_id] = a_card(order_id, title)
        return self.cards[order_id]

    def share(self, order_id: str) -> str:
        self.asked.append(f"share {order_id}")
        self.cards[order_id] = replace(self.cards[order_id], shared=True)
        return LINK

    def unshare(self, order_id: str) -> OrderCard:
        self.cards[order_id] = replace(self.cards[order_id], shared=False)
        return self.cards[order_id]


class Said:
    """What a library sends to its browser."""

    def __init__(self, library: Library) -> None:
        self.messages: list[dict[str, Any]] = []
        library.send = lambda content, _buffers=None: self.messages.append(content)


def a_card(order_id: str, title: str, state: OrderState = OrderState.DELIVERED) -> OrderCard:
    """An order in the list."""
    return OrderCard(order_id, state, title, "2.99 USD", AT, premise={"length": "short"}, receipt="/receipt")


@pytest.fixture
def client() -> FakeClient:
    return FakeClient(a_card("b", "Beta"), a_card("a", "Alpha"), a_card("w", "Waiting", OrderState.WRITING))


@pytest.fixture
def library(client: FakeClient) -> Library:
    return a_library(client)


def a_library(client: Any, **options: Any) -> Library:
    """A list that shows what the client has."""
    made = Library(options.pop("open_order", lambda _id: None), client=client, **options)
    made.show(client.orders())
    return made


def say(library: Library, kind: Any, order_id: Any = "b", **more: Any) -> None:
    """Say something as the browser does."""
    library._handle_custom_msg({"kind": kind, "id": order_id, **more}, [])


def row(library: Library, order_id: str) -> dict[str, Any]:
    """What the browser is told of an order."""
    return next(each for each in library.rows if each["id"] == order_id)


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_the_list_shows_nothing_as_known_before_it_was_told() -> None:
    library = Library(lambda _id: None)
    assert not library.is_loaded
    library.show([])
    assert library.is_loaded


def test_an_order_that_changed_stays_in_its_place_and_a_new_one_comes_first(library: Library) -> None:
    library.update(a_card("a", "Alpha", OrderState.REFUNDED))
    library.update(replace(a_card("n", "New"), script_text="words"))
    assert [card.id for card in library.orders] == ["n", "b", "a", "w"]
    assert [each["words"] for each in library.rows] == ["ready", "ready", "refunded", "being written"]
    assert "words" not in json.dumps(library.rows[0]["title"])
    assert library.orders[0].script_text is None, "a list holds no scripts"


def test_every_state_has_its_words_and_a_part_says_that_it_is_one() -> None:
    assert set(WORDS) == set(OrderState)
    for state in OrderState:
        told = row_of(replace(a_card("x", "X", state), is_part=True))
        assert told["words"] == PARTS.get(state, WORDS[state])
        assert told["step"] == STEPS.get(state, "Open")


def test_the_files_are_links_in_the_order_of_the_api_each_with_its_name_and_type() -> None:
    downloads = {ending: f"{PREFIX}/orders/x/script.{ending}" for ending in formats.FORMATS}
    told = row_of(replace(a_card("x", "X"), downloads=downloads))["files"]
    assert [file["path"] for file in told] == list(downloads.values())
    assert list(FILES) == list(formats.FORMATS)
    for file in told:
        assert formats.FORMATS[file["ending"]].media_type.startswith(file["type"])
        assert file["name"]


@pytest.mark.parametrize("path", ["javascript:alert(1)", "//evil.test/x", "", "data:text/html,x"])
def test_a_path_that_leads_elsewhere_is_no_link(path: str) -> None:
    told = row_of(replace(a_card("x", "X"), downloads={"pdf": path}, receipt=path), shared_url=path)
    assert (told["files"], told["receipt"], told["link"]) == ([], "", "")


def test_what_lies_in_the_bin_says_when_it_goes() -> None:
    told = row_of(replace(a_card("x", "X"), binned_at=AT + timedelta(days=3)))
    assert told["gone_at"] == (AT + timedelta(days=3) + BIN_KEPT).isoformat()


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


# --- what the customer does -------------------------------------------------------------------------------------------


def test_an_order_is_opened_and_its_premise_is_wanted_again(client: FakeClient) -> None:
    opened: list[str] = []
    again: list[OrderCard] = []
    library = a_library(client, open_order=opened.append, duplicate=again.append)
    say(library, "open")
    say(library, "duplicate", "a")
    assert opened == ["b"]
    assert [card.title for card in again] == ["Alpha"]
    assert library.offers == ["keep", "duplicate"]


def test_who_has_nothing_yet_is_led_to_a_first_script() -> None:
    asked: list[str] = []
    library = Library(lambda _id: None, new=lambda: asked.append("new"))
    library.show([])
    library._handle_custom_msg({"kind": "new"}, [])
    assert (asked, library.offers) == (["new"], ["new"])


def test_a_new_name_is_shown_and_the_field_is_told(library: Library) -> None:
    said = Said(library)
    say(library, "rename", title=EVIL)
    assert row(library, "b")["title"] == EVIL
    assert said.messages == [{"kind": "named", "id": "b"}]


def test_a_name_that_cannot_be_is_said_beside_the_field_which_keeps_it(library: Library) -> None:
    said = Said(library)
    say(library, "rename", title="x" * 81)
    assert row(library, "b")["title"] == "Beta"
    assert said.messages == [{"kind": "refused", "id": "b", "sentence": "The title is too long."}]


def test_any_other_refusal_of_a_name_is_the_pages_to_say(client: FakeClient) -> None:
    refused: list[int] = []

    def attempt(action: Callable[[], None]) -> None:
        try:
            action()
        except ApiError as error:
            refused.append(error.status)

    def busy(_id: str, _title: str) -> OrderCard:
        raise ApiError("busy", status=503)

    client.rename = busy  # type: ignore[method-assign]
    say(a_library(client, attempt=attempt), "rename", title="x")
    assert refused == [503]


def test_what_is_thrown_away_is_had_back_by_the_toast(client: FakeClient) -> None:
    toasts: list[tuple[str, str, Any]] = []
    library = a_library(client, toast=lambda text, action="", act=None: toasts.append((text, action, act)))
    say(library, "throw_away")
    assert [card.id for card in library.orders] == ["a", "w"]
    [(text, action, act)] = toasts
    assert (text, action) == ("“Beta” is in the bin.", "Undo")
    assert library.undone == {}, "it is said once"
    act()
    assert {card.id for card in library.orders} == {"a", "b", "w"}


def test_without_a_toast_an_undo_stands_above_the_list_until_it_is_used(library: Library) -> None:
    say(library, "throw_away")
    assert library.undone == {"id": "b", "title": "Beta"}
    library._handle_custom_msg({"kind": "undo"}, [])
    assert (library.undone, len(library.rows)) == ({}, 3)
    library._handle_custom_msg({"kind": "undo"}, [])
    assert len(library.rows) == 3, "there is nothing more to undo"


def test_the_bin_shows_what_lies_in_it_and_gives_it_back(library: Library) -> None:
    say(library, "throw_away")
    library._handle_custom_msg({"kind": "show_bin", "shown": True}, [])
    assert library.is_bin
    assert [each["title"] for each in library.bin_rows] == ["Beta"]
    say(library, "have_back")
    assert library.bin_rows == []
    library._handle_custom_msg({"kind": "show_bin", "shown": False}, [])
    assert not library.is_bin
    assert "Beta" in [each["title"] for each in library.rows]


def test_a_link_is_shown_until_it_ends(client: FakeClient) -> None:
    toasts: list[str] = []
    library = a_library(client, toast=lambda text, *_more: toasts.append(text))
    say(library, "share")
    assert (row(library, "b")["link"], row(library, "b")["shared"]) == (LINK, True)
    library.update(replace(a_card("b", "Beta"), shared=True))
    assert row(library, "b")["link"] == LINK, "what changes in the order leaves the link where it is"
    say(library, "unshare")
    assert (row(library, "b")["link"], row(library, "b")["shared"]) == ("", False)
    assert toasts == ["The link to “Beta” leads nowhere any more."]


def test_what_is_under_way_is_offered_neither_the_bin_nor_a_link(library: Library) -> None:
    told = row(library, "w")
    assert (told["ended"], told["sharable"]) == (False, False)


def test_without_an_api_nothing_can_be_kept() -> None:
    library = Library(lambda _id: None)
    library.show([a_card("b", "Beta")])
    for kind in ("rename", "throw_away", "share", "unshare", "duplicate"):
        say(library, kind, title="x")
    assert (library.offers, row(library, "b")["title"]) == ([], "Beta")


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "throw_away", "id": "ord_of_somebody_else"},
        {"kind": "throw_away", "id": ["b"]},
        {"kind": "throw_away"},
        {"kind": "rename", "id": "b"},
        {"kind": "rename", "id": "b", "title": 7},
        {"kind": "have_back", "id": "b"},
        {"kind": "__init__", "id": "b"},
        {"kind": "show_bin", "shown": "yes"},
        {"kind": ["open"], "id": "b"},
        {"kind": "new"},
        "throw_away",
        None,
    ],
)
def test_what_makes_no_sense_or_is_not_in_the_list_is_asked_of_nobody(
    client: FakeClient, library: Library, said: Any
) -> None:
    library._handle_custom_msg(said, [])
    assert (client.asked, len(library.rows), library.is_bin) == ([], 3, False)


def test_a_name_of_a_book_is_cut_before_it_is_asked(client: FakeClient, library: Library) -> None:
    Said(library)
    say(library, "rename", title="x" * 1_000_000)
    assert len(client.asked[0]) < 400
