"""Room for those who wait for Stripe: threads of their own, so that a slow Stripe holds up nobody else.

Without it the threads that answer everybody are all waiting as soon as forty people come back from paying at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar

import anyio
import anyio.to_thread
from fastapi import Depends, Request

from tng.errors import GatewayUnavailable

Answer = TypeVar("Answer")

PLACES = 32
"""So many wait for Stripe at once: with half a second for an answer, 64 a second, as Stripe's own limits go."""

PATIENCE_SECONDS = 1.5
"""How long one waits for a place: together with Stripe's own limit about five seconds."""

NO_ROOM = "Many people are paying at the moment. Nothing was charged. Please try again."


class StripeRoom:
    """Calls that may wait for Stripe, at most ``places`` at once. One for each application: it belongs to its loop."""

    def __init__(self, places: int = PLACES, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._free = asyncio.Semaphore(places)
        self._threads = anyio.CapacityLimiter(places)
        self._patience_seconds = patience_seconds

    async def ask(self, call: Callable[[], Answer]) -> Answer:
        """What ``call`` gives, in a thread of the room. Raises GatewayUnavailable where no place comes free in time."""
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise GatewayUnavailable("no place of those who wait for Stripe is free", user_message=NO_ROOM) from None
        try:
            return await anyio.to_thread.run_sync(call, limiter=self._threads)
        finally:
            self._free.release()


def _stripe_room(request: Request) -> StripeRoom:
    room: StripeRoom = request.app.state.stripe_room
    return room


TheStripeRoom = Annotated[StripeRoom, Depends(_stripe_room)]
