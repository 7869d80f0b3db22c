"""What the api offers is the show's: nothing of it is written into the code."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from math import ceil

import pytest

from tests.shows import first_show, second_show
from tests.unit.tng.api_support import WISH, make_house, visiting
from tng.script import Premise
from tng.shows import Show

every_show = pytest.mark.parametrize("read", [first_show, second_show], ids=["first", "second"])


async def test_the_offer_says_what_there_is_and_what_it_costs() -> None:
    async with visiting(make_house(price_cents=499, currency="eur"), None) as anyone:
        offer = (await anyone.get("/offer")).json()
    assert offer["price"]["text"] == "4.99 EUR"
    assert offer["demo"] is True
    assert [length["name"] for length in offer["lengths"]] == ["teaser", "short", "episode"]
    assert offer["limits"]["fewest_cast"] == 2


async def test_the_offer_says_whether_orders_are_taken_and_why_not() -> None:
    house = make_house()
    async with visiting(house, None) as anyone:
        opened = (await anyone.get("/offer")).json()
        house.closed = True
        closed = (await anyone.get("/offer")).json()
        house.store.busy = True
    assert (opened["taking_orders"], opened["closed"]) == (True, None)
    assert closed["taking_orders"] is False
    assert "Nothing was charged" in closed["closed"]


@pytest.mark.parametrize("mails", [True, False], ids=["on", "off"])
async def test_the_offer_says_whether_customers_are_written_to(mails: bool) -> None:
    async with visiting(make_house(mail_customers=mails)) as ada:
        assert (await ada.get("/offer")).json()["mails"] is mails


@every_show
async def test_the_ideas_of_a_show_and_the_presets_can_be_ordered_as_they_stand(read: Callable[[], Show]) -> None:
    show = read()
    async with visiting(make_house(show=show)) as ada:
        offer = (await ada.get("/offer")).json()
        ideas = [idea | {"length": "teaser", "seed": 1} for idea in offer["ideas"]]
        wishes = [ideas[0] | {"temperature": preset["temperature"]} for preset in offer["presets"]]
        answers = [
            await ada.post("/orders", json=wish, headers={"Idempotency-Key": f"draft-{number}"})
            for number, wish in enumerate(wishes)
        ]
    assert [Premise.checked(idea, show.cues).title for idea in ideas] == [idea.title for idea in show.ideas]
    assert [idea["title"] for idea in offer["ideas"]] == [idea.title for idea in show.ideas]
    assert [preset["name"] for preset in offer["presets"]] == ["Steady", "Lively", "Wild"]
    assert [answer.status_code for answer in answers] == [201, 201, 201]


@every_show
async def test_the_name_the_words_and_the_colours_are_the_shows(read: Callable[[], Show]) -> None:
    show = read()
    async with visiting(make_house(show=show), None) as anyone:
        offer = (await anyone.get("/offer")).json()
        assert f"<h1>{escape(show.product)}</h1>" in (await anyone.get("/docs")).text
    assert offer["show"] == {
        "id": show.id,
        "title": show.title,
        "product": show.product,
        "disclaimer": show.disclaimer,
        "look": show.look,
    }


@every_show
async def test_the_price_and_the_cast_are_the_shows(read: Callable[[], Show]) -> None:
    show = read()
    async with visiting(make_house(show=show), None) as anyone:
        offer = (await anyone.get("/offer")).json()
    assert (offer["price"]["amount_cents"], offer["price"]["currency"]) == (show.price_cents, show.currency)
    assert [(who["cue"], who["name"]) for who in offer["cast"]] == [(who.cue, who.names[0]) for who in show.cast]
    assert [who["cue"] for who in offer["cast"] if who["lead"]] == list(show.leads)


@every_show
async def test_scenes_are_counted_and_pages_and_seconds_follow_from_them(read: Callable[[], Show]) -> None:
    show = read()
    async with visiting(make_house(show=show), None) as anyone:
        lengths = (await anyone.get("/offer")).json()["lengths"]
    scenes = [sum(len(beats) for beats in acts.values()) for acts in show.lengths.values()]
    assert [length["scenes"] for length in lengths] == scenes
    assert [length["pages"] for length in lengths] == [ceil(0.8 * count) for count in scenes]
    assert [length["seconds"] for length in lengths] == [round(1.2 * count) for count in scenes]


@pytest.mark.parametrize(("read", "status"), [(first_show, 201), (second_show, 422)], ids=["its-show", "another"])
async def test_who_can_be_asked_for_is_in_the_show(read: Callable[[], Show], status: int) -> None:
    async with visiting(make_house(show=read())) as ada:
        answer = await ada.post("/orders", json=WISH, headers={"Idempotency-Key": "draft-1"})
    assert answer.status_code == status
    assert status == 201 or "not in this show" in answer.json()["message"]


async def test_an_order_of_a_show_that_is_over_can_still_be_read() -> None:
    house = make_house()
    order = house.order()
    house.deliver(order)
    async with visiting(make_house(like=house, show=second_show())) as ada:
        kept = (await ada.get(f"/orders/{order.id}")).json()
        listed = (await ada.get("/orders")).json()["orders"]
    assert kept["premise"]["cast"] == WISH["cast"]
    assert [each["id"] for each in listed] == [order.id]
