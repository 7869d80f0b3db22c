"""The bank is read whole, and a fault is named with its file and line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from model.corpus.scenebank import SLOTS, Bank, cues_of, read_bank
from tng.errors import CorpusError
from tng.script import ElementKind
from tng.shows import Show


def test_every_family_has_titles_loglines_and_scenes_for_every_beat(bank: Bank, show: Show) -> None:
    assert set(bank.families) == {family.name for family in show.main_families}
    for family in bank.families.values():
        assert len(family.titles) >= 20
        assert len(family.loglines) >= 12
        assert list(family.scenes) == list(show.beats)
        assert all(len(scenes) >= 6 for scenes in family.scenes.values())


def test_a_side_story_is_a_scene_a_beat(bank: Bank, show: Show) -> None:
    assert len(bank.threads) >= 20
    for thread in bank.threads:
        assert tuple(scene.beat for scene in thread) == show.side_story.beats


def test_cues_and_slots_are_known(bank: Bank, show: Show) -> None:
    scenes = [s for family in bank.families.values() for beat in family.scenes.values() for s in beat]
    assert {e.cue for s in scenes for e in s.scene.elements if e.kind is ElementKind.SPEECH} <= cues_of(show)
    texts = [text for s in scenes for e in s.scene.elements for text in (e.text, e.cue, s.scene.heading)]
    assert {slot for text in texts for slot in re.findall(r"\{(.*?)\}", text)} == SLOTS


def test_an_aside_and_an_extension_are_parts_of_the_speech(copied_bank: Show) -> None:
    scene = "INT. BRIDGE\n\nDATA (COM)\n(at once)\nCaptain.\n\nHe waits.\n"
    rewrite(copied_bank.bank_folder / "rescue.fountain", "# HOOK\n", f"# HOOK\n\n{scene}\n")
    speech, action = read_bank(copied_bank).families["rescue"].scenes["HOOK"][0].scene.elements
    assert (speech.cue, speech.extension, speech.parenthetical, speech.text) == ("DATA", "COM", "at once", "Captain.")
    assert (action.kind, action.text) == (ElementKind.ACTION, "He waits.")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param("# HOOK\n", "# HOOK\n\nINT. X\n\nA {starship} comes.\n", "unknown slot {starship}", id="slot"),
        pytest.param("# HOOK\n", "# HOOKS\n", "unknown section 'HOOKS'", id="section"),
        pytest.param("# HOOK\n", "# HOOK\n\nNobody is anywhere.\n", "text before the first heading", id="no-heading"),
        pytest.param("# HOOK\n", "# HOOK\n\nINT. X\n\nDATA\n\nAh.\n", "a cue without dialogue", id="no-dialogue"),
    ],
)
def test_a_fault_is_named_with_file_and_line(copied_bank: Show, old: str, new: str, fault: str) -> None:
    rewrite(copied_bank.bank_folder / "rescue.fountain", old, new)
    with pytest.raises(CorpusError, match=r"rescue\.fountain:\d+: ") as refused:
        read_bank(copied_bank)
    assert fault in str(refused.value)


def test_a_beat_without_scenes_is_named(copied_bank: Show) -> None:
    path = copied_bank.bank_folder / "rescue.fountain"
    text = path.read_text(encoding="utf-8")
    start, end = text.index("# TURN\n"), text.index("# PRESSURE\n")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(CorpusError, match="no scene for TURN"):
        read_bank(copied_bank)


def test_a_missing_file_is_named(copied_bank: Show) -> None:
    (copied_bank.bank_folder / "border.fountain").unlink()
    with pytest.raises(CorpusError, match=r"border\.fountain: cannot be read"):
        read_bank(copied_bank)


def test_side_stories_of_unequal_length_are_refused(copied_bank: Show) -> None:
    rewrite(copied_bank.bank_folder / "bstory.fountain", "# TWIST\n", "# TWIST\n\nINT. X\n\nOne scene too many.\n")
    with pytest.raises(CorpusError, match="equally many scenes"):
        read_bank(copied_bank)


@pytest.fixture
def copied_bank(show: Show, tmp_path: Path) -> Show:
    for path in show.bank_folder.glob("*.fountain"):
        (tmp_path / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    return replace(show, bank_folder=tmp_path)


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
