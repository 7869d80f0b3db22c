"""For the tests of the files that a script is taken along in: scripts of every kind, and a colophon."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from hypothesis import strategies as st

from tng.export.colophon import Colophon
from tng.export.layout import BlockKind, blocks_of
from tng.script import Act, Element, ElementKind, Scene, Script

COLOPHON = Colophon(
    product="The Script House",
    disclaimer="A fan work, not affiliated with anybody.",
    identifier="urn:uuid:6f1d3a0e-9c1b-5a7e-8d2f-0123456789ab",
    written_at=datetime(2026, 11, 24, 17, 30, 5, 999, tzinfo=UTC),
    release_id="house-1",
    seed=4711,
    provenance="Longest passage shared with the training text: 12 words; 4% of the script stands in it.",
)

NASTY = [
    "/* all of this", "*/ and this", "[[ a note ]]", "**bold** _under_", "# A SECTION", "<b>&amp;</b>", "]]>", "<!--",
    "<script>alert(1)</script>", "&#0;", "\x00\x01\x1b[31m\x7f", "a\u202eb\u2066c", "שלום עליכם", "مرحبا", "日本語",
    "👩‍🚀", "ǎ ﬁ ½ ℃", "e\u0301\u0327", "\ud800", "\ufffe", "x" * 300, "… “é” – —", "%PDF-1.4 endobj", "(a\\)b\\", "{}",
    "I.", "\n\n\tlines\r\nof\u2028it\u0085", "' or 1=1", "../..", "~!@#$%^&*()", "",
]  # fmt: skip

nasty = st.sampled_from(NASTY) | st.text(st.characters(), max_size=40)
nasty_text = st.lists(nasty, max_size=4).map(" ".join)
nasty_elements = st.builds(Element, st.sampled_from(ElementKind), nasty_text, nasty, nasty, nasty_text)
nasty_scenes = st.builds(Scene, nasty, st.lists(nasty_elements, max_size=4).map(tuple))
nasty_scripts = st.builds(
    Script,
    nasty,
    st.lists(st.builds(Act, nasty, st.lists(nasty_scenes, max_size=2).map(tuple)), max_size=2).map(tuple),
)


def speech(text: str, cue: str = "PICARD", extension: str = "", parenthetical: str = "") -> Element:
    """Somebody says something."""
    return Element(ElementKind.SPEECH, text, cue, extension, parenthetical)


def action(text: str) -> Element:
    """Something happens."""
    return Element(ElementKind.ACTION, text)


def shot(text: str) -> Element:
    """The camera does something."""
    return Element(ElementKind.SHOT, text)


def transition(text: str) -> Element:
    """The picture changes."""
    return Element(ElementKind.TRANSITION, text)


def one_scene(*elements: Element) -> Script:
    """A script of an act of a scene."""
    return Script("The Quiet Hours", (Act("TEASER", (Scene("INT. BRIDGE", elements),)),))


def sentences(count: int) -> str:
    """So many sentences, each with a number of its own."""
    return " ".join(f"Sentence {number} of a speech that is long." for number in range(1, count + 1))


def full_episode(scenes: int = 50) -> Script:
    """Six acts, together of so many scenes, each with shots, speeches, parentheticals and transitions."""
    names = ("TEASER", "ACT ONE", "ACT TWO", "ACT THREE", "ACT FOUR", "ACT FIVE")
    made = [_scene(number) for number in range(1, scenes + 1)]
    share = -(-scenes // len(names))
    return Script(
        "The Long Way Round <& Back>",
        tuple(Act(name, tuple(made[n * share : (n + 1) * share])) for n, name in enumerate(names)),
    )


def spoken(script: Script) -> list[str]:
    """What is said, speech by speech, without what does not print."""
    return [block.text for block in blocks_of(script) if block.kind is BlockKind.SPEECH]


def squeezed(text: str) -> str:
    """The text without its spaces."""
    return re.sub(r"\s", "", text)


def _scene(number: int) -> Scene:
    extension, aside = "V.O." if number % 4 == 0 else "", "softly" if number % 2 else ""
    return Scene(
        f"INT. ROOM {number} - NIGHT" if number % 3 else f"EXT. SPACE {number}",
        (
            action(f"Rain runs down window {number}. Nobody looks at it, and that goes on for a line or two of text."),
            speech(sentences(1 + number % 9), "DATA", extension, aside),
            shot(f"angle on door {number}"),
            action("It opens."),
            speech("“Now.” Is that all… or é?", "O'BRIEN"),
            action("It closes."),
            speech("That was all.", "O'BRIEN"),
            *([transition("DISSOLVE TO:")] if number % 5 == 0 else []),
        ),
    )
