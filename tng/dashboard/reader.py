"""The script on the page, laid out like a printed one, growing while it is written. Drawn by ``static/reader.js``.

Only new scenes are sent; a browser that missed some asks for all of them. All text is set as text, never as markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from tng.export.layout import Block

STATIC = Path(__file__).parent / "static"


class ScriptReader(anywidget.AnyWidget):
    """Shows sections (a scene each, with the act it opens). ``waiting`` is the line below what is there."""

    _esm = STATIC / "reader.js"
    _css = STATIC / "reader.css"
    title = traitlets.Unicode("").tag(sync=True)
    waiting = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.sections: list[list[dict[str, str]]] = []
        self._edition = 0
        self.on_msg(self._asked)

    def show(self, sections: Sequence[Sequence[Block]]) -> None:
        """Show this: what is new is added below what is there; where it differs, all is shown anew."""
        plain = [_plain(section) for section in sections]
        shown = len(self.sections)
        if plain[:shown] != self.sections:
            self.sections = plain
            self._edition += 1
            self._send_all()
            return
        self.sections = plain
        for index in range(shown, len(plain)):
            self.send({"kind": "more", "edition": self._edition, "index": index, "section": plain[index]})

    def _asked(self, _widget: object, content: Any, _buffers: object) -> None:
        """A browser has just drawn the widget, or missed something. Whatever else it says is of no consequence."""
        if isinstance(content, dict) and content.get("kind") == "hello":
            self._send_all()

    def _send_all(self) -> None:
        self.send({"kind": "all", "edition": self._edition, "sections": self.sections})


def _plain(section: Sequence[Block]) -> list[dict[str, str]]:
    return [{key: str(value) for key, value in asdict(block).items() if value} for block in section]
