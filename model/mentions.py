"""See to it that the names of a customer's logline come up in the script. It writes lines only where nobody else did.

A name may be spoken, stand in an action, a heading or a cue. What has not come up by itself when the first act ends is
asked after by somebody who is in the room: lines in the network's form, with marks, so that it goes on from them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from model.corpus.slots import MARKS
from tng.script import Scene, render_scene

QUESTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "ship": ("Is there any word from the {name}?", "Do we have the {name} on sensors?"),
    "planet": ("How far are we from {name}?", "What do we know of {name}?"),
    "system": ("How long until we reach the {name} system?", "What do we know of the {name} system?"),
    "outpost": ("What do we hear from {name}?", "Has {name} answered?"),
    "guest": ("Where is {name}?", "Has {name} been told?"),
    "guest2": ("And what of {name}?", "Does {name} know?"),
}
"""The kinds of names that a logline can give, and how one asks after them. In this order they are asked after."""


class Mentions:
    """Which of the customer's names have come up. ``given`` holds the names, by their slots."""

    def __init__(self, given: Mapping[str, str], seed: int) -> None:
        self._waiting = {slot: given[slot] for slot in QUESTIONS if given.get(slot)}
        self._seed = seed

    @property
    def waiting(self) -> dict[str, str]:
        """The names that have not come up yet, by their slots."""
        return dict(self._waiting)

    def hear(self, scene: Scene) -> None:
        """The scene stands: what it names has come up."""
        text = render_scene(scene)
        self._waiting = {slot: name for slot, name in self._waiting.items() if not names(text, name)}

    def questions(self, askers: Sequence[str], present: Collection[str]) -> list[str]:
        """A line for every name that has not come up, asked in turn: ``PICARD: Where is XGUEST?``

        Nobody asks after those who are ``present``: they will speak, and then their name stands in a cue.
        """
        absent = [slot for slot, name in self._waiting.items() if name.upper() not in present]
        lines = []
        for number, slot in enumerate(absent):
            forms = QUESTIONS[slot]
            form = forms[self._seed % len(forms)]
            lines.append(f"{askers[number % len(askers)]}: {form.format(name=MARKS[slot])}")
        return lines


def names(text: str, name: str) -> bool:
    """Whether a text names somebody or something, in capitals or not."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None


__all__ = ["QUESTIONS", "Mentions", "names"]
