"""The printed page as a list of blocks, shared by every form a script is shown in. It draws nothing.

It adds what a teleplay shows and the script leaves out: scene numbers (a shot is 12A, 12B … below scene 12),
(CONT'D) where a speaker goes on after action in the same scene, and text without control characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tng.script import Act, Element, ElementKind, Scene, Script

DISCLAIMER = (
    "Unofficial fan work, written by a machine. Not affiliated with, endorsed or sponsored by Paramount or CBS. "
    "Star Trek and its characters belong to their owners."
)
CREDIT = "Written by"
AUTHOR = "TNG Script Generator"
CONTINUED = "(CONT'D)"
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class BlockKind(StrEnum):
    """What a block of the page is."""

    ACT = "act"
    HEADING = "heading"
    SHOT = "shot"
    ACTION = "action"
    SPEECH = "speech"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the page. ``number`` is a heading's or a shot's; ``cue`` and ``parenthetical`` are a speech's.

    ``cue`` is whole, as it is printed: ``PICARD (V.O.) (CONT'D)``. The parenthetical has no parentheses here.
    """

    kind: BlockKind
    text: str
    number: str = ""
    cue: str = ""
    parenthetical: str = ""


def blocks_of(script: Script) -> Iterator[Block]:
    """The whole script, block by block, scenes numbered from 1."""
    number = 1
    for act in script.acts:
        yield Block(BlockKind.ACT, plain(act.name).upper())
        for scene in act.scenes:
            yield from scene_blocks(scene, number)
            number += 1


def scene_blocks(scene: Scene, number: int) -> Iterator[Block]:
    """One scene, block by block, from its heading on."""
    yield Block(BlockKind.HEADING, plain(scene.heading).upper(), str(number))
    speaker, action_since, shots = "", False, 0
    for element in scene.elements:
        match element.kind:
            case ElementKind.SPEECH:
                yield _speech(element, continued=action_since and element.cue == speaker)
                speaker, action_since = element.cue, False
            case ElementKind.ACTION:
                yield Block(BlockKind.ACTION, plain(element.text))
                action_since = True
            case ElementKind.SHOT:
                yield Block(BlockKind.SHOT, plain(element.text).upper(), f"{number}{letters(shots)}")
                speaker, shots = "", shots + 1
            case ElementKind.TRANSITION:
                yield Block(BlockKind.TRANSITION, plain(element.text).upper())
                speaker = ""


def ends_in_transition(act: Act) -> bool:
    """Whether the act's last words are a transition already, so that no FADE OUT. is to be added."""
    last = act.scenes[-1].elements[-1:] if act.scenes else ()
    return bool(last) and last[0].kind is ElementKind.TRANSITION


def act_ending(act: Act, *, last: bool) -> str:
    """What is printed below an act: END OF ACT ONE, or THE END below the last."""
    return "THE END" if last else f"END OF {plain(act.name).upper()}"


def letters(count: int) -> str:
    """The letter of the shot with this index: 0 is A, 25 is Z, 26 is AA."""
    name, count = "", count + 1
    while count:
        count, rest = divmod(count - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def plain(text: str) -> str:
    """The text on one line, without anything that does not print."""
    spaced = " ".join(text.split())
    return "".join(character for character in spaced if unicodedata.category(character) not in INVISIBLE)


def _speech(element: Element, *, continued: bool) -> Block:
    extension = f" ({plain(element.extension).upper()})" if element.extension else ""
    already = "CONT" in extension
    cue = plain(element.cue).upper() + extension + (f" {CONTINUED}" if continued and not already else "")
    return Block(BlockKind.SPEECH, plain(element.text), cue=cue, parenthetical=plain(element.parenthetical))
