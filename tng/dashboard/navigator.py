"""The browser's address: leaves for the payment page, and keeps the order's id in it, so that a reload finds it."""

from __future__ import annotations

from collections.abc import Callable

import anywidget

from tng.dashboard.reader import STATIC


class Navigator(anywidget.AnyWidget):
    """Invisible. Drawn by ``static/navigator.js``, which checks every address once more."""

    _esm = STATIC / "navigator.js"

    def go(self, url: str) -> None:
        """Leave the page for another one. Only http and https; anything else is a ValueError."""
        if not url.startswith(("https://", "http://")):
            raise ValueError("a page to go to begins with https:// or http://")
        self.send({"kind": "go", "url": url})

    def keep(self, order_id: str) -> None:
        """Write the order into the address, without leaving the page, and go to its top, where the order is shown."""
        self.send({"kind": "keep", "order": order_id})

    def on_here(self, act: Callable[[], None]) -> None:
        """Call ``act`` whenever a browser has drawn the page, and hears what is said from then on."""
        self.on_msg(lambda _navigator, said, _buffers: act() if said == {"kind": "here"} else None)
