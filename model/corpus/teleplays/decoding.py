"""Bytes to text: the encodings and residues of thirty years of teleplay files. It knows no format.

UTF-8 is tried first. What is not UTF-8 has single high bytes: typographic quotes and dashes of Windows, or accented
letters of the Macintosh, which use the same numbers. The more frequent kind decides.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Final

_CP1252_PUNCTUATION: Final = frozenset(b"\x85\x91\x92\x93\x94\x95\x96\x97")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_LINE_ENDS = re.compile("\r\n|[\r\f\v\x85\u2028\u2029]")
_INDEX_MARK = re.compile(r"^\x00*\x16.*$|^\x00.*$|^STXT\x00+.*$", re.MULTILINE)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ufeff]")


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text with ``\\n`` line ends and without control characters (tabs stay), and the encoding that it had."""

    text: str
    encoding: str


def decode(content: bytes) -> Decoded:
    """The text of a file. Nothing is refused: what no encoding explains becomes U+FFFD."""
    text, encoding = _text(content)
    text = _LINE_ENDS.sub("\n", text)
    return Decoded(_CONTROLS.sub("", _INDEX_MARK.sub("", text)), encoding)


def _text(content: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, "replace"), encoding
    try:
        return content.decode("utf-8"), "ascii" if content.isascii() else "utf-8"
    except UnicodeDecodeError:
        high = [byte for byte in content if byte > 0x7F]
        windows = sum(byte in _CP1252_PUNCTUATION for byte in high)
        encoding = "cp1252" if windows * 2 > len(high) else "mac_roman"
        return content.decode(encoding, "replace"), encoding


__all__ = ["Decoded", "decode"]
