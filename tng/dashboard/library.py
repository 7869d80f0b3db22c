"""The customer's scripts as a list: found, sorted, named, shared, thrown away and had back. The api decides each.

It is drawn by ``static/library*.js``; what a browser says is a wish, and is heard only for orders of this list.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import anywidget
import traitlets

from tng.dashboard.client import ApiClient, OrderCard
from tng.dashboard.library_row import PARTS, WORDS, row_of
from tng.dashboard.reader import STATIC
from tng.dashboard.toasts import Toast
from tng.errors import ApiError
from tng.script import TITLE_CHARACTERS

SCRIPTS = ("library_panels", "library_row", "library")
"""The list's scripts, in the order in which they stand in the one that a browser is given."""

GENEROUS_CHARACTERS = 4 * TITLE_CHARACTERS

Attempt = Callable[[Callable[[], None]], object]
"""Does what the api may refuse, and says so."""

__all__ = ["PARTS", "SCRIPTS", "WORDS", "Library"]


class Library(anywidget.AnyWidget):
    """The orders, newest first. ``open_order`` is called with the id of the one to show.

    With ``client`` they can be named, shared and thrown away; ``attempt`` does what may be refused and says so;
    ``duplicate`` is given the order whose premise is wanted again, ``new`` is called by who wants a first script, and
    ``toast`` says what was done. Without it, an undo stands above the list.
    """

    _esm = "\n".join((STATIC / f"{script}.js").read_text(encoding="utf-8") for script in SCRIPTS)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    bin_rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    is_loaded = traitlets.Bool(False).tag(sync=True)
    is_bin = traitlets.Bool(False).tag(sync=True)
    offers = traitlets.List(traitlets.Unicode()).tag(sync=True)
    undone = traitlets.Dict().tag(sync=True)
    longest_title = traitlets.Int(TITLE_CHARACTERS).tag(sync=True)

    def __init__(
        self,
        open_order: Callable[[str], None],
        *,
        client: ApiClient | None = None,
        attempt: Attempt | None = None,
        duplicate: Callable[[OrderCard], None] | None = None,
        new: Callable[[], None] | None = None,
        toast: Toast | None = None,
    ) -> None:
        self._open, self._client, self._duplicate, self._new, self._toast = open_order, client, duplicate, new, toast
        self._attempt = attempt or _attempted
        self._lock = threading.RLock()  # an order is changed by the thread that follows it, too
        self._links: dict[str, str] = {}
        self._last_gone = ""
        self.orders: list[OrderCard] = []
        self.binned: list[OrderCard] = []
        offers = {"keep": client is not None, "duplicate": duplicate is not None, "new": new is not None}
        super().__init__(offers=[name for name, is_offered in offers.items() if is_offered])
        self.add_class("tng-library")
        self.on_msg(self._heard)

    def show(self, orders: Iterable[OrderCard]) -> None:
        """Show these, in the order in which they come."""
        self._keep(list(orders))
        self.is_loaded = True

    def update(self, order: OrderCard) -> None:
        """One order changed, or is new."""
        order = replace(order, script_text=None)
        with self._lock:
            known = [card.id for card in self.orders]
            if order.id in known:
                self._keep([order if card.id == order.id else card for card in self.orders])
            else:
                self._keep([order, *self.orders])

    # --- what the customer does ---------------------------------------------------------------------------------

    def rename(self, order_id: str, title: str) -> None:
        """Call an order something else; a name that cannot be is said beside the field, which keeps it."""
        if self._client is not None:
            client = self._client
            self._attempt(lambda: self._renamed(client, order_id, title))

    def throw_away(self, order_id: str) -> None:
        """Put an order into the bin; it can be had back by an undo."""
        if self._client is not None:
            client = self._client
            self._attempt(lambda: self._gone(client.throw_away(order_id)))

    def have_back(self, order_id: str) -> None:
        """Have an order back out of the bin."""
        if self._client is not None:
            client = self._client
            self._attempt(lambda: self._back(client, order_id))

    def share(self, order_id: str) -> None:
        """Make a link, and show it: it is told this once."""
        if self._client is not None:
            client = self._client
            self._attempt(lambda: self._shared(order_id, client.share(order_id)))

    def unshare(self, order_id: str) -> None:
        """End the link."""
        if self._client is not None:
            client = self._client
            self._attempt(lambda: self._unshared(client.unshare(order_id)))

    def show_bin(self, is_shown: bool) -> None:
        """Show the bin, or the scripts again."""
        self._forget_undo()
        if is_shown and self._client is not None:
            client = self._client
            self._attempt(lambda: self._keep_binned(client.binned()))
        self.is_bin = is_shown

    def undo(self) -> None:
        """Have back what was thrown away last."""
        if self._last_gone:
            self.have_back(self._last_gone)

    # --- what came of it ----------------------------------------------------------------------------------------

    def _renamed(self, client: ApiClient, order_id: str, title: str) -> None:
        try:
            self.update(client.rename(order_id, title))
        except ApiError as error:
            if error.status != 422:
                raise
            self.send({"kind": "refused", "id": order_id, "sentence": error.user_message})
        else:
            self.send({"kind": "named", "id": order_id})

    def _gone(self, order: OrderCard) -> None:
        self._last_gone = order.id
        self._keep([card for card in self.orders if card.id != order.id])
        if self._toast is None:
            self.undone = {"id": order.id, "title": order.title}
        else:
            self._toast(f"“{order.title}” is in the bin.", "Undo", lambda: self.have_back(order.id))

    def _back(self, client: ApiClient, order_id: str) -> None:
        client.have_back(order_id)
        self._forget_undo()
        self._keep(list(client.orders()))
        self._keep_binned([card for card in self.binned if card.id != order_id])
        self.send({"kind": "back", "id": order_id})

    def _shared(self, order_id: str, url: str) -> None:
        with self._lock:
            self._links[order_id] = url
            self._keep([replace(card, shared=True) if card.id == order_id else card for card in self.orders])

    def _unshared(self, order: OrderCard) -> None:
        self._links.pop(order.id, None)
        self.update(order)
        if self._toast is not None:
            self._toast(f"The link to “{order.title}” leads nowhere any more.", "", None)

    def _forget_undo(self) -> None:
        self._last_gone, self.undone = "", {}

    def _keep(self, orders: list[OrderCard]) -> None:
        with self._lock:
            self.orders = orders
            self.rows = [row_of(order, shared_url=self._links.get(order.id, "")) for order in orders]

    def _keep_binned(self, orders: Iterable[OrderCard]) -> None:
        self.binned = list(orders)
        self.bin_rows = [row_of(order) for order in self.binned]

    # --- what a browser says ------------------------------------------------------------------------------------

    def _heard(self, _widget: object, said: Any, _buffers: object) -> None:
        """Whatever else is said, or of an order that is not in this list, is of no consequence."""
        match said:
            case {"kind": "show_bin", "shown": bool(shown)}:
                self.show_bin(shown)
            case {"kind": "undo"}:
                self.undo()
            case {"kind": "new"} if self._new is not None:
                self._new()
            case {"kind": "have_back", "id": str(order_id)} if _find(self.binned, order_id):
                self.have_back(order_id)
            case {"kind": str(kind), "id": str(order_id)}:
                order = _find(self.orders, order_id)
                if order is not None:
                    self._wished(kind, order, said.get("title"))

    def _wished(self, kind: str, order: OrderCard, title: object) -> None:
        match kind:
            case "open":
                self._open(order.id)
            case "rename" if isinstance(title, str):
                self.rename(order.id, title[:GENEROUS_CHARACTERS])
            case "throw_away":
                self.throw_away(order.id)
            case "share":
                self.share(order.id)
            case "unshare":
                self.unshare(order.id)
            case "duplicate" if self._duplicate is not None:
                self._duplicate(order)


def _find(orders: Iterable[OrderCard], order_id: str) -> OrderCard | None:
    return next((order for order in orders if order.id == order_id), None)


def _attempted(action: Callable[[], None]) -> object:
    action()
    return True
