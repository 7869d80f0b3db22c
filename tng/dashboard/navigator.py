"""The browser's address: it names the view, so that a reload, a bookmark and the back button find it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import anywidget

from tng.dashboard.reader import STATIC

LONGEST_QUERY: Final = 200
PLACE: Final = re.compile(r"\?(view=(new|library)|order=[A-Za-z0-9_-]{1,64})")


class Navigator(anywidget.AnyWidget):
    """Invisible. Drawn by ``static/navigator.js``, which checks every address once more.

    Links of the page that lead to a view (``?view=…``, ``?order=…``) are followed without leaving it: the browser says
    which was pressed, as it says where its back and forward buttons led. What it says is a stranger's word.
    """

    _esm = STATIC / "navigator.js"

    def go(self, url: str) -> None:
        """Leave the page for another one. Only http and https; anything else is a ValueError."""
        if not url.startswith(("https://", "http://")):
            raise ValueError("a page to go to begins with https:// or http://")
        self.send({"kind": "go", "url": url})

    def at(self, query: str, *, replaces: bool = False, turns: bool = True) -> None:
        """Write into the address what is shown: ``?view=new``, ``?view=library`` or ``?order=…``; else a ValueError.

        It is one more page for the back button, unless it ``replaces`` the last. Where it ``turns``, the person is
        taken to the top of the view and its heading.
        """
        if not PLACE.fullmatch(query):
            raise ValueError("a place of the page is a view or an order")
        self.send({"kind": "at", "query": query, "replaces": replaces, "turns": turns})

    def on_here(self, act: Callable[[], None]) -> None:
        """Call ``act`` whenever a browser has drawn the page, and hears what is said from then on."""
        self.on_msg(lambda _navigator, said, _buffers: act() if said == {"kind": "here"} else None)

    def on_asked(self, act: Callable[[str, bool], None]) -> None:
        """Call ``act`` with the query of a place that is asked for, and whether the address is there already."""

        def heard(_navigator: object, said: Any, _buffers: object) -> None:
            if not isinstance(said, dict) or said.get("kind") != "asked":
                return
            query = said.get("query")
            if isinstance(query, str) and len(query) <= LONGEST_QUERY:
                act(query, said.get("there") is True)

        self.on_msg(heard)
