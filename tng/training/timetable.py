"""The schedules of a house: added, paused, removed, and looked at again and again for a slot that has come."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from tng.errors import RetrainingError, ScheduleError
from tng.log import kind_of, told
from tng.notices import Notice, NoticeKind, tell
from tng.ports import Clock, Store
from tng.training.retraining import Retrainings
from tng.training.retrainings import Retraining, RetrainingOptions
from tng.training.schedules import Due, Schedule
from tng.training.slots import check, due, slots

logger = logging.getLogger(__name__)

LATE = timedelta(hours=1)
"""A slot that is begun later than this is worth a notice."""

DEFAULT_NAME = "retrain"


class Timetable:
    """What begins retrainings by itself. Safe to use from many threads and processes."""

    def __init__(self, store: Store, clock: Clock, retrainings: Retrainings) -> None:
        self._store, self._clock, self._retrainings = store, clock, retrainings

    def add(self, cron: str, zone: str, options: RetrainingOptions, *, name: str = "") -> Schedule:
        """A new schedule, from its next slot on; without a name it is given one.

        Raises ScheduleError, RetrainingError where the name is taken.
        """
        check(name or DEFAULT_NAME, cron, zone)
        now = self._clock.now()
        with self._store.begin() as work:
            taken = {other.name for other in work.schedules.all()}
            if name in taken:
                raise RetrainingError(f"there is a schedule {name} already; remove it first, or use another name")
            schedule = Schedule(name or _free_name(taken), cron, zone, options.to_fields(), now, now)
            work.schedules.put(schedule)
            work.commit()
        logger.info("schedule added", extra=told(schedule=schedule.name))
        return schedule

    def all(self) -> Sequence[Schedule]:
        """Every schedule, by name. Raises StoreBusy."""
        with self._store.read() as work:
            return work.schedules.all()

    def get(self, name: str) -> Schedule:
        """One of them. Raises ScheduleError, StoreBusy."""
        with self._store.read() as work:
            return work.schedules.get(name)

    def next(self, schedule: Schedule, count: int = 1) -> Sequence[datetime]:
        """Its next slots in UTC, the earliest first; none where it is paused, or none is left."""
        if schedule.is_paused:
            return []
        after = max(self._clock.now(), schedule.settled_until_at)
        return list(islice(slots(schedule.cron, schedule.zone, after), count))

    def pause(self, name: str) -> Schedule:
        """No slot is due any more. Raises ScheduleError."""
        return self._change(name, is_paused=True)

    def resume(self, name: str) -> Schedule:
        """Slots are due again from now on; those of the pause are not made up for. Raises ScheduleError.

        It also puts right what a clock that ran far ahead has settled.
        """
        return self._change(name, is_paused=False, settled_until_at=self._clock.now())

    def remove(self, name: str) -> None:
        """Forget a schedule; what it began stays. Raises ScheduleError."""
        with self._store.begin() as work:
            work.schedules.remove(name)
            work.commit()
        logger.info("schedule removed", extra=told(schedule=name))

    def run_now(self, name: str, *, actor: str) -> Retraining:
        """Begin what a schedule would begin; its slots stay as they are. Raises ScheduleError, RetrainingError."""
        options = RetrainingOptions.from_fields(self.get(name).options)
        return self._retrainings.begin(options, actor=actor, schedule=name)

    def tick(self) -> Retraining | None:
        """Begin the retraining whose slot is due, where none is open: the one that was begun. Raises StoreBusy.

        Any number of processes may call it. Of many missed slots the latest is run, and stands for all; what is due
        while another is open waits for its end. Of several schedules the one whose slot came first is served.
        """
        now = self._clock.now()
        with self._store.read() as work:  # nearly always nothing: no write lock for a look
            if work.retrainings.open() is not None or _first_due(work.schedules.all(), now) is None:
                return None
        with self._store.begin() as work:
            found = _first_due(work.schedules.all(), now)
            if found is None or work.retrainings.open() is not None:
                return None
            schedule, slot = found
            work.schedules.put(replace(schedule, settled_until_at=slot.slot_at))
            begun = self._retrainings.add_to(work, _begun(schedule, slot, self._retrainings.new_id(now), now))
            if now - slot.slot_at > LATE:
                tell(work, _late(begun, now), (), now)
            work.commit()
        logger.info("retraining begun by schedule %s", begun.schedule, extra=told(retraining=begun.id))
        return begun

    def _change(self, name: str, **changes: Any) -> Schedule:
        with self._store.begin() as work:
            changed = replace(work.schedules.get(name), **changes)
            work.schedules.put(changed)
            work.commit()
        return changed


def _free_name(taken: set[str]) -> str:
    numbered = (f"{DEFAULT_NAME}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in (DEFAULT_NAME, *numbered) if name not in taken)


def _first_due(schedules: Sequence[Schedule], now: datetime) -> tuple[Schedule, Due] | None:
    """The schedule whose latest slot came first: one of every minute must not keep a weekly one waiting for ever."""
    found = [(one, slot) for one in schedules if (slot := _due(one, now))]
    return min(found, key=lambda pair: pair[1].slot_at, default=None)


def _due(schedule: Schedule, now: datetime) -> Due | None:
    """Its slot; a schedule that cannot be read any more, because its zone is gone, must not stop the others."""
    try:
        return due(schedule, now)
    except ScheduleError as error:
        logger.warning("schedule %s: %s", schedule.name, error, extra=told(fault=kind_of(error)))
        return None


def _begun(schedule: Schedule, slot: Due, retraining_id: str, now: datetime) -> Retraining:
    return Retraining(
        retraining_id,
        RetrainingOptions.from_fields(schedule.options),
        f"schedule:{schedule.name}",
        now,
        schedule=schedule.name,
        slot_at=slot.slot_at,
        coalesced=slot.coalesced,
    )


def _late(begun: Retraining, now: datetime) -> Notice:
    late = round((now - (begun.slot_at or now)).total_seconds() / 60)
    title = f"Schedule {begun.schedule} is {late} minutes late"
    text = f"The slot of {begun.slot_at:%Y-%m-%d %H:%M} UTC is begun now; {begun.coalesced} earlier ones are left out."
    return Notice(NoticeKind.SCHEDULE_LATE, title, text, now, {"retraining": begun.id, "minutes": late})
