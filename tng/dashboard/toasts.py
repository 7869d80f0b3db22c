"""Short words about what was just done, with a way to undo it. Drawn by ``static/toasts.js``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget

from tng.dashboard.reader import STATIC

Act = Callable[[], object]
Toast = Callable[[str, str, Act | None], None]
"""Says what was done: the words, what its button says, and what that does; see :meth:`Toasts.say`."""


class Toasts(anywidget.AnyWidget):
    """One at a time: the next one takes the place of the last. Its text is set as text, never as markup."""

    _esm = STATIC / "toasts.js"

    def __init__(self) -> None:
        super().__init__()
        self._number = 0
        self._act: Act | None = None
        self.on_msg(self._pressed)

    def say(self, text: str, action: str = "", on_action: Act | None = None) -> None:
        """Say it; ``action`` is what its button says, and ``on_action`` is called once if that is pressed."""
        self._number += 1
        self._act = on_action
        self.send({"kind": "say", "number": self._number, "text": text, "action": action if on_action else ""})

    def _pressed(self, _widget: object, content: Any, _buffers: object) -> None:
        """The button of the toast that is shown, and of no earlier one. Whatever else is said changes nothing."""
        if content != {"kind": "action", "number": self._number} or self._act is None:
            return
        act, self._act = self._act, None
        act()
