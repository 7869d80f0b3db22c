"""A studio's pages come back as the script that was typed, and every known anomaly is read for what was meant."""

from __future__ import annotations

import contextlib
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.corpus.teleplays.decoding import decode
from model.corpus.teleplays.dialects import read_teleplay
from model.corpus.teleplays.imported import Imported
from model.corpus.teleplays.studio import read_studio
from tests.shows import first_show
from tests.teleplays import ACTS, EVERY_ANOMALY, anomalous, invented_script, studio_pages, with_blanks_for_tabs
from tng.errors import CorpusError
from tng.script import Act, Element, ElementKind, Scene, Script, render
from tng.shows import Show


def read(text: str, show: Show) -> Imported:
    return read_studio(text, show)


@pytest.fixture(scope="module")
def text() -> str:
    return decode(EVERY_ANOMALY).text


def lines_of(imported: Imported) -> list[str]:
    return render(imported.script).splitlines()


def test_the_teleplay_with_every_anomaly_has_no_line_that_is_not_understood(text: str, show: Show) -> None:
    imported = read(text, show)
    assert imported.unknown_lines == ()
    assert (imported.repaired_acts, imported.mended_cues) == (2, 1)
    assert [act.name for act in imported.script.acts] == ["TEASER", "ACT ONE", "ACT TWO", "ACT THREE"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("# EXT. SPACE - THE LANTERN", id="a production note in a heading"),
        pytest.param("# INT. MAIN BRIDGE - BEHIND THE LONG CONSOLE AND ALL OF ITS LIGHTS", id="a wrapped heading"),
        pytest.param("# INT. READY ROOM - CONTINUOUS", id="a strange scene number"),
        pytest.param("* ANGLE ON THE WINDOW", id="a strange shot number"),
        pytest.param("# INT. TEN-FORWARD", id="a heading at a tab, without a number"),
        pytest.param("He looks up, and the light on his face has changed its colour.", id="a paragraph over a page"),
        pytest.param("PICARD: Who is this? Identify yourself and state your intentions.", id="a speech over a page"),
        pytest.param("TALLAN (COM VOICE): (a very long aside that wraps) Lantern, turn back.", id="a wrapped aside"),
        pytest.param(
            "DATA: (off console) The object has no far side, sir. (beat) I find that unsettling.", id="a beat"
        ),
        pytest.param("DATA: Sir, it is... I cannot say.", id="the left column"),
        pytest.param("PICARD: Is it folding? Answer me.", id="the right column"),
        pytest.param("PICARD: And so it folds.", id="continuing is no aside"),
        pytest.param("Touché. A paper star.", id="an accent of the Macintosh"),
        pytest.param("PICARD (O.S.): Come.", id="an extension in small letters"),
        pytest.param("Q (JUDGE): This line stands two tabs in, as verse does.", id="verse, two tabs in"),
        pytest.param("> DISSOLVE TO:", id="a transition set with blanks"),
        pytest.param("PICARD/DATA: Together, then.", id="a joint cue"),
        pytest.param("PICARD: Mistyped.", id="a mistyped cue"),
    ],
)
def test_an_anomaly_is_read_for_what_was_meant(line: str, text: str, show: Show) -> None:
    assert line in lines_of(read(text, show))


@pytest.mark.parametrize(
    "furniture",
    [
        *("CONTINUED", "OMIT", "OMMIT", "thru", "FORMERLY", "FADE", "CUT TO", "END", "MORE", "Cont'd", "#b", "STXT"),
        *(
            "STAR TREK",
            "WRITING CREDITS",
            "Episode credits",
            "three scenes",
            "DISTRIBUTION",
            "somebody",
            "OPTICAL",
            "PART ONE",
        ),
    ],
)
def test_the_furniture_of_the_production_is_gone(furniture: str, text: str, show: Show) -> None:
    assert furniture.encode() in EVERY_ANOMALY
    assert furniture not in render(read(text, show).script)


def test_a_copy_with_blanks_for_tabs_is_the_same_script(text: str, show: Show) -> None:
    assert read(with_blanks_for_tabs(text), show).script == read(text, show).script


def test_a_missing_act_heading_is_found_by_the_page_headings_alone(text: str, show: Show) -> None:
    pages_without_acts = text.replace(" - ACT TWO        9.", "        9.")
    assert [len(act.scenes) for act in read(text, show).script.acts] == [2, 2, 1, 1]
    assert [len(act.scenes) for act in read(pages_without_acts, show).script.acts] == [2, 3, 1], "the control"


@pytest.mark.parametrize(
    ("title", "number", "expected"),
    [
        ('"The Paper Sun"', "#40276-103", ("The Paper Sun", 103)),
        ('Hide And "Seek"', "#40271-111", ('Hide And "Seek"', 111)),
        ("The Paper Sun", "#40277-277/747", ("The Paper Sun", 277)),
        ('"The Paper Sun"', "", ("The Paper Sun", None)),
        ('"The Paper Sun"', "Copyright 1987-88 Nobody", ("The Paper Sun", None)),
    ],
    ids=["in quotes", "half in quotes", "two numbers", "no number", "years"],
)
def test_the_title_page_names_the_episode(
    title: str, number: str, expected: tuple[str, int | None], show: Show
) -> None:
    page = read(decode(anomalous(title, number)).text, show).page
    assert (page.title, page.number) == expected


def test_the_title_page_names_writer_director_and_draft(show: Show) -> None:
    page = read(studio_pages(invented_script(1, scenes=12, speeches=24)), show).page
    assert (page.writer, page.director, page.draft) == ("A. N. Nobody", "Some One Else", "FINAL DRAFT")
    assert page.date == "MARCH 2, 1993"


def test_words_without_a_cue_are_kept_as_action_and_told_by_their_line(show: Show) -> None:
    text = "TEASER\n\n1  INT. BRIDGE\n\n\tThe door opens.\n\n\t\t\tNobody said this.\n\n"
    text += "\t\t\t\t(nor this)\n   adrift\nloose\n\t\t\t\t\t***\n"
    imported = read(text, show)
    assert imported.unknown_lines == (7, 9, 10, 11, 12)
    assert "Nobody said this." in [element.text for element in imported.script.scenes[0].elements]


def test_a_script_without_scene_numbers_is_read_by_its_tabs(show: Show) -> None:
    script = invented_script(5, scenes=12, speeches=24)
    pages = re.sub(r"^\d+    (?=INT|EXT|CONTINUED)", "\t", studio_pages(script), flags=re.MULTILINE)
    assert not re.search(r"^\d+ +(?:INT|EXT)", pages, re.MULTILINE)
    imported = read(pages, show)
    assert (imported.unknown_lines, render(imported.script)) == ((), render(script))


STRANGE = {
    "wide": "A" + " " * 4_900 + "x",
    "((": "\t" + "(" * 4_900,
    "*a": "*a " * 1_600,
    "[[": "[" * 4_900,
    "A:": "A:" * 2_400,
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("line", STRANGE.values(), ids=STRANGE.keys())
def test_no_line_is_so_strange_that_it_takes_forever(line: str, show: Show) -> None:
    for suffix in (".txt", ".fountain"):
        with contextlib.suppress(CorpusError):
            read_teleplay(f"{line}\n\n{line}\n" * 20, suffix, show)


def test_another_series_pages_are_headed_by_its_own_words(text: str, show: Show) -> None:
    other = text.replace("STAR TREK", "DEEP HARBOUR").replace("THE NEXT GENERATION", "THE OTHER SHORE")
    assert read(other, show).unknown_lines, "the control: to this show they are nothing"


# --- any script ---------------------------------------------------------------------------------------------

WORDS = str.split(
    "sun it's ship-shape 12 night, Tallan light star -- “so” paper lamp... e-e a I Touché x=y 50% & <b> #3"
)


def _texts(longest: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(WORDS), min_size=1, max_size=longest).map(" ".join)


def _sentences(longest: int) -> st.SearchStrategy[str]:
    return _texts(longest).map(lambda text: f"So {text}.")


_ACTIONS = _sentences(60).map(lambda text: Element(ElementKind.ACTION, text))
_SHOTS = st.sampled_from(["ANGLE ON THE DOOR", "CLOSE ON TALLAN"]).map(lambda text: Element(ElementKind.SHOT, text))
_TRANSITIONS = st.sampled_from(["DISSOLVE TO:", "JUMP CUT TO:"]).map(lambda t: Element(ElementKind.TRANSITION, t))
_SPEECHES = st.builds(
    Element,
    st.just(ElementKind.SPEECH),
    st.tuples(_sentences(70), st.none() | _sentences(9)).map(lambda t: t[0] + (f" (beat) {t[1]}" if t[1] else "")),
    st.sampled_from(["PICARD", "WORF", "O'BRIEN", "COMPUTER VOICE", "OSMEK #2", "A/B"]),
    st.sampled_from(["", "V.O.", "O.S.", "COM VOICE", "ON VIEWER"]),
    st.just("") | _texts(9),
)
_SCENES = st.builds(
    Scene,
    st.sampled_from(["INT. BRIDGE", "EXT. SPACE - NIGHT", "INT./EXT. SHUTTLE", "INT. A LONG CORRIDOR (CONTINUOUS)"]),
    st.lists(_ACTIONS | _SPEECHES | _SHOTS | _TRANSITIONS, min_size=1, max_size=6).map(tuple),
)
SCRIPTS = st.lists(st.lists(_SCENES, min_size=1, max_size=4).map(tuple), min_size=1, max_size=6).map(
    lambda acts: Script("A Title", tuple(Act(name, scenes) for name, scenes in zip(ACTS, acts, strict=False)))
)


@settings(max_examples=60, deadline=None)
@given(script=SCRIPTS, page_lines=st.integers(5, 60))
def test_whatever_was_laid_out_is_read_back(script: Script, page_lines: int) -> None:
    show = first_show()
    pages = studio_pages(script, page_lines=page_lines)
    imported = read(pages, show)
    assert imported.unknown_lines == ()
    assert render(imported.script) == render(script)
    assert read(with_blanks_for_tabs(pages), show).script == script
