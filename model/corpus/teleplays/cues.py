"""Who speaks: a cue as it was typed, brought to the one spelling that the compact form reads; typing errors mended.

``Picard's Com Voice (Cont'd)`` is PICARD, extension COM VOICE, continued. A cue has plain capitals afterwards, digits
and ``.'’#/&-``; what else stood there is brought to the nearest letter or left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from tng.script import Element, ElementKind, Scene, Script

LONGEST_CUE: Final = 39
LONGEST_EXTENSION: Final = 24
MORE_FREQUENT: Final = 8
"""How many times as many lines a name must have, to be what a similar one was meant to be."""

_CONTINUED = re.compile(r",?\s*\(?\s*\b(?:cont['’]?d|cont['’]|con['’]t|continued|continuing|cont)\b\.?\s*\)?", re.I)
_VOICE = re.compile(r"^(?P<name>.+?)(?:'S|S'|')\s+(?:(?P<kind>[A-Z]+(?: [A-Z]+)*)\s+)?VOICE$")
_KNOWN_EXTENSIONS: Final = (
    (re.compile(r"\(\s*(?:TELEPATHIC\s+)?V\s*\.?\s*O\s*\.?\s*\)|\bV\.\s?O\.?$"), "V.O."),
    (re.compile(r"\(\s*O\s*\.?\s*[SC]\s*\.?\s*\)|\bO\.\s?[SC]\.?$"), "O.S."),
    (re.compile(r"\(\s*(?:COMM?(?: VOICE)?|ON COMM?|OVER COMM?)\s*\)"), "COM VOICE"),
)
_REMARK = re.compile(r"\(([^()]*)\)")
_TITLES = re.compile(r"\b(MRS|DR|MR|LT)\b\.? ")
_FOREIGN = re.compile(r"[^A-Z0-9 .'’#/&-]+")
_PLAIN_LETTERS: Final = str.maketrans({"Æ": "AE", "Ø": "O", "Œ": "OE", "ß": "SS", "Ł": "L", "Đ": "D", "Þ": "TH"})


@dataclass(frozen=True, slots=True)
class Cue:
    """A speaker, the extension that goes in parentheses, and whether the line goes on from the page before."""

    name: str
    extension: str = ""
    is_continued: bool = False


def read_cue(raw: str, aliases: Mapping[str, str]) -> Cue:
    """Read a cue. The name is empty where nothing is left of it."""
    cue = _read(raw)
    return replace(cue, name=aliases[cue.name][:LONGEST_CUE]) if cue.name in aliases else cue


@lru_cache(maxsize=4096)
def _read(raw: str) -> Cue:
    """Without aliases; a series has a thousand spellings of its cues, and seventy thousand cues."""
    typed = " ".join(raw.replace("’", "'").split()).rstrip(":").strip()
    text = _CONTINUED.sub("", typed)
    is_continued = text != typed
    text, extension = _extension(text.upper().strip(' .,"'))
    return Cue(_tidy(text)[:LONGEST_CUE].strip(), extension, is_continued)


def _extension(text: str) -> tuple[str, str]:
    """The text without its extension, and the extension in its usual spelling."""
    extension = ""
    if voice := _VOICE.match(text):
        kind = voice["kind"] or ""
        text, extension = voice["name"], f"{'COM' if kind == 'COMM' else kind} VOICE".strip()
    for pattern, usual in _KNOWN_EXTENSIONS:
        if pattern.search(text):
            text, extension = pattern.sub(" ", text), extension or usual
    if remark := _REMARK.search(text):
        text, extension = _REMARK.sub(" ", text), extension or remark[1].strip()
    return text, extension[:LONGEST_EXTENSION].strip()


def _tidy(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.translate(_PLAIN_LETTERS)).upper()
    text = " ".join(_FOREIGN.sub("", letters).split()).strip(" .,&/-'")
    text = _TITLES.sub(r"\1. ", re.sub(r"'S$", "", text))
    return text.lstrip(".'’#/&- ")


def mended(script: Script, known: Iterable[str]) -> tuple[Script, int]:
    """The script with cues that were mistyped put right, and how many speeches that were.

    A name is mended that is ``known`` to nobody and a letter or two (of seven and more) from one that speaks eight
    times as often in the same episode. Names with digits (GUARD #2) are taken at their word.
    """
    counts = Counter(e.cue for scene in script.scenes for e in scene.elements if e.cue)
    meant = {name: right for name in counts if name not in set(known) and (right := _meant(name, counts))}
    if not meant:
        return script, 0
    acts = tuple(replace(act, scenes=tuple(_scene_with(meant, scene) for scene in act.scenes)) for act in script.acts)
    return replace(script, acts=acts), sum(counts[name] for name in meant)


def _meant(name: str, counts: Counter[str]) -> str:
    if len(name) < 4 or any(character.isdigit() for character in name):
        return ""
    near = [
        other
        for other, count in counts.items()
        if count >= MORE_FREQUENT * counts[name]
        and 0 < distance(name, other, 3) <= (2 if min(len(name), len(other)) >= 7 else 1)
    ]
    return max(near, key=lambda other: counts[other], default="")


def _scene_with(meant: Mapping[str, str], scene: Scene) -> Scene:
    return replace(scene, elements=tuple(_renamed(element, meant) for element in scene.elements))


def _renamed(element: Element, meant: Mapping[str, str]) -> Element:
    if element.kind is ElementKind.SPEECH and element.cue in meant:
        return replace(element, cue=meant[element.cue])
    return element


def distance(one: str, other: str, enough: int) -> int:
    """How many letters lie between two words: typed wrongly, too much, not at all, or swapped with the next.

    The restricted Damerau-Levenshtein distance; ``enough`` where it is that or more.
    """
    if abs(len(one) - len(other)) >= enough:
        return enough
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, its in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != its))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == its:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return min(row[-1], enough)


__all__ = ["Cue", "distance", "mended", "read_cue"]
