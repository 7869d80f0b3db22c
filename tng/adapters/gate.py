"""Whether a new order may be taken: it looks at the release that writes, the disk and the queue."""

from __future__ import annotations

import shutil
from pathlib import Path

from tng.errors import ReleaseError, ShopClosed
from tng.orders import OrderState
from tng.ports import Store
from tng.release_ledger import ReleaseLedger

MEGABYTE = 1_000_000


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
            waiting = len(work.orders.having(OrderState.PAID, OrderState.WRITING))
        if waiting >= self._queue_limit:
            raise ShopClosed(f"the shop is closed: {waiting} paid orders wait, {self._queue_limit} is the limit")
