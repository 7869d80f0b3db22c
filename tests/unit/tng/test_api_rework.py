"""A customer reworks a delivered script by the api, and is refused with a sentence what cannot be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.unit.tng.api_support import SCRIPT, House, make_house, visiting
from tng.errors import RunFailed
from tng.jobs import MOST_FAILURES, JobKind
from tng.orders import Order

SCENE = "# INT. CORRIDOR\nRain.\nSOREL: (tired) I am Sorel."
AGAIN = "# INT. SICKBAY\nSnow.\nSOREL: Where?"


@pytest.fixture
def house() -> House:
    return make_house()


@pytest.fixture
def order(house: House) -> Order:
    order = house.order()
    house.deliver(order)
    return order


@pytest.fixture
async def ada(house: House) -> AsyncIterator[httpx.AsyncClient]:
    async with visiting(house) as client:
        yield client


def written(house: House, text: str = SCENE) -> None:
    """A worker writes the take that is owed."""
    job = house.claim()
    assert job.kind is JobKind.WRITE_SCENE
    house.fulfilment.deliver_take(job, text=text, release_id="tng-test")


async def post(client: httpx.AsyncClient, order: Order, path: str, **body: Any) -> httpx.Response:
    return await client.post(f"/orders/{order.id}/{path}", json={"seen": 0} | body)


async def desktop(client: httpx.AsyncClient, order: Order) -> dict[str, Any]:
    answer = await client.get(f"/orders/{order.id}/editions")
    assert answer.status_code == 200
    return dict(answer.json())


async def test_nothing_is_reworked_at_first(ada: httpx.AsyncClient, order: Order) -> None:
    assert await desktop(ada, order) == {
        "edition": 0,
        "editions": [],
        "takes": [],
        "pending": None,
        "failed": None,
        "most_takes": 3,
        "guests": [],
        "stands": [],
    }


async def test_a_scene_is_written_again_and_stands_and_the_old_one_comes_back(
    ada: httpx.AsyncClient, house: House, order: Order
) -> None:
    answer = await post(ada, order, "scenes/2/again")
    assert (answer.status_code, answer.json()) == (202, {"scene": 2, "take": 1, "is_running": False})
    assert (await desktop(ada, order))["pending"] == answer.json()
    written(house)
    there = await desktop(ada, order)
    (take,) = there["takes"]
    assert (take["scene"], take["number"], take["text"], take["is_another_release"]) == (2, 1, SCENE, False)
    assert (there["edition"], there["pending"], there["guests"]) == (1, None, ["Sorel"])
    assert [one["why"] for one in there["editions"]] == ["scene"]
    assert there["stands"] == [{"scene": 2, "take": 1}]
    shown = (await ada.get(f"/orders/{order.id}")).json()
    assert (shown["edition"], shown["state"]) == (1, "delivered")
    assert SCENE in shown["script_text"]
    assert "SOREL" in (await ada.get(f"/orders/{order.id}/script.txt")).text
    back = await post(ada, order, "editions/0/choose", seen=1)
    assert back.json() == {"edition": 2}
    assert (await ada.get(f"/orders/{order.id}")).json()["script_text"] == SCRIPT
    chosen = await post(ada, order, "scenes/2/take", take=1, seen=2)
    assert chosen.json() == {"edition": 3}
    assert (await ada.get(f"/orders/{order.id}/editions/0")).json() == {"number": 0, "script_text": SCRIPT}


async def test_a_take_that_failed_is_said_and_can_be_asked_for_again(
    ada: httpx.AsyncClient, house: House, order: Order
) -> None:
    await post(ada, order, "scenes/2/again")
    for _ in range(MOST_FAILURES):
        house.clock.advance(minutes=10)
        house.fulfilment.fail(house.claim(), RunFailed("cell 3 raised ValueError of Sorel", cause="ValueError"))
    there = await desktop(ada, order)
    assert (there["pending"], there["takes"], there["edition"]) == (None, [], 0)
    assert (there["failed"]["scene"], there["failed"]["take"]) == (2, 1)
    assert "once more" in there["failed"]["message"]
    assert (await post(ada, order, "scenes/2/again")).status_code == 202
    assert (await desktop(ada, order))["failed"] is None


async def test_a_line_and_a_name_are_changed(ada: httpx.AsyncClient, house: House, order: Order) -> None:
    await post(ada, order, "scenes/2/again")
    written(house)
    named = await post(ada, order, "rename", old="Sorel", new="Mara", seen=1)
    assert (named.status_code, named.json()) == (200, {"edition": 2})
    line = await post(ada, order, "lines", scene=2, block=0, text="Snow.", seen=2)
    assert line.json() == {"edition": 3}
    text = (await ada.get(f"/orders/{order.id}")).json()["script_text"]
    assert "Snow.\nMARA: (tired) I am Mara." in text
    await post(ada, order, "scenes/2/again", seen=3)
    written(house, AGAIN)
    assert "MARA: Where?" in (await ada.get(f"/orders/{order.id}")).json()["script_text"]


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("scenes/0/again", {}, 422, "EditionRefused"),
    ("scenes/4/again", {}, 422, "EditionRefused"),
    ("scenes/-1/again", {}, 422, "PremiseError"),
    (f"scenes/{2**31}/again", {}, 422, "PremiseError"),
    ("scenes/one/again", {}, 422, "PremiseError"),
    ("scenes/1/again", {"seen": 1}, 409, "EditionOvertaken"),
    ("scenes/1/again", {"seen": None}, 422, "PremiseError"),
    ("scenes/1/again", {"take": 2}, 422, "PremiseError"),
    ("scenes/1/take", {"take": 1}, 422, "EditionRefused"),
    ("scenes/1/take", {}, 422, "PremiseError"),
    ("scenes/9/take", {"take": 0}, 422, "EditionRefused"),
    ("scenes/1/take", {"take": 0, "seen": 7}, 409, "EditionOvertaken"),
    ("lines", {"scene": 1, "block": 99, "text": "Rain."}, 422, "EditionRefused"),
    ("lines", {"scene": 1, "block": 1, "text": ""}, 422, "EditionRefused"),
    ("lines", {"scene": 1, "block": 0, "text": "x" * 1001}, 422, "EditionRefused"),
    ("lines", {"scene": 1, "block": 0, "text": "Rain.\a"}, 422, "EditionRefused"),
    ("lines", {"scene": "1", "block": 0, "text": "Rain."}, 422, "PremiseError"),
    ("lines", {"scene": 1, "block": 0, "text": "Rain.", "seen": 3}, 409, "EditionOvertaken"),
    ("rename", {"old": "Picard", "new": "Mara"}, 422, "EditionRefused"),
    ("rename", {"old": "Nobody", "new": "Mara"}, 422, "EditionRefused"),
    ("rename", {"old": "Rain", "new": "Data"}, 422, "PremiseError"),
    ("rename", {"old": "Rain", "new": "two words"}, 422, "PremiseError"),
    ("rename", {"old": "Rain", "new": "Mara", "seen": 9}, 409, "EditionOvertaken"),
    ("editions/5/choose", {}, 404, "OrderNotFound"),
    ("editions/0/choose", {"seen": 2}, 409, "EditionOvertaken"),
]


@pytest.mark.parametrize(("path", "body", "status", "error"), REFUSED)
async def test_what_cannot_be_is_refused_with_a_sentence_and_changes_nothing(
    ada: httpx.AsyncClient, order: Order, path: str, body: dict[str, Any], status: int, error: str
) -> None:
    before = await desktop(ada, order)
    answer = await post(ada, order, path, **body)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["message"].endswith((".", "?"))
    assert await desktop(ada, order) == before


PATHS = [
    ("scenes/1/again", {}),
    ("scenes/1/take", {"take": 0}),
    ("lines", {"scene": 1, "block": 0, "text": "Rain."}),
    ("rename", {"old": "Rain", "new": "Mara"}),
    ("editions/0/choose", {}),
]


@pytest.mark.parametrize(("path", "body"), PATHS, ids=[path for path, _ in PATHS])
async def test_a_script_that_is_not_ready_is_not_reworked(
    ada: httpx.AsyncClient, house: House, path: str, body: dict[str, Any]
) -> None:
    placed, paid = house.order(), house.pay(house.order())
    for order in (placed, paid):
        answer = await post(ada, order, path, **body)
        assert (answer.status_code, answer.json()["error"]) == (409, "IllegalMove")


@pytest.mark.parametrize(("path", "body"), PATHS, ids=[path for path, _ in PATHS])
async def test_a_script_in_the_bin_and_a_strangers_are_not_there(
    ada: httpx.AsyncClient, house: House, order: Order, path: str, body: dict[str, Any]
) -> None:
    async with visiting(house, "ben-token") as ben:
        assert (await post(ben, order, path, **body)).status_code == 404
    await ada.post(f"/orders/{order.id}/bin")
    answer = await post(ada, order, path, **body)
    assert (answer.status_code, answer.json()["error"]) == (404, "OrderNotFound")
    assert (await ada.get(f"/orders/{order.id}/editions")).status_code == 404


async def test_two_scenes_are_not_written_at_once_and_none_a_fourth_time(
    ada: httpx.AsyncClient, house: House, order: Order
) -> None:
    await post(ada, order, "scenes/1/again")
    answer = await post(ada, order, "scenes/2/again")
    assert (answer.status_code, answer.json()["error"]) == (409, "TakeUnderWay")
    assert (await post(ada, order, "scenes/1/again")).json()["take"] == 1
    for number in range(3):
        await post(ada, order, "scenes/1/again", seen=number)
        written(house, f"# INT. CORRIDOR\nRain {number}.")
    answer = await post(ada, order, "scenes/1/again", seen=3)
    assert (answer.status_code, answer.json()["error"]) == (422, "EditionRefused")
    assert "3 times" in answer.json()["message"]


async def test_a_refunded_order_shows_nothing_of_what_was_reworked(
    ada: httpx.AsyncClient, house: House, order: Order
) -> None:
    await post(ada, order, "scenes/1/again")
    written(house)
    with house.store.begin() as work:
        before = work.orders.get(order.id)
        work.orders.save(before.moved("refunding", by="operator ola", why="test", at=house.clock.now()))  # type: ignore[arg-type]
        work.commit()
    there = await desktop(ada, order)
    assert (there["edition"], there["takes"], there["editions"], there["guests"]) == (0, [], [], [])
    assert (await ada.get(f"/orders/{order.id}/editions/1")).status_code == 409
