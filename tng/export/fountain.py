"""A script as Fountain (fountain.io/syntax, version 1.1). Nothing that the text says can become markup.

The text comes from a language model and a customer, so each block is checked for what a reader of Fountain
would take it for, and forced (``!`` action, ``@`` cue, ``.`` heading, ``>`` transition) where it is anything else.
"""

from __future__ import annotations

import re

from tng.export.colophon import Colophon
from tng.export.layout import CREDIT, NAMELESS_SCENE, Block, BlockKind, blocks_by_act, plain
from tng.script import Script

PAGE_BREAK = "==="

_HEADING = re.compile(r"(INT|EXT|EST|INT\./EXT|INT/EXT|I/E)[. ]", re.IGNORECASE)
_PLAIN_CUE = re.compile(r"[A-Z][A-Z '’-]*( \([A-Z.,' ’-]+\))*")
_LETTER_FIRST = re.compile(r"[\"'“‘]?[^\W\d_]")
_CAN_BE_FORCED = re.compile(r"[A-Za-z0-9]")
_IN_PARENTHESES = re.compile(r"\([^()]*\)")
_MARKS_OF_DIALOGUE = tuple("#=~!@>.&")


def render_fountain(script: Script, colophon: Colophon) -> str:
    """The whole script with a title page, acts as sections and centred titles, and numbered scenes."""
    acts = ["\n\n".join(_block(block) for block in blocks) for blocks in blocks_by_act(script)]
    return f"{_title_page(script.title, colophon)}\n\n" + f"\n\n{PAGE_BREAK}\n\n".join(acts) + "\n"


def _title_page(title: str, colophon: Colophon) -> str:
    fields = {
        "Title": title,
        "Credit": CREDIT,
        "Author": colophon.product,
        "Draft date": colophon.draft_date,
        "Notes": " ".join(colophon.told),
        "Copyright": colophon.disclaimer,
    }
    return "\n".join(f"{name}: {_unmarked(plain(value))}" for name, value in fields.items())


def _block(block: Block) -> str:
    match block.kind:
        case BlockKind.ACT:
            return f"# {_unmarked(block.text)}\n\n{_centred(block.text)}"
        case BlockKind.ENDING:
            return _centred(block.text)
        case BlockKind.HEADING | BlockKind.SHOT:
            return _heading(block)
        case BlockKind.SPEECH:
            return _speech(block)
        case BlockKind.TRANSITION:
            return f"> {_unmarked(block.text.strip('<> '))}"
        case BlockKind.ACTION:
            return ("" if _reads_as_action(block.text) else "!") + _unmarked(block.text)


def _heading(block: Block) -> str:
    text = _unmarked(block.text.lstrip(". ").replace("#", "NO. ")) or NAMELESS_SCENE
    forced = "." if block.kind is BlockKind.SHOT or not _HEADING.match(text) else ""
    if forced and not _CAN_BE_FORCED.match(text):  # a period forces a heading only before a letter or a digit
        text = f"{NAMELESS_SCENE} {text}"
    return f"{forced}{text} #{block.number}#"


def _speech(block: Block) -> str:
    name = block.cue.rstrip("^ ")
    cue = ("" if _reads_as_cue(name) else "@") + _unmarked(name)
    aside = [f"({_unmarked(block.parenthetical)})"] if block.parenthetical else []
    return "\n".join([cue, *aside, _dialogue(block.text)])


def _dialogue(text: str) -> str:
    """One line below a cue. Fountain cannot force dialogue: a mark, or INT., at its beginning gets a dash before it."""
    if text.startswith("(") and text.endswith(")"):
        text = f"[{text[1:-1]}]"
    if text.startswith(_MARKS_OF_DIALOGUE) or _HEADING.match(text):
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
    bold = "" if "/" in (text[:1], text[-1:]) else "**"  # "/**" would begin a boneyard
    return f"> {bold}{_unmarked(text)}{bold} <"


def _unmarked(text: str) -> str:
    """The text without emphasis, notes or boneyard: ``*`` and ``_`` are escaped, ``[[`` is pulled apart."""
    while "[[" in text:
        text = text.replace("[[", "[ [")
    return re.sub(r"([*_])", r"\\\1", text)
