"""What every Store promises of GPUs: one holder a GPU, leases, an orderly queue, hours that are counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from tests import threads
from tests.fakes import START, FakeClock
from tng.errors import StoreBusy
from tng.gpus.ledger import LEASE, PATIENCE, GpuLedger
from tng.gpus.rules import Claim, ClaimKind, Floor, Use, Waiting, Wish, grant
from tng.ports import Store

ORDER, WORKBENCH = ClaimKind.ORDER, ClaimKind.WORKBENCH
TWO = ("GPU-0", "GPU-1")
SECOND = timedelta(seconds=1)


class Desk:
    """A ledger over the store, and a clock that is moved by hand."""

    def __init__(self, store: Store, order_gpus: int = 0, host: str = "here") -> None:
        self.clock = FakeClock()
        self.ledger = GpuLedger(store, self.clock, host=host, order_gpus=order_gpus)

    def ask(
        self, holder: str, count: int = 1, kind: ClaimKind = WORKBENCH, gpus: Sequence[str] = TWO
    ) -> tuple[str, ...] | int:
        """The GPUs that somebody gets, or the place in the queue."""
        answer = self.ledger.claim(holder, kind, count, gpus)
        return answer.gpus if isinstance(answer, Claim) else answer.place


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


class TestClaiming:
    def test_two_get_two_and_the_third_waits(self, desk: Desk) -> None:
        assert [desk.ask(name) for name in ("ada", "bob", "cy")] == [("GPU-0",), ("GPU-1",), 1]

    def test_what_is_given_back_goes_to_who_waits(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        assert desk.ask("bob") == 1
        desk.ledger.release("ada", WORKBENCH)
        assert desk.ask("bob") == ("GPU-0",)
        assert desk.ledger.book().wishes == []

    def test_asking_again_gives_the_same(self, desk: Desk) -> None:
        assert desk.ask("ada") == desk.ask("ada") == ("GPU-0",)

    def test_asking_for_more_gives_back_what_was_held(self, desk: Desk) -> None:
        desk.ask("ada")
        assert desk.ask("ada", 2) == TWO

    def test_the_gpus_of_another_host_are_other_gpus(self, store: Store, desk: Desk) -> None:
        assert desk.ask("ada", 2) == Desk(store, host="there").ask("ada", 2) == TWO
        assert len(desk.ledger.book().claims) == 2

    def test_a_gpu_of_a_living_claim_cannot_be_stored_for_somebody_else(self, store: Store) -> None:
        until = START + LEASE
        with store.begin() as work:
            work.gpus.hold(Claim("ada", WORKBENCH, "here", ("GPU-0",), START, until), START)
            work.commit()
        with pytest.raises((StoreBusy, IntegrityError)), store.begin() as work:
            work.gpus.hold(Claim("bob", WORKBENCH, "here", ("GPU-0",), START, until), START)

    def test_what_was_not_committed_is_not_held(self, store: Store, desk: Desk) -> None:
        with store.begin() as work:
            work.gpus.hold(Claim("ada", WORKBENCH, "here", TWO, START, START + LEASE), START)
        assert desk.ask("bob", 2) == TWO

    def test_who_holds_what_is_told_in_order(self, desk: Desk) -> None:
        desk.ask("ada")
        desk.clock.advance(seconds=1)
        desk.ask("bob")
        claims = desk.ledger.book().claims
        assert [(c.holder, c.gpus, c.since_at) for c in claims] == [
            ("ada", ("GPU-0",), START),
            ("bob", ("GPU-1",), START + SECOND),
        ]


class TestLeases:
    def test_a_crash_frees_what_was_held(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        desk.clock.advance(seconds=LEASE.total_seconds())
        assert desk.ask("bob", 2) == TWO

    def test_who_renews_keeps_it(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        for _ in range(5):
            desk.clock.advance(seconds=LEASE.total_seconds() - 1)
            assert desk.ledger.renew("ada", WORKBENCH, TWO)
        assert desk.ask("bob") == 1

    def test_a_lapsed_claim_is_taken_up_again_where_nobody_took_it(self, desk: Desk) -> None:
        desk.ask("ada")
        desk.clock.advance(minutes=30)
        assert desk.ledger.renew("ada", WORKBENCH, ("GPU-0",))
        assert desk.ask("bob") == ("GPU-1",)
        assert desk.ledger.hours_used("ada") == pytest.approx(0.5)

    def test_a_lapsed_claim_is_lost_where_somebody_took_it(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        desk.clock.advance(minutes=3)
        assert desk.ask("bob") == ("GPU-0",)
        assert not desk.ledger.renew("ada", WORKBENCH, TWO)
        assert desk.ask("cy") == ("GPU-1",)

    def test_releasing_nothing_is_fine(self, desk: Desk) -> None:
        desk.ledger.release("nobody", WORKBENCH)


class TestQueue:
    def test_first_come_first_served(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        places = []
        for name in ("bob", "cy", "dan"):
            desk.clock.advance(seconds=1)
            places.append(desk.ask(name))
        assert places == [1, 2, 3]
        desk.ledger.release("ada", WORKBENCH)
        assert desk.ask("dan") == 3
        assert (desk.ask("cy"), desk.ask("bob"), desk.ask("dan")) == (("GPU-0",), ("GPU-1",), 1)

    def test_asking_again_keeps_the_place(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        assert desk.ask("bob") == 1
        for _ in range(10):
            desk.clock.advance(seconds=20)
            desk.ledger.renew("ada", WORKBENCH, TWO)
            assert (desk.ask("bob"), desk.ask("cy")) == (1, 2)

    def test_another_wish_is_a_new_place(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        desk.ask("bob")
        desk.clock.advance(seconds=1)
        desk.ask("cy")
        desk.clock.advance(seconds=1)
        assert desk.ask("bob", 2) == 2

    def test_who_goes_away_loses_the_place(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        desk.ask("bob")
        desk.clock.advance(seconds=PATIENCE.total_seconds())
        assert desk.ask("cy") == 1

    def test_leaving_is_leaving_the_queue(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        desk.ask("bob")
        desk.ledger.release("bob", WORKBENCH)
        assert desk.ask("cy") == 1


class TestOrders:
    def test_what_is_kept_for_orders_is_given_to_no_workbench(self, store: Store) -> None:
        desk = Desk(store, order_gpus=1)
        assert desk.ask("ada", 2) == 1
        assert desk.ask("ada") == ("GPU-0",)
        assert desk.ask("bob") == 1
        assert desk.ask("worker", kind=ORDER) == ("GPU-1",)

    def test_a_gpu_goes_to_the_worker_before_anybody_who_waits(self, store: Store) -> None:
        before = Desk(store, order_gpus=0)
        before.ask("ada", 2)
        assert before.ask("bob") == 1
        desk = Desk(store, order_gpus=1)
        desk.clock.advance(seconds=1)
        assert desk.ask("worker", kind=ORDER) == 1
        desk.ledger.renew("ada", WORKBENCH, ("GPU-1",))
        assert desk.ask("bob") == 1
        desk.ledger.release("ada", WORKBENCH)
        assert desk.ask("ada", 2) == 2
        assert desk.ask("bob") == ("GPU-0",)
        assert desk.ask("worker", kind=ORDER) == ("GPU-1",)

    def test_workers_together_hold_what_is_kept_and_no_more(self, store: Store) -> None:
        desk = Desk(store, order_gpus=1)
        assert desk.ask("w1", kind=ORDER) == ("GPU-0",)
        assert desk.ask("w2", kind=ORDER) == 1
        desk.ledger.release("w1", ORDER)
        assert desk.ask("w2", kind=ORDER) == ("GPU-0",)

    def test_a_workers_hours_are_not_counted(self, store: Store) -> None:
        desk = Desk(store, order_gpus=2)
        desk.ask("worker", 2, ORDER)
        desk.clock.advance(minutes=1)
        desk.ledger.release("worker", ORDER)
        assert desk.ledger.uses("worker") == []


class TestHours:
    def test_are_counted_while_it_runs_and_a_gpu_each(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        for _ in range(60):
            desk.clock.advance(seconds=60)
            desk.ledger.renew("ada", WORKBENCH, TWO)
        assert desk.ledger.hours_used("ada") == pytest.approx(2.0)
        assert desk.ledger.hours_used("bob") == 0

    def test_are_counted_to_the_end(self, desk: Desk) -> None:
        desk.ask("ada")
        desk.clock.advance(seconds=90)
        desk.ledger.release("ada", WORKBENCH)
        desk.clock.advance(hours=1)
        assert desk.ledger.uses("ada") == [Use("ada", 1, START, START + timedelta(seconds=90))]

    def test_after_a_crash_no_more_is_counted_than_was_seen(self, desk: Desk) -> None:
        desk.ask("ada")
        desk.clock.advance(seconds=60)
        desk.ledger.renew("ada", WORKBENCH, ("GPU-0",))
        desk.clock.advance(hours=5)
        desk.ask("ada")
        desk.ledger.release("ada", WORKBENCH)
        assert desk.ledger.hours_used("ada") == pytest.approx(1 / 60)

    def test_are_forgotten_after_a_week(self, desk: Desk) -> None:
        desk.ask("ada")
        desk.clock.advance(seconds=90)
        desk.ledger.release("ada", WORKBENCH)
        desk.clock.advance(days=7)
        assert desk.ledger.uses("ada") == []

    def test_waiting_is_free(self, desk: Desk) -> None:
        desk.ask("ada", 2)
        for _ in range(5):
            desk.clock.advance(seconds=20)
            desk.ask("bob")
        assert desk.ledger.hours_used("bob") == 0


def at_once(people: Sequence[str], act: Callable[[str], tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What everybody gets who asks at the same moment."""
    got: list[tuple[str, ...]] = []
    assert threads.at_once(*(lambda name=name: got.append(act(name)) for name in people)) == []
    return got


class TestManyAtOnce:
    PEOPLE = tuple(f"p{number}" for number in range(8))

    def test_no_gpu_is_held_twice(self, desk: Desk) -> None:
        gpus = [f"GPU-{number}" for number in range(5)]

        def ask(name: str) -> tuple[str, ...]:
            answer = desk.ask(name, gpus=gpus)
            return answer if isinstance(answer, tuple) else ()

        held = Counter(gpu for some in at_once(self.PEOPLE, ask) for gpu in some)
        assert held == Counter(gpus)
        assert [wish.count for wish in desk.ledger.book().wishes] == [1, 1, 1]

    def test_decided_outside_of_the_unit_of_work_everybody_would_get_the_same(self, store: Store, desk: Desk) -> None:
        """The control: the rules are the same, the lock is missing."""

        def ask(name: str) -> tuple[str, ...]:
            with store.read() as work:
                claims = list(work.gpus.claims())
            wish = Wish(name, WORKBENCH, "here", 1, START, START + PATIENCE)
            return grant(wish, Floor(TWO, claims, [], 0))

        assert at_once(self.PEOPLE, ask) == [("GPU-0",)] * len(self.PEOPLE)


def test_the_answer_names_the_wish(desk: Desk) -> None:
    desk.ask("ada", 2)
    answer = desk.ledger.claim("bob", WORKBENCH, 2, TWO)
    assert isinstance(answer, Waiting)
    assert answer.wish == Wish("bob", WORKBENCH, "here", 2, START, START + PATIENCE)


class TestForgetting:
    """Three people: ada has given back, bob goes on, cy waits."""

    @pytest.fixture
    def floor(self, desk: Desk) -> Desk:
        desk.ask("ada")
        desk.ask("bob")
        desk.ask("cy", 2)
        desk.clock.advance(seconds=60)
        desk.ledger.release("ada", WORKBENCH)
        desk.clock.advance(seconds=LEASE.total_seconds() - 60)
        desk.ledger.renew("bob", WORKBENCH, ("GPU-1",))
        desk.clock.advance(seconds=61)
        return desk

    def forget(self, desk: Desk, store: Store, before: timedelta, holder: str | None = None) -> int:
        with store.begin() as work:
            gone = work.gpus.forget(desk.clock.now() - before, holder)
            work.commit()
        return gone

    def names(self, store: Store) -> set[str]:
        """Everybody whose name is written down."""
        with store.read() as work:
            uses = [use for name in ("ada", "bob", "cy") for use in work.gpus.uses(name, START - SECOND)]
            return {row.holder for row in [*uses, *work.gpus.claims(), *work.gpus.wishes()]}

    def test_the_use_of_a_person_that_is_over_goes_and_nobody_elses(self, floor: Desk, store: Store) -> None:
        assert self.forget(floor, store, LEASE, "ada") == 1
        assert self.names(store) == {"bob", "cy"}

    def test_a_use_that_goes_on_stays_until_it_is_over(self, floor: Desk, store: Store) -> None:
        assert self.forget(floor, store, LEASE, "bob") == 0
        assert floor.ledger.hours_used("bob") > 0
        floor.ledger.release("bob", WORKBENCH)
        floor.clock.advance(seconds=LEASE.total_seconds() + 1)
        assert self.forget(floor, store, LEASE, "bob") == 1
        assert self.names(store) == {"ada", "cy"}

    def test_what_lapsed_goes_with_the_rest_and_a_server_that_comes_back_is_counted_anew(
        self, floor: Desk, store: Store
    ) -> None:
        floor.clock.advance(days=7, seconds=1)
        assert self.forget(floor, store, timedelta(days=7)) == 3  # cy's place, and the uses
        floor.clock.advance(minutes=10)
        assert self.forget(floor, store, timedelta(days=7)) == 1  # bob's claim
        assert self.names(store) == set()
        assert floor.ledger.renew("bob", WORKBENCH, ("GPU-1",))
        assert self.names(store) == {"bob"}

    def test_what_was_not_committed_is_not_forgotten(self, floor: Desk, store: Store) -> None:
        with store.begin() as work:
            assert work.gpus.forget(floor.clock.now(), "ada") == 1
        assert "ada" in self.names(store)
