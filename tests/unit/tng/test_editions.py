"""What may be changed in a script, and that what comes of it reads back."""

from __future__ import annotations

import pytest

from tng.errors import EditionRefused, PremiseError
from tng.library.editions import (
    HEADING,
    LINE_CHARACTERS,
    guests_of,
    in_names,
    names_with,
    renamed,
    scene_of,
    with_line,
    with_scene,
)
from tng.script import Scene, Script, parse, parse_scene, render, render_scene

TEXT = """Title: Oran's Choice
## TEASER
# INT. MAIN BRIDGE
Oran waits. Oranges roll.
PICARD: Where is Oran?
## ACT ONE
# INT. ORAN'S QUARTERS
ORAN (V.O.): (to Picard) I am Oran's brother. ORAN!
> CUT TO:
"""
SCRIPT = parse(TEXT)
CUES = ("PICARD", "DATA")


def line(scene: int, block: int, text: object) -> list[str]:
    return render(with_line(SCRIPT, scene, block, text)).splitlines()


def test_a_speech_gets_other_words_and_keeps_its_cue() -> None:
    assert line(2, 0, "  It is\n late. ")[7] == "ORAN (V.O.): (to Picard) It is late."


def test_a_heading_is_block_minus_one() -> None:
    assert line(1, HEADING, "INT. SICKBAY")[2] == "# INT. SICKBAY"


def test_nothing_but_the_line_changes() -> None:
    before = TEXT.splitlines()
    assert [new for new, old in zip(line(1, 0, "Rain."), before, strict=True) if new != old] == ["Rain."]


def test_an_action_without_words_is_taken_out() -> None:
    assert len(scene_of(with_line(SCRIPT, 1, 0, ""), 1).elements) == 1


@pytest.mark.parametrize(
    ("scene", "block", "text"),
    [
        (0, 0, "x"),
        (3, 0, "x"),
        (1, 2, "x"),
        (1, -2, "x"),
        (1, 1, " "),
        (1, HEADING, ""),
        (1, 0, "a\x07b"),
        (1, 0, "a" * (LINE_CHARACTERS + 1)),
        (1, 0, None),
    ],
)
def test_what_cannot_stand_is_refused_with_a_sentence(scene: int, block: int, text: object) -> None:
    with pytest.raises(EditionRefused) as refused:
        with_line(SCRIPT, scene, block, text)
    assert refused.value.user_message != EditionRefused.user_message


def test_the_last_line_of_a_scene_stays() -> None:
    lonely = Script("X", (type(SCRIPT.acts[0])("A", (Scene("INT. X", SCRIPT.scenes[0].elements[:1]),)),))
    with pytest.raises(EditionRefused):
        with_line(lonely, 1, 0, "")


@pytest.mark.parametrize(
    "text", ["# INT. NOWHERE", "PICARD: Engage.", "> FADE OUT.", "Title: Mine", "! x", "(aside) x"]
)
def test_words_that_look_like_another_line_stay_what_they_were_or_are_refused(text: str) -> None:
    try:
        changed = with_line(SCRIPT, 1, 0, text)
    except EditionRefused:
        return
    assert parse(render(changed)) == changed
    assert len(changed.scenes) == 2


def test_a_scene_takes_the_place_of_another() -> None:
    changed = with_scene(SCRIPT, 2, SCRIPT.scenes[0])
    assert changed.scenes == (SCRIPT.scenes[0], SCRIPT.scenes[0])
    assert [act.name for act in changed.acts] == ["TEASER", "ACT ONE"]


def test_a_guest_is_called_something_else_everywhere_and_nobody_elses_word_changes() -> None:
    assert render(renamed(SCRIPT, "Oran", "T'Vral", CUES)).splitlines() == [
        "Title: T'Vral's Choice",
        "## TEASER",
        "# INT. MAIN BRIDGE",
        "T'Vral waits. Oranges roll.",
        "PICARD: Where is T'Vral?",
        "## ACT ONE",
        "# INT. T'VRAL'S QUARTERS",
        "T'VRAL (V.O.): (to Picard) I am T'Vral's brother. T'VRAL!",
        "> CUT TO:",
    ]


@pytest.mark.parametrize(("old", "new"), [("Picard", "Oran"), ("Nobody", "Lena"), ("", "Lena")])
def test_people_of_the_show_and_people_who_are_not_there_keep_their_names(old: str, new: str) -> None:
    with pytest.raises((EditionRefused, PremiseError)):
        renamed(SCRIPT, old, new, CUES)


@pytest.mark.parametrize("new", ["Data", "two words", "x" * 25, "# x", 5])
def test_a_name_that_no_guest_may_have_is_refused(new: object) -> None:
    with pytest.raises(PremiseError):
        renamed(SCRIPT, "Oran", new, CUES)


def test_who_is_called_something_else_again_is_known_by_the_first_name() -> None:
    names = names_with(names_with({}, "Oran", "Lena"), "Lena", "Mara")
    assert names == {"Oran": "Mara"}
    assert names_with(names, "Mara", "Oran") == {}
    assert names_with(names, "Tevik", "Lena") == {"Oran": "Mara", "Tevik": "Lena"}


def test_two_guests_who_changed_names_are_not_made_one() -> None:
    scene = in_names(parse_scene("# INT. ORAN'S QUARTERS\nLENA: Oran? (ORAN)"), {"Oran": "Lena", "Lena": "Oran"})
    assert render_scene(scene) == "# INT. LENA'S QUARTERS\nORAN: Lena? (LENA)"


def test_guests_are_named_as_the_text_writes_them() -> None:
    script = parse(
        "Title: X\n## A\n# INT. B\nDATA: T'Vral, Old Man Ro.\nT'VRAL: Yes.\nOLD MAN RO: No.\nNOBODY: What?\n"
    )
    assert guests_of(script, ("DATA",)) == ["T'Vral", "Old Man Ro", "Nobody"]
    for guest in guests_of(script, ("DATA",)):
        assert "MARA: " in render(renamed(script, guest, "Mara", ("DATA",)))
