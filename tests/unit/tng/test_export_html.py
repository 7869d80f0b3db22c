"""A teleplay in HTML: whole, in order, numbered on both sides, and nothing of it markup."""

from __future__ import annotations

import re
from html import unescape

import pytest

from hub.places import TEMPLATES
from tests.shows import FIRST
from tng.export.html import TOKENS, teleplay_html, title_of
from tng.export.layout import BlockKind, blocks_of
from tng.sample import read_sample
from tng.script import Act, Element, ElementKind, Scene, Script

EVIL = "</p><script>alert(1)</script>\"'&"
DASHBOARD_SHEET = TEMPLATES / "jupyter" / "voila" / "templates" / "tng" / "style.css"


def sample() -> Script:
    script = read_sample(FIRST)
    assert script is not None
    return script


def words_of(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", html)).split())


def test_every_block_of_the_page_is_there_in_its_order() -> None:
    words, place = words_of(teleplay_html(sample())), 0
    for block in blocks_of(sample()):
        place = words.index(block.text, place)
    assert words.endswith("THE END")


def test_a_scene_has_its_number_on_both_sides_and_is_read_out_once() -> None:
    headings = re.findall(
        r'<h3 class="heading"><span>(\d+)</span><b>.*?</b><span (.*?)>(\d+)</span>', teleplay_html(sample())
    )
    assert headings == [(str(n), 'aria-hidden="true"', str(n)) for n in range(1, len(sample().scenes) + 1)]


@pytest.mark.parametrize("level", [2, 3])
def test_acts_and_scenes_are_headings_one_below_the_other(level: int) -> None:
    found = re.findall(r"<h(\d)", teleplay_html(sample(), level=level))
    assert found == [str(level)] + [str(level + 1)] * len(sample().scenes)


def test_no_text_of_a_script_becomes_markup() -> None:
    kinds = [kind for kind in ElementKind if kind is not ElementKind.SPEECH]
    elements = [Element(kind, EVIL) for kind in kinds] + [Element(ElementKind.SPEECH, EVIL, EVIL, EVIL, EVIL)]
    script = Script(EVIL, (Act(EVIL, (Scene(EVIL, tuple(elements)),)),))
    html = teleplay_html(script) + title_of(script)
    assert "<script" not in html.lower()
    assert {kind.value for kind in BlockKind} == set(re.findall(r'<(?:p|h\d) class="(\w+)"', html))


def test_the_tokens_are_those_of_the_dashboard() -> None:
    def tokens(sheet: str) -> list[set[tuple[str, str]]]:
        light, dark = sheet.split("@media (prefers-color-scheme: dark)", 1)
        system, chosen = dark.split(":root[data-theme=dark]", 1)
        parts = (light, system, chosen.split("}", 1)[0])
        return [
            {(name, value) for name, value in re.findall(r"(--tng-[a-z0-9-]+):\s*([^;]+);", part)} for part in parts
        ]

    ours, theirs = tokens(TOKENS), tokens(DASHBOARD_SHEET.read_text(encoding="utf-8"))
    for here, there in zip(ours, theirs, strict=True):
        assert len(here) >= 20
        names = {name for name, _ in there}
        assert {(name, value) for name, value in here if name in names} <= there
