"""What a person has begun to describe stays in their own browser until it is ordered. Kept by ``static/draft.js``.

The browser writes it down itself, so that words outlive a kernel that has gone and a session that has ended; the
kernel is asked only to fill the form again. It goes with the order, and with the sign-out.
"""

from __future__ import annotations

import hashlib
from typing import Any

import anywidget
import traitlets
from ipywidgets import widget_serialization

from tng.dashboard.form import ComposeForm
from tng.dashboard.reader import STATIC

KEY_BYTES = 16


class DraftKeeper(anywidget.AnyWidget):
    """Invisible. ``key`` says whose draft it is (``draft_key``); while there is none, nothing is kept or given back.

    What a browser kept is a stranger's word: the form believes of it what is of the right kind (``Draft.read``).
    """

    _esm = STATIC / "draft.js"
    key = traitlets.Unicode("").tag(sync=True)
    parts = traitlets.Dict().tag(sync=True, **widget_serialization)

    def __init__(self, form: ComposeForm, key: str = "") -> None:
        super().__init__(key=key, parts={name: part.plain() for name, part in form.parts.items()})
        self._form = form
        self.on_msg(self._heard)

    def forget(self) -> None:
        """What was begun is ordered now: keep it no longer."""
        self.send({"kind": "forget"})

    def _heard(self, _widget: object, said: Any, _buffers: object) -> None:
        match said:
            case {"kind": "here"}:
                self.send_state("key")  # it may have been named after the browser was given its picture of the page
            case {"kind": "kept"}:
                self._form.resume(said.get("draft"))
                self._allow()

    def _allow(self) -> None:
        """Let the browser write over what it had, once the form has its offer: before that nobody can be cast."""
        if self._form.cast.options:
            self.send({"kind": "given"})
        else:
            self._form.cast.observe(self._offered, "options")

    def _offered(self, _change: object) -> None:
        self._form.cast.unobserve(self._offered, "options")
        self._allow()


def draft_key(account: str) -> str:
    """Under what the draft of an account is kept: always the same for it, and it does not say whose it is."""
    return hashlib.blake2b(account.encode(), digest_size=KEY_BYTES, person=b"tng-draft").hexdigest() if account else ""


__all__ = ["DraftKeeper", "draft_key"]
