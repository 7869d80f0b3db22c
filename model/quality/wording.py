"""Words and n-grams of a text, as all measures count them. It measures nothing itself."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tng.script import Script, render

_WORD = re.compile(r"[a-z0-9']+")


def words(text: str) -> list[str]:
    """The words of a text in lower case: runs of letters a-z, digits and apostrophes; marks of the form are none."""
    return _WORD.findall(text.lower().replace("’", "'"))


def script_words(script: Script) -> list[str]:
    """The words of a script's compact form below its title: headings and cues among them, as a copy would hold them."""
    return words(render(script).partition("\n")[2])


def ngrams(tokens: Sequence[str], length: int) -> list[tuple[str, ...]]:
    """Every run of ``length`` tokens, in the order of the text; none where there are fewer."""
    return list(zip(*(tokens[start:] for start in range(length)), strict=False))


def share(part: float, whole: float) -> float:
    """``part`` of ``whole``; 0 where there is nothing, so that an empty script is never a good one by a lower bound."""
    return part / whole if whole else 0.0


__all__ = ["ngrams", "script_words", "share", "words"]
