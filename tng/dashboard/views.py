"""The views of the page: one of them is seen at a time. The others stay as they are, and are there at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import ipywidgets as widgets

NEW: Final = "new"
LIBRARY: Final = "library"
ORDER: Final = "order"
AWAY: Final = "tng-away"


class Views(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Named parts, each in a box of its own; ``here`` is the name of the one that is seen."""

    def __init__(self, parts: Mapping[str, Sequence[widgets.Widget]]) -> None:
        self.boxes = {name: widgets.VBox(list(inside)) for name, inside in parts.items()}
        for name, box in self.boxes.items():
            box.add_class("tng-view")
            box.add_class(f"tng-view-{name}")
        super().__init__(list(self.boxes.values()))
        self.add_class("tng-content")
        self.here = ""
        self.show(next(iter(self.boxes)))

    def show(self, name: str) -> None:
        """See this one; a KeyError where there is none of that name."""
        wanted = self.boxes[name]
        self.here = name
        wanted.remove_class(AWAY)
        for box in self.boxes.values():
            if box is not wanted:
                box.add_class(AWAY)
