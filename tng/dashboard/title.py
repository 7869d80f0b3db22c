"""What the browser's tab says of the order that is shown. Drawn by ``static/title.js``."""

from __future__ import annotations

from typing import Final, Literal

import anywidget
import traitlets

from tng.dashboard.reader import STATIC
from tng.dashboard.story import Story
from tng.orders import OrderState

Mark = Literal["", "busy", "done", "alert"]
"""The dot on the tab's picture: none, something goes on, it is there, somebody is to do something."""

MARKS: Final = ("", "busy", "done", "alert")
LONGEST: Final = 160

_WORDS: Final[dict[OrderState, tuple[str, Mark]]] = {
    OrderState.PLACED: ("Payment needed", "alert"),
    OrderState.EXPIRED: ("Not paid", ""),
    OrderState.PAID: ("In the queue", "busy"),
    OrderState.WRITING: ("Writing", "busy"),
    OrderState.DELIVERED: ("Ready", "done"),
    OrderState.REFUNDING: ("Being refunded", "alert"),
    OrderState.REFUNDED: ("Refunded", ""),
    OrderState.DISPUTED: ("Held", "alert"),
}


def tab_title(story: Story | None) -> tuple[str, Mark]:
    """(“Writing 4 of 12 · The Quiet Hours”, the mark); nothing where no order is shown."""
    if story is None:
        return "", ""
    words, mark = _WORDS[story.order.state]
    if story.is_confirming:
        words, mark = "Confirming your payment", "busy"
    elif story.order.state is OrderState.WRITING and story.planned:
        words = f"{words} {story.scene} of {story.planned}"
    elif story.order.is_part or story.order.cancelled:
        words = {OrderState.DELIVERED: "Stopped", OrderState.EXPIRED: "Cancelled"}.get(story.order.state, words)
    return f"{words} · {story.order.title}", mark


class TabTitle(anywidget.AnyWidget):
    """Invisible. Its words are state, not messages: a browser that draws the page late is told, too."""

    _esm = STATIC / "title.js"
    words = traitlets.Unicode("").tag(sync=True)
    mark = traitlets.Enum(MARKS, "").tag(sync=True)

    def say(self, title: str, mark: str = "") -> None:
        """Let the tab say this instead of the page's own title, which comes back with an empty one.

        A mark that is none of MARKS is a traitlets.TraitError.
        """
        with self.hold_sync():
            self.words, self.mark = " ".join(title.split())[:LONGEST], mark
