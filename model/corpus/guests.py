"""The guests of an imported episode get the marks that the network knows guests by (see ``model.corpus.slots``).

The three strangers who speak most become the guest, the other guest and the crewman: in their cues, and wherever
they are named. So the network learns to write for a guest, and code puts a customer's name there. Everybody else
keeps his name. Stardates become their mark, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from model.corpus.slots import MARKS
from model.naming import GUEST_TITLES
from tng.script import Element, ElementKind, Scene, Script
from tng.shows import Show

GUEST_SLOTS: Final = ("GUEST", "GUEST2", "CREWMAN")
"""The slots of guests, the one who speaks most first."""
FEWEST_SPEECHES: Final = 3

_RANKS: Final = frozenset(title.upper() for title in GUEST_TITLES)
_STARDATE = re.compile(r"\b\d{5}\.\d{1,2}\b")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@dataclass(frozen=True)
class Guests:
    """Who is marked in an episode: cue → mark, and name as it is called (in small letters) → mark."""

    cues: Mapping[str, str]
    names: Mapping[str, str]

    def marked(self, text: str) -> str:
        """The text with marks for the guests, and for stardates."""
        text = _STARDATE.sub(MARKS["stardate"], text)
        return self._pattern.sub(self._mark, text) if self.names else text

    def scene(self, scene: Scene) -> Scene:
        """The scene with marks, cues and heading included."""
        return Scene(self.marked(scene.heading), tuple(map(self._element, scene.elements)))

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        """A name, with the rank before it where there is one."""
        names = "|".join(re.escape(name) for name in sorted(self.names, key=lambda name: (-len(name), name)))
        ranks = "|".join(sorted(GUEST_TITLES))
        return re.compile(rf"\b(?:(?P<rank>{ranks})\.? )?(?P<name>(?i:{names}))\b")

    def _mark(self, found: re.Match[str]) -> str:
        rank, name = found["rank"], found["name"]
        if not name[0].isupper():  # the word, not the name
            return found[0]
        mark = self.names[name.lower()]
        if not rank:
            return mark
        return f"{MARKS['guest_title'] if mark == MARKS['GUEST'] else rank} {mark}"

    def _element(self, element: Element) -> Element:
        cue = self.cues.get(element.cue) or self.marked(element.cue)
        text, aside = self.marked(element.text), self.marked(element.parenthetical)
        return replace(element, text=text, parenthetical=aside, cue=cue)


def guests_of(script: Script, show: Show) -> Guests:
    """Find the guests of an episode: strangers with three speeches and more, the most talkative first."""
    aboard = {*show.cues, *show.always_aboard}
    spoken = Counter(element.cue for element in _speeches(script))
    strangers = [cue for cue, count in spoken.most_common() if count >= FEWEST_SPEECHES and _is_one(cue, aboard)]
    chosen = {cue: MARKS[slot] for cue, slot in zip(strangers, GUEST_SLOTS, strict=False)}
    texts = [text for scene in script.scenes for e in scene.elements for text in (e.text, e.parenthetical)]
    words = Counter(word for text in texts for word in _WORD.findall(text))
    called = {name.lower() for member in show.cast for full in member.names for name in (full, *full.split())}
    names = {name: mark for cue, mark in chosen.items() for name in _names(cue, words) if name not in called}
    return Guests(chosen, names)


def _speeches(script: Script) -> Iterator[Element]:
    yield from (e for scene in script.scenes for e in scene.elements if e.kind is ElementKind.SPEECH)


def _is_one(cue: str, aboard: Iterable[str]) -> bool:
    """Whether a cue is one stranger: neither aboard, nor two at once, nor somebody's number two."""
    return cue not in aboard and not re.search(r"[/&]| AND |\d|\bVOICES?\b|\bALL\b", cue)


def _names(cue: str, words: Counter[str]) -> list[str]:
    """How a guest is called: by the whole cue, and by each word of it that is no rank and no common word."""
    parts = cue.replace(".", "").split()
    own = [part for part in parts if part not in _RANKS] or parts
    names = [part.lower() for part in own if len(part) > 2 and _is_name(part, words)]
    return [" ".join(own).lower(), *names] if names and len(own) > 1 else names


def _is_name(word: str, words: Counter[str]) -> bool:
    """Whether a word hardly ever stands in the texts without a capital: GUARD is no name, TALLAN is one."""
    small = words[word.lower()]
    return not small or sum(words[spelling] for spelling in {word.title(), word.capitalize(), word}) > 2 * small


__all__ = ["FEWEST_SPEECHES", "GUEST_SLOTS", "Guests", "guests_of"]
