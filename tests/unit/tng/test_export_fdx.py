"""The Final Draft document, opened again by two readers that others wrote, and by an XML parser."""

from __future__ import annotations

from collections import Counter
from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from fdx_parser import parse_fdx
from hypothesis import given, settings
from screenplay_tools.fdx.parser import Parser
from screenplay_tools.screenplay import ElementType

from tests.unit.tng.api_support import SCRIPT
from tests.unit.tng.export_support import COLOPHON, full_episode, nasty_scripts, one_scene, speech, spoken
from tng.export.fdx import render_fdx
from tng.export.layout import BlockKind, blocks_of
from tng.script import Act, Scene, Script, parse

EPISODE = full_episode()


def paragraphs(script: Script) -> list[Element]:
    """The paragraphs of the script, its title page aside."""
    return list(fromstring(render_fdx(script, COLOPHON)).iterfind("Content/Paragraph"))


def said(paragraph: Element) -> str:
    """The words of a paragraph."""
    return "".join(text.text or "" for text in paragraph.iterfind("Text"))


def test_screenplay_tools_finds_every_heading_cue_and_speech() -> None:
    read = Parser().parse(render_fdx(EPISODE, COLOPHON).decode())
    found = Counter(element.type for element in read.elements)
    wanted = Counter(block.kind for block in blocks_of(EPISODE))
    asides = sum(bool(block.parenthetical) for block in blocks_of(EPISODE))
    assert found[ElementType.HEADING] == wanted[BlockKind.HEADING] + wanted[BlockKind.SHOT]
    assert found[ElementType.CHARACTER] == found[ElementType.DIALOGUE] == wanted[BlockKind.SPEECH]
    assert found[ElementType.PARENTHETICAL] == asides > 0
    assert found[ElementType.TRANSITION] == wanted[BlockKind.TRANSITION]


def test_open_fdx_toolkit_finds_every_scene_with_its_number_and_its_people() -> None:
    scenes = parse_fdx(render_fdx(EPISODE, COLOPHON).decode())
    assert [scene.scene_number for scene in scenes] == [str(number) for number in range(1, 51)]
    assert [scene.slugline for scene in scenes] == [scene.heading for scene in EPISODE.scenes]
    kinds = Counter(paragraph.type for scene in scenes for paragraph in scene.paragraphs)
    assert kinds["Character"] == kinds["Dialogue"] == len(spoken(EPISODE))
    assert all(any("DATA" in name for name in scene.characters) for scene in scenes)


def test_the_elements_are_those_of_a_television_script() -> None:
    script = parse(SCRIPT)
    found = [(paragraph.get("Type"), said(paragraph), paragraph.get("Number")) for paragraph in paragraphs(script)]
    assert found == [
        ("New Act", "TEASER", None),
        ("Action", "FADE IN:", None),
        ("Scene Heading", "INT. READY ROOM", "1"),
        ("Action", "Picard turns from the glass.", None),
        ("Character", "PICARD (V.O.)", None),
        ("Parenthetical", "(tired)", None),
        ("Dialogue", "Captain's log.", None),
        ("Action", "Rain on the window.", None),
        ("Character", "PICARD (CONT'D)", None),
        ("Dialogue", "It stopped.", None),
        ("Scene Heading", "INT. MAIN BRIDGE", "2"),
        ("Shot", "ANGLE ON DATA", "2A"),
        ("Character", "DATA", None),
        ("Dialogue", "The clock is correct, sir.", None),
        ("Character", "PICARD", None),
        ("Dialogue", "Then we are not.", None),
        ("Scene Heading", "EXT. SPACE", "3"),
        ("Action", "The ship turns.", None),
        ("Transition", "FADE OUT.", None),
        ("End of Act", "THE END", None),
    ]


def test_the_title_page_says_who_wrote_it_and_how() -> None:
    root = fromstring(render_fdx(EPISODE, COLOPHON))
    lines = [said(paragraph) for paragraph in root.iterfind("TitlePage/Content/Paragraph")]
    for part in ("THE LONG WAY ROUND <& BACK>", "Written by", COLOPHON.product, *COLOPHON.notes):
        assert part in lines


def test_every_type_that_is_used_is_described_and_an_act_begins_a_page() -> None:
    root = fromstring(render_fdx(EPISODE, COLOPHON))
    assert (root.tag, root.get("DocumentType"), root.get("Version")) == ("FinalDraft", "Script", "5")
    described = {element.get("Type"): element for element in root.iterfind("ElementSettings")}
    assert {paragraph.get("Type") for paragraph in root.iterfind(".//Paragraph")} <= described.keys()
    act = described["New Act"].find("ParagraphSpec")
    assert act is not None
    assert (act.get("StartsNewPage"), act.get("Alignment")) == ("Yes", "Center")


@settings(max_examples=60, deadline=None)
@given(nasty_scripts)
def test_nothing_that_a_script_says_becomes_markup_and_every_speech_comes_back(script: Script) -> None:
    found = paragraphs(script)
    assert [said(paragraph) for paragraph in found if paragraph.get("Type") == "Dialogue"] == spoken(script)
    assert {child.tag for paragraph in found for child in paragraph.iter()} <= {"Paragraph", "Text"}


def test_the_same_script_gives_the_same_bytes() -> None:
    assert render_fdx(EPISODE, COLOPHON) == render_fdx(EPISODE, COLOPHON)


@pytest.mark.parametrize(
    "script",
    [Script("T"), Script("T", (Act("TEASER"),)), Script("T", (Act("TEASER", (Scene("INT. HALL"),)),))],
    ids=["no act", "no scene", "nothing happens"],
)
def test_a_script_with_hardly_anything_in_it_is_a_document_too(script: Script) -> None:
    assert len(paragraphs(script)) == sum(1 for _ in blocks_of(script))


def test_control_characters_are_left_out() -> None:
    (*_, dialogue, _fade, _end) = paragraphs(one_scene(speech("a\x00b\x0b c\ufffe\ud800d")))
    assert said(dialogue) == "ab cd"
