"""The language of teleplays: Premise in, Script ▸ Act ▸ Scene ▸ Element out. No I/O, and no writing.

The compact form is one line an element, half the tokens of the printed page, and reads back without loss:

    Title: The Quiet Hours
    ## ACT ONE
    # INT. READY ROOM
    * ANGLE ON THE WINDOW
    Picard turns from the glass.
    PICARD (V.O.): (tired) Captain's log, supplemental.
    > DISSOLVE TO:

A line that is none of these is action. An action that would read as something else carries ``! `` before it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from tng.errors import PremiseError, ScriptError

TITLE_CHARACTERS = 80
LOGLINE_CHARACTERS = 500
FEWEST_CAST = 2
SEED_LIMIT = 2**31
MOST_GUESTS = 2
GUEST_CHARACTERS = 24
FEWEST_LETTERS = 2
COOLEST, HOTTEST = 0.1, 1.0
"""The temperatures that can be asked for; below the first a writer repeats itself, above the second it babbles."""

Chosen = TypeVar("Chosen", bound=StrEnum)

_GUEST = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")


class Tone(StrEnum):
    """What kind of story is asked for; a plot family belongs to one tone."""

    ADVENTURE = "adventure"
    MYSTERY = "mystery"
    DRAMA = "drama"
    COMEDY = "comedy"


class Length(StrEnum):
    """How much is asked for: one act, three, or a teaser and five."""

    TEASER = "teaser"
    SHORT = "short"
    EPISODE = "episode"


class ElementKind(StrEnum):
    """What a line of a scene is, its heading aside."""

    ACTION = "action"
    SPEECH = "speech"
    SHOT = "shot"
    TRANSITION = "transition"


@dataclass(frozen=True, slots=True)
class Element:
    """One block of a scene. ``text`` is a speech's dialogue; cue, extension and parenthetical are a speech's."""

    kind: ElementKind
    text: str
    cue: str = ""
    extension: str = ""
    parenthetical: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """A heading (``INT. READY ROOM``) and what happens below it."""

    heading: str
    elements: tuple[Element, ...] = ()

    @property
    def speakers(self) -> tuple[str, ...]:
        """The cues of the scene, each once, in the order of their first word."""
        return tuple(dict.fromkeys(e.cue for e in self.elements if e.kind is ElementKind.SPEECH))


@dataclass(frozen=True, slots=True)
class Act:
    """A named act (``TEASER``, ``ACT ONE``) and its scenes."""

    name: str
    scenes: tuple[Scene, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """A whole teleplay."""

    title: str
    acts: tuple[Act, ...] = ()

    @property
    def scenes(self) -> tuple[Scene, ...]:
        """All scenes in the order of the page."""
        return tuple(scene for act in self.acts for scene in act.scenes)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everyone who speaks, each once, in the order of their first word."""
        return tuple(dict.fromkeys(cue for scene in self.scenes for cue in scene.speakers))


@dataclass(frozen=True, slots=True)
class Premise:
    """What a customer asks for. Build it with :meth:`checked` wherever its parts come from outside.

    ``cast`` holds cues of the show: who must speak. ``guests`` are names of strangers who come up in the story.
    ``temperature`` is how boldly the network draws; None leaves it to the release.
    """

    title: str
    logline: str = ""
    cast: tuple[str, ...] = ()
    tone: Tone = Tone.ADVENTURE
    length: Length = Length.SHORT
    seed: int = field(default=0)
    guests: tuple[str, ...] = ()
    temperature: float | None = None

    @classmethod
    def checked(cls, fields: Mapping[str, Any], cues: Collection[str]) -> Premise:
        """Read a premise that came from outside. ``cues`` are those of the show: who can be asked for.

        Spaces are squeezed; text is brought to Unicode NFC; the cast is put into the order of ``cues``. Raises
        PremiseError, whose ``user_message`` names the field, the limit and what to do; the log's sentence never holds
        the customer's words.
        """
        title = _plain_text("title", fields.get("title"), 1, TITLE_CHARACTERS)
        logline = _plain_text("logline", fields.get("logline", ""), 0, LOGLINE_CHARACTERS)
        return cls(
            title=title,
            logline=logline,
            cast=_cast(fields.get("cast"), cues),
            tone=_choice(Tone, "tone", fields.get("tone")),
            length=_choice(Length, "length", fields.get("length")),
            seed=_seed(fields.get("seed")),
            guests=_guests(fields.get("guests", ()), cues),
            temperature=_temperature(fields.get("temperature")),
        )

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Premise:
        """Read back what :meth:`to_fields` gave of a premise that was checked when it came in.

        It is not checked again: a show that changes later must not lose old orders.
        """
        return cls(
            title=fields["title"],
            logline=fields["logline"],
            cast=tuple(fields["cast"]),
            tone=Tone(fields["tone"]),
            length=Length(fields["length"]),
            seed=fields["seed"],
            guests=tuple(fields.get("guests", ())),  # orders of an earlier house have none
            temperature=fields.get("temperature"),
        )

    def to_fields(self) -> dict[str, Any]:
        """The parts as plain JSON values; :meth:`from_fields` reads them back."""
        return {
            "title": self.title,
            "logline": self.logline,
            "cast": list(self.cast),
            "tone": self.tone.value,
            "length": self.length.value,
            "seed": self.seed,
            "guests": list(self.guests),
            "temperature": self.temperature,
        }


def checked_title(value: object) -> str:
    """A title that came from outside, by the rules of a premise's. Raises PremiseError."""
    return _plain_text("title", value, 1, TITLE_CHARACTERS)


def checked_guests(value: object, cues: Collection[str]) -> tuple[str, ...]:
    """Names for guests, as :meth:`Premise.checked` takes them. Raises PremiseError."""
    return _guests(value, cues)


def _refuse(name: str, sentence: str) -> PremiseError:
    return PremiseError(f"premise refused: field {name}", user_message=sentence)


def _plain_text(name: str, value: object, fewest: int, most: int) -> str:
    if not isinstance(value, str):
        raise _refuse(name, f"The {name} must be text.")
    text = unicodedata.normalize("NFC", " ".join(value.split()))
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn") for character in text):
        raise _refuse(name, f"The {name} has a control character in it. Please type it again as plain text.")
    if len(text) < fewest:
        raise _refuse(name, f"The {name} is empty. Please give your episode a {name}.")
    if len(text) > most:
        raise _refuse(name, f"The {name} has {len(text):,} characters; {most} is the most. Please shorten it.")
    return text


def _cast(value: object, cues: Collection[str]) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        raise _refuse("cast", "The cast must be a list of names.")
    if any(name not in cues for name in value):
        raise _refuse("cast", "Someone in the cast is not in this show. Please choose from the list.")
    chosen = tuple(name for name in cues if name in value)
    if len(chosen) < FEWEST_CAST:
        raise _refuse("cast", "Please choose at least two people, so that there is a conversation.")
    return chosen


def _choice(kind: type[Chosen], name: str, value: object) -> Chosen:
    try:
        return kind(str(value))
    except ValueError:
        known = ", ".join(kind)
        raise _refuse(name, f"There is no such {name}. Please choose one of: {known}.") from None


def _seed(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < SEED_LIMIT:
        raise _refuse("seed", f"The seed must be a whole number from 0 to {SEED_LIMIT - 1:,}.")
    return value


def _guests(value: object, cues: Collection[str]) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise _refuse("guests", "The guests must be a list of names.")
    if len(value) > MOST_GUESTS:
        raise _refuse("guests", f"There is room for {MOST_GUESTS} guests. Please take somebody out.")
    names = tuple(_plain_text("guest's name", name, 0, GUEST_CHARACTERS) for name in value)
    for name in names:
        if len(name) < FEWEST_LETTERS:
            raise _refuse("guests", "A guest's name has two letters or more. Please type one, or take the guest out.")
        if not _GUEST.fullmatch(_without_accents(name)):  # a guest speaks, and a cue has the letters of a typewriter
            words = "A guest's name is one word of Latin letters, perhaps with an apostrophe or a hyphen: T'Vral, Zoë."
            raise _refuse("guests", words)
        if _without_accents(name).upper() in cues:
            raise _refuse("guests", "A guest has the name of somebody aboard. Please choose another name.")
    if len({_without_accents(name).casefold() for name in names}) < len(names):
        raise _refuse("guests", "Two guests have the same name. Please choose another one.")
    return names


def _without_accents(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _temperature(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not COOLEST <= value <= HOTTEST:
        raise _refuse("temperature", f"The temperature must be a number from {COOLEST} to {HOTTEST}.")
    return round(float(value), 2)


# --- the compact form ---------------------------------------------------------------------------------------

_TITLE = "Title: "
_ACT, _SCENE, _SHOT, _TRANSITION, _ACTION = "## ", "# ", "* ", "> ", "! "
_SPEECH = re.compile(r"([A-Z0-9][A-Z0-9 .'’#/&-]{0,38})(?: \(([^()]{1,24})\))?: (?:\(([^()]*)\) ?)?(.*)")


def render_element(element: Element) -> str:
    """One line of the compact form."""
    match element.kind:
        case ElementKind.SHOT:
            return _SHOT + element.text
        case ElementKind.TRANSITION:
            return _TRANSITION + element.text
        case ElementKind.SPEECH:
            extension = f" ({element.extension})" if element.extension else ""
            aside = f"({element.parenthetical}) " if element.parenthetical else "() " * element.text.startswith("(")
            return f"{element.cue}{extension}: {aside}{element.text}"
        case ElementKind.ACTION:
            plain = parse_line(element.text) == element and not element.text.startswith("#")
            return element.text if plain else _ACTION + element.text


def parse_line(line: str) -> Element:
    """Read one line below a heading. Whatever is nothing else is action."""
    if line.startswith(_SHOT):
        return Element(ElementKind.SHOT, line.removeprefix(_SHOT))
    if line.startswith(_TRANSITION):
        return Element(ElementKind.TRANSITION, line.removeprefix(_TRANSITION))
    if line.startswith(_ACTION):
        return Element(ElementKind.ACTION, line.removeprefix(_ACTION))
    if speech := _SPEECH.fullmatch(line):
        cue, extension, parenthetical, text = speech.groups(default="")
        return Element(ElementKind.SPEECH, text, cue.strip(), extension, parenthetical)
    return Element(ElementKind.ACTION, line)


def render_scene(scene: Scene) -> str:
    """The heading's line and a line an element, without an ending newline."""
    return "\n".join([_SCENE + scene.heading, *(render_element(element) for element in scene.elements)])


def parse_scene(text: str) -> Scene:
    """Read one scene. Raises ScriptError where the text does not begin with a heading."""
    heading, *lines = [line.strip() for line in text.split("\n") if line.strip()] or [""]
    if not heading.startswith(_SCENE):
        raise ScriptError("a scene must begin with its heading, '# INT. …'; the text begins with something else")
    return Scene(heading.removeprefix(_SCENE), tuple(parse_line(line) for line in lines))


def render(script: Script) -> str:
    """The whole script in the compact form; ``parse`` gives the same script back."""
    lines = [_TITLE + script.title]
    for act in script.acts:
        lines += [_ACT + act.name, *(render_scene(scene) for scene in act.scenes)]
    return "\n".join(lines) + "\n"


def parse(text: str) -> Script:
    """Read a whole script. Raises ScriptError with the number of the line that stands where it cannot."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines or not lines[0].startswith(_TITLE.strip()):
        raise ScriptError("a script must begin with 'Title: …'; line 1 does not")
    acts: list[Act] = []
    for name, body in _split(lines[1:], _ACT, first_line=2):
        scenes = tuple(parse_scene("\n".join([_SCENE + heading, *rest])) for heading, rest in _split(body, _SCENE))
        acts.append(Act(name, scenes))
    return Script(lines[0].removeprefix(_TITLE.strip()).strip(), tuple(acts))


def _split(lines: list[str], mark: str, first_line: int = 1) -> Iterator[tuple[str, list[str]]]:
    """Cut lines at those that begin with ``mark``: (rest of the marked line, lines below it)."""
    if not lines:
        return
    if not lines[0].startswith(mark):
        raise ScriptError(f"line {first_line} of this part must begin with {mark.strip()!r}, and does not")
    starts = [number for number, line in enumerate(lines) if line.startswith(mark)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield lines[start].removeprefix(mark), lines[start + 1 : end]
