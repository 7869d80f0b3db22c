"""Which lines may stand in a script. Each line that the network writes is read here and kept or refused, with a reason.

The gate keeps count, and it remembers: a line that stands in the script already is refused. It draws nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import Final

from model.corpus.outlines import words_of
from model.lexicon import Lexicon
from tng.script import Element, ElementKind, Scene, parse_line, render_element

SPEECH_WORDS: Final = 75
ACTION_WORDS: Final = 60
ASIDE_WORDS: Final = 10
REPEATABLE_WORDS: Final = 3
EXTENSIONS: Final = frozenset({"", "V.O.", "O.S.", "COM"})

_MARK = re.compile(r"[#*>!]|Title:")
_CUE = re.compile(r"([A-Z0-9][A-Z0-9 .'’#/&-]{0,38}?)(?: \([^()]{1,24}\))?:")
_RUBBISH = re.compile(r"(?:[^\w\s]\s*){7,}")
_RUN_TOGETHER = re.compile(r"[a-z][.!?][A-Za-z]")
_STUTTER = re.compile(r"\b(\w+)\W+\1\W+\1\b", re.IGNORECASE)
_SPEAKS = re.compile(r"[A-Z][A-Z'’]{3,}\b(?!'s)")
_ENDING = re.compile(r"""[.!?…—-]["'”’)]*$""")


class Refusal(StrEnum):
    """Why a line may not stand."""

    EMPTY = "empty"
    MARK = "mark"
    SPEAKER = "speaker"
    LENGTH = "length"
    FORM = "form"
    REPEATED = "repeated"
    WORD = "word"


class Gate:
    """The rules for one script."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._standing: set[str] = set()
        self.refused: Counter[str] = Counter()

    def for_draft(self) -> Gate:
        """A gate for a scene that may not stay: it remembers on its own what stands in it, and counts together."""
        other = Gate(self._lexicon)
        other._standing, other.refused = set(self._standing), self.refused
        return other

    def judge(
        self, line: str, speakers: Collection[str], staged: Callable[[Element], Element] = lambda element: element
    ) -> Element | Refusal:
        """Read a line: its element as it will stand on the page, or why it may not. It is kept by :meth:`keep`.

        ``speakers`` may speak in the line as it is; ``staged`` gives the page's element for that of the line.
        """
        verdict = self._judge(line, speakers, staged)
        if isinstance(verdict, Refusal):
            self.refused[verdict.value] += 1
        return verdict

    def keep(self, element: Element) -> None:
        """The element stands in the script now: it may not come a second time."""
        self._standing.add(_plain(element.text))

    def hear(self, scene: Scene) -> None:
        """The scene stands in the script, whoever wrote it: none of its lines may come a second time."""
        for element in scene.elements:
            self.keep(element)

    def _judge(self, line: str, speakers: Collection[str], staged: Callable[[Element], Element]) -> Element | Refusal:
        text = " ".join(line.split())
        if not text:
            return Refusal.EMPTY
        if _MARK.match(text):
            return Refusal.MARK
        if _RUBBISH.search(text):
            return Refusal.FORM
        if hopeless(text, speakers):
            return Refusal.SPEAKER
        element = parse_line(text)
        if element.kind is ElementKind.SPEECH and element.cue not in speakers:
            return Refusal.SPEAKER
        element = staged(element)
        for refusal, applies in (
            (Refusal.FORM, not _is_well_formed(element)),
            (Refusal.LENGTH, not _is_short_enough(element)),
            (Refusal.REPEATED, self.stands(element.text)),
            (Refusal.WORD, not self._knows(element)),
        ):
            if applies:
                return refusal
        return element

    def stands(self, text: str) -> bool:
        """Whether the script has this line already; of a few words it may say it again."""
        return len(text.split()) > REPEATABLE_WORDS and _plain(text) in self._standing

    def _knows(self, element: Element) -> bool:
        return self._lexicon.knows(element.parenthetical) and self._lexicon.knows(element.text)


def hopeless(beginning: str, speakers: Collection[str]) -> bool:
    """Whether a line that begins so can never stand: somebody else would speak, a mark comes first, or signs alone."""
    if _MARK.match(beginning) or _RUBBISH.search(beginning):
        return True
    cue = _CUE.match(beginning)
    return cue is not None and cue.group(1) not in speakers


def _is_well_formed(element: Element) -> bool:
    text = element.text
    if not all(character.isprintable() and character != "�" for character in text + element.parenthetical):
        return False
    if text.count('"') % 2 or text.count("(") != text.count(")") or not text:
        return False
    if _RUN_TOGETHER.search(text) or _STUTTER.search(text) or parse_line(render_element(element)) != element:
        return False
    if element.kind is ElementKind.SPEECH:
        return element.extension in EXTENSIONS and text[0].isalnum() | (text[0] in "\"'“‘…") and text[-1] not in ",:;("
    starts_well = text[0].isupper() or text[0].isdigit() or text[0] in '"“'
    return (
        starts_well
        and not (_SPEAKS.match(text) or _CUE.match(text))
        and bool(_ENDING.search(text))
        and ": " not in text[:24]
    )


def _is_short_enough(element: Element) -> bool:
    most = SPEECH_WORDS if element.kind is ElementKind.SPEECH else ACTION_WORDS
    return len(element.text.split()) <= most and len(element.parenthetical.split()) <= ASIDE_WORDS


def _plain(text: str) -> str:
    return " ".join(words_of(text))


__all__ = ["Gate", "Refusal", "hopeless"]
