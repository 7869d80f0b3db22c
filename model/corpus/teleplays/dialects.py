"""Recognise how a text is laid out, and have it read. What is none of the four layouts is refused, with what was seen.

Layouts without acts get them here: the scenes are shared out over the acts of an episode, the teaser half an act.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from model.corpus.teleplays.final_draft import ROOT, read_final_draft
from model.corpus.teleplays.fountain import HEADING, read_fountain
from model.corpus.teleplays.imported import Dialect, Imported
from model.corpus.teleplays.lines import Classifier
from model.corpus.teleplays.studio import read_studio
from model.corpus.teleplays.transcript import PLACE, SPEECH, read_transcript
from tng.errors import CorpusError
from tng.script import Act, Script
from tng.shows import Show

FEWEST_SCENES: Final = 10
MOST_UNKNOWN: Final = 0.02
LONGEST_LINE: Final = 5_000
"""Of characters, but for XML. The readers look far along a line, and anybody may have written it."""
SCENES_FOR_ACTS: Final = 12
"""A script without acts that has fewer stays one act."""

FEWEST_CUES: Final = 3
"""A layout is believed in from so many of its cues."""

_TABBED_CUE = re.compile(r"^\t{5}\S", re.MULTILINE)
_TABBED_SPEECH = re.compile(r"^\t{3}\S", re.MULTILINE)
_PARAGRAPH_CUE = re.compile(
    r"\n[ \t]*\n[ \t]*[A-Z@][A-Z0-9 .'’#&-]{1,60}(?:\([^)\n]{0,40}\) ?){0,3}\^?[ ]?\n(?=[ \t]*\S)"
)


@dataclass(frozen=True, slots=True)
class Sights:
    """How often each layout's marks were seen."""

    tabbed_cues: int
    tabbed_speeches: int
    page_headings: int
    places_in_brackets: int
    named_lines: int
    headings: int
    paragraph_cues: int

    def __str__(self) -> str:
        """The counts, for the report of a refused file."""
        return (
            f"tabbed cues {self.tabbed_cues}, tabbed dialogue {self.tabbed_speeches}, page headings "
            f"{self.page_headings}, [places] {self.places_in_brackets}, NAME: lines {self.named_lines}, "
            f"INT./EXT. headings {self.headings}, cues {self.paragraph_cues}"
        )


def sights(text: str, show: Show) -> Sights:
    """Count the marks of every layout."""
    classifier = Classifier(show.teleplays)
    tabbed = classifier.with_tabs(text)
    lines = text.split("\n")
    return Sights(
        tabbed_cues=len(_TABBED_CUE.findall(tabbed)),
        tabbed_speeches=len(_TABBED_SPEECH.findall(tabbed)),
        page_headings=sum(map(classifier.is_page_heading, lines)),
        places_in_brackets=sum(bool(PLACE.match(line)) for line in lines),
        named_lines=sum(bool(SPEECH.match(line)) for line in lines),
        headings=sum(bool(HEADING.match(line)) for line in lines),
        paragraph_cues=len(_PARAGRAPH_CUE.findall(text)),
    )


def dialect_of(text: str, suffix: str, show: Show) -> Dialect:
    """The layout that a text's marks speak for. Raises CorpusError where they speak for none, with their counts."""
    if suffix == ".fdx" or f"<{ROOT}" in text[:2000]:
        return Dialect.FINAL_DRAFT
    longest = max(map(len, text.split("\n")))
    if longest > LONGEST_LINE:
        raise CorpusError(f"has a line of {longest:,} characters, as no teleplay has")
    seen = sights(text, show)
    if min(seen.tabbed_cues, seen.tabbed_speeches) >= FEWEST_CUES:
        return Dialect.STUDIO
    if seen.places_in_brackets >= 2 and seen.named_lines >= FEWEST_CUES:
        return Dialect.TRANSCRIPT
    if suffix == ".fountain" or (seen.headings and seen.paragraph_cues >= FEWEST_CUES):
        return Dialect.FOUNTAIN
    raise CorpusError(f"no known layout; seen: {seen}")


_READERS: Final[Mapping[Dialect, Callable[[str, Show], Imported]]] = {
    Dialect.STUDIO: read_studio,
    Dialect.TRANSCRIPT: read_transcript,
    Dialect.FOUNTAIN: read_fountain,
    Dialect.FINAL_DRAFT: read_final_draft,
}


def read_teleplay(text: str, suffix: str, show: Show, *, allow_short: bool = False) -> Imported:
    """Read a text in whichever layout it has. ``suffix`` (``.txt``) is its file's: it decides where nothing else does.

    Raises CorpusError, without a word of the text, where it has no layout that is known, more than 2 % of its lines
    are not understood, or it has fewer than ten scenes (a file that was cut off) and ``allow_short`` is not given.
    """
    dialect = dialect_of(text, suffix, show)
    imported = _with_acts(_READERS[dialect](text, show), show)
    _check(imported, allow_short=allow_short)
    return imported


def _check(imported: Imported, *, allow_short: bool) -> None:
    scenes = len(imported.script.scenes)
    if imported.unknown_share > MOST_UNKNOWN:
        raise CorpusError(
            f"{len(imported.unknown_lines):,} of {imported.lines:,} lines are not understood "
            f"({imported.unknown_share:.1%}); {MOST_UNKNOWN:.0%} are the most"
        )
    if not imported.speeches:
        raise CorpusError(f"nobody speaks in it ({scenes} scenes)")
    if scenes < FEWEST_SCENES and not allow_short:
        raise CorpusError(f"has {scenes} scenes, as a file that was cut off; --allow-short takes short pieces")


def _with_acts(imported: Imported, show: Show) -> Imported:
    """Share a script's one act out over those of an episode."""
    scenes = imported.script.scenes
    if len(imported.script.acts) != 1 or len(scenes) < SCENES_FOR_ACTS:
        return imported
    names = list(show.acts)
    halves = [2 * place - (place > 0) for place in range(len(names) + 1)]  # 0, 1, 3, 5 …: the first is half an act
    edges = [round(half * len(scenes) / halves[-1]) for half in halves]
    acts = tuple(
        Act(name, scenes[start:end]) for name, start, end in zip(names, edges, edges[1:], strict=False) if end > start
    )
    return replace(imported, script=Script(imported.script.title, acts), repaired_acts=len(acts))


__all__ = ["FEWEST_SCENES", "MOST_UNKNOWN", "Sights", "dialect_of", "read_teleplay", "sights"]
