"""Schedules: a cron line with a time zone, and the moments at which it is due. No database and no clock of its own.

Cron lines are read by cronsim, which does what Debian's cron does when clocks change (crontab(5)): a time that is
skipped in spring is due right after the gap, one that comes twice in autumn is due once; lines with ``*`` or steps in
hours or minutes go on in real time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from tng.errors import ScheduleError

MOST_COUNTED = 100
"""Missed slots are counted up to here: a line of every minute may have missed a month."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a retraining is begun. Slots up to ``settled_until_at`` are dealt with: begun, coalesced, or slept through.

    ``options`` are those of the retraining; ``zone`` is a name of the IANA database.
    """

    name: str
    cron: str
    zone: str
    options: Mapping[str, Any]
    created_at: datetime
    settled_until_at: datetime
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """The latest slot that is due, and how many earlier ones it stands for."""

    slot_at: datetime
    coalesced: int = field(default=0)


def check(name: str, cron: str, zone: str) -> None:
    """Refuse what is no schedule. Raises ScheduleError, with what is wrong for the person."""
    if not NAME.fullmatch(name):
        raise ScheduleError(f"{name!r} is no name of a schedule: use a-z, 0-9, - and _, at most 40 of them")
    next(slots(cron, zone, datetime(2026, 1, 1, tzinfo=UTC)))


def slots(cron: str, zone: str, after: datetime) -> Iterator[datetime]:
    """The slots after a moment, the earliest first, in UTC. Raises ScheduleError where line or zone are none."""
    yield from (slot.astimezone(UTC) for slot in _walk(cron, zone, after))


def due(schedule: Schedule, now: datetime) -> Due | None:
    """The latest slot that has come since the schedule was settled, or None. A paused schedule is never due.

    A clock that goes back finds nothing due until it has caught up: no slot is ever due twice.
    """
    if schedule.is_paused or now <= schedule.settled_until_at:
        return None
    just_after = now + timedelta(seconds=1)  # walking back begins strictly before
    backwards = (slot.astimezone(UTC) for slot in _walk(schedule.cron, schedule.zone, just_after, reverse=True))
    missed = []
    for slot in islice(backwards, MOST_COUNTED):
        if slot <= schedule.settled_until_at:
            break
        missed.append(slot)
    return Due(missed[0], len(missed) - 1) if missed else None


def _walk(cron: str, zone: str, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    try:
        there = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleError(f"there is no time zone {zone!r}; use a name such as Europe/Berlin or UTC") from error
    try:
        found: Iterator[datetime] = CronSim(cron, start.astimezone(there), reverse=reverse)
        yield from found
    except CronSimError as error:
        raise ScheduleError(
            f"{cron!r} is no cron line: minute hour day month weekday, such as '0 3 * * SUN' ({error})"
        ) from error
