"""Following an order while it is written: a thread that reads its events, and comes back after every break."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import StrEnum

from tng.dashboard.client import ApiClient, EventStream, StreamEvent
from tng.errors import ApiError

logger = logging.getLogger(__name__)

FIRST_WAIT_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 8.0


class Link(StrEnum):
    """How the page stands with the api."""

    LIVE = "live"
    RECONNECTING = "reconnecting"
    REFUSED = "refused"


class Follower:
    """Reads the events of one order until its end. ``hear`` and ``link`` are called in the follower's own thread.

    After a break it resumes with the id of the last event heard, so that nothing is lost or heard twice.
    """

    def __init__(
        self,
        client: ApiClient,
        order_id: str,
        *,
        hear: Callable[[StreamEvent], None],
        link: Callable[[Link], None],
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
    ) -> None:
        self._client = client
        self._order_id = order_id
        self._hear = hear
        self._link = link
        self._first_wait_seconds = first_wait_seconds
        self._stopped = threading.Event()
        self._stream: EventStream | None = None
        self._last_event_id = ""
        self._thread = threading.Thread(target=self._run, name=f"follow {order_id}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Hear nothing more. Returns at once."""
        self._stopped.set()
        if (stream := self._stream) is not None:
            stream.close()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the thread's end; whether it ended."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        wait_seconds = self._first_wait_seconds
        while not self._stopped.is_set():
            heard_before = self._last_event_id
            try:
                if self._listen():
                    return
            except ApiError as error:
                if self._stopped.is_set():
                    return
                logger.info("order %s: %s", self._order_id, error)
                if not error.retryable:
                    self._link(Link.REFUSED)
                    return
                self._link(Link.RECONNECTING)
            if self._last_event_id != heard_before:
                wait_seconds = self._first_wait_seconds
            self._stopped.wait(wait_seconds)
            wait_seconds = min(2 * wait_seconds, LONGEST_WAIT_SECONDS)

    def _listen(self) -> bool:
        """Read one stream; whether the order is over."""
        with self._client.events(self._order_id, self._last_event_id) as stream:
            self._stream = stream
            self._link(Link.LIVE)
            for event in stream:
                if self._stopped.is_set():
                    return True
                self._hear(event)
                self._last_event_id = event.id or self._last_event_id
                if event.kind == "end":
                    return True
        return False
