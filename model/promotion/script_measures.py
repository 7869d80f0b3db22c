"""What the gate measures of one script, cheap enough for every script that a customer gets: so both compare.

Variety and repetition are measured over whole blocks of two hundred words and averaged: a teaser and an episode by the
same network then have the same values, where those of a whole text would get worse with its length.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from model.quality.wording import ngrams, script_words, share, words
from tng.errors import CorpusError, ScriptError
from tng.script import Script, parse, render

BLOCK_WORDS: Final = 200
DISTINCT: Final = 3
BLOCKED_WORDS_FILE: Final = Path(__file__).with_name("blocked_words.txt")


def script_measures(script: Script, gates: Mapping[str, Any], blocked: frozenset[str]) -> dict[str, Any]:
    """The measures of a script as plain JSON values; ``gates`` is what was counted while it was written.

    ``reads_back``: it parses to itself, and has a heading, a speaker and something said. ``stock_share``: the lines
    that are the code's own, of all. ``distinct_3``: different runs of three words, of all. ``longest_repeat``: words of
    the longest run that stands twice. ``blocked_words`` of its ``words`` are on the list; the title, which is the
    customer's, is none of them.
    """
    said = script_words(script)
    blocks = _blocks(said)
    return {
        "reads_back": reads_back(script),
        "stock_share": round(share(gates["stock"], gates["lines"]), 4),
        "distinct_3": round(_mean([_distinct(block) for block in blocks]), 4),
        "longest_repeat": round(_mean([longest_repeat(block) for block in blocks])),
        "blocked_words": sum(word in blocked for word in said),
        "words": len(said),
    }


def reads_back(script: Script) -> bool:
    """Whether the script is the same when it is written down and read, with a heading, a speaker and dialogue in it."""
    elements = [element for scene in script.scenes for element in scene.elements]
    has_form = any(scene.heading.strip() for scene in script.scenes) and any(e.cue and e.text for e in elements)
    try:
        return has_form and parse(render(script)) == script
    except ScriptError:
        return False


def longest_repeat(tokens: Sequence[str]) -> int:
    """The words of the longest run that stands twice, wherever; 0 where no word does."""
    least, most = 0, 1
    while _repeats(tokens, most):
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        least, most = (middle, most) if _repeats(tokens, middle) else (least, middle)
    return least


def read_blocked_words(path: Path | str = "") -> frozenset[str]:
    """The words of a list, one a line; ours without a path. Raises CorpusError where it cannot be read, or is empty."""
    return _read(Path(path) if path else BLOCKED_WORDS_FILE)


@functools.lru_cache(maxsize=4)
def _read(path: Path) -> frozenset[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise CorpusError(f"the list of blocked words {path.name} cannot be read ({type(error).__name__})") from error
    listed = frozenset(word for line in lines if not line.startswith("#") for word in words(line))
    if not listed:
        raise CorpusError(f"the list of blocked words {path.name} has no word; name another file, or none for ours")
    return listed


def _blocks(tokens: Sequence[str]) -> list[Sequence[str]]:
    """Whole blocks; all of a text that is shorter than one."""
    starts = range(0, max(1, len(tokens) - BLOCK_WORDS + 1), BLOCK_WORDS)
    return [tokens[start : start + BLOCK_WORDS] for start in starts]


def _distinct(tokens: Sequence[str]) -> float:
    grams = ngrams(tokens, DISTINCT)
    return share(len(set(grams)), len(grams))


def _repeats(tokens: Sequence[str], length: int) -> bool:
    grams = ngrams(tokens, length)
    return len(set(grams)) < len(grams)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


__all__ = [
    "BLOCKED_WORDS_FILE",
    "BLOCK_WORDS",
    "longest_repeat",
    "read_blocked_words",
    "reads_back",
    "script_measures",
]
