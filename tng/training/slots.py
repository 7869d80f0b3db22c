"""When a schedule is due: its cron line is walked along, as the clocks of its zone show the time. It asks no clock.

Cron lines are read by cronsim, which does what Debian's cron does when clocks change (crontab(5)): a time that is
skipped in spring is due right after the gap, one that comes twice in autumn is due the first time alone; lines whose
minute or hour begins with ``*`` go on in real time, and a whole hour of theirs that a gap leaves out is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from tng.errors import ScheduleError
from tng.training.schedules import NAME, Due, Schedule

MOST_COUNTED = 100
"""Missed slots are counted up to here: a line of every minute may have missed a month."""

MOST_CHARACTERS = 100
FIELDS = 5

FOLD = timedelta(hours=3)
"""Longer than any hour that comes twice. A walk along the wall's time that begins within one may pass a slot by."""


def check(name: str, cron: str, zone: str) -> None:
    """Refuse what is no schedule. Raises ScheduleError, with what is wrong for the person."""
    if not NAME.fullmatch(name):
        raise ScheduleError(f"{name!r} is no name of a schedule: use a-z, 0-9, - and _, at most 40 of them")
    if next(slots(cron, zone, datetime(2026, 1, 1, tzinfo=UTC)), None) is None:
        raise ScheduleError(f"{cron!r} is never due: there is no such day in fifty years")


def slots(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """The slots after a moment, the earliest first, in UTC; none where none comes in fifty years.

    Raises ScheduleError where line or zone are none.
    """
    return (slot for slot in _walk(cron, zone, after - FOLD) if slot > after)


def due(schedule: Schedule, now: datetime) -> Due | None:
    """The latest slot that has come since the schedule was settled, or None. A paused schedule is never due.

    A clock that goes back finds nothing due until it has caught up: no slot is ever due twice. Raises ScheduleError.
    """
    if schedule.is_paused or now <= schedule.settled_until_at:
        return None
    backwards = _walk(schedule.cron, schedule.zone, now + FOLD, reverse=True)
    come = (slot for slot in backwards if slot <= now)
    missed = list(islice(takewhile(lambda slot: slot > schedule.settled_until_at, come), MOST_COUNTED))
    return Due(missed[0], len(missed) - 1) if missed else None


def _walk(cron: str, zone: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    """The slots after ``start``, or before it, in UTC."""
    there = _zone(zone)
    try:
        if len(cron) > MOST_CHARACTERS or len(cron.split()) != FIELDS:  # cronsim knows a sixth one, of seconds
            raise CronSimError(f"it needs {FIELDS} fields")
        for slot in CronSim(cron, start.astimezone(there), reverse=reverse):
            yield slot.astimezone(UTC)
    except CronSimError as error:
        raise ScheduleError(
            f"{cron[:MOST_CHARACTERS]!r} is no cron line ({error}): "
            "give minute, hour, day, month and weekday, such as '0 3 * * SUN'"
        ) from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(f"there is no time zone {name!r}; use a name such as Europe/Berlin or UTC") from error


def in_zone(moment: datetime, zone: str) -> datetime:
    """A moment as the clocks of a zone show it. Raises ScheduleError."""
    return moment.astimezone(_zone(zone))
