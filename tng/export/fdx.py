"""A script as a Final Draft document (FDX, DocumentType Script, version 5), with the elements of a television script.

Final Draft publishes no schema; the elements are those that its own files hold. XML is built as a tree, so that no
text can become markup, and holds no control character, which XML 1.0 could not say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from tng.export.colophon import Colophon
from tng.export.layout import CREDIT, Block, BlockKind, blocks_of, plain
from tng.script import Script

CENTRE: Final = "Center"
TITLE_LINES_ABOVE: Final = 16
NOTE_LINES_ABOVE: Final = 14


class _Kind(NamedTuple):
    """How a type of paragraph is set: inches from the left edge of the sheet, and what comes after a return."""

    name: str
    left: float
    right: float
    lines_above: int
    followed_by: str
    alignment: str = "Left"
    style: str = ""
    starts_page: bool = False


_KINDS: Final = (
    _Kind("General", 1.5, 7.5, 0, "General"),
    _Kind("New Act", 1.5, 7.5, 0, "Scene Heading", CENTRE, "Bold+AllCaps", starts_page=True),
    _Kind("Scene Heading", 1.5, 7.5, 2, "Action", style="Bold+AllCaps"),
    _Kind("Action", 1.5, 7.5, 1, "Action"),
    _Kind("Character", 3.5, 7.25, 1, "Dialogue", style="AllCaps"),
    _Kind("Parenthetical", 2.9, 5.4, 0, "Dialogue"),
    _Kind("Dialogue", 2.5, 6.0, 0, "Action"),
    _Kind("Shot", 1.5, 7.5, 1, "Action", style="AllCaps"),
    _Kind("Transition", 5.5, 7.5, 1, "Scene Heading", "Right", "AllCaps"),
    _Kind("End of Act", 1.5, 7.5, 2, "New Act", CENTRE, "Bold+AllCaps"),
)
_NAMES: Final = {
    BlockKind.ACT: "New Act",
    BlockKind.HEADING: "Scene Heading",
    BlockKind.SHOT: "Shot",
    BlockKind.ACTION: "Action",
    BlockKind.TRANSITION: "Transition",
    BlockKind.ENDING: "End of Act",
}


def render_fdx(script: Script, colophon: Colophon) -> bytes:
    """The whole script and its title page, as UTF-8."""
    root = Element("FinalDraft", DocumentType="Script", Template="No", Version="5")
    content = SubElement(root, "Content")
    for block in blocks_of(script):
        _block(content, block)
    _title_page(SubElement(SubElement(root, "TitlePage"), "Content"), script.title, colophon)
    for kind in _KINDS:
        _settings(root, kind)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return written + b"\n"


def _block(content: Element, block: Block) -> None:
    if block.kind is not BlockKind.SPEECH:
        number = {"Number": block.number} if block.number else {}
        _paragraph(content, _NAMES[block.kind], block.text, **number)
        return
    _paragraph(content, "Character", block.cue)
    if block.parenthetical:
        _paragraph(content, "Parenthetical", f"({block.parenthetical})")
    _paragraph(content, "Dialogue", block.text)


def _title_page(content: Element, title: str, colophon: Colophon) -> None:
    above, below = [""] * TITLE_LINES_ABOVE, [""] * NOTE_LINES_ABOVE
    _centred(content, [*above, plain(title).upper(), "", CREDIT, "", plain(colophon.product), *below])
    for note in colophon.notes:
        _centred(content, [plain(note), ""])


def _centred(content: Element, lines: Iterable[str]) -> None:
    for line in lines:
        _paragraph(content, "General", line, Alignment=CENTRE)


def _paragraph(content: Element, kind: str, text: str, **attributes: str) -> None:
    paragraph = SubElement(content, "Paragraph", {"Type": kind, **attributes})
    SubElement(paragraph, "Text").text = text


def _settings(root: Element, kind: _Kind) -> None:
    """What Final Draft is told of a type: an act begins a page and stands in the middle."""
    element = SubElement(root, "ElementSettings", Type=kind.name)
    SubElement(element, "FontSpec", Font="Courier Final Draft", Size="12", Style=kind.style)
    SubElement(
        element,
        "ParagraphSpec",
        Alignment=kind.alignment,
        LeftIndent=f"{kind.left:.2f}",
        RightIndent=f"{kind.right:.2f}",
        SpaceBefore=str(12 * kind.lines_above),
        Spacing="1",
        StartsNewPage="Yes" if kind.starts_page else "No",
    )
    SubElement(element, "Behavior", PaginateAs=_paginated_as(kind.name), ReturnKey=kind.followed_by)


def _paginated_as(name: str) -> str:
    """Which of Final Draft's own rules breaks its pages: acts are kept with what follows, as headings are."""
    return {"New Act": "Scene Heading", "End of Act": "Action", "Shot": "Scene Heading"}.get(name, name)
