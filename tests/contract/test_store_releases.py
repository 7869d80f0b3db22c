"""What every Store promises of the ledger of releases, of schedules and of retrainings."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes import START
from tests.samples import a_job, a_paid_order, keep
from tng.errors import RetrainingError, ScheduleError, StoreBusy
from tng.jobs import RETRAINING, JobKind, JobState
from tng.ports import Store
from tng.promotion.promotions import Check, Evaluation, Promotion, PromotionKind, Sample, Written
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState
from tng.training.schedules import Schedule

HOUR = timedelta(hours=1)


def a_promotion(number: int, to_id: str, from_id: str | None = None, **changes: object) -> Promotion:
    row = Promotion(
        number, START + number * HOUR, PromotionKind.PROMOTED, from_id, to_id, "d" * 64, "shell:ola", "better"
    )
    return replace(row, **changes)  # type: ignore[arg-type]


def a_retraining(number: int, **changes: object) -> Retraining:
    row = Retraining(f"r{number}", RetrainingOptions(preset="tiny"), "shell:ola", START + number * HOUR)
    return replace(row, **changes)  # type: ignore[arg-type]


def append(store: Store, *rows: Promotion) -> None:
    with store.begin() as work:
        for row in rows:
            work.promotions.add(row)
        work.commit()


def begin(store: Store, *rows: Retraining) -> None:
    with store.begin() as work:
        for row in rows:
            work.retrainings.add(row)
        work.commit()


class TestPromotions:
    def test_an_empty_ledger_names_no_release(self, store: Store) -> None:
        with store.read() as work:
            assert work.promotions.current() is None
            assert work.promotions.at(START) is None
            assert list(work.promotions.history()) == []

    def test_the_last_row_is_current_and_every_row_stays(self, store: Store) -> None:
        rows = [a_promotion(1, "a", kind=PromotionKind.FIRST), a_promotion(2, "b", "a", evaluation_id=7)]
        append(store, *rows)
        with store.read() as work:
            assert work.promotions.current() == rows[1]
            assert list(work.promotions.history()) == rows[::-1]
            assert list(work.promotions.history(1)) == [rows[1]]

    def test_every_moment_has_the_row_that_held_then(self, store: Store) -> None:
        rows = [a_promotion(1, "a"), a_promotion(2, "b", "a")]
        append(store, *rows)
        with store.read() as work:
            assert work.promotions.at(START) is None
            assert work.promotions.at(START + HOUR) == rows[0]
            assert work.promotions.at(START + 2 * HOUR - timedelta(microseconds=1)) == rows[0]
            assert work.promotions.at(START + 9 * HOUR) == rows[1]

    def test_two_rows_cannot_follow_the_same_one(self, store: Store) -> None:
        append(store, a_promotion(1, "a"))
        with pytest.raises(StoreBusy):
            append(store, a_promotion(1, "b"))
        with store.read() as work:
            assert [row.to_id for row in work.promotions.history()] == ["a"]

    def test_of_many_who_decide_upon_the_ledger_at_once_each_sees_the_row_before(self, store: Store) -> None:
        def one_more(number: int) -> None:
            with store.begin() as work:
                last = work.promotions.current()
                work.promotions.add(a_promotion(last.id + 1 if last else 1, f"by-{number}", last and last.to_id))
                work.commit()

        threads = [threading.Thread(target=one_more, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with store.read() as work:
            rows = list(work.promotions.history())[::-1]
        assert [row.id for row in rows] == list(range(1, 9))
        assert [row.from_id for row in rows] == [None, *(row.to_id for row in rows[:-1])]

    def test_an_evaluation_is_kept_whole(self, store: Store) -> None:
        checks = (Check("format", "1", "1", "at least 0.95", True), Check("copying", "–", "–", "–", None, "ours"))
        told = Evaluation(
            0,
            START,
            "b",
            "a",
            promote=True,
            reasons=("all well",),
            checks=checks,
            samples=(Sample("A premise", "one", "two"),),
            metrics={"perplexity": 3.5},
            canary={"format_least_share": 0.95, "copied_most_words": None},
            retraining_id="r1",
        )
        with store.begin() as work:
            first, second = work.promotions.keep(told), work.promotions.keep(replace(told, promote=False))
            work.commit()
        with store.read() as work:
            assert first.id != second.id
            assert work.promotions.evaluation(first.id) == replace(told, id=first.id)
            assert work.promotions.evaluation(999) is None
            assert list(work.promotions.evaluations()) == [second, first]


class TestScriptsOfARow:
    def test_are_those_begun_under_it_that_came_to_an_end(self, store: Store) -> None:
        told = {"measures": {"words": 9}, "copied": {"longest_run_words": 3}}
        orders = [replace(a_paid_order(n), provenance=told) for n in range(4)]
        keep(store, *orders)
        states = [JobState.DONE, JobState.DEAD, JobState.QUEUED, JobState.DONE]
        for order, state, row in zip(orders, states, (2, 2, 2, 1), strict=True):
            keep(store, replace(a_job(order=order), state=state, promotion_id=row, release_id="b"))
        with store.read() as work:
            assert list(work.counts.written(2, 20)) == [
                Written(orders[0].id, True, {"words": 9}, {"longest_run_words": 3}),
                Written(orders[1].id, False, {"words": 9}, {"longest_run_words": 3}),
            ]
            assert len(work.counts.written(2, 1)) == 1

    def test_what_a_run_did_not_tell_is_nothing(self) -> None:
        assert Written.read("o", True, None) == Written("o", True)
        assert Written.read("o", True, {"measures": 3, "copied": None}) == Written("o", True)


class TestJobsByKind:
    def test_a_worker_gets_the_kinds_that_it_asks_for(self, store: Store) -> None:
        keep(store, replace(a_job(1), kind=JobKind.FINETUNE), a_job(2))
        with store.begin() as work:
            script = work.jobs.claim("w", START, START + HOUR)
            assert script is not None
            assert script.kind is JobKind.WRITE_SCRIPT
            assert work.jobs.claim("w", START, START + HOUR) is None
            training = work.jobs.claim("t", START, START + HOUR, RETRAINING)
            assert training is not None
            assert training.kind is JobKind.FINETUNE

    def test_retrainings_do_not_wait_in_the_queue_of_the_customers(self, store: Store) -> None:
        keep(store, replace(a_job(1), kind=JobKind.EVALUATE))
        with store.read() as work:
            assert work.counts.waiting() == (0, None)


class TestSchedules:
    SCHEDULE = Schedule("weekly", "0 3 * * SUN", "Europe/Berlin", {"preset": "tiny"}, START, START)

    def test_are_put_changed_and_removed_by_name(self, store: Store) -> None:
        changed = replace(self.SCHEDULE, is_paused=True, settled_until_at=START + HOUR)
        with store.begin() as work:
            work.schedules.put(self.SCHEDULE)
            work.schedules.put(replace(self.SCHEDULE, name="daily"))
            work.schedules.put(changed)
            work.commit()
        with store.begin() as work:
            assert work.schedules.get("weekly") == changed
            assert [one.name for one in work.schedules.all()] == ["daily", "weekly"]
            work.schedules.remove("daily")
            work.commit()
        with store.read() as work:
            assert [one.name for one in work.schedules.all()] == ["weekly"]

    def test_a_name_that_none_has_is_said(self, store: Store) -> None:
        with store.begin() as work, pytest.raises(ScheduleError):
            work.schedules.remove("nothing")


class TestRetrainings:
    def test_are_kept_with_all_that_became_of_them(self, store: Store) -> None:
        begin(store, a_retraining(1, schedule="weekly", slot_at=START, coalesced=2))
        ended = a_retraining(
            1,
            schedule="weekly",
            slot_at=START,
            coalesced=2,
            state=RetrainingState.KEPT,
            step=JobKind.DECIDE,
            ended_at=START + HOUR,
            fingerprint="f",
            champion_id="a",
            candidate_id="b",
            evaluation_id=4,
            sentence="The champion stays.",
            notes={"finetune": {"steps": 3}},
        )
        with store.begin() as work:
            work.retrainings.save(ended)
            work.commit()
        with store.read() as work:
            assert work.retrainings.get("r1") == ended
            assert work.retrainings.open() is None

    def test_one_is_open_at_a_time_whoever_begins_it(self, store: Store) -> None:
        begin(store, a_retraining(1))
        with pytest.raises(StoreBusy):
            begin(store, a_retraining(2))
        with store.begin() as work:
            work.retrainings.save(a_retraining(1, state=RetrainingState.FAILED))
            work.commit()
        begin(store, a_retraining(2))
        with store.read() as work:
            assert work.retrainings.open() == a_retraining(2)
            assert [one.id for one in work.retrainings.latest()] == ["r2", "r1"]

    def test_one_that_failed_is_not_taken_up_beside_an_open_one(self, store: Store) -> None:
        begin(store, a_retraining(1, state=RetrainingState.FAILED), a_retraining(2))
        with store.begin() as work, pytest.raises(StoreBusy):
            work.retrainings.save(a_retraining(1))

    def test_a_slot_of_a_schedule_is_run_once(self, store: Store) -> None:
        begin(store, a_retraining(1, schedule="weekly", slot_at=START, state=RetrainingState.SKIPPED))
        with pytest.raises(StoreBusy):
            begin(store, a_retraining(2, schedule="weekly", slot_at=START))
        begin(store, a_retraining(3, schedule="daily", slot_at=START))

    def test_any_number_without_a_slot_may_follow_each_other(self, store: Store) -> None:
        begin(store, *(a_retraining(number, state=RetrainingState.KEPT) for number in range(3)))
        with store.read() as work:
            assert len(work.retrainings.latest(2)) == 2

    def test_an_id_that_none_has_is_said(self, store: Store) -> None:
        with store.begin() as work:
            for ask in (lambda: work.retrainings.get("nothing"), lambda: work.retrainings.save(a_retraining(9))):
                with pytest.raises(RetrainingError):
                    ask()
