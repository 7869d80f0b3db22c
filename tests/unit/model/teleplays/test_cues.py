"""However a cue was typed, one speaker has one name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.corpus.teleplays.cues import Cue, distance, mended, read_cue
from tng.script import Act, Element, ElementKind, Scene, Script, parse_line, render_element

ALIASES = {"MRS. TALLAN": "OSMA"}


@pytest.mark.parametrize(
    ("typed", "cue"),
    [
        ("PICARD", Cue("PICARD")),
        ("Picard:", Cue("PICARD")),
        ("PICARD (V.O.)", Cue("PICARD", "V.O.")),
        ("PICARD (v.o.)", Cue("PICARD", "V.O.")),
        ("PICARD V.O.", Cue("PICARD", "V.O.")),
        ("PICARD (VO)", Cue("PICARD", "V.O.")),
        ("PICARD (o.s.)", Cue("PICARD", "O.S.")),
        ("PICARD (O.C.)", Cue("PICARD", "O.S.")),
        ("PICARD'S COM VOICE", Cue("PICARD", "COM VOICE")),
        ("PICARD'S COMM VOICE", Cue("PICARD", "COM VOICE")),
        ("PICARD'S VOICE", Cue("PICARD", "VOICE")),
        ("PICARD’S RECORDED COM VOICE", Cue("PICARD", "RECORDED COM VOICE")),
        ("GUARDS' VOICE", Cue("GUARD", "VOICE")),
        ("COMPUTER VOICE", Cue("COMPUTER VOICE")),
        ("COMPUTER VOICE (V.O.)", Cue("COMPUTER VOICE", "V.O.")),
        ("PICARD (Cont'd)", Cue("PICARD", "", is_continued=True)),
        ("PICARD (CONT’D)", Cue("PICARD", "", is_continued=True)),
        ("PICARD (cont.)", Cue("PICARD", "", is_continued=True)),
        ("PICARD (continued)", Cue("PICARD", "", is_continued=True)),
        ("PICARD'S COM VOICE (Cont'd)", Cue("PICARD", "COM VOICE", is_continued=True)),
        ("PICARD (V.O.) (Cont'd)", Cue("PICARD", "V.O.", is_continued=True)),
        ("RIKER)", Cue("RIKER")),
        ('"Q" (JUDGE)', Cue("Q", "JUDGE")),
        ("MRS TALLAN", Cue("OSMA")),
        ("MRS. TALLAN (V.O.)", Cue("OSMA", "V.O.")),
        ("O'BRIEN", Cue("O'BRIEN")),
        ("OSMEK #2", Cue("OSMEK #2")),
        ("PICARD/DATA", Cue("PICARD/DATA")),
        ("RENÉ", Cue("RENE")),
        ("***", Cue("")),
    ],
)
def test_a_cue_is_read(typed: str, cue: Cue) -> None:
    assert read_cue(typed, ALIASES) == cue


@given(st.text(max_size=60))
def test_any_cue_reads_back_from_the_compact_form(typed: str) -> None:
    cue = read_cue(typed, ALIASES)
    if cue.name:
        element = Element(ElementKind.SPEECH, "Yes.", cue.name, cue.extension)
        assert parse_line(render_element(element)) == element


def _script(**lines: int) -> Script:
    elements = [
        Element(ElementKind.SPEECH, "Yes.", cue.replace("_", " ")) for cue, n in lines.items() for _ in range(n)
    ]
    return Script("", (Act("TEASER", (Scene("INT. BRIDGE", tuple(elements)),)),))


@pytest.mark.parametrize(
    ("lines", "right", "count"),
    [
        ({"TALLAN": 8, "TALLEN": 1}, {"TALLAN"}, 1),
        ({"BEVERLY": 16, "BEVELRY": 2}, {"BEVERLY"}, 2),
        ({"DATA": 8, "RATA": 1}, {"DATA"}, 1),
        ({"TALLAN": 7, "TALLEN": 1}, {"TALLAN", "TALLEN"}, 0),
        ({"GUARD_1": 20, "GUARD_2": 1}, {"GUARD 1", "GUARD 2"}, 0),
        ({"RIKER": 40, "PICARD": 1}, {"RIKER", "PICARD"}, 0),
        ({"ROS": 40, "ROK": 1}, {"ROS", "ROK"}, 0),
        ({"TARIK": 40, "RIKER": 1}, {"TARIK", "RIKER"}, 0),
    ],
    ids=["one letter", "two letters", "four letters", "too seldom", "numbers", "another", "too short", "too far"],
)
def test_typing_errors_are_mended_and_names_are_not(lines: dict[str, int], right: set[str], count: int) -> None:
    script, mended_cues = mended(_script(**lines), known=())
    assert (set(script.speakers), mended_cues) == (right, count)


def test_whom_the_show_knows_is_never_mended() -> None:
    assert mended(_script(DATAN=9, DATA=1), known=("DATA",))[1] == 0
    assert mended(_script(DATAN=9, DATA=1), known=())[1] == 1, "the control: a stranger would be"


@pytest.mark.parametrize(
    ("one", "other", "letters"),
    [
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "ab", 1),
        ("abc", "axc", 1),
        ("abcd", "badc", 2),
        ("ab", "xyzuv", 3),
    ],
)
def test_letters_between_words_are_counted(one: str, other: str, letters: int) -> None:
    assert distance(one, other, 3) == distance(other, one, 3) == letters
