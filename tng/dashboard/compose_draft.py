"""What the form held, as a plain dict that a browser may keep; and what is believed of one that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tng.dashboard.compose_widgets import GENEROUS_CHARACTERS, Control, is_number, is_whole
from tng.script import MOST_GUESTS

MOST_CAST = 100


@dataclass(frozen=True, slots=True)
class Part:
    """Where a browser finds a part of the draft: in a trait of these controls, all of it or the first value alone."""

    controls: tuple[Control, ...]
    trait: str
    many: bool = False

    def plain(self) -> dict[str, Any]:
        """As a trait of a widget holds it."""
        return {"controls": list(self.controls), "trait": self.trait, "many": self.many}


@dataclass(frozen=True, slots=True)
class Draft:
    """The form's parts; None for one that is not known, or was not to be believed."""

    title: str | None = None
    logline: str | None = None
    cast: list[str] | None = None
    guests: list[str] | None = None
    tone: str | None = None
    preset: str | None = None
    length: str | None = None
    seed: int | None = None
    temperature: float | None = None

    @classmethod
    def read(cls, kept: object) -> Draft:
        """From anything at all: a part of the wrong kind is as if it were not there."""
        if not isinstance(kept, Mapping):
            return cls()
        good = {part.name: _read(part.name, kept.get(part.name)) for part in fields(cls)}
        return cls(**good)

    @property
    def has_words(self) -> bool:
        """Whether there is anything in it that a person wrote."""
        return any(text.strip() for text in (self.title or "", self.logline or "", *(self.guests or ())))

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def _read(name: str, value: object) -> Any:
    match name:
        case "cast" | "guests":
            return _words(value, MOST_CAST if name == "cast" else MOST_GUESTS)
        case "seed":
            return value if is_whole(value) else None
        case "temperature":
            return float(str(value)) if is_number(value) else None
        case _:
            return value[:GENEROUS_CHARACTERS] if isinstance(value, str) else None


def _words(value: object, most: int) -> list[str] | None:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return None
    return [word[:GENEROUS_CHARACTERS] for word in value[:most]]


__all__ = ["Draft", "Part"]
