"""The kernels of a customer's server: one a page, one kept warm, and never more than there are places.

Two ceilings hold: pages that one person may have open, and kernels in the whole house (``hub.kernel_slots``). A page
takes the warm kernel with its place, or starts one. A page that is left frees its place at once, one that vanished
without a word after half a minute, or as soon as its owner needs it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.web import HTTPError
from voila.request_info_handler import RequestInfoSocketHandler
from voila.voila_kernel_manager import voila_kernel_manager_factory

from hub.busy import HOUSE_IS_FULL, PATIENCE_SECONDS, Notice, open_already
from hub.kernel_slots import KernelSlots, Slot

logger = logging.getLogger(__name__)

GONE_SECONDS: Final = 30.0
"""A page that lost its connection may come back within this: a network that changed, a lid that was shut."""

ARRIVE_SECONDS: Final = 90.0
"""A page that was sent and never connected: a slow telephone needs some of it, a robot all."""

PRESSED_SECONDS: Final = 1.0
PRESSED_ARRIVE_SECONDS: Final = 20.0
"""Where the owner waits for a place, a page without a browser gives way after this."""

KEEP_SECONDS: Final = 0.25
"""How soon a spare gives way, at most: the hub waits twice as long."""

SPARE_AGAIN_SECONDS: Final = 20.0
"""A spare that gave way is not started again before this."""

CALM_SECONDS: Final = 2.5
"""The next spare is started so long after a page was opened: until then its browser and others need the machine. Who
leaves sooner, to pay or to load it again, comes back soon: then it is started at once."""

MESSAGES: Final = ("comm_open", "comm_close", "comm_msg", "comm_info_request", "kernel_info_request")
"""What a browser may send to the kernel of its page. Nothing among it runs code."""


@dataclass(slots=True)
class OpenPage:
    """A kernel that was given to a page. Times are of the monotonic clock, in seconds."""

    given_at: float = field(default_factory=time.monotonic)
    connected: bool = False
    left_at: float | None = None

    def is_new(self) -> bool:
        """Whether its browser may still be drawing it."""
        return time.monotonic() - self.given_at < CALM_SECONDS

    def gone(self, *, pressed: bool) -> bool:
        """Whether nobody is there any more. ``pressed``: somebody waits for the place."""
        now = time.monotonic()
        if self.left_at is not None:
            return now - self.left_at > (PRESSED_SECONDS if pressed else GONE_SECONDS)
        return not self.connected and now - self.given_at > (PRESSED_ARRIVE_SECONDS if pressed else ARRIVE_SECONDS)


class Ticket:
    """The right to open one page, until its kernel runs. Close it in any case."""

    def __init__(self, kernels: HouseKernels, slot: Slot | None) -> None:
        self.kernel_id = ""
        self._kernels = kernels
        self._open = True
        self._slot = slot
        kernels.opening += 1

    def slot(self) -> Slot | None:
        """The place for a kernel that is started for the page; None where it takes the warm one."""
        slot, self._slot = self._slot, None
        return slot

    def close(self) -> None:
        """The page is counted by its kernel now, or was not opened."""
        if self._open:
            self._open = False
            self._kernels.opening -= 1
        if slot := self.slot():
            slot.release()


TICKET: ContextVar[Ticket | None] = ContextVar("ticket", default=None)
"""The ticket of the page that is being opened in this task: Voilà starts its kernel, and knows of no tickets."""


class SlottedKernels(AsyncMappingKernelManager):
    """Kernels that each hold a place of the house from before their start until after their end."""

    def __init__(self, *, slots: KernelSlots, **kwargs: Any) -> None:
        self.slots = slots
        self._held: dict[str, Slot] = {}
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]

    async def start_kernel(  # type: ignore[override]  # the older, synchronous manager is the base of this one, too
        self, *, slot: Slot | None = None, **kwargs: Any
    ) -> str:
        """Start a kernel at ``slot``, or at a place that is free. Raises HTTPError 503 where there is none."""
        held = slot or self.slots.take()
        if held is None:
            raise HTTPError(HOUSE_IS_FULL.status)
        try:
            kernel_id: str = await super().start_kernel(**kwargs)
        except BaseException:
            held.release()
            raise
        self._held[kernel_id] = held
        return kernel_id

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel that has ended, and give its place back."""
        if slot := self._held.pop(kernel_id, None):
            slot.release()
        return super().remove_kernel(kernel_id)


class HouseKernels(voila_kernel_manager_factory(SlottedKernels, True, 1)):  # type: ignore[misc]
    """The kernels of one person's pages, and a spare of the first page."""

    def __init__(self, *, most_pages: int, patience_seconds: float = PATIENCE_SECONDS, **kwargs: Any) -> None:
        self.most_pages = most_pages
        self.patience_seconds = patience_seconds
        self.pages: dict[str, OpenPage] = {}
        self.opening = 0
        self.used_at: datetime | None = None
        self._ending: set[str] = set()
        self._changed = asyncio.Event()
        self._no_spare_before = 0.0
        super().__init__(allowed_message_types=list(MESSAGES), **kwargs)

    # --- a page is opened ---------------------------------------------------------------------------------------

    async def admit(self, notebook: str) -> Ticket | Notice:
        """A ticket for another page, waiting a moment for a place; or why there is none."""
        until = time.monotonic() + self.patience_seconds
        while len(self.pages) + self.opening >= self.most_pages:
            await self.end_gone(pressed=True)
            self._changed.clear()
            if not await self._changes(until):
                return open_already(self.most_pages)
        if self.spare_of(notebook):
            return Ticket(self, None)
        ticket = Ticket(self, None)  # counted while it waits
        try:
            slot = await self.slots.wait(max(until - time.monotonic(), 0.0))
            return Ticket(self, slot) if slot else HOUSE_IS_FULL
        finally:
            ticket.close()

    async def _changes(self, until: float) -> bool:
        """Wait until a page is closed, a second at most; whether there is time left."""
        left = until - time.monotonic()
        if left > 0:
            try:
                await asyncio.wait_for(self._changed.wait(), min(left, PRESSED_SECONDS))
            except TimeoutError:
                return True
        return left > 0

    def spare_of(self, notebook: str) -> bool:
        """Whether a kernel is warm for this notebook, or getting warm."""
        pool = self._pools.get(notebook, [])
        pool[:] = [task for task in pool if not (task.done() and (task.cancelled() or task.exception()))]
        return bool(pool)

    async def start_kernel(self, **kwargs: Any) -> str:
        """Start a kernel for the page whose ticket this task holds."""
        ticket = TICKET.get()
        kernel_id: str = await super().start_kernel(slot=ticket.slot() if ticket else None, **kwargs)
        self._given(kernel_id)
        return kernel_id

    async def get_rendered_notebook(self, *args: Any, **kwargs: Any) -> Any:
        """Give the warm kernel to a page."""
        rendered = await super().get_rendered_notebook(*args, **kwargs)
        self._given(rendered[2])
        return rendered

    def _given(self, kernel_id: str) -> None:
        self.pages[kernel_id] = OpenPage()
        if ticket := TICKET.get():
            ticket.kernel_id = kernel_id
            ticket.close()

    # --- a page is closed ---------------------------------------------------------------------------------------

    def notify_connect(self, kernel_id: str) -> None:
        """A browser connects to its kernel."""
        super().notify_connect(kernel_id)
        if page := self.pages.get(kernel_id):
            page.connected, page.left_at = True, None

    def notify_disconnect(self, kernel_id: str) -> None:
        """A browser is gone, perhaps for a moment."""
        super().notify_disconnect(kernel_id)
        if (page := self.pages.get(kernel_id)) and not self._kernel_connections.get(kernel_id):
            page.left_at = time.monotonic()
            self._changed.set()

    async def shutdown_kernel(self, kernel_id: str, *args: Any, **kwargs: Any) -> None:
        """End a kernel at once: it has nothing to save. Its page counts no more from this moment on."""
        if kernel_id in self._ending:
            return  # a page may say more than once that it is left
        self._ending.add(kernel_id)
        self.pages.pop(kernel_id, None)
        self._changed.set()
        for notebook in self._pools:
            self.spare_of(notebook)
        try:
            await super().shutdown_kernel(kernel_id, now=True)
        finally:
            self._ending.discard(kernel_id)

    def remove_kernel(self, kernel_id: str) -> Any:
        """Forget a kernel that has ended, and all that was kept for its page."""
        self.pages.pop(kernel_id, None)
        RequestInfoSocketHandler._cache.pop(kernel_id, None)
        self._changed.set()
        return super().remove_kernel(kernel_id)

    async def end_gone(self, *, pressed: bool = False) -> None:
        """End the kernels of pages that nobody looks at any more."""
        for kernel_id in [key for key, page in self.pages.items() if page.gone(pressed=pressed)]:
            logger.info("kernel %s is ended: its page is gone", kernel_id)
            await self.shutdown_kernel(kernel_id)

    # --- the spare ----------------------------------------------------------------------------------------------

    def fill_if_needed(self, *args: Any, **kwargs: Any) -> None:
        """Keep a kernel warm, where its owner may open another page and the house has a place.

        Voilà wishes for one, without a delay, when it gives the last to a page: ``keep`` does it later.
        """
        full = len(self.pages) + self.opening >= self.most_pages
        notebook: str = kwargs["notebook_name"]
        is_busy = kwargs["delay"] is None or any(page.is_new() for page in self.pages.values())
        if full or is_busy or time.monotonic() < self._no_spare_before or self.spare_of(notebook):
            return
        if slot := self.slots.take():
            super().fill_if_needed(*args, slot=slot, **kwargs)

    async def give_way(self) -> None:
        """End the spare: somebody waits for its place."""
        self._no_spare_before = time.monotonic() + SPARE_AGAIN_SECONDS
        for task in [task for pool in self._pools.values() for task in pool]:
            if task.done() and not task.cancelled() and not task.exception():
                task.result()["task"].cancel()
                await self.shutdown_kernel(task.result()["kernel_id"])

    # --- over time ----------------------------------------------------------------------------------------------

    def touch(self) -> None:
        """Somebody did something."""
        self.used_at = datetime.now(UTC)

    async def keep(self) -> None:
        """Look after the kernels, every ``KEEP_SECONDS``: end what is gone, give way, get another one warm."""
        await self.end_gone()
        if self.spare_of(self.notebook_path) and self.slots.wanted():
            await self.give_way()
        self.fill_if_needed(delay=0, notebook_name=self.notebook_path)
