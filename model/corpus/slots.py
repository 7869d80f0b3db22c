"""What stands in the slots of the bank: marks, for the network, and invented names, for the page.

The network never sees a name. In all its text a mark stands for one, a single token: ``The XSHIP is silent.`` Code puts
the names there when a line is kept, a customer's own among them, so that a name is the same from the first page to the
last, however small the network. Invented names are put together from parts by a seeded random.Random.
"""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Mapping
from typing import Final

from tng.script import Element, Scene
from tng.shows import Show

Names = dict[str, str]
"""Slot → its filling, for one whole episode."""

_ONSETS: Final = str.split("B Br D Dr F G Gr H J K Kr L M N P Pr R S Sh T Th Tr V Vr Z Y Cal Mer Tor El Or Is Ash")
_VOWELS: Final = str.split("a e i o u a e i o a e o ae ia")
_MIDDLES: Final = str.split("l r n m s th v d rr ll nn k t sh ss nd rk lv")
_ENDINGS: Final = str.split("an en on ar el is ik os eth ax ir in or im ul esh ora ane ell ith")
_SURNAME_STARTS: Final = str.split(
    "Has Ash Brad Cole Dun Ed Fair Gar Hal Hart Ken Lang Mar Nor Pem Quin Ra Red Shel Stan Thorn Wal West Whit "
    "Cal Der El Fen Har Lin Mor Nash Ock Pres Row Sut Tan Wen Al Ben Col Dal Far Hol Kel Lam Mil New Os Per Ros"
)
_SURNAME_ENDS: Final = str.split(
    "kell ton ley wood field son man ford well ridge more worth ham by den row ster den dale gate"
)
_NUMBERS: Final = str.split(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty"
)
_SLOT = re.compile(r"\{([A-Za-z0-9_]+)\}")

MARKS: Final[Names] = {
    "planet": "XPLANET",
    "system": "XSYSTEM",
    "species": "XPEOPLE",
    "species_adj": "XPEOPLISH",
    "guest_title": "XRANK",
    "guest": "XGUEST",
    "guest2": "XOTHER",
    "ship": "XSHIP",
    "anomaly": "XANOMALY",
    "particle": "XPARTICLE",
    "device": "XDEVICE",
    "disease": "XDISEASE",
    "substance": "XSUBSTANCE",
    "stardate": "XSTARDATE",
    "deck": "XDECK",
    "hours": "XHOURS",
    "crewman": "XENSIGN",
    "outpost": "XOUTPOST",
    "GUEST": "XGUEST",
    "GUEST2": "XOTHER",
    "CREWMAN": "XENSIGN",
}
"""Slot → the word that stands for its name in the network's text; cues share theirs with the names in the text."""

_MARKED: Final[dict[str, str]] = {mark: slot for slot, mark in MARKS.items() if slot.islower()}
_MARK = re.compile(r"\bX[A-Z]{3,}\b")


def draw_names(rng: random.Random, show: Show, fixed: Mapping[str, str] | None = None) -> Names:
    """Fill every slot. ``fixed`` holds fillings that are given (``guest``, ``ship`` …); the rest is invented.

    Nobody is called like somebody of the show. The capitals of guests and crewman follow their names, the adjective
    follows the people.
    """
    taken = show.taken_names.union(show.cues)

    def part(pool: str) -> str:
        return rng.choice(show.invented[pool])

    people = _people(rng, taken)
    names: Names = {
        "planet": f"{rng.choice([people, _root(rng, taken)])} {part('planet_ends')}",
        "system": _root(rng, taken),
        "species": people + "s",
        "guest_title": part("guest_titles"),
        "guest": _person(rng, taken),
        "guest2": _person(rng, taken),
        "crewman": _surname(rng),
        "ship": part("ship_starts") + part("ship_ends"),
        "outpost": part("outposts").format(n=rng.choice(_NUMBERS).title(), r=_root(rng, taken)),
        "anomaly": f"{part('anomaly_starts')} {part('anomaly_ends')}",
        "particle": part("particle_starts") + part("particle_ends"),
        "device": f"{part('device_starts')} {part('device_ends')}",
        "disease": part("diseases").format(r=_root(rng, taken)),
        "substance": (rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice("lrnmvd")).lower()
        + part("substance_ends"),
        "stardate": f"{rng.randrange(*show.dates)}.{rng.randrange(10)}",
        "deck": rng.choice(_NUMBERS),
        "hours": rng.choice(_NUMBERS),
    }
    while len({names["guest"], names["guest2"], names["crewman"]}) < 3:
        names["guest2"], names["crewman"] = _person(rng, taken), _surname(rng)
    names.update(fixed or {})
    names["species_adj"] = names["species"].removesuffix("s")
    for slot in ("guest", "guest2", "crewman"):
        names[slot.upper()] = names[slot].upper()
    return names


def _root(rng: random.Random, taken: Collection[str]) -> str:
    """A pronounceable capitalised word of two or three syllables that is nobody's name yet."""
    while True:
        parts = [rng.choice(_ONSETS), rng.choice(_VOWELS), rng.choice(_MIDDLES)]
        if rng.random() < 0.12:
            parts += [rng.choice(_VOWELS), rng.choice(_MIDDLES)]
        word = "".join([*parts, rng.choice(_ENDINGS)])
        if word.upper() not in taken and len(word) <= 11:
            return word


def _person(rng: random.Random, taken: Collection[str]) -> str:
    """A guest's name: mostly strange, sometimes with an apostrophe, sometimes as from Earth, as customers' are."""
    kind = rng.random()
    if kind < 0.1:
        return _surname(rng)
    root = _root(rng, taken)
    return f"{root[0]}'{root[1:].capitalize()}" if kind < 0.18 else root


def _surname(rng: random.Random) -> str:
    return rng.choice(_SURNAME_STARTS) + rng.choice(_SURNAME_ENDS)


def _people(rng: random.Random, taken: Collection[str]) -> str:
    """A root that takes a plural s well."""
    while (word := _root(rng, taken)).endswith(("s", "x", "h")):
        continue
    return word


def fill(text: str, names: Mapping[str, str]) -> str:
    """Put the names where the slots stand."""
    return _SLOT.sub(lambda match: names[match.group(1)], text)


def fill_heading(text: str, names: Mapping[str, str]) -> str:
    """Fill a heading or a cue, which stand in capitals."""
    return fill(text, names).upper()


def unmarked(text: str, names: Mapping[str, str]) -> str:
    """Put the names where the marks stand. What only looks like a mark stays."""
    return _MARK.sub(lambda match: names[_MARKED[match[0]]] if match[0] in _MARKED else match[0], text)


def marked(text: str, names: Mapping[str, str]) -> str:
    """Put the marks where the names stand, long names first. Decks, hours and ranks alone stay words of the text."""
    text = re.sub(rf"\b{re.escape(names['guest_title'])} {re.escape(names['guest'])}\b", "XRANK XGUEST", text)
    slots = [slot for slot in _MARKED.values() if slot not in ("guest_title", "deck", "hours", "stardate")]
    for slot in sorted(slots, key=lambda slot: -len(names[slot])):
        text = re.sub(rf"\b{re.escape(names[slot])}\b", MARKS[slot], text)
    return text


def fill_scene(scene: Scene, names: Mapping[str, str]) -> Scene:
    """The scene with every slot filled."""
    return Scene(
        fill_heading(scene.heading, names),
        tuple(
            Element(e.kind, fill(e.text, names), fill_heading(e.cue, names), e.extension, fill(e.parenthetical, names))
            for e in scene.elements
        ),
    )


__all__ = ["MARKS", "Names", "draw_names", "fill", "fill_heading", "fill_scene", "marked", "unmarked"]
