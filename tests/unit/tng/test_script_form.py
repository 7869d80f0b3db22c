"""The compact form loses nothing: whatever a script says, and however nastily, it reads back as it was."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tng.errors import ScriptError
from tng.script import Act, Element, ElementKind, Scene, Script, parse, parse_line, render, render_element, render_scene

NASTY = (
    "## ACT ONE",
    "# INT. HALL",
    "#",
    "* CLOSE",
    "*",
    "> CUT TO:",
    ">",
    "! bang",
    "!",
    "Title: another",
    "PICARD: (aside) words",
    "PICARD:",
    "PICARD (V.O.): words",
    "12: words",
    "(beat)",
    "(beat) words",
    "() words",
    "a (b) c",
    "<script>&amp;</script>",
    "/* cut */ [[note]]",
    "{guest}",
    "\\",
    "“Sir—”",
    "東京",
    "\u202eright to left",
    "a\u2028b",
    "a\x0bb",
    "a\x1cb",
    "a\x85b",
    "nul \x00 nul",
    "🖖",
)
"""Each reads as something else in some format."""


def _plain(text: str) -> str:
    return text.strip()


_ANY = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), min_size=1, max_size=40)
TEXTS = (st.sampled_from(NASTY) | _ANY).map(_plain).filter(bool)
NO_PARENTHESES = TEXTS.map(lambda text: text.replace("(", "").replace(")", "").strip()).filter(bool)
CUES = st.from_regex(r"\A[A-Z0-9][A-Z0-9 .'’#/&-]{0,38}\Z").map(_plain)

ELEMENTS = st.one_of(
    st.builds(Element, st.sampled_from([ElementKind.ACTION, ElementKind.SHOT, ElementKind.TRANSITION]), TEXTS),
    st.builds(
        Element,
        st.just(ElementKind.SPEECH),
        TEXTS | st.just(""),
        CUES,
        st.just("") | NO_PARENTHESES.filter(lambda text: len(text) <= 24),
        st.just("") | NO_PARENTHESES,
    ).filter(lambda speech: speech.text or speech.parenthetical),
)
SCENES = st.builds(Scene, TEXTS, st.lists(ELEMENTS, max_size=5).map(tuple))
ACTS = st.builds(Act, TEXTS, st.lists(SCENES, max_size=3).map(tuple))
SCRIPTS = st.builds(Script, TEXTS | st.just(""), st.lists(ACTS, max_size=3).map(tuple))


@settings(max_examples=300)
@given(SCRIPTS)
@example(Script("", (Act("ACT ONE", (Scene("INT. HALL", (Element(ElementKind.ACTION, "# INT. HALL"),)),)),)))
def test_a_script_reads_back_as_it_was(script: Script) -> None:
    assert parse(render(script)) == script


@settings(max_examples=300)
@given(ELEMENTS)
def test_an_element_is_one_line_and_reads_back(element: Element) -> None:
    line = render_element(element)
    assert "\n" not in line
    assert parse_line(line.strip()) == element


@pytest.mark.parametrize("text", NASTY)
def test_an_action_that_reads_as_something_else_stays_action(text: str) -> None:
    script = Script("T", (Act("A", (Scene("H", (Element(ElementKind.ACTION, text.strip()),)),)),))
    assert parse(render(script)) == script


@given(st.text(max_size=200))
def test_any_text_is_a_script_or_refused_by_the_number_of_its_line(text: str) -> None:
    first = next((line.strip() for line in text.split("\n") if line.strip()), "## ")
    if first.startswith("## "):
        script = _parsed(text)
        assert script is None or parse(render(script)) == script
    else:
        with pytest.raises(ScriptError, match=r"line 2 .*must begin with '##'"):
            parse(f"Title: T\n{text}")


def _parsed(text: str) -> Script | None:
    try:
        return parse(f"Title: T\n{text}")
    except ScriptError:
        return None


def test_a_scene_without_elements_is_its_heading() -> None:
    assert render_scene(Scene("INT. HALL")) == "# INT. HALL"
