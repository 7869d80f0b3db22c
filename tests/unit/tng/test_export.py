"""Text and Fountain say what the script says, and nothing that it says becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.tng.api_support import SCRIPT
from tests.unit.tng.export_support import COLOPHON, nasty_scripts, spoken, squeezed
from tests.unit.tng.fountain_reader import Found, read_fountain
from tng.export import layout
from tng.export.colophon import Colophon
from tng.export.formats import FORMATS
from tng.export.fountain import render_fountain
from tng.export.layout import BlockKind, blocks_of, letters, plain, scene_blocks
from tng.export.text import CUE_COLUMN, DIALOGUE_COLUMN, DIALOGUE_WIDTH, RIGHT, render_text
from tng.script import Act, Element, ElementKind, Scene, Script, parse

HOSTILE = [
    "/* all of this", "*/ and this", "[[ a note ]]", "**bold** _under_", "# A SECTION", "= a synopsis", "===", "~ la",
    "> FORCED <", "> CUT TO:", "!forced", "@Cue", ".HEADING", "INT. HALL", "int. hall", "EXT/INT", "CUT TO:", "DATA",
    "DATA (softly)", "(beat)", "(a) and (b)", "\\*", "*", "_", "[[[[", "a\u202eb", "1", "1.", "…", "PICARD^", "é",
    "#1#", "&",
]  # fmt: skip

hostile = st.sampled_from(HOSTILE) | st.text(alphabet="aA1 *_/[]()#=~>!@.:^<\\&é", min_size=1, max_size=12)
words = hostile.map(plain).filter(bool)
cues = st.sampled_from(["PICARD", "DATA", "O'BRIEN", "CREWMAN #2", "INT. ROBOT", "7", "LORE/DATA", "D'ARSAY"])
speeches = st.builds(
    Element,
    st.just(ElementKind.SPEECH),
    words,
    cues,
    st.sampled_from(["", "V.O.", "ON SCREEN"]),
    st.just("") | words.map(lambda t: re.sub("[()]", "", t).strip()),
)
others = st.builds(Element, st.sampled_from([k for k in ElementKind if k is not ElementKind.SPEECH]), words)
scenes = st.builds(Scene, words, st.lists(speeches | others, max_size=6).map(tuple))
acts = st.builds(Act, st.sampled_from(["TEASER", "ACT ONE"]), st.lists(scenes, min_size=1, max_size=3).map(tuple))
scripts = st.builds(
    Script,
    words,
    st.lists(acts, min_size=1, max_size=3).map(tuple),
)


def expected(script: Script) -> list[tuple[str, str]]:
    """(kind, number) of what a reader must find for the blocks of a script, in order."""
    found: list[tuple[str, str]] = []
    for block in blocks_of(script):
        match block.kind:
            case BlockKind.HEADING | BlockKind.SHOT:
                found.append(("heading", block.number))
            case BlockKind.SPEECH:
                found += [("cue", ""), *([("parenthetical", "")] if block.parenthetical else []), ("dialogue", "")]
            case BlockKind.ACTION | BlockKind.TRANSITION:
                found.append((block.kind.value, ""))
            case BlockKind.ACT | BlockKind.ENDING:
                found.append(("centred", ""))
    return found


def body_of(elements: list[Found]) -> list[tuple[str, str]]:
    """What a reader found, without sections and page breaks."""
    return [(e.kind, e.number) for e in elements if e.kind not in ("section", "page break")]


@settings(max_examples=300, deadline=None)
@given(scripts)
def test_nothing_that_a_script_says_becomes_markup(script: Script) -> None:
    title_page, elements = read_fountain(render_fountain(script, COLOPHON))
    assert set(title_page) == {"Title", "Credit", "Author", "Draft date", "Notes", "Copyright"}
    assert body_of(elements) == expected(script)
    assert not [e for e in elements if e.kind in ("synopsis", "lyric")]
    assert len([e for e in elements if e.kind == "section"]) == len(script.acts)


def test_the_reader_of_these_tests_sees_markup_where_there_is_some() -> None:
    with pytest.raises(AssertionError):
        read_fountain("Title: x\n\n/* gone */")
    with pytest.raises(AssertionError):
        read_fountain("Title: x\n\n*bold*")
    assert read_fountain("Title: x\n\nDATA\nYes.")[1][0].kind == "cue"
    assert read_fountain("Title: x\n\nint. hall #4#")[1] == [Found("heading", "int. hall", "4")]


def test_fountain_says_the_words_of_the_script() -> None:
    _, elements = read_fountain(render_fountain(parse(SCRIPT), COLOPHON))
    said = [e.text for e in elements if e.kind == "dialogue"]
    assert said == ["Captain's log.", "It stopped.", "The clock is correct, sir.", "Then we are not."]
    assert [e.number for e in elements if e.kind == "heading"] == ["1", "2", "2A", "3"]
    assert "PICARD (CONT'D)" in [e.text for e in elements if e.kind == "cue"]


PAGE = """\
1     INT. READY ROOM                                            1

      Picard turns from the glass.

                            PICARD (V.O.)
                     (tired)
                Captain's log.

      Rain on the window.

                            PICARD (CONT'D)
                It stopped.
"""


def test_the_printed_page_looks_like_one() -> None:
    text = render_text(parse(SCRIPT), COLOPHON)
    assert PAGE in text
    assert "THE QUIET HOURS" in text
    assert "not affiliated" in " ".join(text.split()).lower()
    assert text.rstrip().endswith("THE END")
    assert text.count("FADE OUT.") == 1


def test_acts_open_and_close_on_the_page() -> None:
    acts = tuple(Act(name, (Scene("INT. HALL"),)) for name in ("TEASER", "ACT ONE", "ACT TWO"))
    lines = [line.strip() for line in render_text(Script("T", acts), COLOPHON).splitlines()]
    wanted = ["TEASER", "FADE IN:", "FADE OUT.", "END OF TEASER", "ACT ONE", "END OF ACT ONE", "ACT TWO", "THE END"]
    positions = [lines.index(line) for line in wanted]
    assert positions == sorted(positions)
    assert "END OF ACT TWO" not in lines


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_no_line_of_the_page_is_too_wide_and_every_word_is_on_it(script: Script) -> None:
    text = render_text(script, COLOPHON)
    assert all(len(line) <= RIGHT and line == line.rstrip() for line in text.splitlines())
    squeezed = re.sub(r"\s", "", text)
    for block in blocks_of(script):
        assert re.sub(r"\s", "", block.text) in squeezed


def test_long_speeches_stay_in_their_columns() -> None:
    element = Element(
        ElementKind.SPEECH, "word " * 60, "PICARD", "", "to everyone who is still on the bridge at this hour"
    )
    text = render_text(Script("T", (Act("TEASER", (Scene("INT. BRIDGE", (element,)),)),)), COLOPHON)
    spoken = [line for line in text.splitlines() if line.strip().startswith("word")]
    assert len(spoken) > 5
    for line in spoken:
        assert line.startswith(" " * DIALOGUE_COLUMN + "word")
        assert len(line) <= DIALOGUE_COLUMN + DIALOGUE_WIDTH
    assert " " * CUE_COLUMN + "PICARD" in text.splitlines()


def test_who_goes_on_after_action_is_continued_and_nobody_else() -> None:
    cues = [
        b.cue
        for b in scene_blocks(_scene("A: One.", "Wind.", "A: Two.", "B: Three.", "A: Four.", "* A DOOR", "A: Five."), 1)
    ]
    assert [c for c in cues if c] == ["A", "A (CONT'D)", "B", "A", "A"]


def _scene(*lines: str) -> Scene:
    return parse("\n".join(["Title: t", "## X", "# INT. HALL", *lines])).scenes[0]


@pytest.mark.parametrize(
    ("count", "name"), [(0, "A"), (1, "B"), (25, "Z"), (26, "AA"), (27, "AB"), (701, "ZZ"), (702, "AAA")]
)
def test_shots_are_lettered_without_end(count: int, name: str) -> None:
    assert letters(count) == name


def test_what_does_not_print_is_left_out() -> None:
    assert plain("a\x1b[31mb\u202e\tc\n d\u2028e") == "a[31mb c d e"


@settings(max_examples=80, deadline=None)
@given(nasty_scripts)
def test_every_speech_comes_back_whatever_it_says(script: Script) -> None:
    text, fountain = render_text(script, COLOPHON), render_fountain(script, COLOPHON)
    letters_of_fountain = re.sub(r"\W", "", fountain)
    for said in spoken(script):
        assert squeezed(said) in squeezed(text)
        assert re.sub(r"\W", "", said) in letters_of_fountain
    assert not [c for c in text + fountain if c != "\n" and plain(c) != c.strip()]


@pytest.mark.parametrize("render", [render_text, render_fountain], ids=["text", "fountain"])
def test_the_title_page_says_who_wrote_it_and_how(render: Callable[[Script, Colophon], str]) -> None:
    told = " ".join(render(parse(SCRIPT), COLOPHON).split())
    for part in ("Written by", COLOPHON.product, *COLOPHON.notes):
        assert part in told


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Written on 24 November 2026 by release house-1, seed 4711."),
        ({"seed": None}, "Written on 24 November 2026 by release house-1."),
        ({"release_id": ""}, "Written on 24 November 2026, seed 4711."),
        (
            {"written_at": datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-2)))},
            "Written on 2 March 2026 by release house-1, seed 4711.",
        ),
    ],
    ids=["all", "no seed", "no release", "another zone"],
)
def test_a_colophon_says_what_it_knows_in_utc(changes: dict[str, Any], sentence: str) -> None:
    assert replace(COLOPHON, **changes).told[0] == sentence
    assert replace(COLOPHON, provenance="").notes == (COLOPHON.told[0], COLOPHON.disclaimer)


def test_the_table_of_formats_makes_each_of_them() -> None:
    made = {ending: kind.render(parse(SCRIPT), COLOPHON) for ending, kind in FORMATS.items()}
    begins = {ending: content[:4] for ending, content in made.items()}
    assert begins == {"pdf": b"%PDF", "fdx": b"<?xm", "fountain": b"Titl", "epub": b"PK\x03\x04", "txt": b"\n\n\n\n"}
    assert all(ending == kind.ending for ending, kind in FORMATS.items())


def test_no_exporter_knows_which_show_it_is() -> None:
    for path in Path(str(layout.__file__)).parent.glob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert not re.search(r"TNG|Star Trek|Enterprise|Paramount", code), path.name
