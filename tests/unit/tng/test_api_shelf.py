"""Names, bin, links and receipts over the api: the owner's alone, but for the page of a link."""

from __future__ import annotations

import pytest

from tests.unit.tng.api_support import ADA, House, make_house, visiting
from tng.orders import Order, OrderState


@pytest.fixture
def house() -> House:
    return make_house()


@pytest.fixture
def order(house: House) -> Order:
    """A delivered order of ada's."""
    placed = house.order()
    house.deliver(placed)
    return house.shop.order(placed.id, ADA)


async def test_a_new_name_is_in_the_list_in_the_file_and_in_its_name(house: House, order: Order) -> None:
    async with visiting(house) as ada:
        assert (await ada.post(f"/orders/{order.id}/title", json={"title": "My Night"})).json()["title"] == "My Night"
        assert [one["title"] for one in (await ada.get("/orders")).json()["orders"]] == ["My Night"]
        file = await ada.get(f"/orders/{order.id}/script.txt")
        whole = (await ada.get(f"/orders/{order.id}")).json()
    assert 'filename="My Night.txt"' in file.headers["content-disposition"]
    assert "MY NIGHT" in file.text.upper()
    assert whole["premise"]["title"] == "The Quiet Hours"


async def test_a_name_that_is_none_is_refused_with_a_sentence(house: House, order: Order) -> None:
    async with visiting(house) as ada:
        for wish in ({"title": ""}, {"title": "x" * 81}, {"title": 7}, {}, {"title": "x", "owner": "ben"}):
            assert (await ada.post(f"/orders/{order.id}/title", json=wish)).status_code == 422


async def test_in_the_bin_there_is_nothing_to_take_along_until_it_is_had_back(house: House, order: Order) -> None:
    async with visiting(house) as ada:
        binned = (await ada.post(f"/orders/{order.id}/bin")).json()
        assert binned["binned_at"]
        assert binned["downloads"] == {}
        assert (await ada.get("/orders")).json()["orders"] == []
        assert [one["id"] for one in (await ada.get("/orders?binned=1")).json()["orders"]] == [order.id]
        assert (await ada.get(f"/orders/{order.id}/script.pdf")).status_code == 404
        assert (await ada.get(f"/orders/{order.id}")).json()["script_text"] is None
        await ada.delete(f"/orders/{order.id}/bin")
        assert (await ada.get(f"/orders/{order.id}/script.pdf")).status_code == 200


async def test_what_is_under_way_is_to_be_cancelled_first(house: House) -> None:
    async with visiting(house) as ada:
        answer = await ada.post(f"/orders/{house.order().id}/bin")
    assert answer.status_code == 409
    assert "cancel" in answer.json()["message"]


async def test_whoever_has_the_link_reads_the_script_and_learns_nothing_of_its_owner(
    house: House, order: Order
) -> None:
    async with visiting(house) as ada:
        made = await ada.post(f"/orders/{order.id}/share")
    url = made.json()["url"]
    assert made.status_code == 201
    async with visiting(house, None) as anybody:
        page = await anybody.get(url)
    assert page.status_code == 200
    assert "It stopped." in page.text
    assert ADA not in page.text
    assert order.id not in page.text
    assert "noindex" in page.headers["x-robots-tag"]
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in page.text


@pytest.mark.parametrize("why", ["unknown", "a bit off", "replaced", "revoked", "binned", "disputed", "refunded"])
async def test_a_link_that_leads_nowhere_says_the_same_whatever_the_reason(
    house: House, order: Order, why: str
) -> None:
    async with visiting(house) as ada, visiting(house, None) as anybody:
        url = (await ada.post(f"/orders/{order.id}/share")).json()["url"]
        assert (await anybody.get(url)).status_code == 200, "the control: it led somewhere"
        match why:
            case "unknown":
                url = url.rsplit("/", 1)[0] + "/x"
            case "a bit off":
                url = url[:-1] + chr(ord(url[-1]) ^ 1)
            case "replaced":
                await ada.post(f"/orders/{order.id}/share")
            case "revoked":
                await ada.delete(f"/orders/{order.id}/share")
            case "binned":
                await ada.post(f"/orders/{order.id}/bin")
            case "disputed" | "refunded":
                with house.store.begin() as work:
                    state = OrderState.DISPUTED if why == "disputed" else OrderState.REFUNDING
                    now = house.clock.now()
                    moved = work.orders.get(order.id).moved(OrderState.DISPUTED, by="stripe", why="a test", at=now)
                    if state is not OrderState.DISPUTED:
                        moved = moved.moved(OrderState.REFUNDED, by="stripe", why="lost", at=now)
                    work.orders.save(moved)
                    work.commit()
        gone, never = await anybody.get(url), await anybody.get("/shared/never")
    assert gone.status_code == never.status_code == 404
    assert gone.text == never.text


async def test_a_receipt_is_there_once_it_is_paid_and_says_what_was_paid(house: House) -> None:
    order = house.order(title="<b>Bold</b>")
    async with visiting(house) as ada:
        assert (await ada.get(f"/orders/{order.id}/receipt")).status_code == 409
        house.pay(order)
        page = await ada.get(f"/orders/{order.id}/receipt")
    assert page.status_code == 200
    assert order.id in page.text
    assert "2.99 USD" in page.text
    assert "<b>Bold" not in page.text
    assert "tax invoice" in page.text
