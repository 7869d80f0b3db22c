"""Put a script together, piece by piece, as a reader comes upon them. It knows the form of scripts, and no dialect.

Pieces are squeezed to one line each. A speech is a cue, then asides and words in any order: an aside before the first
word is the parenthetical, a later one stands within the words: ``(beat)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from tng.script import TITLE_CHARACTERS, Act, Element, ElementKind, Scene, Script

FIRST_ACT: Final = "TEASER"
NOWHERE: Final = "INT. UNNAMED PLACE"
"""The heading of what happens before the first heading."""

_LEFT_TO_EXPORTERS = re.compile(r"FADE (?:IN|OUT)\b|CUT TO\b")
_FADE = re.compile(r"FADE (?:IN|OUT)\W*$")
_OPTICAL = re.compile(r"\s*\((?:OPTICALS?)\)", re.IGNORECASE)
_CONTINUING = re.compile(r"\(?(?:continuing|cont'd|continued)\)?", re.IGNORECASE)


@dataclass(slots=True)
class _OpenScene:
    heading: str
    elements: list[Element] = field(default_factory=list)


@dataclass(slots=True)
class _OpenAct:
    name: str
    scenes: list[_OpenScene] = field(default_factory=list)


class Composer:
    """A script in the making. What comes before the first act or heading opens one of its own."""

    def __init__(self) -> None:
        self._acts: list[_OpenAct] = []
        self._heading = NOWHERE

    @property
    def act_name(self) -> str:
        """The act that is open; empty before the first."""
        return self._acts[-1].name if self._acts else ""

    @property
    def last(self) -> Element | None:
        """The element that came last in the open scene."""
        scenes = self._acts[-1].scenes if self._acts else []
        return scenes[-1].elements[-1] if scenes and scenes[-1].elements else None

    def act(self, name: str) -> None:
        """Begin an act."""
        self._acts.append(_OpenAct(squeezed(name)))

    def scene(self, heading: str) -> None:
        """Begin a scene."""
        if not self._acts:
            self.act(FIRST_ACT)
        self._heading = squeezed(_OPTICAL.sub("", squeezed(heading))) or NOWHERE
        self._acts[-1].scenes.append(_OpenScene(self._heading))

    def shot(self, text: str) -> None:
        """Add a shot; one that opens an act is its first heading."""
        text = squeezed(_OPTICAL.sub("", squeezed(text)))
        if not self._acts or not self._acts[-1].scenes:
            self.scene(text)
        elif text:
            self._add(Element(ElementKind.SHOT, text))

    def more_heading(self, text: str) -> None:
        """The second line of a heading or shot that was wrapped."""
        scene = self._open()
        if scene.elements and scene.elements[-1].kind is ElementKind.SHOT:
            self._extend(text)
        elif not scene.elements:
            scene.heading = self._heading = squeezed(_OPTICAL.sub("", f"{scene.heading} {squeezed(text)}"))

    def action(self, text: str) -> None:
        """Add a paragraph of action; FADE IN, which is sometimes typed as one, is left to exporters."""
        text = squeezed(text)
        if text and not _FADE.match(text):
            self._add(Element(ElementKind.ACTION, text))

    def more_action(self, text: str) -> None:
        """Another line of the paragraph before, or a new one where none is open."""
        if (last := self.last) and last.kind is ElementKind.ACTION:
            self._extend(text)
        else:
            self.action(text)

    def transition(self, text: str) -> None:
        """Add a transition, but for the usual ones, which exporters set by themselves."""
        text = squeezed(text)
        if text and not _LEFT_TO_EXPORTERS.match(text):
            self._add(Element(ElementKind.TRANSITION, text))

    def cue(self, name: str, extension: str = "") -> None:
        """Begin a speech."""
        self._add(Element(ElementKind.SPEECH, "", name, extension))

    def aside(self, text: str) -> None:
        """Add a parenthetical to the speech that is open, with its parentheses or without."""
        words = squeezed(text.replace("(", " ").replace(")", " "))
        speech = self._speech()
        if not words or _CONTINUING.fullmatch(words):
            return
        if speech.text or speech.parenthetical or speech.kind is ElementKind.ACTION:
            self._replace_last(replace(speech, text=f"{speech.text} ({words})".strip()))
        else:
            self._replace_last(replace(speech, parenthetical=words))

    def words(self, text: str) -> None:
        """Add what is said to the speech that is open."""
        speech = self._speech()
        self._replace_last(replace(speech, text=f"{speech.text} {squeezed(text)}".strip()))

    def script(self, title: str) -> Script:
        """What was put together; cues without words, and acts without scenes, are left out."""
        acts = []
        for act in self._acts:
            scenes = tuple(Scene(scene.heading, tuple(filter(_says, scene.elements))) for scene in act.scenes)
            acts += [Act(act.name, scenes)] if scenes else []
        return Script(squeezed(title)[:TITLE_CHARACTERS].strip(), tuple(acts))

    def _open(self) -> _OpenScene:
        if not self._acts or not self._acts[-1].scenes:
            self.scene(self._heading)
        return self._acts[-1].scenes[-1]

    def _add(self, element: Element) -> None:
        self._open().elements.append(element)

    def _speech(self) -> Element:
        """The open speech; words without a cue become action."""
        if (last := self.last) and last.kind is ElementKind.SPEECH:
            return last
        self._add(Element(ElementKind.ACTION, ""))
        return self._open().elements[-1]

    def _replace_last(self, element: Element) -> None:
        self._acts[-1].scenes[-1].elements[-1] = element

    def _extend(self, text: str) -> None:
        elements = self._acts[-1].scenes[-1].elements
        elements[-1] = replace(elements[-1], text=f"{elements[-1].text} {squeezed(text)}".strip())


def squeezed(text: str) -> str:
    """A text on one line, its blanks single."""
    return " ".join(text.split())


def _says(element: Element) -> bool:
    return bool(element.text or element.parenthetical)


__all__ = ["FIRST_ACT", "NOWHERE", "Composer", "squeezed"]
