"""Text in the letters that a typeface has. A missing letter is shown as its plain relative, or as a question mark."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from typing import Final

MISSING: Final = "?"
STAND_INS: Final = {
    "‐": "-",
    "‑": "-",
    "‒": "–",
    "―": "—",
    "′": "’",
    "″": "”",
    "‛": "‘",
    "→": "->",
    "←": "<-",
    "★": "*",
    "☆": "*",
    "●": "•",
    "⁂": "* * *",
    "ı": "i",
    "ł": "l",
    "ø": "o",
}


def printable(text: str, glyphs: Container[int]) -> str:
    """The text with nothing in it that ``glyphs``, a typeface's code points, lacks.

    An accent that the typeface does not know is dropped from its letter (ǎ is printed as a), a ligature or a
    full-width letter is taken apart (NFKD), and what has no relative there, as 星 has none, leaves a mark.
    """
    shown = "".join(_shown(character, glyphs) for character in unicodedata.normalize("NFC", text))
    return shown or MISSING * bool(text)


def _shown(character: str, glyphs: Container[int]) -> str:
    if ord(character) in glyphs:
        return character
    if character in STAND_INS:
        return STAND_INS[character]
    if unicodedata.category(character).startswith("M"):
        return ""  # an accent whose letter stands before it
    relatives = "".join(part for part in unicodedata.normalize("NFKD", character) if ord(part) in glyphs)
    return relatives.strip() or MISSING
