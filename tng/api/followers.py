"""Who follows an order, and what wakes them: one look at the database for all open streams, when there may be news.

A stream that sleeps costs nothing. It looks by itself every few seconds all the same, so that a call that is lost
costs no more than that; where nobody rings, it looks more often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress

from tng.orders import Mark

LOOK_SECONDS = 2.0
"""How often a stream looks by itself where it is woken."""

POLL_SECONDS = 0.2
"""How often, where it is not."""

Doze = Callable[[float], Awaitable[object]]
"""Sleeps so many seconds at most."""


class Followers:
    """The open streams of this process. ``marks`` says how far the story of each of these orders has come.

    ``woken`` says whether somebody calls ``look`` whenever there may be news.
    """

    def __init__(self, marks: Callable[[Collection[str]], Mapping[str, Mark]], *, woken: bool) -> None:
        self._marks = marks
        self._asleep: dict[str, set[asyncio.Event]] = {}
        self._known: dict[str, Mark] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.look_seconds = LOOK_SECONDS if woken else POLL_SECONDS

    @contextmanager
    def following(self, order_id: str) -> Iterator[Doze]:
        """One who follows this order, with a sleep that ends where there is news of it. News since the last is kept."""
        self._loop, news = asyncio.get_running_loop(), asyncio.Event()
        self._asleep.setdefault(order_id, set()).add(news)

        async def doze(seconds: float) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await news.wait()
            news.clear()

        try:
            yield doze
        finally:
            self._asleep[order_id].discard(news)
            if not self._asleep[order_id]:
                del self._asleep[order_id]
                self._known.pop(order_id, None)

    def look(self) -> None:
        """Wake those who follow an order of which there is news. From any thread. Raises StoreBusy."""
        followed, loop = tuple(self._asleep), self._loop
        if followed and loop is not None:
            marks = self._marks(followed)
            with suppress(RuntimeError):  # the loop is over, and nobody follows any more
                loop.call_soon_threadsafe(self._wake, marks)

    def _wake(self, marks: Mapping[str, Mark]) -> None:
        for order_id, mark in marks.items():
            if order_id in self._asleep and self._known.get(order_id) != mark:
                self._known[order_id] = mark
                for news in self._asleep[order_id]:
                    news.set()
