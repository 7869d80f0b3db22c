"""The PDF, opened again by pypdf: what it says, on what paper, in which letters."""

from __future__ import annotations

import io
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from pypdf import PdfReader
from reportlab.pdfbase import pdfmetrics

from tests.unit.tng.export_support import (
    COLOPHON,
    action,
    full_episode,
    nasty_scripts,
    one_scene,
    sentences,
    speech,
    spoken,
    squeezed,
)
from tng.export.glyphs import MISSING, printable
from tng.export.layout import blocks_of, plain
from tng.export.pages import pages_of
from tng.export.pdf import BOLD, REGULAR, render_pdf
from tng.script import Script


def opened(script: Script) -> PdfReader:
    """The PDF of a script, opened again."""
    return PdfReader(io.BytesIO(render_pdf(script, COLOPHON)), strict=True)


def text_of(reader: PdfReader) -> list[str]:
    """The words of each page."""
    return [page.extract_text() for page in reader.pages]


@pytest.fixture(scope="module")
def episode() -> PdfReader:
    return opened(full_episode())


def test_every_sheet_is_us_letter(episode: PdfReader) -> None:
    assert {(float(page.mediabox.width), float(page.mediabox.height)) for page in episode.pages} == {(612.0, 792.0)}


def test_there_is_a_title_page_and_then_the_pages_of_the_script(episode: PdfReader) -> None:
    assert len(episode.pages) == 1 + len(pages_of(full_episode(), str))
    title = " ".join(episode.pages[0].extract_text().split())
    for part in ("THE LONG WAY ROUND <& BACK>", "Written by", COLOPHON.product, *COLOPHON.notes):
        assert part in title
    assert "24 November 2026" in title
    assert "house-1, seed 4711" in title


def test_page_numbers_and_the_running_head_begin_with_the_second_page(episode: PdfReader) -> None:
    _title, first, *others = text_of(episode)
    assert first.startswith("TEASER")
    assert "THE LONG WAY ROUND" not in first
    for number, text in enumerate(others, start=2):
        head, page_number, *_ = text.splitlines()
        assert head.startswith("THE LONG WAY ROUND <& BACK> – ")
        assert page_number == f"{number}."


def test_both_typefaces_are_embedded(episode: PdfReader) -> None:
    fonts: dict[str, Any] = {}
    for page in episode.pages:
        for reference in page["/Resources"]["/Font"].values():
            font = reference.get_object()
            fonts[font["/BaseFont"]] = font
    used = {name: font for name, font in fonts.items() if name != "/Helvetica"}  # reportlab names it on every sheet
    assert {name.split("+")[-1] for name in used} == {"CourierPrime", "CourierPrime-Bold"}
    assert all("/FontFile2" in font["/FontDescriptor"].get_object() for font in used.values())


def test_the_words_stand_in_the_order_of_the_script(episode: PdfReader) -> None:
    said, place = squeezed("".join(text_of(episode)[1:])), 0
    for block in blocks_of(full_episode()):
        begins = squeezed(block.text)[:30]
        assert begins in said[place:], block
        place = said.index(begins, place) + len(begins)


def test_scene_numbers_stand_in_both_margins() -> None:
    places: list[tuple[str, float]] = []

    def see(text: str, _matrix: object, place: list[float], *_font: object) -> None:
        if text.strip() in ("1", "1A"):
            places.append((text.strip(), round(place[4])))

    script = one_scene(action("Rain."), speech("It stopped."))
    opened(script).pages[1].extract_text(visitor_text=see)
    assert [number for number, _ in places] == ["1", "1"]
    left, right = sorted(place for _, place in places)
    assert left < 108
    assert right > 108 + 56 * 7.2


def test_a_speech_that_breaks_over_a_page_says_so() -> None:
    _title, first, second, *_ = text_of(opened(one_scene(speech(sentences(60), "PICARD", "V.O."))))
    assert "(MORE)" in first
    assert "PICARD (V.O.) (CONT'D)" in second
    short = "".join(text_of(opened(one_scene(speech(sentences(4))))))
    assert "(MORE)" not in short
    assert "(CONT'D)" not in short


def test_a_speech_of_four_hundred_words_keeps_them_all() -> None:
    text = " ".join(f"word{n}." if n % 9 == 0 else f"word{n}" for n in range(400))
    said = " ".join(text_of(opened(one_scene(speech(text)))))
    assert [n for n in range(400) if f"word{n}" not in said] == []


def test_the_contents_lead_to_acts_and_scenes(episode: PdfReader) -> None:
    acts = [entry for entry in episode.outline if not isinstance(entry, list)]
    assert [entry.title for entry in acts] == [act.name for act in full_episode().acts]
    scenes = [entry for part in episode.outline if isinstance(part, list) for entry in part]
    assert len(scenes) == 50
    assert scenes[0].title == "1  INT. ROOM 1 - NIGHT"
    pages = [episode.get_destination_page_number(entry) for entry in scenes]
    assert pages == sorted(pages)


def test_the_file_says_what_it_is(episode: PdfReader) -> None:
    told = episode.metadata
    assert told is not None
    assert told.title == "The Long Way Round <& Back>"
    assert told.author == told.creator == COLOPHON.product
    assert COLOPHON.disclaimer in str(told.subject)
    assert told.creation_date == datetime(2026, 11, 24, 17, 30, 5, tzinfo=UTC)
    assert episode.trailer["/Root"]["/Lang"] == "en"


def test_the_same_script_gives_the_same_bytes_and_another_day_gives_others() -> None:
    script = full_episode(5)
    assert render_pdf(script, COLOPHON) == render_pdf(script, COLOPHON)
    another = replace(COLOPHON, written_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert render_pdf(script, COLOPHON) != render_pdf(script, another)


def test_threads_do_not_trip_over_each_other() -> None:
    scripts = [full_episode(n) for n in range(3, 9)]
    alone = [render_pdf(script, COLOPHON) for script in scripts]
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda script: render_pdf(script, COLOPHON), scripts))
    assert together == alone


def test_fifty_scenes_are_printed_within_a_second_of_work() -> None:
    script = full_episode()
    began = time.process_time()  # other processes of a busy machine do not count
    render_pdf(script, COLOPHON)
    assert time.process_time() - began < 1.0


@settings(max_examples=25, deadline=None)
@given(nasty_scripts)
def test_nothing_that_a_script_says_breaks_the_file(script: Script) -> None:
    opened(script)


def test_markup_and_rare_letters_come_back_as_they_can_be_printed() -> None:
    script = one_scene(*(speech(text) for text in ("<b>&amp;</b> /* [[ ]] */", "“é”… ½ ǎ", "日本 👩‍🚀 ok", "שלום end")))
    said = squeezed("".join(text_of(opened(script))))
    for text in ("<b>&amp;</b>/*[[]]*/", "“é”…½a", "????ok", "????end"):
        assert squeezed(text) in said


def test_a_title_of_eighty_letters_fits_on_the_page() -> None:
    title = "The Very Long Voyage of a Ship Whose Name Nobody Remembered Until the Last Night"
    assert len(title) == 80
    reader = opened(replace(full_episode(4), title=title))
    assert title.upper() in " ".join(reader.pages[0].extract_text().split())
    assert "THE VERY LONG VOYAGE OF A SHIP… – " in reader.pages[3].extract_text()


def test_a_script_without_an_act_is_a_title_page() -> None:
    assert len(opened(Script("Nothing Yet")).pages) == 1


# --- letters --------------------------------------------------------------------------------------------------------

LATIN = frozenset(map(ord, "abcdefghijklmnopqrstuvwxyz -->?…’é"))


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("abc é…", "abc é…"),
        ("e\u0301", "é"),
        ("ǎ", "a"),
        ("ﬁn", "fin"),
        ("ａｂ", "ab"),
        ("a′b", "a’b"),
        ("→", "->"),
        ("日本", MISSING * 2),
        ("a\u0327", "a"),
        ("\u3000", MISSING),
        ("", ""),
    ],
)
def test_a_letter_that_is_missing_is_shown_by_its_relative_or_by_a_mark(text: str, printed: str) -> None:
    assert printable(text, LATIN) == printed


def test_every_letter_that_reaches_the_page_is_in_both_typefaces() -> None:
    render_pdf(Script("T"), COLOPHON)
    known = [pdfmetrics.getFont(name).face.charToGlyph for name in (REGULAR, BOLD)]
    shared = known[0].keys() & known[1].keys()
    for text in spoken(one_scene(speech("".join(map(chr, range(0x20, 0x3000)))))):
        printed = printable(plain(text), shared)
        assert {ord(character) for character in printed} <= shared
