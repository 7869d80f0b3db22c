"""What the page offers of a finished script: its files in plain words, and how it was written."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.unit.tng.api_support import PROVENANCE
from tng.dashboard.client import OrderCard
from tng.dashboard.library import Library
from tng.dashboard.order_view import FORMATS, draw_downloads
from tng.dashboard.provenance_panel import draw_provenance
from tng.export import formats
from tng.orders import OrderState

DOWNLOADS = {ending: f"/services/api/orders/ord_1/script.{ending}" for ending in formats.FORMATS}
BODY: dict[str, Any] = {
    "id": "ord_1",
    "state": "delivered",
    "premise": {"title": "The Quiet Hours"},
    "price": {"text": "2.99 USD"},
    "placed_at": "2026-11-24T12:00:00+00:00",
    "downloads": DOWNLOADS,
    "provenance": PROVENANCE,
}
CARD = OrderCard.read(BODY)


def test_every_format_of_the_api_has_its_words_on_the_page() -> None:
    assert list(FORMATS) == list(formats.FORMATS)
    html = draw_downloads(CARD)
    assert re.findall(r'href="([^"]+)"', html) == list(DOWNLOADS.values())
    for words in ("PDF", "Final Draft", "Fountain", "EPUB", "Text"):
        assert words in html


def test_a_link_that_leads_elsewhere_is_none() -> None:
    html = draw_downloads(replace(CARD, downloads={"pdf": "javascript:alert(1)"}))
    assert "href" not in html
    assert "javascript" not in html


def test_before_the_delivery_there_is_nothing_to_take_along() -> None:
    assert draw_downloads(replace(CARD, downloads={})) == ""


def test_how_it_was_written_is_said_in_plain_words() -> None:
    html = draw_provenance(CARD)
    assert html.startswith('<details class="tng-provenance"><summary>How it was written</summary>')
    for sentence in CARD.provenance.sentences:
        assert f"<li>{sentence}</li>" in html
    assert html.count("<li>") == 3


@pytest.mark.parametrize("told", [None, {}, {"gates": []}], ids=["nothing", "an empty telling", "nonsense"])
def test_an_order_that_tells_nothing_of_its_writing_has_no_block(told: Any) -> None:
    assert draw_provenance(OrderCard.read(BODY | {"provenance": told})) == ""


def test_how_it_was_written_waits_for_the_script() -> None:
    assert draw_provenance(replace(CARD, state=OrderState.DISPUTED)) == ""


def test_what_the_writer_tells_becomes_no_markup() -> None:
    card = OrderCard.read(BODY | {"provenance": PROVENANCE | {"release": "<img src=x onerror=alert(1)>"}})
    assert "<img" not in draw_provenance(card)


def test_the_library_offers_the_files_in_the_order_of_the_api() -> None:
    library = Library(lambda _id: None)
    library.show([CARD, replace(CARD, id="ord_2", placed_at=datetime(2026, 11, 23, tzinfo=UTC))])
    for row in library.rows:
        assert [file["path"] for file in row["files"]] == list(DOWNLOADS.values())
