"""A script as PDF: US Letter, Courier Prime (SIL Open Font License, embedded), as a teleplay is printed.

It draws lines at their places (``tng.export.pages``) and reads no markup, so that nothing the script says can become
some. Measures are points, 72 an inch, from the lower left corner of the sheet.
"""

from __future__ import annotations

import io
import textwrap
import threading
from collections.abc import Container
from importlib import resources
from typing import Final

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from tng.export.colophon import Colophon
from tng.export.glyphs import printable
from tng.export.layout import CREDIT, plain
from tng.export.pages import Page, pages_of
from tng.export.pieces import WIDTH, Align, Line
from tng.script import Script

INCH: Final = 72.0
SHEET: Final = (8.5 * INCH, 11 * INCH)
LINE: Final = INCH / 6
CHARACTER: Final = INCH / 10
SIZE: Final = 12
LEFT: Final = 1.5 * INCH
RIGHT: Final = LEFT + WIDTH * CHARACTER
TOP: Final = 10 * INCH - LINE
"""The first line's base."""

HEAD: Final = 10.4 * INCH
NUMBER_LEFT, NUMBER_RIGHT = 0.75 * INCH, 7.75 * INCH
TITLE_SIZE, TITLE_COLUMNS = 18, 34
SMALL_SIZE, SMALL_COLUMNS = 9, 72
RUNNING_TITLE_COLUMNS: Final = 36

REGULAR, BOLD = "Courier Prime", "Courier Prime Bold"
_ONE_AT_A_TIME = threading.Lock()
"""reportlab's typefaces are shared by the whole process, and are read by seeking: two threads would trip."""


def render_pdf(script: Script, colophon: Colophon) -> bytes:
    """The whole script, title page first. The same script and colophon give the same bytes. Call it on any thread."""
    with _ONE_AT_A_TIME:
        return _Press(script.title, colophon).print(script)


class _Press:
    """One document while it is drawn."""

    def __init__(self, title: str, colophon: Colophon) -> None:
        self._glyphs = _typefaces()
        self._colophon = colophon
        self._title = self._printable(title)
        self._file = io.BytesIO()
        self._canvas = Canvas(self._file, pagesize=SHEET, pageCompression=1, invariant=1, lang="en")
        self._describe()

    def print(self, script: Script) -> bytes:
        """All sheets, as a file."""
        self._title_page()
        for number, page in enumerate(pages_of(script, self._printable), start=1):
            self._page(page, number)
        self._canvas.save()
        return self._file.getvalue()

    def _printable(self, text: str) -> str:
        return printable(plain(text), self._glyphs)

    def _describe(self) -> None:
        canvas, written = self._canvas, self._colophon.written_utc
        canvas.setTitle(plain(self._title))
        canvas.setAuthor(plain(self._colophon.product))
        canvas.setCreator(plain(self._colophon.product))
        canvas.setSubject(plain(" ".join(self._colophon.notes)))
        canvas.setViewerPreference("DisplayDocTitle", "true")
        # reportlab asks for its own time in parts, which is a fixed one in invariant mode: ours is the order's
        canvas.setDateFormatter(lambda *_parts: f"{written:D:%Y%m%d%H%M%S}Z")

    def _title_page(self) -> None:
        height = 7.5 * INCH
        for line in textwrap.wrap(self._title.upper(), TITLE_COLUMNS):
            self._centred(line, height, BOLD, TITLE_SIZE)
            height -= 1.5 * TITLE_SIZE
        height -= 2 * LINE
        for text in (CREDIT, self._colophon.product):
            self._centred(self._printable(text), height, REGULAR, SIZE)
            height -= 2 * LINE
        self._small_print()
        self._canvas.showPage()

    def _small_print(self) -> None:
        """At the foot of the title page: how it was written, and whose the characters are."""
        lines: list[str] = []
        for note in self._colophon.notes:
            lines += ["", *textwrap.wrap(self._printable(note), SMALL_COLUMNS)]
        for row, line in enumerate(lines, start=1):
            self._centred(line, INCH + (len(lines) - row) * 1.3 * SMALL_SIZE, REGULAR, SMALL_SIZE)

    def _page(self, page: Page, number: int) -> None:
        if number > 1:
            self._running_head(page, number)
        for row, line in enumerate(page.lines):
            if line.text:
                self._line(line, TOP - row * LINE)
        self._canvas.showPage()

    def _running_head(self, page: Page, number: int) -> None:
        title = textwrap.shorten(self._title.upper(), RUNNING_TITLE_COLUMNS, placeholder="…")
        head = " – ".join(part for part in (title, page.act) if part)
        self._canvas.setFont(REGULAR, SIZE)
        self._canvas.drawString(LEFT, HEAD, head[: WIDTH - 6])
        self._canvas.drawRightString(RIGHT, HEAD, f"{number}.")

    def _line(self, line: Line, height: float) -> None:
        canvas = self._canvas
        canvas.setFont(BOLD if line.bold else REGULAR, SIZE)
        match line.align:
            case Align.LEFT:
                canvas.drawString(LEFT + line.column * CHARACTER, height, line.text)
            case Align.CENTRE:
                canvas.drawCentredString((LEFT + RIGHT) / 2, height, line.text)
            case Align.RIGHT:
                canvas.drawRightString(RIGHT, height, line.text)
        if line.number:
            canvas.setFont(REGULAR, SIZE)
            canvas.drawString(NUMBER_LEFT, height, line.number)
            canvas.drawRightString(NUMBER_RIGHT, height, line.number)
        if line.entry:
            self._bookmark(line, height)

    def _bookmark(self, line: Line, height: float) -> None:
        key = f"{self._canvas.getPageNumber()}-{height:.0f}"
        self._canvas.bookmarkHorizontal(key, 0, height + 2 * LINE)
        self._canvas.addOutlineEntry(line.entry, key, level=line.depth, closed=True)

    def _centred(self, text: str, height: float, face: str, size: float) -> None:
        self._canvas.setFont(face, size)
        self._canvas.drawCentredString(SHEET[0] / 2, height, text)


def _typefaces() -> Container[int]:
    """Make both faces known to reportlab, once a process; the code points that both have."""
    if REGULAR not in pdfmetrics.getRegisteredFontNames():
        folder = resources.files("screenplain.export") / "courier_prime"
        for name in (BOLD, REGULAR):
            with resources.as_file(folder / f"{name}.ttf") as path:
                pdfmetrics.registerFont(TTFont(name, str(path)))
    known: Container[int] = (
        pdfmetrics.getFont(REGULAR).face.charToGlyph.keys() & pdfmetrics.getFont(BOLD).face.charToGlyph.keys()
    )
    return known
