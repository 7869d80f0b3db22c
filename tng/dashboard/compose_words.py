"""What the form says in words: lengths, times, kinds of story, and the letters of a portrait."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from tng.dashboard.client import LengthChoice, Offer, Player, Preset
from tng.dashboard.compose_widgets import Option
from tng.script import Length, Tone

LENGTHS: Final = {Length.TEASER: "Teaser", Length.SHORT: "Short", Length.EPISODE: "Full episode"}
TONES: Final = {
    Tone.ADVENTURE: "danger, and a way out of it",
    Tone.MYSTERY: "something does not add up",
    Tone.DRAMA: "a choice that costs something",
    Tone.COMEDY: "it all goes slightly wrong",
}
OWN_RELEASE: Final = Preset("Lively", None, "as the model was measured")
"""What there is to choose before an offer has come."""


def portraits(cast: Iterable[Player]) -> list[Option]:
    """Everybody who can be asked for, as portraits made of type."""
    return [{"value": who.cue, "name": who.name, "mark": monogram(who.name)} for who in cast]


def tones(names: Iterable[str]) -> list[Option]:
    """Kinds of story, each with a line of what it is."""
    words = {str(tone): said for tone, said in TONES.items()}
    return [{"value": name, "name": name.capitalize(), "words": words.get(name, "")} for name in names]


def presets(known: Iterable[Preset]) -> list[Option]:
    """Named ways to write."""
    return [{"value": preset.name, "name": preset.name, "words": preset.words} for preset in known]


def lengths(offer: Offer) -> list[Option]:
    """How long a script can be: scenes, pages, how long it takes, what it costs."""
    return [
        {
            "value": length.name.value,
            "name": LENGTHS[length.name],
            "words": length_in_words(length),
            "price": offer.price,
        }
        for length in offer.lengths
    ]


def plain_lengths() -> list[Option]:
    """Their names alone, while nobody has said how long they are."""
    return [{"value": length.value, "name": name} for length, name in LENGTHS.items()]


def monogram(name: str) -> str:
    """Two letters that stand for somebody: the capitals of a name that has more, else how it begins."""
    capitals = re.findall(r"[^\W\d_]", "".join(letter for letter in name if letter.isupper()))
    return "".join(capitals[:2]) if len(capitals) > 1 else name[:2]


def length_in_words(length: LengthChoice) -> str:
    """How much a length is, and how long it takes to write."""
    scenes, pages = _counted(length.scenes, "scene"), _counted(length.pages, "page")
    return f"about {scenes}, {pages}, written in {time_in_words(length.seconds)}"


def time_in_words(seconds: int) -> str:
    """About how long that is."""
    if seconds < 45:
        return f"about {max(round(seconds / 5) * 5, 5)} seconds"
    minutes = max(round(seconds / 60), 1)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


__all__ = [
    "LENGTHS",
    "OWN_RELEASE",
    "TONES",
    "length_in_words",
    "lengths",
    "monogram",
    "plain_lengths",
    "portraits",
    "presets",
    "time_in_words",
    "tones",
]
