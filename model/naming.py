"""Find the names in a customer's logline, and say what each stands for: a guest, a ship, a planet, an outpost.

Simple rules over capitals and the words around them; what is not recognised stays in the story's line alone.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from model.corpus.slots import Names
from tng.script import Premise
from tng.shows import Show

GUEST_SLOTS: Final = ("guest", "guest2")
GUEST_TITLES: Final = frozenset(
    str.split(
        "Ambassador Governor Doctor Dr Professor Minister Commander Envoy Magistrate Administrator Councilor Legate "
        "Chancellor Prefect Director Archivist Speaker Elder Marshal Captain Admiral Lieutenant Ensign Commodore "
        "General Senator Queen King Prince Princess Lord Lady Judge Colonel Major Sergeant President Sister Brother "
        "Mister Mr Mrs Ms Miss"
    )
)
_SHIP_WORDS: Final = frozenset(str.split("ship starship vessel freighter transport shuttle cruiser uss u.s.s"))
_PLANET_WORDS: Final = frozenset(str.split("planet world moon colony homeworld orbiting"))
_PLANET_ENDS: Final = frozenset(
    str.split("Two Three Four Five Six Seven Eight Nine Ten Prime Minor Major II III IV V VI VII VIII IX X")
)
_OUTPOST_WORDS: Final = frozenset(
    str.split("Station Outpost Starbase Relay Depot Base Waypoint Observatory Beacon Anchorage")
)
_SYSTEM_ENDS: Final = frozenset({"system", "sector", "nebula"})

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?:;…][\"'”’)]*\s*$|^\s*[\"'“‘(]*$")


def given_names(premise: Premise, show: Show) -> Names:
    """The slots that a premise fills: its guests first, and whoever and whatever its logline names."""
    found = names_in(premise.logline, show)
    told = [found[slot] for slot in GUEST_SLOTS if slot in found]
    asked = [_in_cue_letters(name) for name in premise.guests]
    others = [name for name in told if name not in asked]
    guests = (*asked, *others)[: len(GUEST_SLOTS)]
    if guests and guests[0] != found.get("guest"):
        found.pop("guest_title", None)  # it was another's
    return {**found, **dict(zip(GUEST_SLOTS, guests, strict=False))}


def names_in(logline: str, show: Show) -> Names:
    """The slots that a logline fills, of guest_title, guest, guest2, ship, planet, system and outpost.

    Guests come in the order in which they are named; the third and later ones are not placed.
    """
    known = show.known_words.union(cue.lower() for cue in show.cues)
    found: Names = {}
    matches = list(_WORD.finditer(logline))
    place = 0
    while place < len(matches):
        run = _capitalised_run(logline, matches, place)
        if not run:
            place += 1
            continue
        before = matches[place - 1].group().lower() if place else ""
        after = matches[place + len(run)].group().lower() if place + len(run) < len(matches) else ""
        opens = len(run) == 1 and _starts_sentence(logline, matches[place])
        _place(found, run, (before, after), known, opens_sentence=opens)
        place += len(run)
    return found


def _capitalised_run(logline: str, matches: list[re.Match[str]], place: int) -> list[str]:
    """The capitalised words from here on that belong together: only blanks (or a title's dot) between them."""
    run: list[str] = []
    for number in range(place, len(matches)):
        word = matches[number].group()
        gap = logline[matches[number - 1].end() : matches[number].start()] if run else ""
        if not word[0].isupper() or gap.strip(" .") or ("." in gap and run[-1] not in GUEST_TITLES):
            break
        run.append(word)
    return run


def _starts_sentence(logline: str, match: re.Match[str]) -> bool:
    return bool(_SENTENCE_END.search(logline[: match.start()]))


def _place(
    found: Names, run: list[str], around: tuple[str, str], known: frozenset[str], *, opens_sentence: bool
) -> None:
    """Put a run of capitalised words where it belongs, by itself and by the words before and after it."""
    before, after = around
    if run[0] in GUEST_TITLES and len(run) > 1:
        plain = _plain_name(run[-1])
        if plain and plain.lower() not in known:
            _add_guest(found, plain, run[0])
        return
    if opens_sentence or any(word.lower() in known for word in run):
        return
    name = " ".join(plain for word in run if (plain := _plain_name(word)))
    if not name or len(name) > 30:
        return
    if before in _SHIP_WORDS or (before == "the" and len(run) == 1 and after not in _SYSTEM_ENDS):
        found.setdefault("ship", name)
    elif set(run) & _OUTPOST_WORDS:
        found.setdefault("outpost", name)
    elif before in _PLANET_WORDS or run[-1] in _PLANET_ENDS:
        found.setdefault("planet", name)
    elif after in _SYSTEM_ENDS:
        found.setdefault("system", name)
    else:
        guest = name.split()[-1]
        if guest.lower() not in known:
            _add_guest(found, guest, "")


def _add_guest(found: Names, name: str, title: str) -> None:
    if name in (found.get("guest"), found.get("guest2")):
        return
    if "guest" not in found:
        found["guest"] = name
        if title:
            found["guest_title"] = title
    else:
        found.setdefault("guest2", name)


def _plain_name(word: str) -> str:
    """A name in the letters that a cue may have, its genitive taken off; empty where none are left."""
    word = re.sub(r"['’]s$", "", word)
    plain = _in_cue_letters(word)
    return plain if 2 <= len(plain) <= 20 and len(plain) >= len(word) - 1 and plain[0].isalpha() else ""


def _in_cue_letters(word: str) -> str:
    """The word without its accents and whatever else a cue cannot have."""
    letters = unicodedata.normalize("NFKD", word.replace("’", "'"))
    return "".join(c for c in letters if c.isascii() and (c.isalnum() or c in "'-"))


__all__ = ["GUEST_TITLES", "given_names", "names_in"]
