"""What every Store promises of editions and takes."""

from __future__ import annotations

import pytest

from tests.fakes import START
from tests.samples import a_job, an_order, forced, keep
from tng.errors import StoreBusy
from tng.library.editions import Edition, Take, Why
from tng.orders import LeftOut, OrderState
from tng.ports import Store

ADAS = forced(an_order(1), OrderState.DELIVERED, script_text="Title: X\n", ended_at=START)
BENS = forced(an_order(2, customer="ben"), OrderState.DELIVERED, script_text="Title: Y\n", ended_at=START)


def an_edition(number: int, order_id: str = ADAS.id) -> Edition:
    """An edition; its text follows from its number."""
    return Edition(order_id, number, f"Title: X{number}\n", Why.LINE, START, {"Lena": "Mara"})


def a_take(number: int, scene: int = 1, order_id: str = ADAS.id) -> Take:
    """A take of a scene."""
    return Take(order_id, scene, number, "# INT. BRIDGE\nRain.", 7, "tng-small-2", START)


@pytest.fixture(autouse=True)
def _orders(store: Store) -> None:
    keep(store, ADAS, BENS)


def test_an_order_that_nobody_reworked_has_neither(store: Store) -> None:
    with store.read() as work:
        assert (work.editions.last(ADAS.id), work.editions.count(ADAS.id)) == (None, 0)
        assert (list(work.editions.listed(ADAS.id)), list(work.editions.takes(ADAS.id))) == ([], [])
        assert work.editions.get(ADAS.id, 1) is None


def test_editions_are_kept_and_the_last_one_is_the_one_with_the_greatest_number(store: Store) -> None:
    with store.begin() as work:
        for number in (1, 2):
            work.editions.add(an_edition(number))
        work.editions.add(an_edition(1, BENS.id))
        work.commit()
    with store.read() as work:
        assert work.editions.last(ADAS.id) == an_edition(2)
        assert work.editions.get(ADAS.id, 1) == an_edition(1)
        assert work.editions.count(ADAS.id) == 2
        listed = work.editions.listed(ADAS.id)
    assert [one.number for one in listed] == [1, 2]
    assert all(isinstance(one.script_text, LeftOut) for one in listed)
    assert all(one.names == {"Lena": "Mara"} for one in listed)


def test_takes_come_by_scene_and_number(store: Store) -> None:
    with store.begin() as work:
        for take in (a_take(1, scene=2), a_take(2), a_take(1), a_take(1, order_id=BENS.id)):
            work.editions.keep(take)
        work.commit()
    with store.read() as work:
        assert list(work.editions.takes(ADAS.id)) == [a_take(1), a_take(2), a_take(1, scene=2)]


def test_a_number_is_given_once(store: Store) -> None:
    with store.begin() as work:
        work.editions.add(an_edition(1))
        work.editions.keep(a_take(1))
        work.commit()
    with pytest.raises(StoreBusy), store.begin() as work:
        work.editions.add(an_edition(1))
    with pytest.raises(StoreBusy), store.begin() as work:
        work.editions.keep(a_take(1))


def test_what_is_forgotten_is_gone_and_nobody_elses(store: Store) -> None:
    with store.begin() as work:
        for order_id in (ADAS.id, BENS.id):
            work.editions.add(an_edition(1, order_id))
            work.editions.keep(a_take(1, order_id=order_id))
        work.editions.forget(ADAS.id)
        work.commit()
    with store.read() as work:
        assert (work.editions.count(ADAS.id), list(work.editions.takes(ADAS.id))) == (0, [])
        assert (work.editions.count(BENS.id), len(work.editions.takes(BENS.id))) == (1, 1)


def test_the_jobs_of_an_order_come_the_oldest_first_and_nobody_elses(store: Store) -> None:
    keep(store, a_job(1, order=ADAS), a_job(2, order=BENS))
    with store.read() as work:
        assert [job.key for job in work.jobs.of(ADAS.id)] == [f"order:{ADAS.id}"]
