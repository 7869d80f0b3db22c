"""The customer's scripts as a list: found, sorted, named, shared, thrown away and had back. The api decides each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import ipywidgets as widgets

from tng.dashboard.client import ApiClient, OrderCard
from tng.dashboard.library_row import PARTS, WORDS, Attempt, Deeds, Row
from tng.dashboard.markup import tag

SHOWN = 20
"""Rows at first; the others come with a button."""

NEWEST, BY_TITLE, BY_STATE = "Newest first", "By title", "By state"
EMPTY = "Nothing yet. Your first script will stand here."
NOT_FOUND = "No script has these words in its title."
BIN_IS_EMPTY = "The bin is empty."
BIN_RULE = "What lies here can be had back for 30 days; then its words are erased."

__all__ = ["PARTS", "SHOWN", "WORDS", "Library"]


class Library(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The orders, newest first. ``open_order`` is called with the id of the one to show.

    With ``client`` they can be named, shared and thrown away; ``attempt`` does what may be refused and says so;
    ``duplicate`` is given the order whose premise is wanted again.
    """

    def __init__(
        self,
        open_order: Callable[[str], None],
        *,
        client: ApiClient | None = None,
        attempt: Attempt | None = None,
        duplicate: Callable[[OrderCard], None] | None = None,
    ) -> None:
        self._open, self._client, self._duplicate = open_order, client, duplicate
        self._attempt = attempt or _attempted
        self._all = self._in_bin = False
        self._unfolded = ""
        self._links: dict[str, str] = {}
        self.orders: list[OrderCard] = []
        self.binned: list[OrderCard] = []
        self.more = widgets.Button(description="Show all")
        self.more.on_click(lambda _button: self._show_all())
        self._make_tools()
        super().__init__()
        self.add_class("tng-library")
        self._draw()

    def show(self, orders: Iterable[OrderCard]) -> None:
        """Show these, in the order in which they come."""
        self.orders = list(orders)
        self._draw()

    def update(self, order: OrderCard) -> None:
        """One order changed, or is new."""
        known = [card.id for card in self.orders]
        order = replace(order, script_text=None)
        if order.id in known:
            self.orders[known.index(order.id)] = order
        else:
            self.orders.insert(0, order)
        self._draw()

    # --- what the customer does ---------------------------------------------------------------------------------

    def rename(self, order_id: str, title: str) -> None:
        """Call an order something else."""
        if self._client is not None:
            client = self._client
            self._attempt(lambda: self.update(client.rename(order_id, title)))

    def throw_away(self, order_id: str) -> None:
        """Put an order into the bin; a row with Undo stands where it was."""
        if self._client is not None:
            client = self._client
            self._attempt(lambda: self._gone(client.throw_away(order_id)))

    def have_back(self, order_id: str) -> None:
        """Have an order back out of the bin."""
        if self._client is not None:
            self._attempt(lambda: self._back(order_id))

    def share(self, order_id: str) -> None:
        """Make a link, and show it: it is told this once."""
        if self._client is not None:
            self._attempt(lambda: self._shared(order_id))

    def unshare(self, order_id: str) -> None:
        """End the link."""
        if self._client is not None:
            client = self._client
            self._links.pop(order_id, None)
            self._attempt(lambda: self.update(client.unshare(order_id)))

    def show_bin(self, is_shown: bool) -> None:
        """Show the bin, or the scripts again."""
        self._in_bin, self._unfolded = is_shown, ""
        self.undo.children = ()
        if self._client is not None and is_shown:
            self._attempt(self._load_bin)
        self._draw()

    def _load_bin(self) -> None:
        self.binned = list(self._client.binned()) if self._client is not None else []

    def _gone(self, order: OrderCard) -> None:
        self.orders = [card for card in self.orders if card.id != order.id]
        button = widgets.Button(description="Undo", tooltip=f"Have “{order.title}” back")
        button.on_click(lambda _button: self.have_back(order.id))
        said = widgets.HTML(tag("span", f"“{order.title}” is in the bin.", role="status"))
        self.undo.children = (said, button)
        self._draw()

    def _back(self, order_id: str) -> None:
        if self._client is None:
            return
        self._client.have_back(order_id)
        self.orders = list(self._client.orders())
        self.binned = [card for card in self.binned if card.id != order_id]
        self.undo.children = ()
        self._draw()

    def _shared(self, order_id: str) -> None:
        if self._client is not None:
            self._links[order_id] = self._client.share(order_id)
            self.orders = [replace(card, shared=True) if card.id == order_id else card for card in self.orders]
            self._draw()

    # --- what is seen -------------------------------------------------------------------------------------------

    def _make_tools(self) -> None:
        self.search = widgets.Text(placeholder="Search by title", continuous_update=True)
        self.search.observe(lambda _change: self._draw(), "value")
        self.sort = widgets.Dropdown(options=(NEWEST, BY_TITLE, BY_STATE), value=NEWEST, description="Order")
        self.sort.observe(lambda _change: self._draw(), "value")
        self.bin_button = widgets.Button(description="Bin")
        self.bin_button.on_click(lambda _button: self.show_bin(not self._in_bin))
        self.undo = widgets.HBox()
        self.undo.add_class("tng-undo")
        self._heading = widgets.HTML()
        tools = widgets.HBox([self.search, self.sort, self.bin_button])
        tools.add_class("tng-library-tools")
        self._tools = tools
        self._head = widgets.VBox([self._heading, self.undo])

    def _show_all(self) -> None:
        self._all = True
        self._draw()

    def _unfold(self, order_id: str) -> None:
        self._unfolded = "" if self._unfolded == order_id else order_id
        self._draw()

    def _chosen(self) -> list[OrderCard]:
        """What is looked for, sorted as it is asked for. No value of a widget is trusted to be one of ours."""
        wanted = str(self.search.value).casefold().strip()
        cards = [card for card in (self.binned if self._in_bin else self.orders) if wanted in card.title.casefold()]
        if self.sort.value == BY_TITLE:
            return sorted(cards, key=lambda card: card.title.casefold())
        if self.sort.value == BY_STATE:
            return sorted(cards, key=lambda card: WORDS[card.state])
        return cards

    def _draw(self) -> None:
        chosen = self._chosen()
        shown = chosen if self._all else chosen[:SHOWN]
        rows: list[widgets.Widget] = [self._row(order) for order in shown]
        more = [self.more] if len(shown) < len(chosen) else []
        hint = BIN_RULE if self._in_bin else ""
        self._heading.value = tag("h2", "The bin" if self._in_bin else "My scripts") + tag("p", hint, class_="tng-hint")
        self.bin_button.description = "My scripts" if self._in_bin else "Bin"
        has_tools = self._client is not None and (self.orders or self._in_bin or self.undo.children)
        self._head.children = (self._heading, *((self._tools,) if has_tools else ()), self.undo)
        self.children = [self._head, *(rows or [widgets.HTML(tag("p", self._nothing(), class_="tng-hint"))]), *more]

    def _nothing(self) -> str:
        if self.search.value:
            return NOT_FOUND
        return BIN_IS_EMPTY if self._in_bin else EMPTY

    def _row(self, order: OrderCard) -> widgets.Widget:
        if self._in_bin:
            return Row(order, Deeds(have_back=self.have_back))
        deeds = Deeds(open=self._open)
        if self._client is not None:
            deeds = Deeds(
                open=self._open,
                unfold=self._unfold,
                rename=self.rename,
                throw_away=self.throw_away,
                share=self.share,
                unshare=self.unshare,
                duplicate=self._duplicate,
            )
        return Row(order, deeds, is_unfolded=order.id == self._unfolded, shared_url=self._links.get(order.id, ""))


def _attempted(action: Callable[[], None]) -> object:
    action()
    return True
