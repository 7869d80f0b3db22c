"""Read Fountain (fountain.io/syntax, version 1.1): parsed by screenplay-tools, understood here.

Acts are sections or centred lines; a forced heading that names no place is a shot; notes and cut text are left out.
"""

from __future__ import annotations

import re
from typing import Any, Final

from model.corpus.teleplays.composer import Composer, squeezed
from model.corpus.teleplays.cues import mended, read_cue
from model.corpus.teleplays.imported import Dialect, Imported, TitlePage
from model.corpus.teleplays.lines import ORDINALS, act_name
from tng.shows import Show

HEADING: Final = re.compile(r"\s*(?:INT|EXT|EST|I/E)\b[./ ]", re.IGNORECASE)

_ACT = re.compile(rf"\W*(TEASER|(?:ACT|PART)\s+(?:{'|'.join(ORDINALS)}))\W*$", re.IGNORECASE)
_END = re.compile(r"\W*(?:END OF\b.*|THE END|TO BE CONTINUED)\W*$", re.IGNORECASE)
_LEFT_OUT = re.compile(r"\[\[\d+\]\]|/\*\d+\*/")
_STARRED = re.compile(r"(?<![\\*])(\*{1,3})(?=[^\s*])((?:\\.|[^*\\\n])+?)(?<=\S)\1")
_UNDERLINED = re.compile(r"(?<![\\_])(_)(?=[^\s_])((?:\\.|[^_\\\n])+?)(?<=\S)\1")
_ESCAPED = re.compile(r"\\([*_\[\]/\\])")
_WIDE = re.compile(r"(?<=\S)[ \t]{2,}")
"""Blanks within a line mean nothing, and the parser is slow over many of them."""
_NUMBER = re.compile(r"\d{1,4}")


def read_fountain(text: str, show: Show) -> Imported:
    """Read a Fountain file. Raises nothing: what is nothing else is action there, by definition."""
    from screenplay_tools.fountain.parser import Parser

    parser = Parser()
    parser.add_text(_WIDE.sub(" ", text.rstrip()) + "\n\n")
    page = _title_page({entry.key.strip().lower(): entry.text_raw for entry in parser.script.titleEntries})
    composer = Composer()
    for element in parser.script.elements:
        _add(composer, element, show)
    script, mended_cues = mended(composer.script(page.title), show.cues)
    count = sum(bool(line.strip()) for line in text.split("\n"))
    return Imported(Dialect.FOUNTAIN, page, script, count, mended_cues=mended_cues)


def _add(composer: Composer, element: Any, show: Show) -> None:
    text = _plain(element.text_raw)
    match element.type.value:
        case "SECTION":
            _begin_act(composer, text)
        case "HEADING":
            begin = composer.scene if HEADING.match(text) or not element.forced else composer.shot
            begin(text)
        case "ACTION":
            for paragraph in re.split(r"\n\s*\n", text):
                _add_action(composer, paragraph, is_centred=bool(element.centered))
        case "CHARACTER":
            extension = f" ({element.extension})" if element.extension else ""
            cue = read_cue(_plain(element.name) + extension, show.teleplays.aliases)
            composer.cue(cue.name or "VOICE", cue.extension)
        case "PARENTHETICAL":
            composer.aside(text)
        case "DIALOGUE" | "LYRIC":
            composer.words(text)
        case "TRANSITION":
            composer.transition(text)


def _add_action(composer: Composer, text: str, *, is_centred: bool) -> None:
    if _ACT.match(text):
        _begin_act(composer, text)
    elif not (is_centred and _END.match(text)):
        composer.action(text)


def _begin_act(composer: Composer, text: str) -> None:
    if (act := _ACT.match(text)) and act_name(act[1].upper()) != composer.act_name:
        composer.act(act_name(act[1].upper()))


def _plain(text: str) -> str:
    """The text without emphasis, notes and the backslashes that keep marks from being one."""
    text = _LEFT_OUT.sub("", text)
    for emphasis in (_STARRED, _STARRED, _UNDERLINED):  # one kind of stars may stand inside another
        text = emphasis.sub(r"\2", text)
    return _ESCAPED.sub(r"\1", text)


def _title_page(entries: dict[str, str]) -> TitlePage:
    said = {key: squeezed(_plain(text)) for key, text in entries.items()}
    number = _NUMBER.search(said.get("episode", ""))
    return TitlePage(
        title=said.get("title", "").strip('"“” '),
        number=int(number[0]) if number else None,
        writer=said.get("author", "") or said.get("authors", ""),
        draft=said.get("draft", ""),
        date=said.get("draft date", ""),
        story=said.get("logline", ""),
    )


__all__ = ["HEADING", "read_fountain"]
