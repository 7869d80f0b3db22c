"""A bell beside the queues: who waits for work sleeps at it, and is woken when some may be due.

It only saves waiting. What is owed stands in the database, and everybody still looks by themselves from time to time:
a ring that is lost, or one too many, changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import StrEnum


class Topic(StrEnum):
    """What was committed."""

    JOBS = "tng_jobs"
    EVENTS = "tng_events"
    OUTBOX = "tng_outbox"
    INBOX = "tng_inbox"


class Bell:
    """One that is rung by hand. Those of a store ring when something was committed, too."""

    def __init__(self) -> None:
        self._rung = threading.Event()
        self._listeners: list[Callable[[], object]] = []

    def wait(self, seconds: float) -> bool:
        """Sleep until it rings, at most so long; whether it rang since the last time. For one thread."""
        rang = self._rung.wait(seconds)
        self._rung.clear()
        return rang

    def ring(self) -> None:
        """Wake who waits. From any thread."""
        self._rung.set()
        for listener in self._listeners:
            listener()

    def tell(self, listener: Callable[[], object]) -> None:
        """Call it whenever the bell rings, from whichever thread that is. It may not raise."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Take it down."""
