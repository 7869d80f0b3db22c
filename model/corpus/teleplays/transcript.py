"""Read a transcript in brackets, as viewers typed them from the screen: no acts, no shots, places in a word.

[Bridge]

(The ship drifts beside a sheet of light.)
DATA: The object has no far side, sir.
PICARD [OC]: On screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from model.corpus.teleplays.composer import Composer, squeezed
from model.corpus.teleplays.cues import mended, read_cue
from model.corpus.teleplays.imported import Dialect, Imported, TitlePage
from tng.shows import Show

PLACE: Final = re.compile(r"\s*\[([^\[\]]{1,70})\]\s*$")
SPEECH: Final = re.compile(r"\s*([A-Z][A-Z0-9 .'’#/&-]{0,38}?) ?(?:[\[(]([^\])]{1,40})[\])])? ?:\s*(.*)$")

_DOING = re.compile(r"\s*\((.*)\)\s*$")
_ASIDE = re.compile(r"\(([^()]*)\)\s*")
_OUTSIDE = re.compile(r"\b(?:SPACE|SURFACE|OUTSIDE|EXTERIOR|PLANET|ORBIT|STREET|GARDEN|FOREST|HILLSIDE|BEACH)\b")
_FACTS = re.compile(r"\s*(?:Stardate|Original Airdate|Airdate|Production|Season|Episode)\b[^:]*:", re.IGNORECASE)
_EXTENSIONS: Final = {"OC": "O.S.", "O.C.": "O.S.", "OFF": "O.S.", "VO": "V.O.", "V.O.": "V.O."}
_NUMBER = re.compile(r"\s*(?:Production|Episode)(?: (?:number|code|no\.?))?\s*:?\s*#?(?:\d+-)?(\d{1,4})\s*$", re.I)


def read_transcript(text: str, show: Show) -> Imported:
    """Read a transcript. Its one act is shared out afterwards (see ``dialects``). Raises nothing."""
    lines = text.split("\n")
    names = _other_names(show)
    composer, unknown = Composer(), list[int]()
    page = _title_page(lines, show)
    first = next((place for place, line in enumerate(lines) if PLACE.match(line)), len(lines))
    is_open = False
    for number, line in enumerate(lines[first:], first + 1):
        if not line.strip():
            is_open = False
        elif place := PLACE.match(line):
            composer.scene(_heading(place[1]))
            is_open = False
        elif doing := _DOING.match(line):
            composer.action(doing[1])
            is_open = False
        elif speech := SPEECH.match(line):
            is_open = _speak(composer, speech, names)
        elif is_open:
            composer.words(line)
        else:
            composer.action(line)
            if not re.search(r"[a-z]", line):
                unknown.append(number)
    script, mended_cues = mended(composer.script(page.title), show.cues)
    count = sum(bool(line.strip()) for line in lines)
    return Imported(Dialect.TRANSCRIPT, page, script, count, tuple(unknown), mended_cues=mended_cues)


def _speak(composer: Composer, speech: re.Match[str], names: Mapping[str, str]) -> bool:
    cue = read_cue(speech[1], names)
    remark = squeezed(speech[2] or "").upper().strip()
    composer.cue(cue.name, _EXTENSIONS.get(remark, re.sub(r"[()]", "", remark))[:24].strip() or cue.extension)
    words = speech[3]
    if aside := _ASIDE.match(words):
        composer.aside(aside[1])
        words = words[aside.end() :]
    composer.words(words)
    return True


def _heading(place: str) -> str:
    place = squeezed(place).upper()
    return f"{'EXT' if _OUTSIDE.search(place) else 'INT'}. {place}"


def _other_names(show: Show) -> dict[str, str]:
    """Transcripts call people by any of their names; teleplays by one."""
    names = {
        spelling: member.cue
        for member in show.cast
        for name in member.names
        for spelling in (name.upper(), name.upper().replace(" ", ""))
        if spelling not in show.cues
    }
    return names | dict(show.teleplays.aliases)


def _title_page(lines: list[str], show: Show) -> TitlePage:
    """The first line that is no fact and not the series; behind a dash where the series stands before it."""
    title, number = "", None
    for line in lines[:40]:
        if PLACE.match(line):
            break
        text = squeezed(line)
        if found := _NUMBER.match(text):
            number = int(found[1])
        if not text or title or _FACTS.match(text):
            continue
        said = text.rsplit(" - ", 1)[-1] if " - " in text else text
        if show.teleplays.title.lower() not in said.lower():
            title = said.strip('"“” ')
    return TitlePage(title=title, number=number)


__all__ = ["PLACE", "SPEECH", "read_transcript"]
