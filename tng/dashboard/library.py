"""The customer's scripts as a list: what, how far, when, and the way to each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import ipywidgets as widgets

from tng.dashboard.client import OrderCard
from tng.dashboard.markup import link, tag
from tng.orders import OrderState

SHOWN = 20
"""Rows at first; the others come with a button."""

WORDS = {
    OrderState.PLACED: "not paid yet",
    OrderState.EXPIRED: "not paid",
    OrderState.PAID: "paid, waiting",
    OrderState.WRITING: "being written",
    OrderState.DELIVERED: "ready",
    OrderState.REFUNDING: "being refunded",
    OrderState.REFUNDED: "refunded",
    OrderState.DISPUTED: "held",
}


PARTS = {
    OrderState.DELIVERED: "a part, ready",
    OrderState.REFUNDING: "a part, being refunded",
    OrderState.REFUNDED: "a part, refunded",
}
"""Of a script whose writing was stopped."""


class Library(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The orders, newest first. ``open_order`` is called with the id of the one to show."""

    def __init__(self, open_order: Callable[[str], None]) -> None:
        self._open = open_order
        self._all = False
        self.orders: list[OrderCard] = []
        self.more = widgets.Button(description="Show all")
        self.more.on_click(lambda _button: self._show_all())
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

    def _show_all(self) -> None:
        self._all = True
        self._draw()

    def _draw(self) -> None:
        shown = self.orders if self._all else self.orders[:SHOWN]
        rows = [self._row(order) for order in shown] or [
            widgets.HTML(tag("p", "Nothing yet. Your first script will stand here.", class_="tng-hint"))
        ]
        more = [self.more] if len(shown) < len(self.orders) else []
        self.children = [widgets.HTML(tag("h2", "My scripts")), *rows, *more]

    def _row(self, order: OrderCard) -> widgets.Widget:
        files = [
            link(f".{ending}", path, download="", aria_label=f"{order.title} as .{ending}")
            for ending, path in order.downloads.items()
        ]
        words = PARTS.get(order.state, WORDS[order.state]) if order.is_part else WORDS[order.state]
        state = tag("span", words, class_=f"tng-state tng-state-{order.state.value}")
        day = tag("time", f"{order.placed_at:%-d %b %Y}", datetime=order.placed_at.date().isoformat())
        about = widgets.HTML(
            tag("div", tag("b", order.title), tag("small", state, " · ", day, *(_dotted(file) for file in files)))
        )
        button = widgets.Button(description="Open", tooltip=f"Open “{order.title}”")
        button.on_click(lambda _button, order_id=order.id: self._open(order_id))
        row = widgets.HBox([about, button])
        row.add_class("tng-row")
        return row


def _dotted(file: str) -> str:
    return tag("span", " · ", file)
