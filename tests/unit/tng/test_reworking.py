"""What a customer may do with a delivered script, and what never changes by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes import START, FakeClock, FakeStore
from tests.house import House
from tests.samples import an_order, forced, keep, the_order
from tng.customers import Customers
from tng.erasing import erase
from tng.errors import EditionOvertaken, EditionRefused, IllegalMove, OrderNotFound
from tng.library.editions import Take, Why
from tng.library.reworking import Reworking, chosen_text
from tng.orders import Order, OrderState

TEXT = "Title: X\n## TEASER\n# INT. BRIDGE\nOran waits.\nORAN: Where?\n"


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def rework(store: FakeStore) -> Reworking:
    return Reworking(store, FakeClock())


@pytest.fixture
def order(store: FakeStore) -> Order:
    delivered = forced(an_order(), OrderState.DELIVERED, script_text=TEXT, ended_at=START)
    keep(store, delivered)
    return the_order(store, delivered.id)


def test_a_change_is_a_new_edition_and_the_original_stays(rework: Reworking, store: FakeStore, order: Order) -> None:
    assert rework.edit_line(order.id, "ada", 1, 0, "Rain.", 0) == 1
    assert rework.rename_guest(order.id, "ada", "Oran", "Lena", 1, cues=("DATA",)) == 2
    assert rework.chosen(order) == (2, "Title: X\n## TEASER\n# INT. BRIDGE\nRain.\nLENA: Where?\n")
    assert rework.text_of(order, 0) == TEXT == the_order(store, order.id).script_text
    assert [one.why for one in rework.desktop(order.id, "ada").editions] == [Why.LINE, Why.RENAME]


def test_of_two_pages_the_slower_one_is_told(rework: Reworking, order: Order) -> None:
    rework.edit_line(order.id, "ada", 1, 0, "Rain.", 0)
    with pytest.raises(EditionOvertaken):
        rework.edit_line(order.id, "ada", 1, 0, "Snow.", 0)


def test_a_change_that_changes_nothing_makes_no_edition(rework: Reworking, order: Order) -> None:
    assert rework.edit_line(order.id, "ada", 1, 0, "Oran  waits.", 0) == 0


def test_going_back_is_an_edition_too(rework: Reworking, order: Order) -> None:
    rework.edit_line(order.id, "ada", 1, 0, "Rain.", 0)
    assert rework.choose_edition(order.id, "ada", 0, 1) == 2
    assert rework.text_of(order) == TEXT
    with pytest.raises(OrderNotFound):
        rework.choose_edition(order.id, "ada", 9, 2)


def test_a_take_takes_the_place_of_its_scene_and_goes_again(rework: Reworking, store: FakeStore, order: Order) -> None:
    with store.begin() as work:
        work.editions.keep(Take(order.id, 1, 1, "# INT. SICKBAY\nSnow.", 7, "r", START))
        work.commit()
    assert rework.choose_take(order.id, "ada", 1, 1, 0) == 1
    assert rework.text_of(order) == "Title: X\n## TEASER\n# INT. SICKBAY\nSnow.\n"
    assert rework.choose_take(order.id, "ada", 1, 0, 1) == 2
    assert rework.text_of(order) == TEXT
    with pytest.raises(EditionRefused):
        rework.choose_take(order.id, "ada", 1, 2, 2)


def test_a_script_is_changed_two_hundred_times_and_no_more(rework: Reworking, order: Order) -> None:
    for number in range(200):
        rework.edit_line(order.id, "ada", 1, 0, f"Rain {number}.", number)
    with pytest.raises(EditionRefused):
        rework.edit_line(order.id, "ada", 1, 0, "Snow.", 200)


@pytest.mark.parametrize("state", [state for state in OrderState if state is not OrderState.DELIVERED])
def test_only_a_delivered_script_is_reworked(rework: Reworking, store: FakeStore, state: OrderState) -> None:
    other = forced(an_order(2), state, script_text=TEXT, is_part=True)
    keep(store, other)
    with pytest.raises(IllegalMove):
        rework.edit_line(other.id, "ada", 1, 0, "Rain.", 0)


def test_a_stranger_reworks_nothing(rework: Reworking, order: Order) -> None:
    for call in (
        lambda: rework.desktop(order.id, "ben"),
        lambda: rework.edit_line(order.id, "ben", 1, 0, "Rain.", 0),
        lambda: rework.rename_guest(order.id, "ben", "Oran", "Lena", 0, cues=()),
        lambda: rework.choose_take(order.id, "ben", 1, 0, 0),
        lambda: rework.choose_edition(order.id, "ben", 0, 0),
    ):
        with pytest.raises(OrderNotFound):
            call()


def test_what_is_erased_is_erased_in_every_edition(
    rework: Reworking, store: FakeStore, order: Order, tmp_path: object
) -> None:
    rework.edit_line(order.id, "ada", 1, 0, "Rain.", 0)
    with store.begin() as work:
        erased = erase(work, work.orders.get(order.id), tmp_path, START)  # type: ignore[arg-type]
        work.commit()
    with store.read() as work:
        assert (work.editions.count(order.id), chosen_text(work, erased)) == (0, None)
    with pytest.raises(IllegalMove):
        rework.edit_line(order.id, "ada", 1, 0, "Rain.", 0)


def test_a_customer_is_handed_takes_and_what_was_done_for_them_and_is_forgotten_with_them(tmp_path: Path) -> None:
    house = House()
    order, script = house.writing()
    house.fulfilment.deliver(script, script_text=TEXT, release_id="tng-small-2", run_sha256="a" * 64)
    house.shop.rework.write_again(order.id, "ada", 1, 0)
    job = house.fulfilment.claim("w1")
    assert job is not None
    (tmp_path / f"{job.id}.1").mkdir()
    (tmp_path / f"{job.id}.1" / "notebook.ipynb").write_text("{}", encoding="utf-8")
    house.fulfilment.deliver_take(job, text="# INT. SICKBAY\nSnow.", release_id="tng-small-2")
    customers = Customers(house.store, house.clock, tmp_path)
    handed = dict(customers.everything("ada"))
    folder = f"orders/{order.id}"
    assert handed[f"{folder}/takes/scene-1-take-1.house"] == b"# INT. SICKBAY\nSnow."
    assert {f"{folder}/job.json", f"{folder}/takes/job-{job.id}.json", f"{folder}/runs/{job.id}.1.ipynb"} <= set(handed)
    customers.forget("ada")
    with house.store.read() as work:
        assert list(work.editions.takes(order.id)) == []
        assert [one.parameters for one in work.jobs.of(order.id)] == [{}, {}]
    assert list(tmp_path.iterdir()) == []
