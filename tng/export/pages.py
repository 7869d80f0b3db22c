"""A script set on pages: which line stands on which page. It draws nothing, and knows no typeface but its letters.

An act begins a page. A heading is never the last on its page, a cue never without words, no line of a paragraph
alone; a transition and the end of an act keep company with the lines before them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from tng.export.layout import Block, blocks_by_act
from tng.export.pieces import PAGE_LINES, Line, Piece, pieces_of
from tng.script import Script

COMPANY: Final = 6
"""How many pieces may hang together: beyond that a run of empty scenes is parted like anything else."""


@dataclass(frozen=True, slots=True)
class Page:
    """At most 55 lines, blank ones among them, and the act that they belong to."""

    act: str
    lines: tuple[Line, ...]


def pages_of(script: Script, printable: Callable[[str], str]) -> list[Page]:
    """The whole script without its title page. ``printable`` puts a text into letters that the typeface has."""
    pages: list[Page] = []
    for blocks in blocks_by_act(script):
        typed = [_typed(block, printable) for block in blocks]
        pages += [Page(typed[0].text, tuple(lines)) for lines in set_pages(pieces_of(typed))]
    return pages


def set_pages(pieces: Iterator[Piece]) -> Iterator[list[Line]]:
    """Fill page after page. A piece that may not be parted moves to the next page whole."""
    waiting, page = deque(pieces), list[Line]()
    while waiting:
        piece = waiting.popleft()
        above = piece.above if page else 0
        here, rest = _placed(piece, PAGE_LINES - len(page) - above, _least(waiting) if piece.keeps_next else 0)
        if here is None and page:
            waiting.appendleft(piece)
        else:
            page += [Line()] * above + list((here or piece).lines)
        if rest is not None:
            waiting.appendleft(rest)
        if here is None or rest is not None:
            yield page
            page = []
    if page:
        yield page


def _placed(piece: Piece, room: int, company: int) -> tuple[Piece | None, Piece | None]:
    """(what of the piece stands on this page, what is left for the next), for ``company`` lines that must follow."""
    if len(piece.lines) + company <= room:
        return piece, None
    parted = piece.part(min(room, len(piece.lines) - 1))
    return parted or (None, None)


def _least(waiting: Sequence[Piece]) -> int:
    """The fewest lines that must stand below a piece that keeps the next one, the blank ones between counted."""
    lines = 0
    for piece in islice(waiting, COMPANY):
        lines += piece.above
        if piece.head_lines is not None:
            return lines + piece.head_lines
        lines += len(piece.lines)
        if not piece.keeps_next:
            break
    return lines


def _typed(block: Block, printable: Callable[[str], str]) -> Block:
    return replace(
        block,
        text=printable(block.text),
        cue=printable(block.cue),
        parenthetical=printable(block.parenthetical),
    )
