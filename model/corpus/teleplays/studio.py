"""Read a studio teleplay: tabs, page headings, (MORE), and all that decades of retyping did to them.

The lines come classified (see ``lines``); here is what depends on their order: speeches and paragraphs that a page
broke, headings that were wrapped, acts whose heading is missing or misprinted (page headings are the second witness),
columns of simultaneous speech, and mail that stands after the end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Final

from model.corpus.teleplays.columns import block_at, simultaneous
from model.corpus.teleplays.composer import Composer
from model.corpus.teleplays.cues import mended, read_cue
from model.corpus.teleplays.imported import Dialect, Imported
from model.corpus.teleplays.lines import Classifier, Kind, Line, next_act
from model.corpus.teleplays.title_page import read_title_page
from tng.shows import Show

NEAR_LINES: Final = 14
"""How far below an act's first heading something of a scene must stand, and above one a page heading may name it."""
PAGE_LINES: Final = 140
"""Within so many lines the next page heading must agree, before an act is believed to begin without its own."""

_BEGINS_SCENE: Final = frozenset({Kind.FADE_IN, Kind.HEADING, Kind.TABBED_HEADING})
_SENTENCE_END = re.compile(r"(?:[.!?:)\"”]|--)$")


def read_studio(text: str, show: Show) -> Imported:
    """Read a teleplay in the studio's layout, its tabs in place or expanded to blanks. Raises nothing."""
    classifier = Classifier(show.teleplays)
    lines = [line.rstrip() for line in classifier.with_tabs(text).split("\n")]
    kinds = [classifier.line(line) for line in lines]
    first = _first_line(kinds)
    reader = _Reader(lines, kinds, show.teleplays.aliases)
    reader.read_from(first)
    page = read_title_page(lines[:first], classifier)
    script, mended_cues = mended(reader.composer.script(page.title), show.cues)
    return Imported(
        Dialect.STUDIO,
        page,
        script,
        lines=sum(line.kind is not Kind.BLANK for line in kinds),
        unknown_lines=tuple(reader.unknown),
        repaired_acts=reader.repaired_acts,
        mended_cues=mended_cues,
    )


def _first_line(kinds: Sequence[Line]) -> int:
    """Where the title pages end: at the first act that has a scene below it, or at the first scene."""
    for place, line in enumerate(kinds):
        if line.kind is Kind.ACT and any(other.kind in _BEGINS_SCENE for other in kinds[place : place + NEAR_LINES]):
            return place
    return next((place for place, line in enumerate(kinds) if line.kind in _BEGINS_SCENE), 0)


class _Open(Enum):
    """What the line before left open, for the next one to go on with."""

    NOTHING = auto()
    HEADING = auto()
    NOTE = auto()
    SPEECH = auto()
    ACTION = auto()


class _Reader:
    """The state between two lines."""

    def __init__(self, lines: Sequence[str], kinds: Sequence[Line], aliases: Mapping[str, str]) -> None:
        self.composer = Composer()
        self.unknown: list[int] = []
        self.repaired_acts = 0
        self._lines = lines
        self._kinds = kinds
        self._aliases = aliases
        self._place = 0
        self._open = _Open.NOTHING
        self._after_blank = True
        self._after_page = False
        self._act_has_ended = False
        self._speaker = ("", "")
        self._aside = ""
        self._in_columns = range(0)
        self._readers: Mapping[Kind, Callable[[str], None]] = {
            Kind.PAGE_HEADING: self._page_heading,
            Kind.ACT: self._act,
            Kind.END_OF_ACT: self._end_of_act,
            Kind.CONTINUED: self._continued,
            Kind.NOTE: self._note,
            Kind.HEADING: self._heading,
            Kind.TABBED_HEADING: self._tabbed_heading,
            Kind.SHOT: self._shot,
            Kind.MARGIN_TEXT: self._margin_text,
            Kind.TRANSITION: self._transition,
            Kind.CUE: self._cue,
            Kind.PARENTHETICAL: self._parenthetical,
            Kind.DIALOGUE: self._dialogue,
            Kind.ACTION: self._action,
            Kind.SPACED_TEXT: self._spaced_text,
        }

    def read_from(self, first: int) -> None:
        """Read all lines from ``first`` to the end of the episode."""
        for place in range(first, len(self._kinds)):
            self._place, line = place, self._kinds[place]
            if line.kind is Kind.THE_END:
                break
            if line.kind is Kind.BLANK:
                self._after_blank = True
            elif line.kind in self._readers and self._place not in self._in_columns:
                if line.kind is not Kind.PARENTHETICAL:
                    self._close_aside()
                self._readers[line.kind](line.text)
        self._close_aside()

    def _unknown(self) -> None:
        self.unknown.append(self._place + 1)

    def _goes_on(self, what: _Open) -> None:
        self._open, self._after_blank, self._after_page = what, False, False

    # --- acts and pages ---

    def _act(self, name: str) -> None:
        if name == self.composer.act_name and self._act_has_ended and next_act(name):
            name = next_act(name)
            self.repaired_acts += 1
        if name != self.composer.act_name:
            self.composer.act(name)
        self._act_has_ended = False
        self._goes_on(_Open.NOTHING)

    def _end_of_act(self, _: str) -> None:
        self._act_has_ended = True
        self._goes_on(_Open.NOTHING)

    def _page_heading(self, act: str) -> None:
        """A page turns. Where it is the first to name the next act, that act's own heading is missing."""
        self._after_page = True
        follows = bool(act) and act == next_act(self.composer.act_name)
        if follows and not self._act_is_near() and (self._act_has_ended or self._next_page_names(act)):
            self.composer.act(act)
            self.repaired_acts += 1
            self._act_has_ended = False

    def _act_is_near(self) -> bool:
        return any(line.kind is Kind.ACT for line in self._kinds[self._place + 1 : self._place + NEAR_LINES])

    def _next_page_names(self, act: str) -> bool:
        below = self._kinds[self._place + 1 : self._place + PAGE_LINES]
        return next((line.text == act for line in below if line.kind is Kind.PAGE_HEADING and line.text), False)

    def _continued(self, _: str) -> None:
        self._after_blank = self._after_page = True

    def _note(self, _: str) -> None:
        """Something for the production alone, to the end of its paragraph."""
        self._goes_on(_Open.NOTE)

    # --- headings ---

    def _heading(self, text: str) -> None:
        self.composer.scene(text)
        self._goes_on(_Open.HEADING)

    def _tabbed_heading(self, text: str) -> None:
        if self._after_blank:
            self._heading(text)
        else:
            self._action(text)

    def _shot(self, text: str) -> None:
        self.composer.shot(text)
        self._goes_on(_Open.HEADING)

    def _margin_text(self, text: str) -> None:
        if self._open is _Open.HEADING and not self._after_blank:
            self.composer.more_heading(text)
        else:
            self._unknown()

    def _transition(self, text: str) -> None:
        self.composer.transition(text)
        self._goes_on(_Open.NOTHING)

    # --- what is done and said ---

    def _action(self, text: str) -> None:
        if self._open is _Open.NOTE and not self._after_blank:
            return
        if self._open is _Open.ACTION and (not self._after_blank or self._page_broke_a_sentence()):
            self.composer.more_action(text)
        else:
            self.composer.action(text)
        self._goes_on(_Open.ACTION)

    def _page_broke_a_sentence(self) -> bool:
        last = self.composer.last
        return self._after_page and last is not None and not _SENTENCE_END.search(last.text)

    def _cue(self, text: str) -> None:
        cue = read_cue(text, self._aliases)
        if not cue.name:
            self._unknown()
            return
        speaker = (cue.name, cue.extension)
        rejoins = cue.is_continued and speaker == self._speaker and self._open is _Open.SPEECH
        if not rejoins:
            self.composer.cue(*speaker)
        self._speaker = speaker
        self._goes_on(_Open.SPEECH)

    def _parenthetical(self, text: str) -> None:
        if self._aside and text.startswith("("):
            self._close_aside()
        self._aside = f"{self._aside} {text}"
        if text.endswith(")"):
            self._close_aside()

    def _close_aside(self) -> None:
        if not self._aside:
            return
        if self._open is _Open.SPEECH:
            self.composer.aside(self._aside)
        else:
            self._unknown()
            self.composer.action(self._aside)
        self._aside = ""

    def _dialogue(self, text: str) -> None:
        if self._open is _Open.SPEECH:
            self.composer.words(text)
            self._goes_on(_Open.SPEECH)
        else:
            self._unknown()
            self._action(text)

    def _spaced_text(self, _: str) -> None:
        """Text set with blanks: people who speak at once. Whatever else it is, nobody knows."""
        block = block_at(self._lines, self._place)
        speeches = simultaneous(self._lines[block.start : block.stop])
        if not speeches:
            self._unknown()
            return
        for typed, words in speeches:
            cue = read_cue(typed, self._aliases)
            self._speaker = (cue.name, cue.extension)
            self.composer.cue(*self._speaker)
            self.composer.words(words)
        self._in_columns = block
        self._goes_on(_Open.SPEECH)


__all__ = ["read_studio"]
