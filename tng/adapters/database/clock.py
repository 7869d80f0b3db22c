"""One time for all machines: the database's. A worker whose own clock is wrong takes no lease that still holds."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select

from tng.adapters.database.engine import busy_means_busy
from tng.errors import StoreBusy

ASK_AGAIN_SECONDS = 60.0
"""How far a machine's oscillator drifts in that time (some 10 ms at worst) matters to no lease."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the database's clock said when ``elapsed_seconds`` had passed on this machine."""

    at: datetime
    elapsed_seconds: float

    def now(self, elapsed_seconds: float) -> datetime:
        """The database's time when that much has passed."""
        return self.at + timedelta(seconds=elapsed_seconds - self.elapsed_seconds)


class DatabaseClock:
    """The database's time. See :class:`tng.ports.Clock`.

    It is asked once a minute; in between this machine measures what has passed, in which its own time has no part.
    While the database is away the last reading goes on. ``now`` raises StoreBusy where there was none yet.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading: Reading | None = None
        self._asked_at = 0.0
        self._asking = threading.Lock()

    def now(self) -> datetime:
        """The time now, aware UTC."""
        reading = self._ask_again() if self._is_old() else self._reading
        if reading is None:
            raise StoreBusy("the database has not told the time yet; try again")
        return reading.now(elapsed_seconds())

    def _is_old(self) -> bool:
        return self._reading is None or elapsed_seconds() - self._asked_at >= ASK_AGAIN_SECONDS

    def _ask_again(self) -> Reading | None:
        """One thread asks; the others wait for it only where there is no reading yet."""
        known = self._reading
        if not self._asking.acquire(blocking=known is None):
            return known
        try:
            if self._is_old():
                self._asked_at = elapsed_seconds()
                self._reading = self._read()
        except StoreBusy as error:
            if known is None:
                raise
            logger.warning("the database does not tell the time, and the last reading goes on: %s", error)
        finally:
            self._asking.release()
        return self._reading

    def _read(self) -> Reading:
        """The moment in the middle of question and answer is the one that was told."""
        with busy_means_busy(), self._engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")  # to connect is not measured
            asked_at = elapsed_seconds()
            at = connection.execute(select(func.clock_timestamp())).scalar_one()
            answered_at = elapsed_seconds()
        return Reading(at.astimezone(UTC), (asked_at + answered_at) / 2)


def elapsed_seconds() -> float:
    """Seconds since this machine was started; they pass while it sleeps, too, and nobody sets them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
