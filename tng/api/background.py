"""What the service does without being asked: hold orders against Stripe, and run the errands that are owed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress

from tng.api.shield import where
from tng.bell import Bell
from tng.errors import TngError
from tng.log import kind_of, told

logger = logging.getLogger(__name__)


async def repeat(name: str, action: Callable[[], object], every_seconds: float, bell: Bell | None = None) -> None:
    """Run ``action`` in a thread, wait, and again, until cancelled. An error is logged, and the loop goes on.

    It waits no longer than until the bell rings; one that rang meanwhile is heard, too.
    """
    rang = _hear(bell)
    while True:
        rang.clear()
        try:
            await asyncio.to_thread(action)
        except TngError as error:
            facts = told(fault=kind_of(error))
            logger.warning("%s: %s: %s; again in %s s", name, kind_of(error), error, every_seconds, extra=facts)
        except Exception as error:  # noqa: BLE001 - recorded without its words; money must go on being looked after
            facts = told(fault=kind_of(error))
            logger.error("%s: unexpected %s; going on\n%s", name, kind_of(error), where(error), extra=facts)
        with suppress(TimeoutError):
            async with asyncio.timeout(every_seconds):
                await rang.wait()


def _hear(bell: Bell | None) -> asyncio.Event:
    rang, loop = asyncio.Event(), asyncio.get_running_loop()

    def ring() -> None:
        with suppress(RuntimeError):  # the loop is over, and nobody waits any more
            loop.call_soon_threadsafe(rang.set)

    if bell is not None:
        bell.tell(ring)
    return rang


@asynccontextmanager
async def repeating(
    loops: Mapping[str, tuple[Callable[[], object], float]], bells: Mapping[str, Bell] | None = None
) -> AsyncIterator[None]:
    """Keep the loops (name → action, seconds between) running while the block runs; a bell of the name wakes a loop."""
    wakes = bells or {}
    tasks = [asyncio.create_task(repeat(name, *loop, wakes.get(name)), name=name) for name, loop in loops.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
