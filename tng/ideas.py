"""Premises of a show's own, for people whom an empty form stares at: ``shows/<id>/ideas.toml``, if there is one."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tng.errors import PremiseError, ShowError
from tng.script import Length, Premise, Tone
from tng.toml_part import Part

IDEAS_FILE: Final = "ideas.toml"


@dataclass(frozen=True, slots=True)
class Idea:
    """A premise to begin with. ``cast`` holds cues of the show."""

    title: str
    logline: str
    cast: tuple[str, ...]
    tone: Tone


def read_ideas(folder: Path, cues: Collection[str]) -> tuple[Idea, ...]:
    """The ideas of the show in ``folder``; none where it has no such file.

    Raises ShowError with the idea that cannot be ordered as it stands, and why.
    """
    path, where = folder / IDEAS_FILE, f"{folder.name}/{IDEAS_FILE}"
    if not path.is_file():
        return ()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ShowError(f"{where} cannot be read ({type(error).__name__})") from error
    return tuple(_idea(part, cues, f"{where}: ideas {n}") for n, part in enumerate(_parts(content, where), 1))


def _parts(content: dict[str, object], where: str) -> list[Part]:
    return Part(content, f"{where}: ").tables("ideas")


def _idea(part: Part, cues: Collection[str], where: str) -> Idea:
    fields = {name: part.take(name, str) for name in ("title", "logline", "tone")}
    try:
        asked = Premise.checked({**fields, "cast": part.each("cast", str), "length": Length.SHORT, "seed": 0}, cues)
    except PremiseError as error:
        raise ShowError(f"{where}: {error.user_message}") from error
    return Idea(asked.title, asked.logline, asked.cast, asked.tone)


__all__ = ["IDEAS_FILE", "Idea", "read_ideas"]
