"""The orders of which more is to come: counted, and looked at every few seconds until there is none any more.

The one that is open is followed by its stream; the others, and those of another tab, would be news to nobody else.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Final

from tng.dashboard.client import ApiClient, OrderCard
from tng.dashboard.library import Library
from tng.errors import ApiError
from tng.orders import OrderState

logger = logging.getLogger(__name__)

UNDER_WAY: Final = frozenset({OrderState.PAID, OrderState.WRITING})
LOOK_EVERY_SECONDS: Final = 5.0


class UnderWay:
    """Keeps the ``library`` as the api has it. Calls come from the kernel's thread, a follower's, and one of its own.

    ``counted`` is told how many orders wait for the writer or are written, and ``ready`` of each that was delivered
    since it was last heard of.
    """

    def __init__(
        self,
        client: ApiClient,
        library: Library,
        *,
        counted: Callable[[int], None],
        ready: Callable[[OrderCard], None],
        every_seconds: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self._client, self._library = client, library
        self._counted, self._ready = counted, ready
        self._every_seconds = every_seconds
        self._lock = threading.RLock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Ask for the list. An ApiError where it does not come."""
        self._take(self._client.orders())

    def changed(self, order: OrderCard) -> None:
        """One order is new, or is known to be otherwise."""
        with self._lock:
            news = self._news([order])
            self._library.update(order)
        self._tell(news)

    def close(self) -> None:
        """Look no more."""
        self._closed.set()

    def _take(self, orders: Iterable[OrderCard]) -> None:
        with self._lock:
            cards = list(orders)
            news = self._news(cards)
            if cards != self._library.orders or not cards:
                self._library.show(cards)
        self._tell(news)

    def _news(self, orders: Iterable[OrderCard]) -> list[OrderCard]:
        """Those that are ready, and were known and were not."""
        known = {order.id: order.state for order in self._library.orders}
        ready = OrderState.DELIVERED
        return [order for order in orders if order.state is ready and known.get(order.id, ready) is not ready]

    def _tell(self, news: Iterable[OrderCard]) -> None:
        with self._lock:
            count = sum(order.state in UNDER_WAY for order in self._library.orders)
            self._counted(count)
            if count and self._thread is None:
                self._thread = threading.Thread(target=self._keep, name="under way", daemon=True)
                self._thread.start()
        for order in news:
            self._ready(order)

    def _keep(self) -> None:
        while not self._closed.wait(self._every_seconds) and self._look():
            pass

    def _look(self) -> bool:
        """Look once; whether there is any use in looking again. Where there is none, the next order begins anew."""
        again = True
        try:
            self.load()
        except ApiError as error:
            logger.info("the api: %s", error)
            again = error.retryable
        with self._lock:
            again = again and any(order.state in UNDER_WAY for order in self._library.orders)
            self._thread = self._thread if again else None
        return again
