"""The pages of the api's that a person reads: whole, escaped, printable, and closed to everything from elsewhere."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise

import pytest

from tests.shows import FIRST
from tng.api.pages import NO_INVOICE, missing_page, receipt_page, shared_page, sheet_of
from tng.export.colophon import Colophon
from tng.money.receipts import Receipt
from tng.sample import read_sample
from tng.script import Script

DAY = datetime(2026, 11, 27, 5, 30, tzinfo=UTC)
FRONT = "https://shop.example/"
SHEET = sheet_of({"night": "#123456", "amber": "#f2c14e"})
EVIL = "</title><script>alert(1)</script>\"'&"
COLOPHON = Colophon("Scripts", "Nobody's characters.", "urn:x:1", DAY, release_id="small-2", seed=7)
RECEIPT = Receipt(
    product="Scripts",
    order_id="ord_1",
    title="The Quiet Hours",
    placed_at=DAY,
    paid_at=DAY,
    price="2.99 USD",
    paid="2.99 USD",
    refund="",
    refunded_at=None,
    reference="pi_1",
    livemode_hint=False,
)


def script() -> Script:
    read = read_sample(FIRST)
    assert read is not None
    return read


def pages() -> dict[str, str]:
    return {
        "shared": shared_page(script(), COLOPHON, sheet=SHEET, front_url=FRONT),
        "missing": missing_page("Scripts", sheet=SHEET, front_url=FRONT),
        "receipt": receipt_page(RECEIPT, sheet=SHEET, front_url=FRONT),
    }


every_page = pytest.mark.parametrize("name", ["shared", "missing", "receipt"])


@every_page
def test_a_page_asks_for_nothing_and_is_in_no_index(name: str) -> None:
    page = pages()[name]
    assert '<meta name="robots" content="noindex">' in page
    assert "<script" not in page
    assert not re.search(r" (src|style|on\w+)=", page.replace("http-equiv", ""))
    assert set(re.findall(r'href="(https?://[^"]*)"', page)) == {FRONT}
    assert "url(" not in page


@every_page
def test_the_policy_knows_the_sheet_by_its_hash_and_lets_nothing_else_in(name: str) -> None:
    (sheet,) = re.findall(r"<style>(.*?)</style>", pages()[name], flags=re.DOTALL)
    assert f"style-src 'sha256-{b64encode(sha256(sheet.encode()).digest()).decode()}'" in SHEET.policy
    assert SHEET.policy.startswith("default-src 'none';")
    assert "unsafe" not in SHEET.policy


@every_page
def test_a_page_has_one_title_one_main_part_and_headings_in_order(name: str) -> None:
    page = pages()[name]
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert levels.count(1) == page.count("<main>") == page.count("<title>") == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_a_shared_script_says_who_wrote_it_and_whose_the_characters_are() -> None:
    page = pages()["shared"]
    assert script().title in page
    assert "written by a machine" in page
    assert "Nobody&#x27;s characters." in page
    assert "Written on 27 November 2026 by release small-2, seed 7." in page


def test_a_receipt_has_what_an_accountant_asks_for() -> None:
    page = pages()["receipt"]
    for words in ("ord_1", "The Quiet Hours", "27 November 2026, 05:30 UTC", "2.99 USD", "pi_1", NO_INVOICE):
        assert words in page
    assert "Refund" not in page
    assert "no real money" not in page


def test_a_receipt_tells_of_a_refund_a_code_and_play_money() -> None:
    back = replace(RECEIPT, refund="refunded", refunded_at=DAY, paid="0.00 USD", reference="", livemode_hint=True)
    page = receipt_page(back, sheet=SHEET, front_url=FRONT)
    assert "<dt>Refund</dt><dd>Refunded on <time" in page
    assert "<dt>Price</dt><dd>2.99 USD</dd>" in page
    assert "no real money moved" in page
    assert "<dt>Payment</dt>" not in page


def test_no_text_of_anybodys_becomes_markup() -> None:
    evil = replace(RECEIPT, product=EVIL, order_id=EVIL, title=EVIL, price=EVIL, refund=EVIL, reference=EVIL)
    colophon = replace(COLOPHON, product=EVIL, disclaimer=EVIL, release_id=EVIL, provenance=EVIL)
    made = (
        receipt_page(evil, sheet=SHEET, front_url=EVIL),
        shared_page(Script(EVIL), colophon, sheet=SHEET, front_url=EVIL),
        missing_page(EVIL, sheet=SHEET, front_url=EVIL),
    )
    assert all("<script" not in page for page in made)


def test_a_page_is_in_the_colours_of_its_show() -> None:
    page = pages()["shared"]
    assert "--tng-night: #123456" in page
    assert "fill='%23123456'" in page
    assert sheet_of({}).policy != SHEET.policy, "each sheet is let in by its own hash"
