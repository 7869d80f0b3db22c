"""What each line of a studio teleplay is, by its indent and its wording alone. It remembers no other line.

The page was typed with tabs: one for action, three for dialogue, four for a parenthetical, five for a cue, nine for a
transition; headings stand at the margin behind their number. Between them stands the furniture of a production:
page headings, CONTINUED, OMITTED, END OF ACT. How the pages are headed is the show's (see ``TeleplaySource``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tng.shows import TeleplaySource

ORDINALS: Final = ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE", "TEN")
TAB_COLUMNS: Final = 8
FEWEST_TABS: Final = 20
"""A text with fewer is a copy whose tabs became blanks."""

_ORDINAL = "|".join(ORDINALS)
_NUMBER = r"[A-Z]{0,2}\d{1,4}[A-Z]{0,3}(?:-[A-Z])?"


class Kind(Enum):
    """What a line is."""

    BLANK = auto()
    PAGE_HEADING = auto()
    ACT = auto()
    END_OF_ACT = auto()
    THE_END = auto()
    CONTINUED = auto()
    FADE_IN = auto()
    NOTE = auto()
    FURNITURE = auto()
    HEADING = auto()
    SHOT = auto()
    MARGIN_TEXT = auto()
    TABBED_HEADING = auto()
    TRANSITION = auto()
    CUE = auto()
    PARENTHETICAL = auto()
    DIALOGUE = auto()
    ACTION = auto()
    SPACED_TEXT = auto()


@dataclass(frozen=True, slots=True)
class Line:
    """A line's kind and what of it counts: the text without number and indent, or the name of an act."""

    kind: Kind
    text: str = ""


_BLANK: Final = Line(Kind.BLANK)
_FURNITURE: Final = Line(Kind.FURNITURE)

_THE_END = re.compile(r"\s*(?:THE END\W*|END OF EPISODE\W*|END OF (?:THE )?SHOW\W*|END OF SEASON\W*)$")
_END_OF_ACT = re.compile(r"\s*(?:END(?: OF)? (?:THE )?(?:TEASER|ACT|PART|SHOW|EPISODE).*|TO BE CONTINUED\W*)$")
_ACT = re.compile(rf"\s*(TEASER|(?:ACT|PART)\s+(?:{_ORDINAL}))\W*$")
_CONTINUED = re.compile(
    rf"\s*(?:{_NUMBER})?(?:\s*(?:thru|-|,|&)\s*[A-Z]?\d+[A-Z]{{0,3}})*\s*\(?CONTINUED\)?:?\s*(?:\(\d+\))?\W*$"
)
_THROUGH = re.compile(r"\s*(?:thru|&|and)\s*(?:\t\s*OMM?ITT?E?D\W*)?\s*$", re.IGNORECASE)
_OMITTED = re.compile(r"(?:[A-Z]?\d+[A-Z]{0,3}|thru)?.*\bOMM?ITT?ED\b", re.IGNORECASE)
_NUMBER_ALONE = re.compile(r"[A-Z]?\d{1,3}[A-Z]{0,3}\s*$")
_NUMBERED = re.compile(rf"({_NUMBER})\.?[ \t]+(\S.*?)\s*$")
_UNNUMBERED = re.compile(r"(?:INT|EXT)(?:\.|\b)[ /.]*\S")
_PLACE = re.compile(r"\b(?:INT|EXT)\b")
_NOTE_AT_MARGIN = re.compile(r"\(?(?:OPTICAL|FORMERLY)")
_FADE_IN = re.compile(r"\s*FADE IN\b[:.]?\s*$")
_CREDITS_NOTE = re.compile(r"\(?NOTE: ?(?:Episode credits|Opening credits)", re.IGNORECASE)
_DISTRIBUTION = re.compile(r"\(?(?:DISTRIBUTION|REV(?:ISED|ISION)S?\b.*DISTRIBUTION)", re.IGNORECASE)
_MORE = re.compile(r"\(?MORE\)?\W*$", re.IGNORECASE)
_CENTRED_TRANSITION = re.compile(r"(?::|FADE|CUT|OUT\.?|FRAME\.?|INTERCUT.*\.|FADES TO \w+\.)$")
_ACT_IN_HEADING = re.compile(rf"\b(TEASER|(?:ACT|PART) (?:{_ORDINAL}))\b")
_INDENT = re.compile(r"(\t*)( *)")
_BLANKS = re.compile(r" +")


class Classifier:
    """Says of each line what it is, for one show's teleplays."""

    def __init__(self, source: TeleplaySource) -> None:
        heading, title = (r"\s+".join(map(re.escape, text.split())) for text in (source.page_heading, source.title))
        self._series = re.compile(rf"\s*{heading}:?\s*:?\s*{title}\W*$", re.IGNORECASE)
        self._page_heading = re.compile(rf"\s*{heading}:?\s*(?!:?\s*{title})\S")

    def is_series(self, line: str) -> bool:
        """Whether it is the series' own title, as on the title page."""
        return bool(self._series.match(line))

    def is_page_heading(self, line: str) -> bool:
        """Whether it heads a page."""
        return bool(self._page_heading.match(line))

    def line(self, line: str) -> Line:
        """Classify a line without its trailing blanks."""
        if not line or line.isspace():
            return _BLANK
        indent = _INDENT.match(line)
        tabs, spaces = (len(indent[1]), len(indent[2])) if indent else (0, 0)
        text = line.strip()
        if tabs in (2, 3):
            return Line(Kind.DIALOGUE, text)
        if tabs == 4:
            return Line(Kind.PARENTHETICAL, text)
        return self._furniture(line, text) or _content(text, tabs, spaces)

    def _furniture(self, line: str, text: str) -> Line | None:
        if self._series.match(line):
            return _FURNITURE
        if self._page_heading.match(line):
            act = _ACT_IN_HEADING.search(line)
            return Line(Kind.PAGE_HEADING, act_name(act[1]) if act else "")
        if _THE_END.match(line):
            return Line(Kind.THE_END)
        if _END_OF_ACT.match(line):
            return Line(Kind.END_OF_ACT)
        if act := _ACT.match(line):
            return Line(Kind.ACT, act_name(act[1]))
        if _CONTINUED.match(line):
            return Line(Kind.CONTINUED)
        if _FADE_IN.match(line):
            return Line(Kind.FADE_IN)
        if _THROUGH.match(line) or _NUMBER_ALONE.match(line):
            return _FURNITURE
        if _CREDITS_NOTE.match(text) or _DISTRIBUTION.match(text):
            return Line(Kind.NOTE)
        if line[0] != "\t" and _OMITTED.match(line):
            return _FURNITURE
        return None

    def with_tabs(self, text: str) -> str:
        """The text with its tabs put back, where it is a copy that has blanks in their place."""
        if text.count("\t") >= FEWEST_TABS:
            return text
        return "\n".join(map(self._tabbed, text.split("\n")))

    def _tabbed(self, line: str) -> str:
        blanks = _BLANKS.match(line)
        columns = len(blanks[0]) if blanks else 0
        if columns < TAB_COLUMNS or columns % TAB_COLUMNS > 1 or columns == len(line):
            return line
        if self.is_series(line) or self.is_page_heading(line) or _ACT.match(line) or _is_end(line):
            return line
        return "\t" * (columns // TAB_COLUMNS) + " " * (columns % TAB_COLUMNS) + line[columns:]


def _is_end(line: str) -> bool:
    return bool(_THE_END.match(line) or _END_OF_ACT.match(line))


def _content(text: str, tabs: int, spaces: int) -> Line:
    if tabs == 0:
        return _spaced(text, spaces) if spaces else _at_margin(text)
    if tabs == 1:
        tabbed = _UNNUMBERED.match(text) and text.upper() == text
        return Line(Kind.TABBED_HEADING if tabbed else Kind.ACTION, text)
    if tabs == 5:
        return _FURNITURE if _MORE.match(text) else Line(Kind.CUE, text)
    return Line(Kind.TRANSITION, text)


def _spaced(text: str, spaces: int) -> Line:
    if spaces >= 30 and _CENTRED_TRANSITION.search(text):
        return Line(Kind.TRANSITION, text)
    return Line(Kind.SPACED_TEXT, text)


def _at_margin(text: str) -> Line:
    if numbered := _NUMBERED.match(text):
        return Line(Kind.HEADING if _PLACE.search(numbered[2]) else Kind.SHOT, numbered[2])
    if _NOTE_AT_MARGIN.match(text):
        return _FURNITURE
    if _UNNUMBERED.match(text) and text.upper() == text:
        return Line(Kind.HEADING, text)
    return Line(Kind.MARGIN_TEXT, text)


def act_name(text: str) -> str:
    """An act's name in its usual spelling: parts are acts."""
    return " ".join(text.split()).replace("PART ", "ACT ")


def next_act(name: str) -> str:
    """The act that follows; empty after the last."""
    names = ["TEASER", *(f"ACT {ordinal}" for ordinal in ORDINALS), ""]
    return names[names.index(name) + 1] if name in names else ""


__all__ = ["FEWEST_TABS", "Classifier", "Kind", "Line", "act_name", "next_act"]
