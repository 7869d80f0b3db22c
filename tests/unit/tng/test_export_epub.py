"""The EPUB, opened again by ebooklib, by the archive's own rules, and part by part as XML."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

import ebooklib
import pytest
from defusedxml.ElementTree import fromstring
from ebooklib import epub
from hypothesis import given, settings

from tests.unit.tng.api_support import SCRIPT
from tests.unit.tng.export_support import COLOPHON, full_episode, nasty_scripts, spoken
from tng.export.colophon import Colophon
from tng.export.epub import render_epub
from tng.export.layout import BlockKind, blocks_of
from tng.script import Act, Script, parse

EPISODE = full_episode()
HTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
OPS_TYPE = "{http://www.idpf.org/2007/ops}type"


def archive(script: Script, colophon: Colophon = COLOPHON) -> zipfile.ZipFile:
    """The book's archive, opened again."""
    return zipfile.ZipFile(io.BytesIO(render_epub(script, colophon)))


def package(book: zipfile.ZipFile) -> Element:
    """The package document, found as a reader finds it."""
    container = fromstring(book.read("META-INF/container.xml"))
    found = container.find(".//{urn:oasis:names:tc:opendocument:xmlns:container}rootfile")
    assert found is not None
    return fromstring(book.read(found.get("full-path", "")))


def in_order(book: zipfile.ZipFile) -> list[Element]:
    """The documents in the order in which they are read."""
    root = package(book)
    files = {item.get("id"): item.get("href", "") for item in root.iter(f"{OPF}item")}
    return [fromstring(book.read(f"EPUB/{files[ref.get('idref')]}")) for ref in root.iter(f"{OPF}itemref")]


def said(book: zipfile.ZipFile, style: str) -> list[str]:
    """The words of each paragraph of a style, in order."""
    return ["".join(p.itertext()) for page in in_order(book) for p in page.iter() if p.get("class") == style]


def test_the_media_type_stands_first_stored_and_bare() -> None:
    made = render_epub(EPISODE, COLOPHON)
    first = archive(EPISODE).infolist()[0]
    assert (first.filename, first.compress_type, first.extra) == ("mimetype", zipfile.ZIP_STORED, b"")
    assert made[30:58] == b"mimetypeapplication/epub+zip"
    assert archive(EPISODE).testzip() is None


def test_every_part_is_xml_and_every_name_leads_to_a_part() -> None:
    book = archive(EPISODE)
    names = set(book.namelist())
    for name in names - {"mimetype", "EPUB/style.css"}:
        fromstring(book.read(name))
    root = package(book)
    listed = {f"EPUB/{item.get('href')}" for item in root.iter(f"{OPF}item")}
    assert listed == names - {"mimetype", "META-INF/container.xml", "EPUB/package.opf"}
    ids = [item.get("id") for item in root.iter(f"{OPF}item")]
    assert len(ids) == len(set(ids))
    for name in names:
        if name.endswith(".xhtml"):
            links = {a.get("href", "") for a in fromstring(book.read(name)).iter(f"{HTML}a")}
            assert {f"EPUB/{link}" for link in links} <= names


def test_the_package_says_what_it_is() -> None:
    root = package(archive(EPISODE))
    assert root.get("version") == "3.0"
    assert root.findtext(f".//{DC}identifier") == COLOPHON.identifier
    assert root.findtext(f".//{DC}title") == EPISODE.title
    assert root.findtext(f".//{DC}language") == "en"
    assert root.findtext(f".//{DC}creator") == COLOPHON.product
    assert root.findtext(f".//{DC}rights") == COLOPHON.disclaimer
    told = {meta.get("property"): meta.text for meta in root.iter(f"{OPF}meta")}
    assert told["dcterms:modified"] == "2026-11-24T17:30:05Z"


def test_the_contents_lead_to_the_cover_and_to_each_act() -> None:
    book = archive(EPISODE)
    nav = fromstring(book.read("EPUB/nav.xhtml")).find(f".//{HTML}nav")
    assert nav is not None
    assert nav.get(OPS_TYPE) == "toc"
    assert ["".join(a.itertext()) for a in nav.iter(f"{HTML}a")] == [EPISODE.title, *(act.name for act in EPISODE.acts)]


def test_ebooklib_reads_it_with_an_act_a_chapter(tmp_path: Path) -> None:
    path = tmp_path / "script.epub"
    path.write_bytes(render_epub(EPISODE, COLOPHON))
    book = epub.read_epub(path, {"ignore_ncx": True})
    assert book.get_metadata("DC", "title")[0][0] == EPISODE.title
    assert book.get_metadata("DC", "identifier")[0][0] == COLOPHON.identifier
    documents = [item.get_name() for item in book.get_items_of_type(ebooklib.ITEM_DOCUMENT)]
    chapters = [name for name in documents if PurePosixPath(name).name.startswith("act-")]
    assert len(chapters) == len(EPISODE.acts)
    assert [entry.title for entry in book.toc] == [EPISODE.title, *(act.name for act in EPISODE.acts)]


def test_the_cover_says_who_wrote_it_and_how() -> None:
    cover, *_ = in_order(archive(EPISODE))
    text = " ".join("".join(cover.itertext()).split())
    for part in (EPISODE.title, "Written by", COLOPHON.product, *COLOPHON.notes):
        assert part in text


def test_headings_are_numbered_and_speeches_have_their_cues() -> None:
    book = archive(parse(SCRIPT))
    assert said(book, "heading") == ["1 INT. READY ROOM", "2 INT. MAIN BRIDGE", "3 EXT. SPACE"]
    assert said(book, "shot") == ["2A ANGLE ON DATA"]
    assert said(book, "cue") == ["PICARD (V.O.)", "PICARD (CONT'D)", "DATA", "PICARD"]
    assert said(book, "aside") == ["(tired)"]
    assert said(book, "ending") == ["THE END"]


@settings(max_examples=40, deadline=None)
@given(nasty_scripts)
def test_nothing_that_a_script_says_becomes_markup_and_every_speech_comes_back(script: Script) -> None:
    book = archive(script)
    assert said(book, "dialogue") == spoken(script)
    assert len(in_order(book)) == 1 + len(script.acts)
    known = {"html", "head", "title", "link", "body", "h1", "h2", "h3", "p"}
    assert {part.tag.removeprefix(HTML) for page in in_order(book) for part in page.iter()} <= known
    assert len(said(book, "heading")) == sum(block.kind is BlockKind.HEADING for block in blocks_of(script))


def test_the_bytes_depend_on_script_and_colophon_alone() -> None:
    assert render_epub(EPISODE, COLOPHON) == render_epub(EPISODE, COLOPHON)
    another = replace(COLOPHON, written_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert render_epub(EPISODE, COLOPHON) != render_epub(EPISODE, another)


@pytest.mark.parametrize("script", [Script("T"), Script("T", (Act("TEASER"),))], ids=["no act", "no scene"])
def test_a_script_with_hardly_anything_in_it_is_a_book_too(script: Script) -> None:
    assert len(in_order(archive(script))) == 1 + len(script.acts)


def test_a_time_before_the_first_that_an_archive_knows_is_no_fault() -> None:
    early = replace(COLOPHON, written_at=datetime(1970, 1, 1, tzinfo=UTC))
    assert archive(EPISODE, early).infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
