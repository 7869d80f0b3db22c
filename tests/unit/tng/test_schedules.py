"""When a schedule is due: clocks that change, days that are rare, clocks that are wrong. No database."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, takewhile

import pytest

from tng.errors import ScheduleError
from tng.training.schedules import Due, Schedule
from tng.training.slots import FOLD, MOST_COUNTED, check, due, in_zone, slots

BERLIN = "Europe/Berlin"
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def weekly(cron: str = "0 3 * * SUN", zone: str = "UTC", settled: str = "2026-11-26T12:00") -> Schedule:
    return Schedule("weekly", cron, zone, {}, utc(settled), utc(settled))


def first(cron: str, zone: str, after: str, count: int = 1) -> list[str]:
    return [f"{slot:%Y-%m-%d %H:%M}" for slot in islice(slots(cron, zone, utc(after)), count)]


class TestSlots:
    @pytest.mark.parametrize(
        ("cron", "zone", "after", "expected"),
        [
            ("0 3 * * SUN", "UTC", "2026-11-26T12:00", ["2026-11-29 03:00", "2026-12-06 03:00"]),
            ("0 3 * * 0", "UTC", "2026-11-26T12:00", ["2026-11-29 03:00", "2026-12-06 03:00"]),
            ("0 3 * * 7", "UTC", "2026-11-26T12:00", ["2026-11-29 03:00", "2026-12-06 03:00"]),
            ("0 3 * * sun", BERLIN, "2026-11-26T12:00", ["2026-11-29 02:00", "2026-12-06 02:00"]),
            ("0 0 29 2 *", "UTC", "2026-11-26T12:00", ["2028-02-29 00:00", "2032-02-29 00:00"]),
            ("0 12 1 */6 *", "UTC", "2026-11-26T12:00", ["2027-01-01 12:00", "2027-07-01 12:00"]),
            ("59 23 31 12 *", "America/New_York", "2026-11-26T12:00", ["2027-01-01 04:59", "2028-01-01 04:59"]),
        ],
    )
    def test_are_those_of_the_line_in_its_zone(self, cron: str, zone: str, after: str, expected: list[str]) -> None:
        assert first(cron, zone, after, len(expected)) == expected

    def test_a_slot_is_after_the_moment_never_at_it(self) -> None:
        assert first("0 3 * * SUN", "UTC", "2026-11-29T03:00") == ["2026-12-06 03:00"]
        assert first("0 3 * * SUN", "UTC", "2026-11-29T02:59:59.999999") == ["2026-11-29 03:00"]

    def test_a_time_that_spring_skips_is_due_right_after_the_gap(self) -> None:
        assert first("30 2 * * *", BERLIN, "2027-03-27T12:00", 2) == ["2027-03-28 01:00", "2027-03-29 00:30"]

    def test_a_time_that_autumn_repeats_is_due_the_first_time_alone(self) -> None:
        assert first("30 2 * * *", BERLIN, "2026-10-24T12:00", 2) == ["2026-10-25 00:30", "2026-10-26 01:30"]

    def test_seen_from_within_the_repeated_hour_no_slot_lies_in_the_past(self) -> None:
        assert first("30 2 * * *", BERLIN, "2026-10-25T01:10") == ["2026-10-26 01:30"]

    @pytest.mark.parametrize("day", ["2027-03-27", "2026-10-24"])
    def test_a_line_with_steps_goes_on_in_real_time_through_both(self, day: str) -> None:
        found = list(islice(slots("*/15 * * * *", BERLIN, utc(f"{day}T12:00")), 200))
        assert {later - earlier for earlier, later in pairwise(found)} == {15 * MINUTE}

    def test_an_hour_that_a_gap_leaves_out_is_left_out_of_a_line_with_steps(self) -> None:
        assert first("*/30 2 * * *", BERLIN, "2027-03-27T12:00", 2) == ["2027-03-29 00:00", "2027-03-29 00:30"]

    @pytest.mark.parametrize("zone", [BERLIN, "Australia/Lord_Howe", "America/Havana", "Africa/Casablanca"])
    @pytest.mark.parametrize("cron", ["30 2 * * *", "0,30 2-3 * * *", "0 0 * * *", "15,45 1-3 * * *", "0 3 * * SUN"])
    def test_looking_back_finds_what_looking_ahead_finds_wherever_clocks_change(self, zone: str, cron: str) -> None:
        begin, end = utc("2026-01-01T00:00"), utc("2027-01-01T00:00")
        seen = 0
        for slot in takewhile(lambda slot: slot < end, slots(cron, zone, begin)):
            offsets = {in_zone(slot + days * DAY, zone).utcoffset() for days in (-2, 0, 2)}
            if len(offsets) == 1:
                continue
            seen += 1
            schedule = replace(weekly(cron, zone), settled_until_at=slot - MINUTE)
            for late in (timedelta(0), MINUTE, 25 * MINUTE, 59 * MINUTE):
                found = due(schedule, slot + late)
                assert found is not None
                assert found.slot_at >= slot
        assert seen

    def test_a_zone_shows_a_moment_as_its_clocks_do(self) -> None:
        assert f"{in_zone(utc('2026-11-29T02:00'), BERLIN):%a %H:%M}" == "Sun 03:00"


class TestLines:
    @pytest.mark.parametrize(
        "cron",
        [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "MON * * * *",
            "@weekly",
            "0 3 * * SUN; rm",
            "-1 * * * *",
            "² * * * *",
            "9" * 5000 + " * * * *",
            ",".join("1" for _ in range(80)) + " * * * *",
        ],
    )
    def test_what_is_no_cron_line_is_refused(self, cron: str) -> None:
        with pytest.raises(ScheduleError, match="no cron line"):
            check("weekly", cron, "UTC")

    @pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4,6 *", "0 0 */3 2 1#5", "0 0 31 2 */2"])
    def test_a_day_that_never_comes_is_refused_in_no_time(self, cron: str) -> None:
        began = time.process_time()
        with pytest.raises(ScheduleError):
            check("weekly", cron, BERLIN)
        assert time.process_time() - began < 2

    @pytest.mark.parametrize(
        "zone", ["", "Nowhere", "europe", "Europe", "../etc/passwd", "/etc/passwd", "a\0b", "CEST!"]
    )
    def test_what_is_no_zone_is_refused(self, zone: str) -> None:
        with pytest.raises(ScheduleError, match="time zone"):
            check("weekly", "0 3 * * SUN", zone)

    @pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "a" * 41, "ä"])
    def test_what_is_no_name_is_refused(self, name: str) -> None:
        with pytest.raises(ScheduleError, match="no name"):
            check(name, "0 3 * * SUN", "UTC")

    @pytest.mark.parametrize("name", ["weekly", "retrain-2", "a", "0", "a_b"])
    def test_others_are_taken(self, name: str) -> None:
        check(name, "0 3 * * SUN", BERLIN)


class TestDue:
    SLOT = utc("2026-11-29T03:00")

    def test_nothing_is_due_before_the_first_slot(self) -> None:
        assert due(weekly(), self.SLOT - timedelta(microseconds=1)) is None

    @pytest.mark.parametrize("late", [timedelta(0), timedelta(microseconds=1), MINUTE, 6 * DAY])
    def test_a_slot_is_due_from_its_own_moment_on(self, late: timedelta) -> None:
        assert due(weekly(), self.SLOT + late) == Due(self.SLOT)

    def test_a_slot_that_is_settled_is_not_due_again(self) -> None:
        settled = replace(weekly(), settled_until_at=self.SLOT)
        assert due(settled, self.SLOT) is None
        assert due(settled, self.SLOT + HOUR) is None

    def test_missed_slots_are_one_that_stands_for_all(self) -> None:
        assert due(weekly(), self.SLOT + 21 * DAY) == Due(self.SLOT + 21 * DAY, 3)

    def test_they_are_counted_up_to_a_limit(self) -> None:
        every_minute, now = weekly("* * * * *"), utc("2027-06-01T00:00:30")
        began = time.process_time()
        assert due(every_minute, now) == Due(utc("2027-06-01T00:00"), MOST_COUNTED - 1)
        assert time.process_time() - began < 1

    def test_a_paused_one_is_never_due(self) -> None:
        assert due(replace(weekly(), is_paused=True), self.SLOT + DAY) is None

    def test_in_the_second_run_of_an_hour_the_slot_of_the_first_is_still_due(self) -> None:
        nightly = weekly("30 2 * * *", BERLIN, settled="2026-10-24T12:00")
        assert due(nightly, utc("2026-10-25T01:10")) == Due(utc("2026-10-25T00:30"))
        assert due(replace(nightly, settled_until_at=utc("2026-10-25T00:30")), utc("2026-10-25T01:40")) is None

    def test_a_clock_that_goes_back_an_hour_makes_no_slot_due_twice(self) -> None:
        after = replace(weekly("*/15 * * * *"), settled_until_at=self.SLOT)
        assert due(after, self.SLOT - HOUR) is None
        assert due(after, self.SLOT) is None
        assert due(after, self.SLOT + 15 * MINUTE) == Due(self.SLOT + 15 * MINUTE)

    def test_a_clock_that_goes_an_hour_ahead_coalesces_what_it_left_out(self) -> None:
        before = replace(weekly("*/15 * * * *"), settled_until_at=self.SLOT)
        assert due(before, self.SLOT + HOUR) == Due(self.SLOT + HOUR, 3)

    def test_a_clock_that_ran_far_ahead_is_waited_for_until_somebody_puts_it_right(self) -> None:
        far = replace(weekly(), settled_until_at=self.SLOT + 3650 * DAY)
        assert due(far, self.SLOT + 7 * DAY) is None
        assert due(replace(far, settled_until_at=self.SLOT), self.SLOT + 7 * DAY) == Due(self.SLOT + 7 * DAY)

    def test_the_look_around_is_longer_than_any_hour_that_comes_twice(self) -> None:
        assert FOLD > HOUR * 2
