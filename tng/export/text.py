"""A script as plain text, laid out like the printed page of a teleplay. It escapes nothing: there is no markup.

Columns, counted from the left edge of the file: scene number 0, action 6 to 66, dialogue 16 to 51, parenthetical
21 to 46, cue 28, transition flush right at 66; titles, acts and their endings are centred over the action.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tng.export.colophon import Colophon
from tng.export.layout import CREDIT, Block, BlockKind, blocks_by_act, plain
from tng.script import Script

MARGIN, WIDTH = 6, 60
RIGHT = MARGIN + WIDTH
DIALOGUE_COLUMN, DIALOGUE_WIDTH = MARGIN + 10, 35
ASIDE_COLUMN, ASIDE_WIDTH = MARGIN + 15, 25
CUE_COLUMN = MARGIN + 22
NUMBER_GAP = 2
BETWEEN_ACTS = [""] * 3


def render_text(script: Script, colophon: Colophon) -> str:
    """The whole script, title page first. Lines end with a newline and have no blanks at their end."""
    lines = list(_title_page(script.title, colophon))
    for blocks in blocks_by_act(script):
        lines += BETWEEN_ACTS
        for block in blocks:
            lines += ["", *_block(block)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _title_page(title: str, colophon: Colophon) -> Iterator[str]:
    yield from [""] * 8
    yield from _centred(plain(title).upper())
    yield from ["", "", *_centred(CREDIT), "", *_centred(plain(colophon.product))]
    yield from [""] * 8
    for note in colophon.notes:
        yield from [*_centred(plain(note)), ""]


def _block(block: Block) -> list[str]:
    match block.kind:
        case BlockKind.ACT | BlockKind.ENDING:
            return _centred(block.text)
        case BlockKind.HEADING | BlockKind.SHOT:
            return _numbered(block.text, block.number)
        case BlockKind.SPEECH:
            return _speech(block)
        case BlockKind.TRANSITION:
            return [_flush_right(line) for line in _wrapped(block.text, WIDTH)]
        case BlockKind.ACTION:
            return [_flush_left(line) for line in _wrapped(block.text, WIDTH)]


def _numbered(text: str, number: str) -> list[str]:
    """A heading with its number in both margins, as in a shooting script."""
    first, *rest = _wrapped(text, WIDTH - len(number) - NUMBER_GAP) or [""]
    return [f"{number:<{MARGIN}}{first:<{WIDTH - len(number)}}{number}", *(_flush_left(line) for line in rest)]


def _speech(block: Block) -> list[str]:
    lines = [" " * CUE_COLUMN + line for line in _wrapped(block.cue, RIGHT - CUE_COLUMN)]
    if block.parenthetical:
        lines += [" " * ASIDE_COLUMN + line for line in _wrapped(f"({block.parenthetical})", ASIDE_WIDTH)]
    return lines + [" " * DIALOGUE_COLUMN + line for line in _wrapped(block.text, DIALOGUE_WIDTH)]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width)


def _flush_left(line: str) -> str:
    return " " * MARGIN + line


def _flush_right(line: str) -> str:
    return line.rjust(RIGHT)


def _centred(text: str) -> list[str]:
    return [" " * MARGIN + line.center(WIDTH) for line in _wrapped(text, WIDTH)]
