"""What every Store promises of jobs: one owner at a time, fencing, events in order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.fakes import START
from tests.samples import a_job, keep, the_job
from tng.errors import LeaseLost
from tng.jobs import MOST_ATTEMPTS, EventKind, Job, JobState
from tng.ports import Store

LEASE = timedelta(seconds=10)
OVER = START + LEASE + timedelta(seconds=1)


def claim(store: Store, worker: str = "w1", now: Any = START) -> Job | None:
    """Claim and commit."""
    with store.begin() as work:
        job = work.jobs.claim(worker, now, now + LEASE)
        work.commit()
    return job


def claimed(store: Store, worker: str = "w1", now: Any = START) -> Job:
    """Claim what must be there."""
    job = claim(store, worker, now)
    assert job is not None
    return job


def place(store: Store, key: str) -> int | None:
    """How many are taken before it."""
    with store.read() as work:
        return work.jobs.place(key)


def update(store: Store, job: Job, **changes: Any) -> None:
    """Change the job under its token, and commit."""
    with store.begin() as work:
        work.jobs.update(job.token, **changes)
        work.commit()


class TestCancelling:
    """Who cancels need not own the run: a customer, a bank, an operator."""

    @pytest.mark.parametrize("begun", [False, True], ids=["queued", "running"])
    def test_a_cancelled_job_is_nobodys_and_says_so(self, store: Store, begun: bool) -> None:
        keep(store, a_job())
        job = claimed(store) if begun else the_job(store, "job-1")
        with store.begin() as work:
            for _ in range(2):
                work.jobs.cancel("job-1", START)
            work.jobs.cancel("nothing", START)
            work.commit()
        assert the_job(store, "job-1").state is JobState.CANCELLED
        assert claim(store, now=OVER) is None
        with store.read() as work:
            assert [event.kind for event in work.jobs.heard(job.id)] == [EventKind.CANCELLED]

    def test_a_revived_job_is_due_at_once_and_the_attempt_not_held_against_it(self, store: Store) -> None:
        keep(store, a_job())
        job = claimed(store)
        with store.begin() as work:
            work.jobs.cancel(job.key, START)
            work.jobs.revive(job.key, START)
            work.jobs.revive(job.key, START)
            work.commit()
        again = claimed(store, "w2")
        assert (again.attempt, again.given_back, again.failures) == (2, 1, 0)

    @pytest.mark.parametrize("state", [JobState.DONE, JobState.DEAD])
    def test_what_has_ended_is_neither_cancelled_nor_revived(self, store: Store, state: JobState) -> None:
        keep(store, a_job())
        update(store, claimed(store), state=state)
        with store.begin() as work:
            work.jobs.cancel("job-1", START)
            work.jobs.revive("job-1", START)
            work.commit()
        assert the_job(store, "job-1").state is state


class TestClaiming:
    def test_a_claimed_job_is_running_and_its_claim_is_counted(self, store: Store) -> None:
        keep(store, a_job())
        job = claimed(store)
        assert (job.state, job.attempt, job.worker, job.lease_until) == (JobState.RUNNING, 1, "w1", START + LEASE)
        assert job == the_job(store, "job-1")

    def test_nothing_is_claimed_where_nothing_is_due(self, store: Store) -> None:
        keep(store, a_job(ready_at=START + timedelta(seconds=1)))
        assert claim(store) is None

    def test_the_oldest_goes_first(self, store: Store) -> None:
        keep(store, a_job(1), a_job(2, ready_at=START - timedelta(minutes=1)), a_job(3, ready_at=None))
        assert [claimed(store).key for _ in range(3)] == ["job-3", "job-2", "job-1"]

    def test_the_lowest_priority_goes_first_whatever_is_older(self, store: Store) -> None:
        keep(store, a_job(1), a_job(2), a_job(3))
        with store.begin() as work:
            work.jobs.hurry("job-3", -1)
            work.jobs.hurry("job-1", 1)
            work.jobs.hurry("nothing", 1)
            work.commit()
        assert [claimed(store).key for _ in range(3)] == ["job-3", "job-2", "job-1"]

    def test_a_repeated_attempt_keeps_its_place(self, store: Store) -> None:
        keep(store, *(a_job(number, ready_at=START - timedelta(minutes=9 - number)) for number in (1, 2, 3)))
        first = claimed(store)
        update(store, first, state=JobState.QUEUED, ready_at=START + timedelta(seconds=1), lease_until=None)
        assert [place(store, f"job-{number}") for number in (1, 2, 3)] == [0, 1, 2]
        assert claimed(store).key == "job-2", "its time has not come"
        assert claimed(store, now=START + timedelta(seconds=1)).key == "job-1"

    def test_a_place_is_how_many_are_taken_before_it(self, store: Store) -> None:
        old = START - timedelta(minutes=1)
        keep(store, a_job(1), a_job(2), a_job(3, ready_at=old), a_job(4, ready_at=None), a_job(5))
        with store.begin() as work:
            work.jobs.hurry("job-5", -1)
            work.commit()
        order = ["job-5", "job-4", "job-3", "job-1", "job-2"]
        assert [place(store, key) for key in order] == [0, 1, 2, 3, 4]
        assert [claimed(store).key for _ in order] == order
        assert [place(store, key) for key in (*order, "nothing")] == [None] * 6

    def test_a_running_job_is_nobody_elses_until_its_lease_is_over(self, store: Store) -> None:
        keep(store, a_job())
        claimed(store)
        assert claim(store, "w2", START + LEASE) is None
        again = claimed(store, "w2", OVER)
        assert (again.attempt, again.worker) == (2, "w2")

    @pytest.mark.parametrize("state", [JobState.DONE, JobState.DEAD, JobState.CANCELLED])
    def test_an_ended_job_is_never_claimed_again(self, store: Store, state: JobState) -> None:
        keep(store, a_job())
        update(store, claimed(store), state=state)
        assert claim(store, "w2", OVER + timedelta(days=1)) is None

    def test_a_job_is_claimed_so_often_and_is_overdrawn_then(self, store: Store) -> None:
        keep(store, a_job())
        now = START
        for _ in range(MOST_ATTEMPTS):
            claimed(store, now=now)
            now += LEASE + timedelta(seconds=1)
        assert claim(store, now=now) is None
        with store.begin() as work:
            assert [job.key for job in work.jobs.overdrawn(now)] == ["job-1"]
            assert work.jobs.overdrawn(now - timedelta(seconds=1)) == []

    def test_an_attempt_given_back_is_not_held_against_it(self, store: Store) -> None:
        keep(store, a_job())
        for number in range(MOST_ATTEMPTS):
            update(store, claimed(store), state=JobState.QUEUED, given_back=number + 1)
        assert claimed(store).attempt == MOST_ATTEMPTS + 1

    def test_the_same_key_is_one_job(self, store: Store) -> None:
        with store.begin() as work:
            first = work.jobs.add(a_job())
            assert work.jobs.add(a_job()) == first
            assert work.jobs.get("job-1") == first
            assert work.jobs.get("job-2") is None
            work.commit()
        assert claim(store) is not None
        assert claim(store) is None


class TestFencing:
    def test_a_worker_that_lost_its_lease_changes_nothing(self, store: Store) -> None:
        keep(store, a_job())
        old = claimed(store, "w1")
        new = claimed(store, "w2", OVER)
        with store.begin() as work:
            with pytest.raises(LeaseLost):
                work.jobs.update(old.token, state=JobState.DONE)
            with pytest.raises(LeaseLost):
                work.jobs.say(old.token, [(EventKind.SCENE, {})], OVER)
            work.commit()
        with store.read() as work:
            assert work.jobs.heard(new.id) == []
        assert the_job(store, "job-1") == new
        update(store, new, state=JobState.DONE)  # the control: the owner's counts
        assert the_job(store, "job-1").state is JobState.DONE

    def test_an_ended_run_says_nothing_more(self, store: Store) -> None:
        keep(store, a_job())
        job = claimed(store)
        update(store, job, state=JobState.DONE)
        with store.begin() as work, pytest.raises(LeaseLost):
            work.jobs.say(job.token, [(EventKind.SCENE, {})], START)

    def test_a_token_of_no_job_is_lost(self, store: Store) -> None:
        with store.begin() as work, pytest.raises(LeaseLost):
            work.jobs.update((99, 1), state=JobState.DONE)

    def test_changes_are_stored(self, store: Store) -> None:
        keep(store, a_job())
        job = claimed(store)
        update(store, job, state=JobState.QUEUED, failures=2, ready_at=OVER, lease_until=None, worker=None, error="e")
        stored = the_job(store, "job-1")
        assert (stored.state, stored.failures, stored.ready_at) == (JobState.QUEUED, 2, OVER)
        assert (stored.lease_until, stored.worker, stored.error) == (None, None, "e")


class TestEvents:
    def test_are_heard_in_order_and_after_an_id(self, store: Store) -> None:
        keep(store, a_job(1), a_job(2))
        one, two = claimed(store), claimed(store)
        with store.begin() as work:
            work.jobs.say(one.token, [(EventKind.STARTED, {}), (EventKind.SCENE, {"text": "Ä"})], START)
            work.jobs.say(two.token, [(EventKind.STARTED, {})], START)
            work.jobs.say(one.token, [(EventKind.DONE, {"n": [1]})], START)
            work.commit()
        with store.read() as work:
            heard = work.jobs.heard(one.id)
            assert [(e.kind, e.attempt, e.body) for e in heard] == [
                (EventKind.STARTED, 1, {}),
                (EventKind.SCENE, 1, {"text": "Ä"}),
                (EventKind.DONE, 1, {"n": [1]}),
            ]
            assert [e.id for e in heard] == sorted(e.id for e in heard)
            assert work.jobs.heard(one.id, after=heard[1].id) == [heard[2]]
            assert work.jobs.heard(one.id, after=heard[2].id) == []

    def test_are_heard_at_most_five_hundred_at_once(self, store: Store) -> None:
        keep(store, a_job())
        job = claimed(store)
        with store.begin() as work:
            work.jobs.say(job.token, [(EventKind.PROGRESS, {"n": n}) for n in range(501)], START)
            work.commit()
        with store.read() as work:
            first = work.jobs.heard(job.id)
            assert [e.body["n"] for e in first] == list(range(500))
            assert [e.body["n"] for e in work.jobs.heard(job.id, after=first[-1].id)] == [500]
