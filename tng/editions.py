"""A delivered script as its customer reworks it: editions of the whole, and scenes that were written again (takes).

The original is ``Order.script_text``: it is edition 0, the original scenes are take 0, and neither is ever changed.
Plain functions from script to script; whatever they give reads back as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from tng.errors import EditionRefused, ScriptError
from tng.script import Act, Element, ElementKind, Scene, Script, checked_guests, parse, render

MOST_EDITIONS = 200
MOST_TAKES = 3
LINE_CHARACTERS = 1_000
SCRIPT_BYTES = 300_000
HEADING = -1
"""The block of a scene that is its heading; 0 is its first element."""

NO_SUCH_LINE = "There is no such line in the script any more. Please look again."
NO_SUCH_SCENE = "There is no such scene in the script."
EMPTY_HEADING = "A scene needs its heading. Please say where we are."
EMPTY_SPEECH = "A speech needs words. Please give them something to say."
CONTROL = "The line has a control character in it. Please type it again as plain text."
TOO_LONG = f"A line may have {LINE_CHARACTERS:,} characters. Please shorten it."
TOO_LARGE = "The script would become too long. Please shorten something first."
LAST_LINE = "A scene needs at least one line. Please leave something in it."
NOT_READ_BACK = "The line cannot stand as it is: its signs would make it another kind of line."
NOBODY = "Nobody of that name is in the script."
ABOARD = "Only guests can be given another name: this is somebody of the show."
TAKEN = "Somebody in the script has that name already. Please choose another one."


class Why(StrEnum):
    """How an edition came about."""

    LINE = "line"
    SCENE = "scene"
    RENAME = "rename"
    BACK = "back"


@dataclass(frozen=True, slots=True)
class Edition:
    """The whole script as its customer made it, the ``number``-th time; 1 is the first after the original."""

    order_id: str
    number: int
    script_text: str
    why: Why
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Take:
    """A scene written again. ``scene`` counts from 1 over the script, ``number`` from 1; ``text`` is compact.

    The release, the seed, the scene and the number together give the same text again.
    """

    order_id: str
    scene: int
    number: int
    text: str
    seed: int
    release_id: str
    made_at: datetime


def scene_of(script: Script, number: int) -> Scene:
    """The scene of a number, from 1. Raises EditionRefused."""
    if not 1 <= number <= len(script.scenes):
        raise _refuse("there is no scene of that number", NO_SUCH_SCENE)
    return script.scenes[number - 1]


def with_scene(script: Script, number: int, scene: Scene) -> Script:
    """The script with another scene in the place of this one. Raises EditionRefused."""
    scene_of(script, number)
    acts, place = [], number - 1
    for act in script.acts:
        scenes = list(act.scenes)
        if 0 <= place < len(scenes):
            scenes[place] = scene
        place -= len(scenes)
        acts.append(Act(act.name, tuple(scenes)))
    return _checked(Script(script.title, tuple(acts)))


def with_line(script: Script, number: int, block: int, text: object) -> Script:
    """The script with other words in one line: of a heading (block -1), or of an element; a speech keeps its cue.

    Without any words an action, a shot or a transition is taken out, and the last line of a scene is not. Raises
    EditionRefused, whose sentence says what is to be done.
    """
    scene, words = scene_of(script, number), plain_line(text)
    if block == HEADING:
        if not words:
            raise _refuse("a heading without words", EMPTY_HEADING)
        return with_scene(script, number, replace(scene, heading=words))
    if not 0 <= block < len(scene.elements):
        raise _refuse("there is no block of that number", NO_SUCH_LINE)
    changed = _changed(scene.elements[block], words)
    elements = (*scene.elements[:block], *changed, *scene.elements[block + 1 :])
    if not elements:
        raise _refuse("a scene without a line", LAST_LINE)
    return with_scene(script, number, replace(scene, elements=elements))


def renamed(script: Script, old: object, new: object, cues: Collection[str]) -> Script:
    """The script with a guest called something else wherever the name stands, capitals as they were.

    ``cues`` are those of the show: its people keep their names, and a guest takes none of theirs. Raises
    EditionRefused, or PremiseError where the new name is none for a guest.
    """
    before, (after,) = plain_line(old), checked_guests([new], cues)
    if before.upper() in cues:
        raise _refuse("somebody of the show", ABOARD)
    if not before or not _named(before).search(render(script)):
        raise _refuse("nobody of that name", NOBODY)
    others = {cue for cue in script.speakers if cue.casefold() != before.casefold()}
    if after.upper() in others:
        raise _refuse("a name that is taken", TAKEN)
    acts = tuple(Act(act.name, tuple(_scene_with(scene, before, after) for scene in act.scenes)) for act in script.acts)
    return _checked(Script(_with_name(script.title, before, after), acts))


def plain_line(text: object) -> str:
    """One line of plain text, its spaces squeezed, in Unicode NFC. Raises EditionRefused."""
    if not isinstance(text, str):
        raise _refuse("a line that is no text", NO_SUCH_LINE)
    line = unicodedata.normalize("NFC", " ".join(text.split()))
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in line):
        raise _refuse("a control character", CONTROL)
    if len(line) > LINE_CHARACTERS:
        raise _refuse("a line that is too long", TOO_LONG)
    return line


def _changed(element: Element, words: str) -> tuple[Element, ...]:
    if words:
        return (replace(element, text=words),)
    if element.kind is ElementKind.SPEECH:
        raise _refuse("a speech without words", EMPTY_SPEECH)
    return ()


def _checked(script: Script) -> Script:
    """What cannot be read back as it is would be another script tomorrow."""
    text = render(script)
    if len(text.encode()) > SCRIPT_BYTES:
        raise _refuse("a script that is too long", TOO_LARGE)
    try:
        same = parse(text) == script
    except ScriptError:
        same = False
    if not same:
        raise _refuse("a line that does not read back", NOT_READ_BACK)
    return script


def _scene_with(scene: Scene, old: str, new: str) -> Scene:
    def with_name(element: Element) -> Element:
        return replace(
            element,
            text=_with_name(element.text, old, new),
            cue=_with_name(element.cue, old, new),
            parenthetical=_with_name(element.parenthetical, old, new),
        )

    return Scene(_with_name(scene.heading, old, new), tuple(with_name(element) for element in scene.elements))


def _with_name(text: str, old: str, new: str) -> str:
    return _named(old).sub(lambda match: new.upper() if match[0].isupper() else new, text)


def _named(name: str) -> re.Pattern[str]:
    """The name as a word of its own, as it is written or in capitals; what follows an apostrophe is left as it is."""
    return re.compile(rf"(?<![\w'’-])(?:{re.escape(name)}|{re.escape(name.upper())})(?![\w-])")


def _refuse(what: str, sentence: str) -> EditionRefused:
    return EditionRefused(f"not changed: {what}", user_message=sentence)
