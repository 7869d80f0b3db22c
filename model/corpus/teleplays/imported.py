"""What reading a teleplay gives: the script, what its title page says, and what had to be mended. It reads nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tng.script import ElementKind, Script


class Dialect(StrEnum):
    """How the text was laid out."""

    STUDIO = "teleplay"
    TRANSCRIPT = "transcript"
    FOUNTAIN = "Fountain"
    FINAL_DRAFT = "Final Draft"


@dataclass(frozen=True, slots=True)
class TitlePage:
    """What is said of an episode before it begins; empty or None where it is not said."""

    title: str = ""
    number: int | None = None
    writer: str = ""
    director: str = ""
    draft: str = ""
    date: str = ""
    story: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """A script that was read. Lines are numbered from 1; ``lines`` counts those that are not blank."""

    dialect: Dialect
    page: TitlePage
    script: Script
    lines: int
    unknown_lines: tuple[int, ...] = ()
    repaired_acts: int = 0
    mended_cues: int = 0

    @property
    def speeches(self) -> int:
        """How many speeches the script has."""
        return sum(e.kind is ElementKind.SPEECH for scene in self.script.scenes for e in scene.elements)

    @property
    def unknown_share(self) -> float:
        """The share of lines that were not understood."""
        return len(self.unknown_lines) / max(self.lines, 1)


__all__ = ["Dialect", "Imported", "TitlePage"]
