"""A scene written again, from the wish to the script, over every store: what is kept, and what it never costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.fakes import START
from tests.house import House
from tests.invariants import World, assert_invariants, books_of
from tests.samples import forced, the_order
from tng.erasing import erase
from tng.errors import (
    EditionOvertaken,
    EditionRefused,
    IllegalMove,
    JobCancelled,
    LeaseLost,
    OrderNotFound,
    RunFailed,
    TakeUnderWay,
)
from tng.jobs import MOST_ATTEMPTS, MOST_FAILURES, EventKind, Job, JobKind, JobState
from tng.library.editions import MOST_TAKES, Edition, Why
from tng.library.reworking import Desktop
from tng.library.takes import TakeJob
from tng.orders import Order, OrderState
from tng.ports import Store
from tng.promotion.promotions import Promotion, PromotionKind
from tng.script import parse

TEXT = "Title: X\n## TEASER\n# INT. BRIDGE\nOran waits.\nORAN: Where?\n# INT. SICKBAY\nRain.\n"
SCENE = "# INT. CORRIDOR\nOran runs.\nORAN: Here!"
FAULT = RunFailed("cell 3 raised ValueError", cause="ValueError")


@pytest.fixture
def house(store: Store) -> House:
    return House(store)


@pytest.fixture
def order(house: House) -> Order:
    order, job = house.writing()
    house.fulfilment.deliver(job, script_text=TEXT, release_id="tng-small-2", run_sha256="a" * 64)
    return the_order(house.store, order.id)


def ask(house: House, order: Order, scene: int = 1, seen: int = 0) -> TakeJob:
    return house.shop.rework.write_again(order.id, "ada", scene, seen)


def desktop(house: House, order: Order) -> Desktop:
    return house.shop.rework.desktop(order.id, "ada")


def claim(house: House) -> Job:
    job = house.fulfilment.claim("w1")
    assert job is not None
    return job


def write(house: House, job: Job, text: str = SCENE) -> None:
    house.fulfilment.deliver_take(job, text=text, release_id="tng-small-2")


def again(house: House, order: Order, scene: int = 1, text: str = SCENE) -> None:
    """A take, asked for and written."""
    ask(house, order, scene, desktop(house, order).edition)
    write(house, claim(house), text)


def job_of(house: House, order: Order, number: int = -1) -> Job:
    with house.store.read() as work:
        return [job for job in work.jobs.of(order.id) if job.kind is JobKind.WRITE_SCENE][number]


def quiet(house: House) -> None:
    """Every invariant holds."""
    assert_invariants(World(house.store, books_of(house.gateway)))


class TestATake:
    def test_is_kept_and_chosen_and_the_original_stays(self, house: House, order: Order) -> None:
        assert ask(house, order) == TakeJob(1, 1)
        assert desktop(house, order).pending == TakeJob(1, 1)
        job = claim(house)
        assert desktop(house, order).pending == TakeJob(1, 1, is_running=True)
        write(house, job)
        there = desktop(house, order)
        assert (there.edition, there.pending, there.failed) == (1, None, None)
        assert [(t.scene, t.number, t.text, t.seed, t.release_id) for t in there.takes] == [
            (1, 1, SCENE, order.premise.seed, "tng-small-2")
        ]
        assert there.editions[0].why is Why.SCENE
        assert house.shop.rework.text_of(order) == TEXT.replace("BRIDGE\nOran waits.\nORAN: Where?", SCENE[7:])
        assert the_order(house.store, order.id) == order, "no word of it, no state, no money"
        assert job_of(house, order).state is JobState.DONE
        quiet(house)

    def test_is_told_which_were_made_before_it(self, house: House, order: Order) -> None:
        for scene in (2, 1, 2):
            house.clock.advance(seconds=1)
            again(house, order, scene, f"# INT. CORRIDOR\n{scene} {house.clock.now().second}.")
        ask(house, order, 1, 3)
        given = claim(house).parameters
        assert (given["order_id"], given["scene_number"], given["take_number"]) == (order.id, 1, 2)
        assert given["written_before"] == [2, 1, 2]

    def test_is_put_on_top_of_what_was_changed_meanwhile(self, house: House, order: Order) -> None:
        ask(house, order)
        job = claim(house)
        house.shop.rework.edit_line(order.id, "ada", 2, 0, "Snow.", 0)
        write(house, job)
        text = house.shop.rework.text_of(order) or ""
        assert desktop(house, order).edition == 2
        assert ("Snow." in text, "Oran runs." in text) == (True, True)

    def test_has_the_names_that_guests_have_by_now(self, house: House, order: Order) -> None:
        rework = house.shop.rework
        rework.rename_guest(order.id, "ada", "Oran", "Lena", 0, cues=())
        again(house, order)
        assert "LENA: Here!" in (rework.text_of(order) or "")
        assert rework.choose_take(order.id, "ada", 1, 0, 2) == 3
        assert "Lena waits.\nLENA: Where?" in (rework.text_of(order) or "")
        rework.choose_edition(order.id, "ada", 0, 3)
        rework.choose_take(order.id, "ada", 1, 1, 4)
        assert "ORAN: Here!" in (rework.text_of(order) or ""), "back at the original, back at its names"

    def test_waits_where_there_is_no_room_for_another_edition(self, house: House, order: Order) -> None:
        with house.store.begin() as work:
            for number in range(1, 200):
                work.editions.add(Edition(order.id, number, TEXT, Why.LINE, START))
            work.commit()
        ask(house, order, seen=199)
        job = claim(house)
        house.shop.rework.edit_line(order.id, "ada", 2, 0, "Snow.", 199)
        write(house, job)
        there = desktop(house, order)
        assert (there.edition, len(there.takes)) == (200, 1)
        with pytest.raises(EditionRefused):
            ask(house, order, 2, 200)

    def test_of_a_part_is_written_as_well(self, house: House, order: Order) -> None:
        with house.store.begin() as work:
            work.orders.save(replace(work.orders.get(order.id), is_part=True))
            work.commit()
        again(house, order)
        assert desktop(house, order).edition == 1


class TestAsking:
    def test_twice_owes_one(self, house: House, order: Order) -> None:
        assert ask(house, order) == ask(house, order)
        write(house, claim(house))
        assert house.fulfilment.claim("w1") is None

    def test_for_another_scene_meanwhile_is_refused(self, house: House, order: Order) -> None:
        ask(house, order)
        with pytest.raises(TakeUnderWay):
            ask(house, order, 2)

    def test_is_possible_three_times_a_scene(self, house: House, order: Order) -> None:
        for number in range(MOST_TAKES):
            again(house, order, 1, f"# INT. CORRIDOR\nRain {number}.")
        with pytest.raises(EditionRefused):
            ask(house, order, 1, MOST_TAKES)
        assert ask(house, order, 2, MOST_TAKES) == TakeJob(2, 1)

    @pytest.mark.parametrize("scene", [0, 3, 2**31 - 1])
    def test_for_a_scene_that_is_not_there_is_refused(self, house: House, order: Order, scene: int) -> None:
        with pytest.raises(EditionRefused):
            ask(house, order, scene)

    def test_from_a_page_that_shows_another_edition_is_refused(self, house: House, order: Order) -> None:
        with pytest.raises(EditionOvertaken):
            ask(house, order, seen=1)

    def test_is_for_its_customer_and_a_script_that_is_ready(self, house: House, order: Order) -> None:
        with pytest.raises(OrderNotFound):
            house.shop.rework.write_again(order.id, "ben", 1, 0)
        with pytest.raises(IllegalMove):
            ask(house, house.paid("key-2"))

    def test_gives_way_to_every_script_that_was_paid_for(self, house: House, order: Order) -> None:
        ask(house, order)
        house.clock.advance(seconds=1)
        other = house.paid("key-2")
        assert [claim(house).order_id for _ in range(2)] == [other.id, order.id]

    def test_counts_as_no_order(self, house: House, order: Order) -> None:
        ask(house, order)
        other = house.paid("key-2")
        with house.store.read() as work:
            assert work.counts.waiting()[0] == 1
        turn = house.shop.standing(other).turn
        assert turn is not None
        assert turn.place == 1
        job = claim(house)
        house.fulfilment.deliver(job, script_text=TEXT, release_id="tng-small-2", run_sha256="a" * 64)
        with house.store.read() as work:
            before = work.counts.run_seconds()
        take = claim(house)
        house.clock.advance(seconds=9)
        write(house, take)
        with house.store.read() as work:
            assert work.counts.run_seconds() == before, "nobody waits longer for a script because of it"


class TestAFailure:
    def test_gives_the_take_back_and_says_so_and_the_order_stays(self, house: House, order: Order) -> None:
        ask(house, order)
        for _ in range(MOST_FAILURES):
            house.clock.advance(minutes=10)
            state = house.fulfilment.fail(claim(house), FAULT)
        assert state is JobState.DEAD
        there = desktop(house, order)
        assert (there.pending, there.failed, there.takes, there.edition) == (None, TakeJob(1, 1), [], 0)
        assert the_order(house.store, order.id) == order
        assert house.shop.run_errands() == 0, "nothing was paid for it"
        quiet(house)
        assert ask(house, order) == TakeJob(1, 1), "the same take, once more"
        assert desktop(house, order).failed is None
        write(house, claim(house))
        assert len(desktop(house, order).takes) == 1

    def test_of_every_worker_gives_it_back_too(self, house: House, order: Order) -> None:
        ask(house, order)
        for _ in range(MOST_ATTEMPTS):
            claim(house)
            house.clock.advance(seconds=11)
        assert house.fulfilment.claim("w2") is None
        assert desktop(house, order).failed == TakeJob(1, 1)
        assert the_order(house.store, order.id) == order
        quiet(house)

    def test_a_worker_that_was_overtaken_writes_nothing(self, house: House, order: Order) -> None:
        ask(house, order)
        late = claim(house)
        house.clock.advance(seconds=11)
        write(house, claim(house))
        with pytest.raises(LeaseLost):
            write(house, late, "# INT. NOWHERE\nSnow.")
        assert [take.text for take in desktop(house, order).takes] == [SCENE]

    def test_a_take_by_another_release_than_it_was_given_is_refused(self, house: House, order: Order) -> None:
        promote(house, "tng-small-2")
        ask(house, order)
        with pytest.raises(RunFailed, match="was given"):
            house.fulfilment.deliver_take(claim(house), text=SCENE, release_id="another")


def refunded(house: House, order: Order) -> None:
    house.refunds.refund(order.id, by="operator ola", why="asked for")


def disputed(house: House, order: Order) -> None:
    house.put(order, OrderState.DISPUTED, before_dispute=OrderState.DELIVERED)


def erased(house: House, order: Order) -> None:
    with house.store.begin() as work:
        erase(work, work.orders.get(order.id), house.runs, house.clock.now())  # type: ignore[attr-defined]
        work.commit()


@pytest.mark.parametrize("happens", [refunded, disputed, erased])
class TestAnOrderThatIsTakenAwayMeanwhile:
    @pytest.fixture(autouse=True)
    def _runs(self, house: House, tmp_path: object) -> None:
        house.runs = tmp_path  # type: ignore[attr-defined]

    def test_drops_the_take_that_is_being_written(
        self, house: House, order: Order, happens: Callable[[House, Order], None]
    ) -> None:
        ask(house, order)
        job = claim(house)
        happens(house, order)
        before = the_order(house.store, order.id)
        with pytest.raises((JobCancelled, LeaseLost)):
            house.fulfilment.check(job)
        with pytest.raises((JobCancelled, LeaseLost)):
            write(house, job)
        with house.store.read() as work:
            assert (list(work.editions.takes(order.id)), work.editions.count(order.id)) == ([], 0)
        assert job_of(house, order).state is JobState.CANCELLED
        assert the_order(house.store, order.id) == before

    def test_drops_the_take_that_waits(
        self, house: House, order: Order, happens: Callable[[House, Order], None]
    ) -> None:
        ask(house, order)
        happens(house, order)
        assert house.fulfilment.claim("w1") is None
        assert job_of(house, order).state is JobState.CANCELLED


def test_a_refund_ends_the_take_in_its_own_commit(house: House, order: Order) -> None:
    ask(house, order)
    refunded(house, order)
    assert job_of(house, order).state is JobState.CANCELLED
    with house.store.read() as work:
        kinds = [event.kind for event in work.jobs.heard(job_of(house, order).id)]
    assert kinds == [EventKind.CANCELLED]


def promote(house: House, *names: str) -> None:
    """Rows of the ledger, the last one current."""
    with house.store.begin() as work:
        for name in names:
            last = work.promotions.current()
            number, before = (last.id + 1, last.to_id) if last else (1, None)
            work.promotions.add(Promotion(number, START, PromotionKind.PROMOTED, before, name, "a" * 64, "ola", "try"))
        work.commit()


class TestTheRelease:
    def test_is_the_one_that_wrote_the_script(self, house: House, order: Order) -> None:
        promote(house, "tng-small-2", "tng-small-3")
        ask(house, order)
        assert claim(house).release_id == "tng-small-2"
        assert claim_of(house, house.paid("key-2")) == "tng-small-3"

    def test_is_the_current_one_after_a_failure_with_that(self, house: House, order: Order) -> None:
        promote(house, "tng-small-2", "tng-small-3")
        ask(house, order)
        house.fulfilment.fail(claim(house), RunFailed("it is gone", cause="ReleaseGone"))
        house.clock.advance(minutes=1)
        job = claim(house)
        assert job.release_id == "tng-small-3"
        house.fulfilment.deliver_take(job, text=SCENE, release_id="tng-small-3")
        assert [take.release_id for take in desktop(house, order).takes] == ["tng-small-3"]

    def test_is_the_current_one_where_the_ledger_never_knew_that(self, house: House, order: Order) -> None:
        promote(house, "tng-small-3")
        ask(house, order)
        assert claim(house).release_id == "tng-small-3"

    def test_a_take_says_nothing_of_the_scripts_of_its_release(self, house: House, order: Order) -> None:
        promote(house, "tng-small-2")
        again(house, order)
        with house.store.read() as work:
            assert list(work.counts.written(1, 20)) == []


def claim_of(house: House, order: Order) -> str | None:
    job = claim(house)
    assert job.order_id == order.id
    return job.release_id


def test_control_the_invariants_see_a_take_that_nobody_asked_for(house: House, order: Order) -> None:
    again(house, order)
    with house.store.begin() as work:
        (take,) = work.editions.takes(order.id)
        work.editions.keep(replace(take, number=3))
        work.commit()
    with pytest.raises(AssertionError, match="I11"):
        quiet(house)


def test_what_is_written_again_reads_back(house: House, order: Order) -> None:
    again(house, order)
    assert len(parse(house.shop.rework.text_of(order) or "").scenes) == 2


def test_a_disputed_script_that_is_won_back_can_be_written_again(house: House, order: Order) -> None:
    ask(house, order)
    disputed(house, order)
    house.fulfilment.claim("w1")
    with house.store.begin() as work:
        work.orders.save(forced(work.orders.get(order.id), OrderState.DELIVERED))
        work.commit()
    assert desktop(house, order).failed is None
    again(house, order)
    assert len(desktop(house, order).takes) == 1
