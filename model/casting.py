"""Who plays whom: a scene is written with the people it was learnt with, and stands on the page with those asked for.

The network knows its scenes by their speakers, and guests by their marks. So where an outline has somebody who was not
asked for, it still writes for that one, and whoever takes the part stands on the page: in the cue, and wherever the
name is spoken. A role is given by code, once a scene. Pronouns stay as they are, so a part goes to somebody of the same
sex where one waits.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from model.corpus.outlines import Outline
from model.corpus.slots import MARKS, Names, fill_heading, unmarked
from tng.script import CAST, Element

MOST_SPEAKERS: Final = 6
GUEST_CUES: Final = ("CREWMAN", "GUEST2", "GUEST")
WOMEN: Final = frozenset({"TROI", "BEVERLY", "GUINAN"})

_TITLES: Final = "Captain|Commander|Lieutenant|Counselor|Doctor|Chief|Mister|Ensign"
_SHORT: Final[dict[str, tuple[str, ...]]] = {
    "PICARD": ("Picard", "Jean-Luc"),
    "RIKER": ("Riker",),
    "DATA": ("Data",),
    "WORF": ("Worf",),
    "TROI": ("Troi", "Deanna"),
    "BEVERLY": ("Beverly", "Crusher"),
    "GEORDI": ("Geordi", "La Forge"),
    "WESLEY": ("Wesley", "Wes"),
    "GUINAN": ("Guinan",),
    "O'BRIEN": ("O'Brien", "Miles"),
}
"""How everybody aboard is called, the shortest form of address first."""
_FORMAL: Final[dict[str, str]] = {
    "PICARD": "Captain Picard",
    "RIKER": "Commander Riker",
    "DATA": "Commander Data",
    "WORF": "Lieutenant Worf",
    "TROI": "Counselor Troi",
    "BEVERLY": "Doctor Crusher",
    "GEORDI": "Mister La Forge",
    "WESLEY": "Mister Crusher",
    "GUINAN": "Guinan",
    "O'BRIEN": "Chief O'Brien",
}


@dataclass(slots=True)
class Casting:
    """Casts the scenes of one script, and remembers who was cast how often."""

    asked: tuple[str, ...]
    names: Names
    rng: random.Random
    used: Counter[str] = field(default_factory=Counter)

    def cast(self, outline: Outline) -> tuple[list[str], dict[str, str]]:
        """The speakers that the network is told, and who stands on the page for each of them who is another there."""
        told = [fill_heading(cue, MARKS) for cue in outline.cues][:MOST_SPEAKERS]
        roles = {MARKS[slot]: self.names[slot] for slot in GUEST_CUES if MARKS[slot] in told}
        playing = [roles.get(name, name) for name in told]
        for name in [name for name in told if name in CAST and name not in self.asked]:
            if player := self._player(name, outside=playing):
                roles[name] = player
                playing.append(player)
            else:
                told.remove(name)
        playing = [roles.get(name, name) for name in told]
        while sum(name in self.asked for name in playing) < 2 and (name := self.least_used(outside=playing)):
            told.append(name)
            playing.append(name)
        self.used.update(playing)
        return told, roles

    def least_used(self, outside: Sequence[str]) -> str:
        """Who of the asked was cast in the fewest scenes and is not among ``outside``; empty where nobody is left."""
        left = [name for name in self.asked if name not in outside]
        return min(left, key=lambda name: (self.used[name], self.rng.random()), default="")

    def score(self, outline: Outline) -> float:
        """How well an outline fits the asked cast: more for those who wait, less for each who was not asked for."""
        fits = sum(1.0 if self.used[cue] else 2.0 for cue in outline.cues if cue in self.asked)
        strangers = sum(cue in CAST and cue not in self.asked for cue in outline.cues)
        return fits - 1.5 * strangers + 2 * self.rng.random()

    def _player(self, role: str, outside: Sequence[str]) -> str:
        """Who plays a role: somebody asked for, of the same sex first, then a guest; empty where everyone is on."""
        alike = [name for name in self.asked if (name in WOMEN) is not (role in WOMEN)]
        if player := self.least_used([*outside, *alike]) or self.least_used(outside):
            return player
        guests = (self.names[slot] for slot in GUEST_CUES)
        return next((guest for guest in guests if guest not in outside), "")


def recast(element: Element, roles: Mapping[str, str], names: Names) -> Element:
    """The element as it stands on the page: parts played, in the cue and in what is said and done, and marks filled."""
    text, aside = element.text, element.parenthetical
    for role, player in roles.items():
        if role in _SHORT:
            text, aside = _renamed(text, role, player, names), _renamed(aside, role, player, names)
    cue = roles.get(element.cue, element.cue)
    return replace(element, text=unmarked(text, names), parenthetical=unmarked(aside, names), cue=cue)


def _renamed(text: str, role: str, player: str, names: Names) -> str:
    for called in _SHORT[role]:
        if called in text:
            pattern = rf"\b((?:{_TITLES}) )?{re.escape(called)}\b"
            text = re.sub(pattern, lambda match: _address(player, bool(match[1]), names), text)
    return text


def _address(player: str, formal: bool, names: Names) -> str:
    """How somebody is called; a guest by the name alone."""
    if player in _SHORT:
        return _FORMAL[player] if formal else _SHORT[player][0]
    return next((names[slot.lower()] for slot in GUEST_CUES if names[slot] == player), player.title())


__all__ = ["MOST_SPEAKERS", "Casting", "recast"]
