"""Two or three people speak at once: their speeches stand side by side, set with blanks. Here they are taken apart.

            DATA                    PICARD
       Sir, it is...          Is it folding?

A block that does not begin with a cue for each column is none of these, and is left to the reader.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

CUE_OFFSET: Final = 8
"""How many columns a cue stands to the right of its dialogue."""

_CELL = re.compile(r"\S+(?: {1,2}\S+)*")
_CUE = re.compile(r"[A-Z0-9\"][A-Z0-9 '’.#/\"-]*(?:\([^)]*\))?$")


def block_at(lines: Sequence[str], place: int) -> range:
    """The numbers of the lines around ``place`` that are neither blank nor tabbed."""
    first = last = place
    while first > 0 and _belongs(lines[first - 1]):
        first -= 1
    while last + 1 < len(lines) and _belongs(lines[last + 1]):
        last += 1
    return range(first, last + 1)


def simultaneous(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Each speaker's cue and words, by columns; none where the block is not of this form."""
    heads = list(_CELL.finditer(lines[0])) if lines else []
    if len(heads) < 2 or len(lines) < 2 or not all(_CUE.match(head[0]) for head in heads):
        return []
    edges = [head.start() - CUE_OFFSET for head in heads]
    words: list[list[str]] = [[] for _ in heads]
    for line in lines[1:]:
        for cell in _CELL.finditer(line):
            words[_nearest(cell.start(), edges)].append(cell[0])
    return [(head[0], " ".join(spoken)) for head, spoken in zip(heads, words, strict=True)]


def _nearest(column: int, edges: Sequence[int]) -> int:
    return min(range(len(edges)), key=lambda number: abs(column - edges[number]))


def _belongs(line: str) -> bool:
    return bool(line.strip()) and line[0] == " "


__all__ = ["block_at", "simultaneous"]
