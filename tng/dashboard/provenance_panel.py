"""How a script was written, folded away until somebody asks: who wrote it, from what seed, and what was refused."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from tng.dashboard.client import OrderCard
from tng.dashboard.markup import Html, tag
from tng.orders import OrderState
from tng.provenance import Provenance

AGAIN = "Order again with this seed"


class HowItWasWritten(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The panel, and a button that begins another order from the same premise where ``again`` is given its id."""

    def __init__(self, again: Callable[[str], None] | None = None) -> None:
        self._order_id = ""
        self._again = again
        self.told = widgets.HTML()
        self.again = widgets.Button(description=AGAIN)
        self.again.on_click(lambda _button: again(self._order_id) if again else None)
        self.again.layout.display = "none"
        super().__init__([self.told, self.again])
        self.add_class("tng-how")

    def show(self, order: OrderCard) -> None:
        """Show it for this order; nothing before there is a script."""
        self._order_id = order.id
        self.told.value = draw_provenance(order)
        can = self._again is not None and self.told.value and order.provenance.seed is not None
        self.again.layout.display = "" if can else "none"

    @property
    def parts(self) -> tuple[widgets.Widget, ...]:
        """Everything that changes with the order."""
        return (self.told, self.again, self.again.layout)


def draw_provenance(order: OrderCard) -> Html:
    """How the script was written; nothing before it is there to be read, or where its run told nothing."""
    is_there = order.is_part or order.state is OrderState.DELIVERED
    told = order.provenance
    sentences = told.sentences if is_there else ()
    if not sentences:
        return Html()
    lines = tag("ul", *(tag("li", sentence) for sentence in (*sentences, *_gates(told))))
    return tag("details", tag("summary", "How it was written"), lines, class_="tng-provenance")


def _gates(told: Provenance) -> tuple[str, ...]:
    """What the gates let stand and refused, in words."""
    said = []
    if told.let_stand:
        said.append(f"{told.let_stand:,} scene{'s' * (told.let_stand != 1)} stand with a flaw that three tries left.")
    if told.refused_lines:
        many = f"{told.refused_lines:,} line{'s were' if told.refused_lines != 1 else ' was'}"
        said.append(f"{many} refused on the way, and drawn again.")
    return tuple(said)
