"""Which line stands on which page: nothing is lost, and nothing is parted from what it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.unit.tng.export_support import (
    action,
    full_episode,
    nasty_scripts,
    one_scene,
    sentences,
    shot,
    speech,
    spoken,
    squeezed,
    transition,
)
from tng.export import pages
from tng.export.layout import blocks_by_act
from tng.export.pages import Page, pages_of, set_pages
from tng.export.pieces import (
    ASIDE_COLUMN,
    CUE_COLUMN,
    DIALOGUE_COLUMN,
    DIALOGUE_WIDTH,
    MORE,
    PAGE_LINES,
    WIDTH,
    Align,
    Line,
    Paragraph,
    Piece,
    Speech,
    continued,
    pieces_of,
)
from tng.script import Act, Element, Scene, Script

line_counts = st.integers(1, 60)
tame_elements = st.one_of(
    st.integers(1, 90).map(lambda n: speech("word " * n, "DATA", parenthetical="beat" * (n % 2))),
    st.integers(1, 30).map(lambda n: speech(sentences(n))),
    st.integers(1, 120).map(lambda n: action("rain " * n)),
    st.just(shot("ANGLE ON THE DOOR")),
    st.just(transition("DISSOLVE TO:")),
)
tame_scenes = st.builds(Scene, st.just("INT. BRIDGE"), st.lists(tame_elements, min_size=1, max_size=9).map(tuple))
tame_scripts = st.builds(
    Script,
    st.just("The Quiet Hours"),
    st.lists(st.builds(Act, st.just("ACT ONE"), st.lists(tame_scenes, max_size=6).map(tuple)), max_size=2).map(tuple),
)


def pages_in(script: Script) -> list[Page]:
    """The pages of a script, every letter as it is."""
    return pages_of(script, str)


def longest_company(script: Script) -> int:
    """How many pieces in a row keep the next one: headings and shots. More than hang together are parted."""
    keeps = [piece.keeps_next for blocks in blocks_by_act(script) for piece in pieces_of(blocks)]
    return max((len(list(run)) for kept, run in groupby(keeps) if kept), default=0)


def is_heading(line: Line) -> bool:
    return bool(line.number)


def faults(page: Page, *, first: bool, last: bool) -> Iterator[str]:
    """What is wrong with a page of a tame script."""
    if len(page.lines) > PAGE_LINES:
        yield "too long"
    top, foot = page.lines[0], page.lines[-1]
    if not top.text or not foot.text:
        yield "a blank line at its edge"
    if is_heading(foot):
        yield "a heading at its foot"
    if foot.column in (CUE_COLUMN, ASIDE_COLUMN) and foot.text != MORE:
        yield "a cue at its foot"
    if not first and (top.align is Align.RIGHT or top.align is Align.CENTRE):
        yield "an ending at its head"
    if not first and top.column == DIALOGUE_COLUMN:
        yield "words without a cue at its head"
    if last and foot.text == MORE:
        yield "a speech that does not go on"


@settings(max_examples=80, deadline=None)
@given(tame_scripts)
def test_no_page_begins_or_ends_with_what_belongs_to_another(script: Script) -> None:
    for act in script.acts:
        alone = Script(script.title, (act,))
        assume(longest_company(alone) < pages.COMPANY)
        made = pages_in(alone)
        for number, page in enumerate(made):
            assert not [*faults(page, first=number == 0, last=number == len(made) - 1)], page


def test_the_control_without_keeping_company_a_heading_ends_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_least", lambda _waiting: 0)
    made = pages_in(full_episode())
    assert [page for page in made if is_heading(page.lines[-1])]


@settings(max_examples=100, deadline=None)
@given(nasty_scripts)
def test_every_speech_comes_back_whatever_it_says(script: Script) -> None:
    made = pages_in(script)
    assert all(0 < len(page.lines) <= PAGE_LINES for page in made)
    lines = [line for page in made for line in page.lines]
    assert all(line.column + len(line.text) <= WIDTH for line in lines)
    said = squeezed("".join(line.text for line in lines if line.column == DIALOGUE_COLUMN))
    for text in spoken(script):
        assert squeezed(text) in said


def test_every_act_begins_a_page_and_says_where_it_ends() -> None:
    script = full_episode()
    made = pages_in(script)
    openings = [page for page in made if page.lines[0].align is Align.CENTRE]
    assert [page.lines[0].text for page in openings] == [act.name for act in script.acts]
    endings = [page.lines[-1].text for page in made if page.lines[-1].align is Align.CENTRE]
    assert endings == [f"END OF {act.name}" for act in script.acts[:-1]] + ["THE END"]
    assert {page.act for page in made} == {act.name for act in script.acts}


def test_an_act_without_a_scene_is_a_page_of_its_own() -> None:
    made = pages_in(Script("T", (Act("TEASER"), Act("ACT ONE", (Scene("INT. HALL"),)))))
    assert [line.text for line in made[0].lines if line.text] == ["TEASER", "FADE IN:", "FADE OUT.", "END OF TEASER"]
    assert len(made) == 2


def test_a_speech_breaks_after_a_sentence_with_more_below_and_contd_above() -> None:
    script = one_scene(speech(sentences(60), "PICARD", "V.O.", "to all decks"))
    first, second, *_ = pages_in(script)
    assert first.lines[-1] == Line(MORE, CUE_COLUMN)
    assert first.lines[-2].text.endswith(".")
    assert second.lines[0] == Line("PICARD (V.O.) (CONT'D)", CUE_COLUMN)
    assert second.lines[1].text.startswith("Sentence")
    assert second.lines[1].column == DIALOGUE_COLUMN


def test_a_speech_that_fits_is_not_broken() -> None:
    (page,) = pages_in(one_scene(speech(sentences(5))))
    assert MORE not in [line.text for line in page.lines]


@pytest.mark.parametrize(
    ("cue", "overleaf"),
    [("DATA", "DATA (CONT'D)"), ("DATA (V.O.)", "DATA (V.O.) (CONT'D)"), ("DATA (CONT'D)", "DATA (CONT'D)")],
)
def test_nobody_is_continued_twice(cue: str, overleaf: str) -> None:
    assert continued(cue) == overleaf


@pytest.mark.parametrize("title", ["Mr. ", "Mrs. ", "Dr. ", "Lt. "])
def test_a_title_before_a_name_ends_no_sentence(title: str) -> None:
    told = Speech.of("DATA", "", f"{'well ' * 12}I saw {title}Barclay {'there ' * 14}. {'And then ' * 10}")
    assert told.head_lines is not None
    head, rest = told.part(len(told.lines) - 1) or (None, None)
    assert head is not None
    assert rest is not None
    assert rest.lines[1].text.startswith("And then")


def test_one_sentence_longer_than_a_page_is_broken_below_a_line() -> None:
    made = pages_in(one_scene(speech("word " * 1000)))
    assert [page.lines[-1].text for page in made[:-1]] == [MORE] * (len(made) - 1)
    said = [line.text for page in made for line in page.lines if line.column == DIALOGUE_COLUMN]
    assert sum(len(line.split()) for line in said) == 1000


def test_a_run_of_empty_scenes_fills_its_pages() -> None:
    script = Script("T", (Act("ACT ONE", tuple(Scene(f"INT. ROOM {n}") for n in range(1, 101))),))
    made = pages_in(script)
    assert len(made) <= 8
    assert sum(is_heading(line) for page in made for line in page.lines) == 100


@pytest.mark.parametrize(
    "element",
    [
        action("rain " * 900),
        shot("door " * 900),
        transition("cut " * 900),
        speech("No.", "X" * 4000),
        speech("No.", parenthetical="beat " * 900),
        speech("x" * 9000),
    ],
    ids=["action", "shot", "transition", "cue", "parenthetical", "one word"],
)
def test_what_is_longer_than_a_page_goes_on_overleaf(element: Element) -> None:
    made = pages_in(one_scene(action("Before."), element, action("After.")))
    assert all(len(page.lines) <= PAGE_LINES for page in made)
    text = squeezed("".join(line.text for page in made for line in page.lines))
    assert text.count("Before.") == text.count("After.") == 1


def test_no_line_of_a_paragraph_stands_alone() -> None:
    paragraph = Paragraph(tuple(Line(str(n)) for n in range(5)))
    assert paragraph.part(1) is None
    head, rest = paragraph.part(4) or (None, None)
    assert head is not None
    assert rest is not None
    assert (len(head.lines), len(rest.lines)) == (3, 2)
    assert Paragraph(paragraph.lines[:3]).head_lines is None


def test_a_transition_takes_a_part_of_the_speech_before_it_overleaf() -> None:
    told = Speech.of("DATA", "", sentences(6))
    filler = Piece(tuple(Line("x") for _ in range(PAGE_LINES - len(told.lines) - 1)))
    last = Piece((Line("CUT TO:", align=Align.RIGHT),))
    first, second = set_pages(iter([filler, replace(told, keeps_next=True), last]))
    assert first[-1].text == MORE
    assert second[0].text == "DATA (CONT'D)"
    assert second[-1].text == "CUT TO:"


@settings(max_examples=100, deadline=None)
@given(st.integers(3, PAGE_LINES), st.integers(1, 80))
def test_a_parted_speech_keeps_to_its_room_and_loses_no_word(room: int, count: int) -> None:
    told = Speech.of("DATA", "(beat)", sentences(count))
    parted = told.part(min(room, len(told.lines) - 1))
    if parted is None:
        return
    head, rest = parted
    assert len(head.lines) <= room
    assert isinstance(rest, Speech)
    said = [line.text for line in head.lines if line.column == DIALOGUE_COLUMN]
    assert " ".join([*said, rest.text]) == told.text
    assert min(len(said), len(rest.lines) - 1) >= 2


def test_columns_are_those_of_a_teleplay() -> None:
    script = one_scene(
        action("rain " * 60), speech("word " * 60, "DATA", parenthetical="to nobody in particular at all")
    )
    (page,) = pages_in(script)
    aside = [line for line in page.lines if line.column in (ASIDE_COLUMN, ASIDE_COLUMN + 1)]
    assert [line.column for line in aside] == [ASIDE_COLUMN, ASIDE_COLUMN + 1]
    assert max(len(line.text) for line in page.lines if line.column == DIALOGUE_COLUMN) <= DIALOGUE_WIDTH
    numbered = [line for line in page.lines if line.number]
    assert [(line.text, line.number, line.bold) for line in numbered] == [("INT. BRIDGE", "1", True)]


def test_only_scenes_and_acts_are_in_the_table_of_contents() -> None:
    script = one_scene(shot("ANGLE ON A DOOR"))
    pieces = [piece for blocks in blocks_by_act(script) for piece in pieces_of(blocks)]
    entries = [(line.depth, line.entry) for piece in pieces for line in piece.lines if line.entry]
    assert entries == [(0, "TEASER"), (1, "1  INT. BRIDGE")]
