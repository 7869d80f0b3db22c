"""Who plays whom: a scene is written with the people it was learnt with, and stands on the page with those asked for.

The network knows its scenes by their speakers, and guests by their marks. So where an outline has somebody who was not
asked for, it still writes for that one, and whoever takes the part stands on the page: in the cue, and wherever the
name is spoken. A role is given by code, once a scene. A part goes to somebody of the same sex wherever one is free;
where none is, pronouns are turned as far as that is certain.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from model.corpus.outlines import Outline
from model.corpus.slots import MARKS, Names, fill_heading, unmarked
from model.pronouns import names_alone, turned
from tng.script import Element, ElementKind
from tng.shows import Member, Show

MOST_SPEAKERS: Final = 6
GUEST_CUES: Final = ("CREWMAN", "GUEST2", "GUEST")


@dataclass(slots=True)
class Casting:
    """Casts the scenes of one script, and remembers who was cast how often."""

    asked: tuple[str, ...]
    names: Names
    rng: random.Random
    show: Show
    used: Counter[str] = field(default_factory=Counter)
    in_act: set[str] = field(default_factory=set)

    def begin_act(self) -> None:
        """From here on nobody was in the act."""
        self.in_act.clear()

    def cast(self, outline: Outline) -> tuple[list[str], dict[str, str]]:
        """The speakers that the network is told, and who stands on the page for each of them who is another there."""
        told = [fill_heading(cue, MARKS) for cue in outline.cues][:MOST_SPEAKERS]
        roles = {MARKS[slot]: self.names[slot] for slot in GUEST_CUES if MARKS[slot] in told}
        playing = [roles.get(name, name) for name in told]
        for name in [name for name in told if self._is_stranger(name)]:
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
        self.in_act.update(playing)
        return told, roles

    def least_used(self, outside: Sequence[str]) -> str:
        """Who of the asked was cast in the fewest scenes and is not among ``outside``; empty where nobody is left."""
        left = [name for name in self.asked if name not in outside]
        return min(left, key=lambda name: (self.used[name], self.rng.random()), default="")

    def score(self, outline: Outline) -> float:
        """How well an outline fits the asked cast: more for who was not in the act, less for who was not asked for."""
        fits = sum(1.0 if cue in self.in_act else 2.0 for cue in outline.cues if cue in self.asked)
        strangers = [cue for cue in outline.cues if self._is_stranger(fill_heading(cue, MARKS))]
        unlike = sum(not any(alike(self.show, cue, name) for name in self.asked) for cue in strangers)
        return fits - 1.5 * len(strangers) - unlike + 2 * self.rng.random()

    def _is_stranger(self, name: str) -> bool:
        """Whether somebody may not stand on the page: not asked for, no guest of this story, no voice of the show."""
        guests = (MARKS[slot] for slot in GUEST_CUES)
        return name not in self.asked and name not in self.show.always_aboard and name not in guests

    def _player(self, role: str, outside: Sequence[str]) -> str:
        """Who plays a role: somebody asked for, of the same sex wherever one is free; empty where everyone is on.

        Else a guest, of whom no pronoun tells; but first of all two of the asked are to be there, of whatever sex.
        """
        others = [name for name in self.asked if not alike(self.show, name, role)]
        if player := self.least_used([*outside, *others]):
            return player
        free = [self.names[slot] for slot in GUEST_CUES if self.names[slot] not in outside]
        guest, other = next(iter(free), ""), self.least_used(outside)
        return guest or other if sum(name in self.asked for name in outside) >= 2 else other or guest


def alike(show: Show, one: str, other: str) -> bool:
    """Whether two of the cast are of the same sex, so that pronouns stay right when one plays the other."""
    first, second = show.member(one), show.member(other)
    return bool(first and first.is_woman) is bool(second and second.is_woman)


def recast(element: Element, roles: Mapping[str, str], names: Names, show: Show) -> Element:
    """The element as it stands on the page: parts played, in the cue and in what is said and done, and marks filled."""
    played = [(member, player) for role, player in roles.items() if (member := show.member(role))]
    element = _with_pronouns(element, played, show)
    text, aside = (_renamed(part, played, names, show) for part in (element.text, element.parenthetical))
    cue = roles.get(element.cue, element.cue)
    return replace(element, text=unmarked(text, names), parenthetical=unmarked(aside, names), cue=cue)


def _with_pronouns(element: Element, played: Iterable[tuple[Member, str]], show: Show) -> Element:
    """Pronouns of a part that is played by the other sex: where an action names that person alone, and in their asides.

    In what is said they stay, because there they are somebody else's.
    """
    for member, player in played:
        actor = show.member(player)
        if actor is None or actor.is_woman is member.is_woman:
            continue
        if element.cue == member.cue:
            return replace(element, parenthetical=turned(element.parenthetical, to_woman=actor.is_woman))
        if element.kind is ElementKind.ACTION and names_alone(element.text, member, show):
            return replace(element, text=turned(element.text, to_woman=actor.is_woman))
    return element


def _renamed(text: str, played: Sequence[tuple[Member, str]], names: Names, show: Show) -> str:
    """Everybody in a text by the name of who plays them, all at once: one may play another who plays a third."""
    players = {called: player for member, player in played for called in member.names}
    if not any(called in text for called in players):
        return text
    ranks = "|".join(map(re.escape, show.ranks))
    either = ("|".join(map(re.escape, member.names)) for member, _ in played)
    called = "|".join(f"(?:{those})(?: (?:{those}))?" for those in either)

    def address(match: re.Match[str]) -> str:
        player = next(player for name, player in players.items() if match[2].startswith(name))
        return _address(player, bool(match[1]), names, show)

    return re.sub(rf"\b((?:{ranks}) )?({called})\b", address, text)


def _address(player: str, formal: bool, names: Names, show: Show) -> str:
    """How somebody is called; a guest by the name alone."""
    if member := show.member(player):
        return member.formal if formal else member.names[0]
    return next((names[slot.lower()] for slot in GUEST_CUES if names[slot] == player), player.title())


__all__ = ["MOST_SPEAKERS", "Casting", "alike", "recast"]
