"""What the planning needs to know of a corpus: which scenes its episodes had, who spoke in them, and its words.

Made of the bank once, kept in every release as ``outlines.json`` and ``words.txt``: the writer needs no corpus.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from model.corpus.assembler import Assembler
from model.corpus.scenebank import Bank, BankScene
from model.lexicon import corpus_words, spelled
from tng.errors import ReleaseDamaged
from tng.script import ElementKind, render_element

OUTLINES_FILE: Final = "outlines.json"
WORDS_FILE: Final = "words.txt"

_SLOT = re.compile(r"\{[^}]*\}")


@dataclass(frozen=True, slots=True)
class Outline:
    """A scene without its words, slots still open: heading, cues and, of a corpus that is ours, its first action.

    By that action the network knows which of its scenes is meant, as a story's outline says what a scene begins with.
    """

    heading: str
    cues: tuple[str, ...]
    opening: str = ""


@dataclass(frozen=True, slots=True)
class Outlines:
    """Family → beat → outlines; side stories as threads, a scene a beat; family → loglines, slots open.

    A corpus that knows no families has everything under the family ``""``, and one that knows no beats has the names
    of the show's acts in their place (``{"": {"TEASER": …, "ACT ONE": …}}``): planning then leaves untold what the
    training left out of the headers. Threads and loglines may be missing.
    """

    families: dict[str, dict[str, tuple[Outline, ...]]]
    threads: tuple[tuple[Outline, ...], ...]
    loglines: dict[str, tuple[str, ...]]


def write_outlines(bank: Bank, assembler: Assembler, folder: Path) -> None:
    """Write both files; scenes that are reserved for measuring are left out."""
    families = {
        name: {
            beat: [_outline_fields(s) for s in scenes if not assembler.is_reserved(s)]
            for beat, scenes in family.scenes.items()
        }
        for name, family in bank.families.items()
    }
    threads = [[_outline_fields(s) for s in thread] for thread in bank.threads if not assembler.is_reserved(thread[0])]
    loglines = {name: list(family.loglines) for name, family in bank.families.items()}
    _save(folder, {"families": families, "threads": threads, "loglines": loglines}, _texts(bank))


def save_outlines(outlines: Outlines, texts: Iterable[str], folder: Path) -> None:
    """Write both files of a corpus that is no bank: ``texts`` are those whose words a script may use.

    Such a corpus knows neither families nor beats: its outlines stand under the family ``""``, by acts.
    """
    families = {
        name: {where: [[one.heading, list(one.cues)] for one in found] for where, found in places.items()}
        for name, places in outlines.families.items()
    }
    threads = [[[one.heading, list(one.cues)] for one in thread] for thread in outlines.threads]
    loglines = {name: list(lines) for name, lines in outlines.loglines.items()}
    _save(folder, {"families": families, "threads": threads, "loglines": loglines}, texts)


def _save(folder: Path, content: Mapping[str, object], texts: Iterable[str]) -> None:
    (folder / OUTLINES_FILE).write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    words = sorted(corpus_words(_SLOT.sub(" ", text) for text in texts))
    (folder / WORDS_FILE).write_text("\n".join(words) + "\n", encoding="utf-8")


def read_outlines(folder: Path) -> Outlines:
    """The outlines of a release. Raises ReleaseDamaged where they cannot be read."""
    try:
        content = json.loads((folder / OUTLINES_FILE).read_text(encoding="utf-8"))
        families = {
            name: {beat: tuple(map(_outline, scenes)) for beat, scenes in beats.items()}
            for name, beats in content["families"].items()
        }
        threads = tuple(tuple(map(_outline, thread)) for thread in content["threads"])
        loglines = {name: tuple(texts) for name, texts in content["loglines"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseDamaged(f"{folder.name}/{OUTLINES_FILE} cannot be read ({type(error).__name__})") from error
    return Outlines(families, threads, loglines)


def read_words(folder: Path) -> frozenset[str]:
    """Every word of the corpus, as it is written there. Raises ReleaseDamaged where the list cannot be read."""
    try:
        return frozenset((folder / WORDS_FILE).read_text(encoding="utf-8").split())
    except (OSError, ValueError) as error:
        raise ReleaseDamaged(f"{folder.name}/{WORDS_FILE} cannot be read ({type(error).__name__})") from error


def words_of(text: str) -> list[str]:
    """The words of a text in lower case, a genitive's ``'s`` taken off."""
    return [word.lower() for word in spelled(text)]


def _texts(bank: Bank) -> Iterator[str]:
    for family in bank.families.values():
        yield from (*family.titles, *family.loglines)
        yield from (text for scenes in family.scenes.values() for s in scenes for text in _scene_texts(s))
    yield from (text for thread in bank.threads for s in thread for text in _scene_texts(s))


def _scene_texts(source: BankScene) -> Iterator[str]:
    yield from (part for e in source.scene.elements for part in (e.text, e.parenthetical))


def _outline_fields(source: BankScene) -> list[object]:
    first = next(iter(source.scene.elements), None)
    opening = render_element(first) if first and first.kind is ElementKind.ACTION else ""
    return [source.scene.heading, list(source.scene.speakers), opening]


def _outline(fields: list[object]) -> Outline:
    heading, cues, *rest = fields
    opening = next(iter(rest), "")
    if not (isinstance(heading, str) and isinstance(cues, list) and isinstance(opening, str)):
        raise TypeError("an outline is a heading, a list of cues and an opening")
    return Outline(heading, tuple(map(str, cues)), opening)


__all__ = [
    "OUTLINES_FILE",
    "WORDS_FILE",
    "Outline",
    "Outlines",
    "read_outlines",
    "read_words",
    "save_outlines",
    "words_of",
    "write_outlines",
]
