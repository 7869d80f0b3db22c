"""The bar at the top: whose page it is, its views, and the account's menu. Drawn by ``static/masthead.js``."""

from __future__ import annotations

import anywidget
import traitlets

from tng.dashboard.markup import is_address
from tng.dashboard.reader import STATIC


class Masthead(anywidget.AnyWidget):
    """Patches what changes, so that nobody loses their place in it. Every word is set as text, never as markup.

    ``views`` is a list of ``{"view", "words"}``, and ``here`` the view that is open; ``count`` is how many orders are
    under way, said beside the view ``counted``. ``links`` stand in the account's menu. ``ready``: the page is filled.
    """

    _esm = STATIC / "masthead.js"
    product = traitlets.Unicode("").tag(sync=True)
    account = traitlets.Unicode("").tag(sync=True)
    views = traitlets.List(traitlets.Dict()).tag(sync=True)
    here = traitlets.Unicode("").tag(sync=True)
    counted = traitlets.Unicode("").tag(sync=True)
    count = traitlets.Int(0).tag(sync=True)
    links = traitlets.List(traitlets.Dict()).tag(sync=True)
    leave = traitlets.Unicode("").tag(sync=True)
    ready = traitlets.Bool(False).tag(sync=True)

    def link(self, words: str, url: str) -> None:
        """One more link in the account's menu; an address that is none of ours is left out."""
        if is_address(url):
            self.links = [*self.links, {"words": words, "url": url}]
