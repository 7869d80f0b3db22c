"""A delivered script as its customer reworks it: editions of the whole, and scenes that were written again (takes).

The original is ``Order.script_text``: it is edition 0, the original scenes are take 0, and neither is ever changed.
Plain functions from script to script; whatever they give reads back as it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
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
    """The whole script as its customer made it, the ``number``-th time; 1 is the first after the original.

    ``names`` says what guests are called by now, by their names in the original: a scene that is written later, or
    comes back, is given them, too.
    """

    order_id: str
    number: int
    script_text: str
    why: Why
    made_at: datetime
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Take:
    """A scene written again. ``scene`` counts from 1 over the script, ``number`` from 1; ``text`` is compact.

    It has the names of the original. The release, the seed, and which takes were made before it give the same text
    again.
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
    names = {before: after}
    acts = tuple(Act(act.name, tuple(in_names(scene, names) for scene in act.scenes)) for act in script.acts)
    return _checked(Script(_with_names(script.title, names), acts))


def names_with(names: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """What guests are called by now, once one of them is called something else again."""
    known = {first: new if name.casefold() == old.casefold() else name for first, name in names.items()}
    if list(known.values()) == list(names.values()):
        known.setdefault(old, new)
    return {first: name for first, name in known.items() if first != name}


def in_names(scene: Scene, names: Mapping[str, str]) -> Scene:
    """The scene with every guest called as ``names`` says, all at once: two may have changed names."""

    def named(element: Element) -> Element:
        return replace(
            element,
            text=_with_names(element.text, names),
            cue=_with_names(element.cue, names),
            parenthetical=_with_names(element.parenthetical, names),
        )

    return Scene(_with_names(scene.heading, names), tuple(named(element) for element in scene.elements))


def guests_of(script: Script, cues: Collection[str]) -> list[str]:
    """Who speaks in a script and is nobody of the show, as the text writes their names, in the order of their words."""
    text = "\n".join(element.text for scene in script.scenes for element in scene.elements)
    return [_as_written(cue, text) for cue in script.speakers if cue not in cues]


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


def _with_names(text: str, names: Mapping[str, str]) -> str:
    if not names:
        return text
    known = {name: new for old, new in names.items() for name, new in ((old.upper(), new.upper()), (old, new))}
    return _named(*known).sub(lambda match: _cased(match[0], known[match[0]]), text)


def _cased(found: str, new: str) -> str:
    return new.upper() if found.isupper() else new


def _named(*names: str) -> re.Pattern[str]:
    """Names as words of their own, as they are written or in capitals; what follows an apostrophe is left as it is."""
    either = {form for name in names for form in (name, name.upper())}
    longest_first = "|".join(re.escape(form) for form in sorted(either, key=lambda form: (-len(form), form)))
    return re.compile(rf"(?<![\w'’-])(?:{longest_first})(?![\w-])")


def _as_written(cue: str, text: str) -> str:
    found = [name for name in re.findall(rf"(?<!\w){re.escape(cue)}(?!\w)", text, re.IGNORECASE) if not name.isupper()]
    return max(found, key=found.count) if found else cue.title()


def _refuse(what: str, sentence: str) -> EditionRefused:
    return EditionRefused(f"not changed: {what}", user_message=sentence)
