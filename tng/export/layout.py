"""The printed page as a list of blocks, shared by every form a script is shown in. It draws nothing.

It adds what a teleplay shows and the script leaves out: scene numbers (a shot is 12A, 12B … below scene 12),
(CONT'D) where a speaker goes on after action in the same scene, FADE IN: and FADE OUT. around an act, the line
that ends it, and text without control characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tng.script import Act, Element, ElementKind, Scene, Script

CREDIT = "Written by"
NAMELESS_ACT, NAMELESS_SCENE = "ACT", "SCENE"
FADE_IN, FADE_OUT = "FADE IN:", "FADE OUT."
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
    ENDING = "ending"


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
    for blocks in blocks_by_act(script):
        yield from blocks


def blocks_by_act(script: Script) -> Iterator[list[Block]]:
    """The blocks of one act after the other: its heading first, END OF ACT or THE END last."""
    number = 1
    for count, act in enumerate(script.acts, start=1):
        yield list(_act_blocks(act, number, last=count == len(script.acts)))
        number += len(act.scenes)


def scene_blocks(scene: Scene, number: int) -> Iterator[Block]:
    """One scene, block by block, from its heading on."""
    yield Block(BlockKind.HEADING, plain(scene.heading).upper() or NAMELESS_SCENE, str(number))
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


def _act_blocks(act: Act, number: int, *, last: bool) -> Iterator[Block]:
    name = plain(act.name).upper() or NAMELESS_ACT
    yield Block(BlockKind.ACT, name)
    yield Block(BlockKind.ACTION, FADE_IN)
    for offset, scene in enumerate(act.scenes):
        yield from scene_blocks(scene, number + offset)
    if not _ends_in_transition(act):
        yield Block(BlockKind.TRANSITION, FADE_OUT)
    yield Block(BlockKind.ENDING, "THE END" if last else f"END OF {name}")


def _ends_in_transition(act: Act) -> bool:
    last = act.scenes[-1].elements[-1:] if act.scenes else ()
    return bool(last) and last[0].kind is ElementKind.TRANSITION


def _speech(element: Element, *, continued: bool) -> Block:
    extension = f" ({plain(element.extension).upper()})" if element.extension else ""
    already = "CONT" in extension
    cue = plain(element.cue).upper() + extension + (f" {CONTINUED}" if continued and not already else "")
    return Block(BlockKind.SPEECH, plain(element.text), cue=cue, parenthetical=plain(element.parenthetical))
