"""A script as plain text, laid out like the printed page of a teleplay. It escapes nothing: there is no markup.

Columns, counted from the left edge of the file: scene number 0, action 6 to 66, dialogue 16 to 51, parenthetical
21 to 46, cue 28, transition flush right at 66; titles, acts and their endings are centred over the action.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from tng.export.layout import (
    AUTHOR,
    CREDIT,
    DISCLAIMER,
    Block,
    BlockKind,
    act_ending,
    ends_in_transition,
    plain,
    scene_blocks,
)
from tng.script import Act, Script

MARGIN, WIDTH = 6, 60
RIGHT = MARGIN + WIDTH
DIALOGUE_COLUMN, DIALOGUE_WIDTH = MARGIN + 10, 35
ASIDE_COLUMN, ASIDE_WIDTH = MARGIN + 15, 25
CUE_COLUMN = MARGIN + 22
NUMBER_GAP = 2


def render_text(script: Script) -> str:
    """The whole script, title page first. Lines end with a newline and have no blanks at their end."""
    lines = list(_title_page(script.title))
    number = 1
    for act in script.acts:
        lines += _act(act, number, last=act is script.acts[-1])
        number += len(act.scenes)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _title_page(title: str) -> Iterator[str]:
    yield from [""] * 8
    yield from _centred(plain(title).upper())
    yield from ["", "", *_centred(CREDIT), "", *_centred(AUTHOR)]
    yield from [""] * 8
    yield from _centred(DISCLAIMER)
    yield from [""] * 4


def _act(act: Act, number: int, *, last: bool) -> Iterator[str]:
    yield from _centred(plain(act.name).upper())
    yield from ["", _flush_left("FADE IN:"), ""]
    for offset, scene in enumerate(act.scenes):
        for block in scene_blocks(scene, number + offset):
            yield from _block(block)
            yield ""
    if not ends_in_transition(act):
        yield from [_flush_right("FADE OUT."), ""]
    yield from _centred(act_ending(act, last=last))
    yield from [""] * (0 if last else 3)


def _block(block: Block) -> list[str]:
    match block.kind:
        case BlockKind.HEADING | BlockKind.SHOT:
            return _numbered(block.text, block.number)
        case BlockKind.SPEECH:
            return _speech(block)
        case BlockKind.TRANSITION:
            return [_flush_right(line) for line in _wrapped(block.text, WIDTH)]
        case _:
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
