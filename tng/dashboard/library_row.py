"""One script in the list, as the browser is told of it: plain values, and what can be done with it."""

from __future__ import annotations

from typing import Any

from tng.dashboard.client import OrderCard
from tng.dashboard.markup import is_address
from tng.library.shelf import BIN_KEPT
from tng.orders import ENDS, OrderState

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

STEPS = {OrderState.PLACED: "Pay", OrderState.WRITING: "Watch", OrderState.DELIVERED: "Read"}
"""What most people open an order for."""

FILES = {
    "pdf": ("PDF", "application/pdf"),
    "fdx": ("Final Draft", "application/xml"),
    "fountain": ("Fountain", "text/plain"),
    "epub": ("EPUB", "application/epub+zip"),
    "txt": ("Text", "text/plain"),
}
"""Ending → what people call the format, and its type."""


def row_of(order: OrderCard, *, shared_url: str = "") -> dict[str, Any]:
    """What the list shows of an order. ``shared_url`` is a link that was made just now."""
    return {
        "id": order.id,
        "title": order.title,
        "state": order.state.value,
        "words": PARTS.get(order.state, WORDS[order.state]) if order.is_part else WORDS[order.state],
        "step": STEPS.get(order.state, "Open"),
        "at": order.placed_at.isoformat(),
        "about": [part for part in (str(order.premise.get("length", "")), order.price) if part],
        "files": _files(order),
        "receipt": order.receipt if is_address(order.receipt) else "",
        "ended": order.state in ENDS,
        "sharable": order.state is OrderState.DELIVERED,
        "shared": order.shared,
        "link": shared_url if is_address(shared_url) else "",
        "gone_at": (order.binned_at + BIN_KEPT).isoformat() if order.binned_at else "",
    }


def _files(order: OrderCard) -> list[dict[str, str]]:
    """The formats in the order of the api; a path that leads elsewhere is left out."""
    found = []
    for ending, path in order.downloads.items():
        name, kind = FILES.get(ending, (ending.upper(), ""))
        if is_address(path):
            found.append({"ending": ending, "name": name, "type": kind, "path": path})
    return found
