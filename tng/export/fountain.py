"""A script as Fountain (fountain.io/syntax, version 1.1). Nothing that the text says can become markup.

The text comes from a language model and a customer, so each block is checked for what a reader of Fountain
would take it for, and forced (``!`` action, ``@`` cue, ``.`` heading, ``>`` transition) where it is anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tng.export.layout import (
    AUTHOR,
    CREDIT,
    DISCLAIMER,
    Block,
    BlockKind,
    act_ending,
    ends_in_transition,
    plain,
    scene_blocks,
)
from tng.script import Act, Script

PAGE_BREAK = "==="

_HEADING = re.compile(r"(INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ]", re.IGNORECASE)
_PLAIN_CUE = re.compile(r"[A-Z][A-Z '’-]*( \([A-Z.,' ’-]+\))*")
_LETTER_FIRST = re.compile(r"[\"'“‘]?[^\W\d_]")
_IN_PARENTHESES = re.compile(r"\([^()]*\)")
_MARKS_OF_DIALOGUE = tuple("#=~!@>.&")


def render_fountain(script: Script) -> str:
    """The whole script with a title page, acts as sections and centred titles, and numbered scenes."""
    paragraphs = [_title_page(script.title)]
    number = 1
    for act in script.acts:
        paragraphs += _act(act, number, last=act is script.acts[-1])
        number += len(act.scenes)
    return "\n\n".join(paragraphs) + "\n"


def _title_page(title: str) -> str:
    fields = [("Title", title), ("Credit", CREDIT), ("Author", AUTHOR), ("Copyright", DISCLAIMER)]
    return "\n".join(f"{name}: {_unmarked(plain(value))}" for name, value in fields)


def _act(act: Act, number: int, *, last: bool) -> Iterator[str]:
    name = _unmarked(plain(act.name).upper())
    yield f"# {name}"
    yield _centred(name)
    yield "!FADE IN:"
    for offset, scene in enumerate(act.scenes):
        yield from (_block(block) for block in scene_blocks(scene, number + offset))
    if not ends_in_transition(act):
        yield "> FADE OUT."
    yield _centred(_unmarked(act_ending(act, last=last)))
    if not last:
        yield PAGE_BREAK


def _block(block: Block) -> str:
    match block.kind:
        case BlockKind.HEADING | BlockKind.SHOT:
            return _heading(block)
        case BlockKind.SPEECH:
            return _speech(block)
        case BlockKind.TRANSITION:
            return f"> {_unmarked(block.text.strip('<> '))}"
        case _:
            return ("" if _reads_as_action(block.text) else "!") + _unmarked(block.text)


def _heading(block: Block) -> str:
    text = _unmarked(block.text.lstrip(". ").replace("#", "NO. ")) or "SCENE"
    forced = "." if block.kind is BlockKind.SHOT or not _HEADING.match(text) else ""
    return f"{forced}{text} #{block.number}#"


def _speech(block: Block) -> str:
    name = block.cue.rstrip("^ ")
    cue = ("" if _reads_as_cue(name) else "@") + _unmarked(name)
    aside = [f"({_unmarked(block.parenthetical)})"] if block.parenthetical else []
    return "\n".join([cue, *aside, _dialogue(block.text)])


def _dialogue(text: str) -> str:
    """One line below a cue. Fountain cannot force dialogue, so a mark at its beginning gets a dash before it."""
    if text.startswith("(") and text.endswith(")"):
        text = f"[{text[1:-1]}]"
    if text.startswith(_MARKS_OF_DIALOGUE):
        text = f"– {text}"
    return _unmarked(text) or "…"


def _reads_as_cue(cue: str) -> bool:
    return bool(_PLAIN_CUE.fullmatch(cue)) and not _HEADING.match(cue)


def _reads_as_action(text: str) -> bool:
    """Whether every reader takes the line for action: it begins with a letter, and speaks in small letters too."""
    outside = _IN_PARENTHESES.sub("", text)
    small = any(character.islower() for character in outside)
    return small and bool(_LETTER_FIRST.match(text)) and not _HEADING.match(text) and not text.endswith(":")


def _centred(text: str) -> str:
    return f"> **{text}** <"


def _unmarked(text: str) -> str:
    """The text without emphasis, notes or boneyard: ``*`` and ``_`` are escaped, ``[[`` is pulled apart."""
    while "[[" in text:
        text = text.replace("[[", "[ [")
    return re.sub(r"([*_])", r"\\\1", text)
