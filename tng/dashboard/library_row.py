"""One script in the list: what, how far, when, how long, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import ipywidgets as widgets

from tng.dashboard.client import OrderCard
from tng.dashboard.markup import Html, link, tag
from tng.orders import ENDS, OrderState
from tng.script import TITLE_CHARACTERS

Attempt = Callable[[Callable[[], None]], object]
"""Does what the api may refuse, and says so."""

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


@dataclass(frozen=True, slots=True)
class Deeds:
    """What can be done with an order, by its id; what is None is not offered."""

    open: Callable[[str], None] | None = None
    unfold: Callable[[str], None] | None = None
    rename: Callable[[str, str], None] | None = None
    throw_away: Callable[[str], None] | None = None
    have_back: Callable[[str], None] | None = None
    share: Callable[[str], None] | None = None
    unshare: Callable[[str], None] | None = None
    duplicate: Callable[[OrderCard], None] | None = None


class Row(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A row; unfolded, with everything that can be done. ``shared_url`` is a link that was made just now."""

    def __init__(self, order: OrderCard, deeds: Deeds, *, is_unfolded: bool = False, shared_url: str = "") -> None:
        self._order, self._deeds = order, deeds
        about = widgets.HTML(tag("div", tag("b", order.title), _facts(order)))
        first = widgets.HBox([about, *self._buttons()])
        first.add_class("tng-row-main")
        super().__init__([first, *(self._more(shared_url) if is_unfolded else ())])
        self.add_class("tng-row")

    def _buttons(self) -> list[widgets.Widget]:
        title, order_id = self._order.title, self._order.id
        return [
            *_button("Open", f"Open “{title}”", self._deeds.open, order_id),
            *_button("Restore", f"Have “{title}” back", self._deeds.have_back, order_id),
            *_button("More", f"Name, share or delete “{title}”", self._deeds.unfold, order_id),
        ]

    def _more(self, shared_url: str) -> list[widgets.Widget]:
        order, deeds = self._order, self._deeds
        name = widgets.Text(value=order.title, description="Name")
        rename = widgets.Button(description="Rename", tooltip="Call it so; what you asked for keeps its title")
        rename.on_click(
            lambda _button: deeds.rename and deeds.rename(order.id, str(name.value)[: 4 * TITLE_CHARACTERS])
        )
        naming = widgets.HBox([name, rename])
        again = _button(
            "Duplicate", "Fill the form with this premise", self._again if deeds.duplicate else None, order.id
        )
        receipt = (
            [widgets.HTML(link("Receipt", order.receipt, target="_blank", rel="noopener"))] if order.receipt else []
        )
        is_over = order.state in ENDS
        away = _button("Delete", "Put it into the bin, for 30 days", deeds.throw_away if is_over else None, order.id)
        doing = widgets.HBox([*again, *self._sharing(), *receipt, *away])
        for box in (naming, doing):
            box.add_class("tng-row-more")
        return [naming, doing, *([widgets.HTML(_shared_at(shared_url))] if shared_url else [])]

    def _sharing(self) -> list[widgets.Widget]:
        order, deeds = self._order, self._deeds
        if order.state is not OrderState.DELIVERED:
            return []
        words = "New link" if order.shared else "Share"
        stop = deeds.unshare if order.shared else None
        return [
            *_button(words, "Make a link by which anybody can read it; one before ends", deeds.share, order.id),
            *_button("Stop sharing", "End the link at once", stop, order.id),
        ]

    def _again(self, _order_id: str) -> None:
        if self._deeds.duplicate is not None:
            self._deeds.duplicate(self._order)


def _facts(order: OrderCard) -> Html:
    words = PARTS.get(order.state, WORDS[order.state]) if order.is_part else WORDS[order.state]
    state = tag("span", words, class_=f"tng-state tng-state-{order.state.value}")
    day = tag("time", f"{order.placed_at:%-d %b %Y}", datetime=order.placed_at.date().isoformat())
    files = [
        link(f".{ending}", path, download="", aria_label=f"{order.title} as .{ending}")
        for ending, path in order.downloads.items()
    ]
    length = str(order.premise.get("length", ""))
    said = [length, order.price, "shared by a link" if order.shared else ""]
    return tag("small", state, " · ", day, *(_dotted(part) for part in (*filter(None, said), *files)))


def _shared_at(url: str) -> Html:
    return tag("p", "Anybody with this link can read it. It is shown this once: ", link(url, url), role="status")


def _dotted(part: str) -> str:
    return tag("span", " · ", part)


def _button(words: str, tooltip: str, deed: Callable[[str], None] | None, order_id: str) -> list[widgets.Widget]:
    if deed is None:
        return []
    button = widgets.Button(description=words, tooltip=tooltip)
    button.on_click(lambda _button: deed(order_id))
    return [button]
