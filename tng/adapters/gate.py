"""Whether a new order may be taken: it looks at the release that writes, the disk and the queue."""

from __future__ import annotations

import shutil
from pathlib import Path

from tng.errors import ReleaseError, ShopClosed
from tng.orders import OrderState
from tng.ports import Store
from tng.promotion.ledger import ReleaseLedger

MEGABYTE = 1_000_000

PAGES_AN_ORDER = 2
"""So many pages that could still be paid count as one order that waits: who turns back there keeps nobody out for
long, and where everybody pays, the queue is at most so many times its limit."""


class ShopGate:
    """Call it before money is asked for: nobody should pay for what cannot be written now.

    ``ledger`` names the release that writes, ``home`` is on the disk that is looked at.
    """

    def __init__(self, store: Store, *, ledger: ReleaseLedger, home: Path, free_disk_mb: int, queue_limit: int) -> None:
        self._store = store
        self._ledger = ledger
        self._home = home
        self._free_disk_mb = free_disk_mb
        self._queue_limit = queue_limit

    def __call__(self) -> None:
        """Raise ShopClosed, with the reason for the log, where no new order may be taken."""
        try:
            self._ledger.current()
        except ReleaseError as error:
            raise ShopClosed(f"the shop is closed: {error}") from error
        free_mb = shutil.disk_usage(self._home).free // MEGABYTE
        if free_mb < self._free_disk_mb:
            raise ShopClosed(f"the shop is closed: {free_mb} MB free at {self._home}, {self._free_disk_mb} are needed")
        with self._store.read() as work:
            waiting = work.orders.count(OrderState.PAID, OrderState.WRITING)
            open_pages = work.orders.count(OrderState.PLACED)
        if waiting + open_pages // PAGES_AN_ORDER >= self._queue_limit:
            words = f"{waiting} paid orders wait, {open_pages} more may yet be paid, {self._queue_limit} is the limit"
            raise ShopClosed(f"the shop is closed: {words}")
