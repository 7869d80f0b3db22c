"""What stands in the slots of the bank: marks, for the network, and invented names, for the page.

The network never sees a name. In all its text a mark stands for one, a single token: ``The XSHIP is silent.`` Code puts
the names there when a line is kept, a customer's own among them, so that a name is the same from the first page to the
last, however small the network. Invented names are put together from parts by a seeded random.Random.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Final

from tng.script import CAST, Element, Scene

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
_SHIP_STARTS: Final = str.split(
    "Dawn Star Night Far Long Storm Silver Bright Swift Winter Ember Frost Sun Moon Sky Iron Lark Tide Wind Gold "
    "Morning Evening Deep High Still Grey White North South Ever Wander Comet Cloud Sea Stone"
)
_SHIP_ENDS: Final = str.split(
    "strider runner watch light wing hope bearer song seeker rider sail fall lance reach haven crest mark weaver "
    "herald drift born call dancer keeper finder"
)
_PLANET_NUMBERS: Final = str.split("Two Three Four Five Six Seven Eight Nine Prime Minor Major")
_NUMBERS: Final = str.split(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty thirty"
)
_OUTPOSTS: Final = str.split(
    "Relay Station {n}|Outpost {n}|Station {r}|{r} Depot|{r} Station|Waypoint {n}|Observatory {n}|Colony {r}|"
    "Listening Post {n}|{r} Relay|Beacon {n}|{r} Yards|Research Station {n}|{r} Anchorage",
    "|",
)
_ANOMALY_STARTS: Final = str.split(
    "subspace|temporal|gravimetric|plasma|spatial|quantum|phased|dark|folded|drifting|spiral|silent|magnetic|ionic|"
    "crystalline|harmonic|polaric|inverted|hollow|shimmering",
    "|",
)
_ANOMALY_ENDS: Final = str.split(
    "rift|vortex|eddy|fold|wake|storm|shear|veil|fracture|current|tide|knot|corridor|well|lens|front|cascade|ribbon",
    "|",
)
_PARTICLE_STARTS: Final = str.split("tetr ver chron thal kel zen mar lep dy nad tach ost ser vol brev cal pol quil")
_PARTICLE_ENDS: Final = str.split("yon ion aton iton eron alon uon ithon oron")
_DEVICE_STARTS: Final = str.split(
    "phase|resonance|field|pattern|signal|neural|memory|harmonic|gravity|plasma|thought|subspace|sensor|pulse|dream|"
    "wave|echo|tidal|particle|synaptic|light|time|matter|shield",
    "|",
)
_DEVICE_ENDS: Final = str.split(
    "inverter|array|modulator|lattice|regulator|engine|coupler|loom|lens|recorder|amplifier|compensator|collector|"
    "generator|key|beacon|converter|mirror|damper|resonator",
    "|",
)
_DISEASES: Final = str.split("{r}'s syndrome|{r} fever|{r}'s disease|{r} plague|{r} palsy|{r}'s ague|{r} blight", "|")
_SUBSTANCE_ENDS: Final = str.split(
    "ium gas|ite dust|ine serum|ium crystal|ol vapor|ite resin|ane coolant|ium salts|ide solution", "|"
)
_GUEST_TITLES: Final = str.split(
    "Ambassador|Governor|Doctor|Professor|Minister|Commander|Envoy|Magistrate|Administrator|Councilor|Chancellor|"
    "Legate|Prefect|Director|Archivist|Speaker|Elder|Marshal",
    "|",
)
_NOT_A_NAME: Final = frozenset(CAST) | {"KIRA", "QUARK", "SPOCK", "SULU", "SAREK", "TASHA", "BAJOR", "VULCAN", "DUKAT"}
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


def draw_names(rng: random.Random, fixed: Mapping[str, str] | None = None) -> Names:
    """Fill every slot. ``fixed`` holds fillings that are given (``guest``, ``ship`` …); the rest is invented.

    The capitals of guests and crewman follow their names, the adjective follows the people.
    """
    people = _people(rng)
    names: Names = {
        "planet": f"{rng.choice([people, _root(rng)])} {rng.choice(_PLANET_NUMBERS)}",
        "system": _root(rng),
        "species": people + "s",
        "guest_title": rng.choice(_GUEST_TITLES),
        "guest": _person(rng),
        "guest2": _person(rng),
        "crewman": _surname(rng),
        "ship": rng.choice(_SHIP_STARTS) + rng.choice(_SHIP_ENDS),
        "outpost": rng.choice(_OUTPOSTS).format(n=rng.choice(_NUMBERS).title(), r=_root(rng)),
        "anomaly": f"{rng.choice(_ANOMALY_STARTS)} {rng.choice(_ANOMALY_ENDS)}",
        "particle": rng.choice(_PARTICLE_STARTS) + rng.choice(_PARTICLE_ENDS),
        "device": f"{rng.choice(_DEVICE_STARTS)} {rng.choice(_DEVICE_ENDS)}",
        "disease": rng.choice(_DISEASES).format(r=_root(rng)),
        "substance": (rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice("lrnmvd")).lower()
        + rng.choice(_SUBSTANCE_ENDS),
        "stardate": f"{rng.randrange(41000, 48000)}.{rng.randrange(10)}",
        "deck": rng.choice(_NUMBERS),
        "hours": rng.choice(_NUMBERS),
    }
    while len({names["guest"], names["guest2"], names["crewman"]}) < 3:
        names["guest2"], names["crewman"] = _person(rng), _surname(rng)
    names.update(fixed or {})
    names["species_adj"] = names["species"].removesuffix("s")
    for slot in ("guest", "guest2", "crewman"):
        names[slot.upper()] = names[slot].upper()
    return names


def _root(rng: random.Random) -> str:
    """A pronounceable capitalised word of two or three syllables that is nobody's name aboard."""
    while True:
        parts = [rng.choice(_ONSETS), rng.choice(_VOWELS), rng.choice(_MIDDLES)]
        if rng.random() < 0.12:
            parts += [rng.choice(_VOWELS), rng.choice(_MIDDLES)]
        word = "".join([*parts, rng.choice(_ENDINGS)])
        if word.upper() not in _NOT_A_NAME and len(word) <= 11:
            return word


def _person(rng: random.Random) -> str:
    """A guest's name: mostly strange, sometimes with an apostrophe, sometimes as from Earth, as customers' are."""
    kind = rng.random()
    if kind < 0.1:
        return _surname(rng)
    root = _root(rng)
    return f"{root[0]}'{root[1:].capitalize()}" if kind < 0.18 else root


def _surname(rng: random.Random) -> str:
    return rng.choice(_SURNAME_STARTS) + rng.choice(_SURNAME_ENDS)


def _people(rng: random.Random) -> str:
    """A root that takes a plural s well."""
    while (word := _root(rng)).endswith(("s", "x", "h")):
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
