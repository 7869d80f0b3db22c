"""A script as EPUB 3.3 (w3.org/TR/epub-33): a cover page, a file an act, and a table of contents.

XML is built as trees, so that no text can become markup. The archive's bytes depend on script and colophon alone.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element, SubElement

from tng.export.colophon import Colophon
from tng.export.layout import CREDIT, Block, BlockKind, blocks_by_act, plain
from tng.script import Script

MEDIA_TYPE: Final = "application/epub+zip"
EARLIEST: Final = (1980, 1, 1, 0, 0, 0)
"""A ZIP archive knows no earlier time."""

_XHTML, _OPS = "http://www.w3.org/1999/xhtml", "http://www.idpf.org/2007/ops"
_OPF, _DC = "http://www.idpf.org/2007/opf", "http://purl.org/dc/elements/1.1/"
_CONTAINER = "urn:oasis:names:tc:opendocument:xmlns:container"
_CLASSES: Final = {
    BlockKind.HEADING: ("h2", "heading"),
    BlockKind.SHOT: ("h3", "shot"),
    BlockKind.ACTION: ("p", "action"),
    BlockKind.TRANSITION: ("p", "transition"),
    BlockKind.ENDING: ("p", "ending"),
}
_ACCESS: Final = {
    "schema:accessMode": "textual",
    "schema:accessModeSufficient": "textual",
    "schema:accessibilityFeature": "structuralNavigation",
    "schema:accessibilityHazard": "none",
    "schema:accessibilitySummary": "The text is in reading order, with a heading an act and a scene.",
}
_STYLE: Final = """\
body { font-family: "Courier Prime", Courier, monospace; line-height: 1.3; margin: 1em 5%; }
h1, .ending, .cover p { text-align: center; }
h1 { font-size: 1.2em; margin: 2em 0; }
h2, h3 { font-size: 1em; margin: 1.6em 0 0.6em; page-break-after: avoid; break-after: avoid; }
p { margin: 0.6em 0; }
.cue { margin: 1em 0 0 33%; page-break-after: avoid; break-after: avoid; }
.aside { margin: 0 20% 0 24%; page-break-after: avoid; break-after: avoid; }
.dialogue { margin: 0 14% 0.6em; }
.transition { text-align: right; }
.ending { margin: 2em 0; font-weight: bold; }
.cover h1 { margin-top: 25%; font-size: 1.6em; }
.cover .small { font-size: 0.8em; margin-top: 2em; }
"""


@dataclass(frozen=True, slots=True)
class _Part:
    """One document of the book, in reading order."""

    file: str
    title: str
    body: Element


def render_epub(script: Script, colophon: Colophon) -> bytes:
    """The whole script as a book."""
    title = plain(script.title)
    parts = [_Part("cover.xhtml", title, _cover(title, colophon)), *_acts(script)]
    files = {
        "META-INF/container.xml": _container(),
        "EPUB/package.opf": _package(title, parts, colophon),
        "EPUB/nav.xhtml": _document("Contents", _contents(parts)),
        "EPUB/style.css": _STYLE.encode(),
        **{f"EPUB/{part.file}": _document(part.title, part.body) for part in parts},
    }
    return _archive(files, colophon)


def _archive(files: dict[str, bytes], colophon: Colophon) -> bytes:
    """The ZIP: its first member is the media type, stored, so that its bytes stand at the same place in every EPUB."""
    file, written = io.BytesIO(), max(EARLIEST, colophon.written_utc.timetuple()[:6])
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"mimetype": MEDIA_TYPE.encode(), **files}.items():
            member = zipfile.ZipInfo(name, written)
            member.create_system = 3  # the same on every system
            archive.writestr(member, content, zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _container() -> bytes:
    root = Element("container", {"version": "1.0", "xmlns": _CONTAINER})
    package = {"full-path": "EPUB/package.opf", "media-type": "application/oebps-package+xml"}
    SubElement(SubElement(root, "rootfiles"), "rootfile", package)
    return _written(root)


def _package(title: str, parts: list[_Part], colophon: Colophon) -> bytes:
    root = Element("package", {"xmlns": _OPF, "version": "3.0", "unique-identifier": "id", "xml:lang": "en"})
    _metadata(SubElement(root, "metadata", {"xmlns:dc": _DC}), title, colophon)
    manifest, spine = SubElement(root, "manifest"), SubElement(root, "spine")
    xhtml = {"media-type": "application/xhtml+xml"}
    SubElement(manifest, "item", {"id": "nav", "href": "nav.xhtml", "properties": "nav", **xhtml})
    SubElement(manifest, "item", {"id": "style", "href": "style.css", "media-type": "text/css"})
    for part in parts:
        name = part.file.removesuffix(".xhtml")
        SubElement(manifest, "item", {"id": name, "href": part.file, **xhtml})
        SubElement(spine, "itemref", {"idref": name})
    return _written(root)


def _metadata(metadata: Element, title: str, colophon: Colophon) -> None:
    SubElement(metadata, "dc:identifier", {"id": "id"}).text = plain(colophon.identifier)
    SubElement(metadata, "dc:title").text = title
    SubElement(metadata, "dc:language").text = "en"
    SubElement(metadata, "dc:creator").text = plain(colophon.product)
    SubElement(metadata, "dc:date").text = colophon.written_utc.date().isoformat()
    SubElement(metadata, "dc:description").text = plain(" ".join(colophon.notes))
    SubElement(metadata, "dc:rights").text = plain(colophon.disclaimer)
    modified = f"{colophon.written_utc:%Y-%m-%dT%H:%M:%SZ}"
    for name, value in {"dcterms:modified": modified, **_ACCESS}.items():
        SubElement(metadata, "meta", {"property": name}).text = value


def _contents(parts: list[_Part]) -> Element:
    body = Element("body")
    nav = SubElement(body, "nav", {"epub:type": "toc", "id": "toc"})
    SubElement(nav, "h1").text = "Contents"
    entries = SubElement(nav, "ol")
    for part in parts:
        SubElement(SubElement(entries, "li"), "a", {"href": part.file}).text = part.title
    return body


def _cover(title: str, colophon: Colophon) -> Element:
    body = Element("body", {"class": "cover"})
    SubElement(body, "h1").text = title
    SubElement(body, "p").text = CREDIT
    SubElement(body, "p").text = plain(colophon.product)
    for note in colophon.notes:
        SubElement(body, "p", {"class": "small"}).text = plain(note)
    return body


def _acts(script: Script) -> Iterator[_Part]:
    for number, blocks in enumerate(blocks_by_act(script), start=1):
        body = Element("body")
        for block in blocks:
            _block(body, block)
        yield _Part(f"act-{number}.xhtml", blocks[0].text, body)


def _block(body: Element, block: Block) -> None:
    if block.kind is BlockKind.ACT:
        SubElement(body, "h1").text = block.text
    elif block.kind is BlockKind.SPEECH:
        SubElement(body, "p", {"class": "cue"}).text = block.cue
        if block.parenthetical:
            SubElement(body, "p", {"class": "aside"}).text = f"({block.parenthetical})"
        SubElement(body, "p", {"class": "dialogue"}).text = block.text
    else:
        tag, style = _CLASSES[block.kind]
        SubElement(body, tag, {"class": style}).text = f"{block.number} {block.text}".strip()


def _document(title: str, body: Element) -> bytes:
    root = Element("html", {"xmlns": _XHTML, "xmlns:epub": _OPS, "lang": "en", "xml:lang": "en"})
    head = SubElement(root, "head")
    SubElement(head, "title").text = title
    SubElement(head, "link", {"rel": "stylesheet", "type": "text/css", "href": "style.css"})
    root.append(body)
    return _written(root)


def _written(root: Element) -> bytes:
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"
