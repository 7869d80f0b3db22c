"""The formats in which a script is taken along: the one table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from tng.export import epub
from tng.export.colophon import Colophon
from tng.export.epub import render_epub
from tng.export.fdx import render_fdx
from tng.export.fountain import render_fountain
from tng.export.pdf import render_pdf
from tng.export.text import render_text
from tng.script import Script

PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file. ``ending`` is the file's, without its dot; ``render`` may be called on any thread."""

    ending: str
    media_type: str
    render: Callable[[Script, Colophon], bytes]


def _text(script: Script, colophon: Colophon) -> bytes:
    return render_text(script, colophon).encode()


def _fountain(script: Script, colophon: Colophon) -> bytes:
    return render_fountain(script, colophon).encode()


FORMATS: Final[Mapping[str, Format]] = {
    "pdf": Format("pdf", "application/pdf", render_pdf),
    # Final Draft has registered no media type of its own
    "fdx": Format("fdx", "application/xml", render_fdx),
    "fountain": Format("fountain", PLAIN, _fountain),
    "epub": Format("epub", epub.MEDIA_TYPE, render_epub),
    "txt": Format("txt", PLAIN, _text),
}
"""Ending → format, in the order in which they are offered."""
