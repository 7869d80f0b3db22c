"""Slots become retrainings: one a slot, one at a time, whoever looks."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import START, FakeClock, FakeStore
from tests.retraining_lab import STEPS, Lab
from tng.errors import RetrainingError, ScheduleError, StoreBusy
from tng.jobs import NOTICE, JobKind
from tng.training.retrainings import RetrainingOptions, RetrainingState

HOURLY = "0 * * * *"
HOUR = timedelta(hours=1)
TINY = RetrainingOptions(preset="tiny", steps=7, even_if_nothing_new=True)


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(FakeStore(), tmp_path / "shop")


def clock_of(lab: Lab) -> FakeClock:
    assert isinstance(lab.clock, FakeClock)
    return lab.clock


def test_a_slot_that_has_come_begins_what_the_schedule_asks_for(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY, name="hourly")
    assert lab.timetable.tick() is None
    clock_of(lab).advance(hours=1, minutes=2)
    begun = lab.timetable.tick()
    assert begun is not None
    assert (begun.schedule, begun.slot_at, begun.coalesced) == ("hourly", START + HOUR, 0)
    assert begun.options == TINY
    assert begun.actor == "schedule:hourly"
    assert lab.take().kind is JobKind.BUILD_CORPUS


def test_no_slot_is_run_twice_and_none_while_another_retraining_is_open(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY, name="hourly")
    clock_of(lab).advance(hours=1)
    first = lab.timetable.tick()
    assert first is not None
    assert lab.timetable.tick() is None
    clock_of(lab).advance(hours=2)
    assert lab.timetable.tick() is None
    lab.retrainings.cancel(first.id, actor="shell:ola")
    second = lab.timetable.tick()
    assert second is not None
    assert (second.slot_at, second.coalesced) == (START + 3 * HOUR, 1)
    lab.retrainings.cancel(second.id, actor="shell:ola")
    assert lab.timetable.tick() is None


def test_of_many_missed_slots_the_latest_is_run_and_the_operator_is_told_that_it_is_late(lab: Lab) -> None:
    lab.timetable.add("0 0 * * *", "UTC", TINY, name="nightly")
    clock_of(lab).advance(days=5)
    begun = lab.timetable.tick()
    assert begun is not None
    assert begun.coalesced == 4
    with lab.store.begin() as work:
        told = work.outbox.take(lab.clock.now(), lab.clock.now() + HOUR, NOTICE)
    assert told is not None
    assert told.body["kind"] == "schedule_late"


def test_a_slot_that_is_begun_in_time_is_no_news(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY)
    clock_of(lab).advance(hours=1, minutes=30)
    assert lab.timetable.tick() is not None
    with lab.store.read() as work:
        assert work.counts.errands(NOTICE) == 0


def test_a_schedule_of_every_minute_does_not_keep_a_weekly_one_waiting(lab: Lab) -> None:
    lab.timetable.add("* * * * *", "UTC", TINY, name="a-minutely")
    lab.timetable.add("0 13 * * *", "UTC", TINY, name="daily")
    order = []
    for _ in range(3):
        clock_of(lab).advance(minutes=61)
        begun = lab.timetable.tick()
        assert begun is not None
        order.append(begun.schedule)
        lab.retrainings.cancel(begun.id, actor="shell:ola")
    assert "daily" in order


def test_a_schedule_that_cannot_be_read_any_more_stops_no_other(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY, name="b-good")
    broken = lab.timetable.add(HOURLY, "UTC", TINY, name="a-broken")
    with lab.store.begin() as work:
        work.schedules.put(type(broken)("a-broken", "no line", "UTC", {}, START, START))
        work.commit()
    clock_of(lab).advance(hours=1)
    begun = lab.timetable.tick()
    assert begun is not None
    assert begun.schedule == "b-good"


def test_nothing_is_begun_that_could_not_be_stored(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY)
    clock_of(lab).advance(hours=1)
    store = lab.store
    assert isinstance(store, FakeStore)
    store.busy = True
    with pytest.raises(StoreBusy):
        lab.timetable.tick()
    store.busy = False
    assert lab.timetable.tick() is not None


def test_a_pause_is_not_made_up_for(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY, name="hourly")
    lab.timetable.pause("hourly")
    clock_of(lab).advance(hours=5, minutes=1)
    assert lab.timetable.tick() is None
    assert lab.timetable.next(lab.timetable.get("hourly")) == []
    resumed = lab.timetable.resume("hourly")
    assert lab.timetable.tick() is None
    assert lab.timetable.next(resumed, 2) == [START + 6 * HOUR, START + 7 * HOUR]


def test_a_clock_that_ran_ahead_is_put_right_by_resume(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY, name="hourly")
    clock_of(lab).advance(days=3650)
    begun = lab.timetable.tick()
    assert begun is not None
    lab.retrainings.cancel(begun.id, actor="shell:ola")
    clock_of(lab).advance(days=-3649)
    assert lab.timetable.tick() is None
    lab.timetable.resume("hourly")
    clock_of(lab).advance(hours=1)
    assert lab.timetable.tick() is not None


def test_a_schedule_may_be_run_now_and_keeps_its_slots(lab: Lab) -> None:
    added = lab.timetable.add(HOURLY, "UTC", TINY, name="hourly")
    begun = lab.timetable.run_now("hourly", actor="shell:ola")
    assert (begun.schedule, begun.slot_at, begun.options) == ("hourly", None, TINY)
    assert lab.timetable.get("hourly") == added
    with pytest.raises(RetrainingError, match="under way"):
        lab.timetable.run_now("hourly", actor="shell:ola")


def test_names_are_given_where_none_is_chosen(lab: Lab) -> None:
    names = [lab.timetable.add(HOURLY, "UTC", TINY).name for _ in range(3)]
    assert names == ["retrain", "retrain-2", "retrain-3"]
    lab.timetable.remove("retrain-2")
    assert lab.timetable.add(HOURLY, "UTC", TINY).name == "retrain-2"
    with pytest.raises(RetrainingError, match="already"):
        lab.timetable.add(HOURLY, "UTC", TINY, name="retrain")


@pytest.mark.parametrize("change", ["pause", "resume", "remove"])
def test_a_schedule_that_there_is_not_cannot_be_changed(lab: Lab, change: str) -> None:
    with pytest.raises(ScheduleError):
        getattr(lab.timetable, change)("nothing")


def test_what_a_removed_schedule_began_goes_on(lab: Lab) -> None:
    lab.timetable.add(HOURLY, "UTC", TINY, name="hourly")
    begun = lab.timetable.run_now("hourly", actor="shell:ola")
    lab.timetable.remove("hourly")
    assert lab.go(*STEPS).state is RetrainingState.PROMOTED
    assert lab.retrainings.get(begun.id).schedule == "hourly"
