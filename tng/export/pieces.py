"""What a printed page is set from: lines on a grid of ten characters an inch, in pieces that know where they part.

Columns are characters from the left edge of the text, which is 61 wide: dialogue 9 to 45, parenthetical 13 to 38,
cue 19; headings keep clear of the scene numbers, which stand in both margins. It draws nothing.
"""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Final

from tng.export.layout import CONTINUED, Block, BlockKind

WIDTH: Final = 61
HEADING_WIDTH: Final = 56
DIALOGUE_COLUMN, DIALOGUE_WIDTH = 9, 36
ASIDE_COLUMN, ASIDE_WIDTH = 13, 25
CUE_COLUMN: Final = 19
MORE: Final = "(MORE)"
PAGE_LINES: Final = 55
FEWEST: Final = 2
"""No fewer lines of a paragraph stand alone at the foot or at the head of a page."""

_SENTENCE_END = re.compile(r"(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bLt)(?<!\bSt)[.!?…—]+[\"”’')]*\s+")


class Align(StrEnum):
    """Where a line is held."""

    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Line:
    """One printed line. ``column`` counts for a line held left; ``number`` stands in both margins beside it.

    ``entry`` is its line in the table of contents, and ``depth`` how far in: 0 an act, 1 a scene.
    """

    text: str = ""
    column: int = 0
    align: Align = Align.LEFT
    bold: bool = False
    number: str = ""
    entry: str = ""
    depth: int = 0


@dataclass(frozen=True)
class Piece:
    """Lines that stay together. ``keeps_next``: the page that holds its last line holds the next piece's first."""

    lines: tuple[Line, ...]
    above: int = 1
    keeps_next: bool = False

    @property
    def head_lines(self) -> int | None:
        """The fewest lines at which ``part`` parts it, or None where it must not be parted."""
        return FEWEST if len(self.lines) > PAGE_LINES else None

    def part(self, room: int) -> tuple[Piece, Piece] | None:
        """Two pieces, the first of at most ``room`` lines. Only what is longer than a page is parted anywhere."""
        return self._cut(room) if len(self.lines) > PAGE_LINES and room >= FEWEST else None

    def _cut(self, room: int) -> tuple[Piece, Piece]:
        return Piece(self.lines[:room], self.above), Piece(self.lines[room:], keeps_next=self.keeps_next)


class Paragraph(Piece):
    """Action: it may be parted at any line, but no line of it stands alone."""

    @property
    def head_lines(self) -> int | None:
        """See :class:`Piece`."""
        return FEWEST if len(self.lines) >= 2 * FEWEST else None

    def part(self, room: int) -> tuple[Piece, Piece] | None:
        """See :class:`Piece`."""
        room = min(room, len(self.lines) - FEWEST)
        if room < FEWEST:
            return None
        rest = Paragraph(self.lines[room:], keeps_next=self.keeps_next)
        return Paragraph(self.lines[:room], self.above), rest


@dataclass(frozen=True)
class Speech(Piece):
    """A cue and its words: parted after a sentence, with (MORE) below and the cue (CONT'D) above what follows."""

    cue: str = ""
    text: str = ""
    top: tuple[Line, ...] = ()
    """The lines of the cue and the parenthetical."""

    @classmethod
    def of(cls, cue: str, aside: str, text: str) -> Speech:
        """Set a speech. ``cue`` is whole; ``aside`` has its parentheses, or is empty."""
        top = (*_lines(cue, CUE_COLUMN, WIDTH - CUE_COLUMN), *_aside(aside))
        return cls((*top, *_dialogue(text)), cue=cue, text=text, top=top)

    @property
    def head_lines(self) -> int | None:
        """See :class:`Piece`."""
        return self._ends[0][1] if self._ends else super().head_lines

    def part(self, room: int) -> tuple[Piece, Piece] | None:
        """See :class:`Piece`. The parting is the last that fits."""
        fitting = [end for end, lines in self._ends if lines <= room]
        if not fitting:
            return None if self._ends else super().part(room)
        said, rest = self.text[: fitting[-1]], self.text[fitting[-1] :].lstrip()
        head = Piece((*self.top, *_dialogue(said), Line(MORE, CUE_COLUMN)), self.above)
        return head, replace(Speech.of(continued(self.cue), "", rest), keeps_next=self.keeps_next)

    @cached_property
    def _ends(self) -> list[tuple[int, int]]:
        """Where it may be parted: (how many characters are said before, how many lines stand there with (MORE))."""
        line_ends = _line_ends(self.text, self.lines[len(self.top) :])
        ends = [found.end() for found in _SENTENCE_END.finditer(self.text)]
        if not ends and len(self.lines) > PAGE_LINES:  # one sentence longer than a page: below any line
            ends = line_ends
        said = [(end, bisect_left(line_ends, len(self.text[:end].rstrip())) + 1) for end in ends]
        kept = [(end, lines) for end, lines in said if lines >= FEWEST and len(self.text) - end > DIALOGUE_WIDTH]
        return [(e, len(self.top) + lines + 1) for e, lines in kept if len(self.top) + lines < PAGE_LINES]


def pieces_of(blocks: list[Block]) -> Iterator[Piece]:
    """The pieces of one act. What ends a scene or an act keeps company with the lines before it."""
    pieces = [_piece(block) for block in blocks]
    trailing = [block.kind in (BlockKind.TRANSITION, BlockKind.ENDING) for block in blocks]
    for piece, is_followed in zip(pieces, [*trailing[1:], False], strict=True):
        if piece.lines:
            yield replace(piece, keeps_next=True) if is_followed else piece


def continued(cue: str) -> str:
    """The cue of a speech that goes on overleaf."""
    return cue if cue.endswith(CONTINUED) else f"{cue} {CONTINUED}"


def _piece(block: Block) -> Piece:
    match block.kind:
        case BlockKind.ACT:
            return Piece(_titled(block.text), above=0, keeps_next=True)
        case BlockKind.ENDING:
            return Piece(_lines(block.text, align=Align.CENTRE, bold=True), above=2)
        case BlockKind.HEADING | BlockKind.SHOT:
            return Piece(_numbered(block), above=2 if block.kind is BlockKind.HEADING else 1, keeps_next=True)
        case BlockKind.TRANSITION:
            return Piece(_lines(block.text, align=Align.RIGHT))
        case BlockKind.SPEECH:
            return Speech.of(block.cue, f"({block.parenthetical})" if block.parenthetical else "", block.text)
        case BlockKind.ACTION:
            return Paragraph(_lines(block.text))


def _titled(name: str) -> tuple[Line, ...]:
    first, *rest = _lines(name, align=Align.CENTRE, bold=True) or [Line()]
    return Line(first.text, align=Align.CENTRE, bold=True, entry=name), *rest


def _numbered(block: Block) -> tuple[Line, ...]:
    first, *rest = _lines(block.text, width=HEADING_WIDTH, bold=True) or [Line()]
    entry = f"{block.number}  {block.text}" if block.kind is BlockKind.HEADING else ""
    return Line(first.text, bold=True, number=block.number, entry=entry, depth=1), *rest


def _aside(text: str) -> tuple[Line, ...]:
    """A parenthetical; its later lines stand below its first word, not below the parenthesis."""
    lines = _lines(text, ASIDE_COLUMN, ASIDE_WIDTH)
    return (*lines[:1], *(replace(line, column=ASIDE_COLUMN + 1) for line in lines[1:]))


def _line_ends(text: str, lines: Sequence[Line]) -> list[int]:
    """Where each of the lines, set from the text, ends in it."""
    ends, end = [], 0
    for line in lines:
        end = text.index(line.text, end) + len(line.text)
        ends.append(end)
    return ends


def _dialogue(text: str) -> tuple[Line, ...]:
    return _lines(text, DIALOGUE_COLUMN, DIALOGUE_WIDTH)


def _lines(
    text: str, column: int = 0, width: int = WIDTH, *, align: Align = Align.LEFT, bold: bool = False
) -> tuple[Line, ...]:
    return tuple(Line(line, column, align, bold) for line in textwrap.wrap(text, width))
