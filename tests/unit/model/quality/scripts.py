"""Scripts to measure: one with known values, and any that there may be."""

from __future__ import annotations

from hypothesis import strategies as st

from tng.script import Act, Element, ElementKind, Scene, Script, parse

SMALL = parse(
    """\
Title: The Test
## TEASER
# INT. BRIDGE
PICARD: One two three four.
DATA (V.O.): (quietly) Five six.
Picard turns to the window slowly.
## ACT ONE
# SOMEWHERE ELSE
PICARD: One two three four.
> CUT TO:
"""
)
EMPTY = Script("")


def said(text: str) -> Script:
    """A script of an act, a scene and an action, whose words are those of the text: the first two are the headings."""
    act, heading, *rest = text.split(" ", 2)
    return Script("T", (Act(act, (Scene(heading, tuple(Element(ElementKind.ACTION, line) for line in rest)),)),))


_texts = st.text(max_size=30) | st.sampled_from(["", " ", "(", "# INT.", "PICARD: Go.", "One two three four five six."])
_elements = st.builds(Element, st.sampled_from(ElementKind), _texts, _texts, _texts, _texts)
_scenes = st.builds(Scene, _texts, st.lists(_elements, max_size=6).map(tuple))
_acts = st.builds(Act, _texts, st.lists(_scenes, max_size=3).map(tuple))
any_scripts = st.builds(Script, _texts, st.lists(_acts, max_size=3).map(tuple))
