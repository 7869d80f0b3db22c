"""The part of the bridge that shows the house: orders, queue, workers, memory, GPUs and what went wrong."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets
from pydantic import TypeAdapter

from tng.dashboard import bridge_tables
from tng.dashboard.client import ApiClient
from tng.overview import Overview


class HousePart:
    """Draws what the api says of the house."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._read: Callable[[object], Overview] = TypeAdapter(Overview).validate_python
        self.sections = {name: widgets.HTML() for name, _ in bridge_tables.SECTIONS}
        self.box = widgets.VBox(list(self.sections.values()))
        self.box.add_class("tng-bridge")

    def refresh(self) -> None:
        """Ask, and draw. Raises ApiError."""
        seen = self._client.ask("operator/overview", self._read)
        for name, draw in bridge_tables.SECTIONS:
            self.sections[name].value = draw(seen)

    def clear(self) -> None:
        """Show nothing any more."""
        for section in self.sections.values():
            section.value = ""
