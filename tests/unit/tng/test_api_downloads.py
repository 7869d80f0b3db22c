"""A script goes to its owner as a file of each format, once it is delivered, and to nobody else."""

from __future__ import annotations

import io
import re
import zipfile

import pytest
from pypdf import PdfReader

from tests.unit.tng.api_support import ADA, PREFIX, SCRIPT, House, make_house, visiting
from tng.api.downloads import colophon_of, content_disposition
from tng.export.formats import FORMATS
from tng.orders import OrderState
from tng.script import parse

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "fdx": "application/xml",
    "fountain": "text/plain; charset=utf-8",
    "epub": "application/epub+zip",
    "txt": "text/plain; charset=utf-8",
}


@pytest.fixture
def house() -> House:
    return make_house()


async def test_the_downloads_of_an_order_are_all_the_formats_and_come_with_its_delivery(house: House) -> None:
    order = house.order()
    async with visiting(house) as ada:
        assert (await ada.get(f"/orders/{order.id}")).json()["downloads"] == {}
        house.deliver(order)
        downloads = (await ada.get(f"/orders/{order.id}")).json()["downloads"]
    assert downloads == {ending: f"{PREFIX}/orders/{order.id}/script.{ending}" for ending in MEDIA_TYPES}
    assert list(downloads) == list(FORMATS) == list(MEDIA_TYPES)


@pytest.mark.parametrize("ending", MEDIA_TYPES)
async def test_each_format_comes_with_its_type_and_a_safe_name(house: House, ending: str) -> None:
    order = house.order(title="Q & A: “é/../x”")
    house.deliver(order)
    async with visiting(house) as ada:
        answer = await ada.get(f"/orders/{order.id}/script.{ending}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPES[ending]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    name = answer.headers["content-disposition"]
    assert name == f"attachment; filename=\"Q A e x.{ending}\"; filename*=UTF-8''Q%20A%20%C3%A9%20x.{ending}"
    colophon = colophon_of(house.shop.order(order.id, ADA), house.show)
    assert answer.content == FORMATS[ending].render(parse(SCRIPT), colophon)


async def test_a_file_says_what_the_order_and_the_show_say(house: House) -> None:
    order = house.order()
    house.deliver(order)
    async with visiting(house) as ada:
        pdf, book, text = [(await ada.get(f"/orders/{order.id}/script.{e}")).content for e in ("pdf", "epub", "txt")]
    first = " ".join(PdfReader(io.BytesIO(pdf)).pages[0].extract_text().split())
    package = zipfile.ZipFile(io.BytesIO(book)).read("EPUB/package.opf").decode()
    for content in (first, package, " ".join(text.decode().split())):
        assert house.show.product in content
        assert house.show.disclaimer in content
        assert "release tng-test, seed 7." in content
        assert "12 words; 4% of the script stands in it." in content


async def test_the_identifier_stays_with_the_order_and_tells_nothing_of_it(house: House) -> None:
    first, second = house.order(), house.order(title="Another")
    house.deliver(first)
    told = [colophon_of(house.shop.order(order.id, ADA), house.show).identifier for order in (first, first, second)]
    assert told[0] == told[1] != told[2]
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", told[0])
    assert first.id.removeprefix("ord_") not in told[0].replace("-", "")


@pytest.mark.parametrize("ending", MEDIA_TYPES)
async def test_before_its_delivery_there_is_no_file(house: House, ending: str) -> None:
    unpaid, paid, delivered = house.order(), house.order(), house.order()
    house.deliver(delivered)
    house.pay(paid)
    async with visiting(house) as ada:
        for order in (unpaid, paid):
            answer = await ada.get(f"/orders/{order.id}/script.{ending}")
            assert answer.status_code == 409
            assert answer.json()["message"] == "The script can be downloaded once it is ready."
        assert (await ada.get(f"/orders/{delivered.id}/script.{ending}")).status_code == 200, "the control"


@pytest.mark.parametrize("ending", MEDIA_TYPES)
async def test_a_stranger_and_nobody_get_nothing(house: House, ending: str) -> None:
    order = house.order()
    house.deliver(order)
    async with visiting(house, "ben-token") as ben:
        assert (await ben.get(f"/orders/{order.id}/script.{ending}")).status_code == 404
    async with visiting(house, None) as nobody:
        assert (await nobody.get(f"/orders/{order.id}/script.{ending}")).status_code == 401


async def test_a_format_that_there_is_not_is_not_found(house: House) -> None:
    order = house.order()
    house.deliver(order)
    async with visiting(house) as ada:
        assert (await ada.get(f"/orders/{order.id}/script.docx")).status_code == 404


async def test_a_refunded_script_is_not_there_to_download(house: House) -> None:
    order = house.order()
    house.deliver(order)
    house.gateway.change(str(order.checkout_session_id), refunded=True)
    house.shop.confirm_payment(str(order.checkout_session_id))
    async with visiting(house) as ada:
        answer = await ada.get(f"/orders/{order.id}/script.txt")
        assert (await ada.get(f"/orders/{order.id}")).json()["state"] == OrderState.REFUNDED
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "title",
    ["../../etc/passwd", 'a"; filename="b', "a\r\nSet-Cookie: x", "日本語", "…", "x" * 300, "CON\\nul", "e\u0301"],
)
def test_a_file_name_has_no_path_no_quote_and_no_line(title: str) -> None:
    header = content_disposition(title, "txt")
    assert re.fullmatch(
        r"attachment; filename=\"[A-Za-z0-9 _-]{1,90}\.txt\"; filename\*=UTF-8''[A-Za-z0-9%._~-]+\.txt", header
    )
    assert "%2F" not in header


def test_each_format_is_in_the_documentation_with_its_type(house: House) -> None:
    paths = house.app.openapi()["paths"]
    for ending, media_type in MEDIA_TYPES.items():
        answer = paths[f"{PREFIX}/orders/{{order_id}}/script.{ending}"]["get"]["responses"]["200"]
        assert list(answer["content"]) == [media_type.split(";")[0]]
