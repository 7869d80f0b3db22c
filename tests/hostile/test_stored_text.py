"""What a customer asked for and what the model wrote, as an attack on whoever opens it: it stays text everywhere."""

from __future__ import annotations

import io
import json
import logging
import re
import unicodedata
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element as XmlElement

import pytest
from defusedxml.ElementTree import fromstring
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject
from screenplay_tools.fountain.parser import Parser as IndependentFountain

from tests.fakes import FakeClock, FakeRunner, FakeStore
from tests.hostile.attacks import answers
from tests.hostile.payloads import ALL, PAYLOADS, UNTYPED
from tests.orders import job_in, order_in, paid_order
from tests.releases import a_ledger
from tests.unit.tng.api_support import WISH, House, make_house, visiting
from tests.unit.tng.export_support import COLOPHON
from tests.unit.tng.fountain_reader import read_fountain
from tng.api.downloads import content_disposition
from tng.api.views import PremiseRequest
from tng.desk import WritingDesk
from tng.errors import RunFailed
from tng.export.epub import render_epub
from tng.export.fdx import render_fdx
from tng.export.formats import FORMATS
from tng.export.fountain import render_fountain
from tng.export.layout import plain
from tng.export.pdf import render_pdf
from tng.export.text import render_text
from tng.fulfilment import Fulfilment
from tng.log import Line
from tng.orders import OrderState
from tng.script import Act, Element, ElementKind, Scene, Script, parse, render
from tng.worker import Worker

TEXT = "stored text"
HARMLESS = "Rain runs down the window"
DANGEROUS_IN_PDF = {"/JS", "/JavaScript", "/Launch", "/URI", "/OpenAction", "/AA", "/SubmitForm", "/EmbeddedFile"}

each_payload = pytest.mark.parametrize("name", ALL)


def script_of(text: str) -> Script:
    """A script that says nothing but this, in every place where something can be said."""
    elements = (
        Element(ElementKind.ACTION, text),
        Element(ElementKind.SPEECH, text, "PICARD", "V.O.", text),
        Element(ElementKind.ACTION, f"{HARMLESS}. {text}"),
        Element(ElementKind.SPEECH, text, text, text, text),
        Element(ElementKind.SHOT, text),
        Element(ElementKind.SPEECH, f"({text})", "DATA"),
        Element(ElementKind.TRANSITION, text),
    )
    return Script(text, (Act(text, (Scene(text, elements), Scene(f"INT. {text}", elements))), Act("ACT TWO")))


# --- asking for it ----------------------------------------------------------------------------------------------------


def _wish(field: str, text: str) -> dict[str, Any]:
    """A premise with this text in one of its fields; in one that is a list of texts, as one of them."""
    usual = WISH.get(field, "")
    return WISH | {field: [*usual, text] if isinstance(usual, list) else text}


def _kept(house: House) -> list[str]:
    orders = house.store.tables.orders.values()
    return [json.dumps(order.premise.to_fields(), ensure_ascii=False) for order in orders]


@answers(
    "asks for an episode whose title, logline, cast, tone, length or seed is a payload",
    "kept as the text it is, or refused with a sentence that does not repeat it",
    who=TEXT,
)
@each_payload
async def test_a_premise_keeps_a_payload_as_text_or_refuses_it_with_a_sentence(name: str) -> None:
    house = make_house()
    for field in PremiseRequest.model_fields:
        wish, headers = _wish(field, ALL[name]), {"Idempotency-Key": f"{field}-1", "Content-Type": "application/json"}
        async with visiting(house) as ada:
            answer = await ada.post("/orders", content=json.dumps(wish), headers=headers)
        assert answer.headers["content-type"] == "application/json", field
        assert answer.headers["x-content-type-options"] == "nosniff"
        if answer.status_code == 201:
            told = answer.json()["premise"]
            assert told[field] == unicodedata.normalize("NFC", " ".join(ALL[name].split())), field
            assert _is_one_plain_line(told[field])
        else:
            assert answer.status_code == 422, field
            message = answer.json()["message"]
            assert re.fullmatch(r"[A-Z][^\n]{10,200}\.", message)
            assert not (len(ALL[name]) > 3 and ALL[name] in message)


@answers(
    "asks with letters that nobody types: null, escape, bidi, zero width, half a character",
    "refused, or brought to one plain line: none of them is ever stored",
    who=TEXT,
)
@pytest.mark.parametrize("name", UNTYPED)
async def test_what_nobody_types_is_not_stored(name: str) -> None:
    house = make_house()
    async with visiting(house) as ada:
        for field in ("title", "logline"):
            headers = {"Idempotency-Key": field, "Content-Type": "application/json"}
            await ada.post("/orders", content=json.dumps(_wish(field, UNTYPED[name])), headers=headers)
    assert all(_is_one_plain_line(premise) for premise in _kept(house))


def test_the_control_most_payloads_can_be_typed_and_are_stored() -> None:
    assert len(PAYLOADS) == 60
    fitting = [text for text in PAYLOADS.values() if len(text) <= 80]
    assert len(fitting) > 50
    assert all(_is_one_plain_line(text) for text in PAYLOADS.values())
    assert not any(_is_one_plain_line(text) for text in UNTYPED.values())


def _is_one_plain_line(text: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in text)


# --- the form in which it is stored -----------------------------------------------------------------------------------


@answers(
    "writes lines that read as acts, scenes, cues or the script's own marks",
    "the stored form says what each line is, and gives the same script back",
    who=TEXT,
)
@pytest.mark.parametrize("name", PAYLOADS)
def test_the_stored_form_gives_the_same_script_back(name: str) -> None:
    text = " ".join(PAYLOADS[name].split())
    elements = (
        Element(ElementKind.ACTION, text),
        Element(ElementKind.SPEECH, text, "PICARD", "V.O.", "tired"),
        Element(ElementKind.SPEECH, text, "DATA"),
        Element(ElementKind.SHOT, text),
        Element(ElementKind.TRANSITION, text),
    )
    script = Script(text, (Act(text, (Scene(text, elements), Scene("INT. BRIDGE", elements))),))
    assert parse(render(script)) == script


# --- files ------------------------------------------------------------------------------------------------------------


@answers(
    "writes Fountain: forced elements, notes, boneyard, emphasis, sections, a title page of its own",
    "every reader finds the elements that the script has, and no heading, note or act more",
    who=TEXT,
)
@each_payload
def test_fountain_has_the_elements_of_the_script_and_no_other(name: str) -> None:
    written, usual = (render_fountain(script_of(text), COLOPHON) for text in (ALL[name], HARMLESS))
    title_page, found = read_fountain(written)
    assert list(title_page) == list(read_fountain(usual)[0])
    assert [each.kind for each in found] == [each.kind for each in read_fountain(usual)[1]]
    assert _independently(written) == _independently(usual)


def _independently(fountain: str) -> list[str]:
    """The kinds of elements that a reader by somebody else finds."""
    reader = IndependentFountain()
    reader.add_text(fountain)
    return [element.type.name for element in reader.script.elements]


@answers(
    "writes XML into a Final Draft document: entities, CDATA, instructions, elements",
    "the document is a tree that was built, not glued: the same paragraphs, and no declaration",
    who=TEXT,
)
@each_payload
def test_final_draft_has_the_paragraphs_of_the_script_and_no_other(name: str) -> None:
    document, usual = (render_fdx(script_of(text), COLOPHON) for text in (ALL[name], HARMLESS))
    assert b"<!" not in document
    assert _skeleton(_parsed(document)) == _skeleton(_parsed(usual))
    said = [text.text or "" for text in _parsed(document).iter("Text")]
    assert plain(ALL[name]) in said


@answers(
    "writes scripts, handlers, links and entities into a book",
    "the same elements as in any book, no script, no handler, no address but the book's own",
    who=TEXT,
)
@each_payload
def test_a_book_holds_no_script_no_handler_and_no_address_of_others(name: str) -> None:
    book, usual = (zipfile.ZipFile(io.BytesIO(render_epub(script_of(t), COLOPHON))) for t in (ALL[name], HARMLESS))
    assert book.namelist() == usual.namelist()
    for member in book.namelist():
        if member.endswith((".xhtml", ".opf", ".xml")):
            content, tree = book.read(member), _parsed(book.read(member))
            assert b"<!" not in content
            assert _skeleton(tree) == _skeleton(_parsed(usual.read(member))), member
            assert not [element for element in tree.iter() if element.tag.rpartition("}")[2] == "script"]
            for attribute, value in [pair for element in tree.iter() for pair in element.items()]:
                assert not attribute.lower().startswith("on")
                if attribute in ("href", "src"):
                    assert value in {entry.removeprefix("EPUB/") for entry in book.namelist()}


@answers(
    "writes what ends a text or an object of a PDF, and actions: scripts, launches, links",
    "a reader opens it, finds no action of any kind, and the words as words",
    who=TEXT,
)
@each_payload
def test_a_pdf_has_no_action_and_can_be_read(name: str) -> None:
    reader = PdfReader(io.BytesIO(render_pdf(script_of(ALL[name]), COLOPHON)), strict=True)
    seen = set(_names(reader.trailer, set()))
    assert "/Page" in seen, "the control: names are found"
    assert not seen & DANGEROUS_IN_PDF
    assert HARMLESS in " ".join("".join(page.extract_text() for page in reader.pages).split())


def _names(thing: object, known: set[tuple[int, int]]) -> Iterator[str]:
    """Every name in a PDF: keys, and values that are names."""
    if isinstance(thing, IndirectObject):
        if (thing.idnum, thing.generation) in known:
            return
        known.add((thing.idnum, thing.generation))
        thing = thing.get_object()
    if isinstance(thing, DictionaryObject):
        for key, value in thing.items():
            yield str(key)
            yield from _names(value, known)
    elif isinstance(thing, ArrayObject):
        for value in thing:
            yield from _names(value, known)
    elif isinstance(thing, str) and thing.startswith("/") and type(thing).__name__ == "NameObject":
        yield str(thing)


@answers(
    "writes terminal colours, null, carriage returns and lines of its own into a text file",
    "the file holds what prints, and as many lines as the script has",
    who=TEXT,
)
@each_payload
def test_a_text_file_holds_what_prints(name: str) -> None:
    written = render_text(script_of(ALL[name]), COLOPHON)
    assert all(_is_one_plain_line(line) for line in written.split("\n"))
    assert max(len(line) for line in written.split("\n")) <= 80


@answers(
    "names a script so that its file lands elsewhere, has another ending, or adds a header",
    "the file's name is made of letters, digits, spaces and dashes, and ends as it should",
    who=TEXT,
)
@each_payload
def test_a_file_is_named_after_its_script_and_lies_where_the_customer_puts_it(name: str) -> None:
    for ending in FORMATS:
        header, message = content_disposition(ALL[name], ending), Message()
        assert header.isascii()
        assert header.isprintable()
        message["Content-Disposition"] = header
        for file in (str(message.get_filename()), unquote(header.rpartition("''")[2]), header.split('"')[1]):
            assert file.endswith(f".{ending}")
            assert file.count(".") == 1
            assert not set(file) & set('/\\:*?"<>|;\r\n\0$`')
            assert not file.startswith((".", "-", " "))
            assert len(file.encode()) <= 250


def _parsed(document: bytes) -> XmlElement:
    """The document; a DTD or an entity is an error here."""
    tree: XmlElement = fromstring(document, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    return tree


def _skeleton(tree: XmlElement) -> list[tuple[str, tuple[str, ...]]]:
    """Every element and the names of its attributes, in their order."""
    return [(element.tag, tuple(element.keys())) for element in tree.iter()]


# --- the log ----------------------------------------------------------------------------------------------------------


@answers(
    "hopes that its words are logged while it is placed, refused, written or while its run fails",
    "no line of the log has a word of a premise or a script; none begins a line or colours a terminal",
    who=TEXT,
)
@pytest.mark.parametrize("name", [*UNTYPED, "script", "log4j", "path", "python format"])
async def test_no_word_of_a_premise_reaches_the_log(
    caplog: pytest.LogCaptureFixture, tmp_path: Path, name: str
) -> None:
    caplog.set_level(logging.DEBUG, logger="tng")
    text, house = f"sotto voce {ALL[name]}", make_house()
    async with visiting(house) as ada:
        for field in PremiseRequest.model_fields:
            headers = {"Idempotency-Key": field, "Content-Type": "application/json"}
            await ada.post("/orders", content=json.dumps(_wish(field, text)), headers=headers)
        await ada.get(f"/orders/{text.encode('unicode_escape').decode()[:60]}")
    _fail_with(text, tmp_path)
    lines = [Line().format(record) for record in caplog.records if record.name.startswith("tng")]
    assert any("order=" in line for line in lines), "the control: something is logged"
    for line in lines:
        assert "sotto voce" not in line
        assert "\n" not in line
        assert "\x1b" not in line


def _fail_with(text: str, folder: Path) -> None:
    """A worker's run writes this text, and then fails with it."""
    store, clock = FakeStore(), FakeClock()
    paid_order(store)
    fulfilment = Fulfilment(store, clock, lease_seconds=10, spread=lambda: 0.0)
    for error in (ValueError(text), RunFailed("the notebook raised ValueError", cause="ValueError", retryable=False)):
        runner = FakeRunner(events=[], error=error)
        ledger = a_ledger(store, folder / "releases")
        ledger.last()
        desk = WritingDesk(fulfilment, ledger)
        worker = Worker(desk, runner, name="w", runs_folder=folder / "runs", lease_seconds=10)
        clock.advance(hours=1)
        worker.run_one()
    assert order_in(store).state in (OrderState.REFUNDING, OrderState.PAID)
    assert job_in(store).attempt
