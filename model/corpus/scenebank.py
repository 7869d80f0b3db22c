"""Read the scene bank: Fountain files of original scenes with slots in braces. It fills no slot and picks no scene.

The format is described in ``model/scenebank/SPEC.md``. What cannot be read raises CorpusError with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tng.errors import CorpusError
from tng.script import Element, ElementKind, Scene
from tng.shows import Show

SLOTS: Final[frozenset[str]] = frozenset(
    str.split(
        "planet system species species_adj guest GUEST guest_title guest2 GUEST2 ship anomaly particle device disease "
        "substance stardate deck hours crewman CREWMAN outpost"
    )
)
GUEST_CUES: Final = ("{GUEST}", "{GUEST2}", "{CREWMAN}")

_SLOT = re.compile(r"\{([^}]*)\}")
_HEADING = re.compile(r"(?:INT|EXT)\. ")
_CUE = re.compile(r"(.+?)(?: \((V\.O\.|O\.S\.|COM)\))?")
_TITLES, _LOGLINES = "TITLES", "LOGLINES"


@dataclass(frozen=True, slots=True)
class BankScene:
    """One scene as it stands in the bank, its slots still open; ``number`` counts within its beat, from 0."""

    family: str
    beat: str
    number: int
    scene: Scene


@dataclass(frozen=True, slots=True)
class Family:
    """A plot family: a kind of story with titles, loglines and several scenes for every beat."""

    name: str
    titles: tuple[str, ...]
    loglines: tuple[str, ...]
    scenes: dict[str, tuple[BankScene, ...]]


@dataclass(frozen=True, slots=True)
class Bank:
    """All families, and the side stories as threads of one scene a beat."""

    families: dict[str, Family]
    threads: tuple[tuple[BankScene, ...], ...]


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines between two blank lines, and where the first of them stands."""

    where: str
    lines: tuple[str, ...]


def read_bank(show: Show) -> Bank:
    """Read every family of the show's bank. Raises CorpusError where a file is missing or malformed."""
    folder, side_story = show.bank_folder, show.side_story
    cues = cues_of(show)
    families = {
        family.name: _read_family(folder / f"{family.name}.fountain", show.beats, cues) for family in show.main_families
    }
    side = _read_scenes(folder / f"{side_story.family}.fountain", side_story.beats, cues)
    counts = {beat: len(side.scenes[beat]) for beat in side_story.beats}
    if len(set(counts.values())) != 1:
        raise CorpusError(f"{side_story.family}.fountain: its sections must hold equally many scenes, not {counts}")
    return Bank(families, tuple(zip(*(side.scenes[beat] for beat in side_story.beats), strict=True)))


def cues_of(show: Show) -> frozenset[str]:
    """Who may speak in the bank: the cast, who is always aboard, and guests as slots."""
    return frozenset({*show.cues, *show.always_aboard, *GUEST_CUES})


def _read_family(path: Path, beats: tuple[str, ...], cues: frozenset[str]) -> Family:
    family = _read_scenes(path, beats, cues)
    if not family.titles or not family.loglines:
        raise CorpusError(f"{path.name}: a family needs titles and loglines, and one of the two sections is empty")
    return family


def _read_scenes(path: Path, beats: tuple[str, ...], cues: frozenset[str]) -> Family:
    sections: dict[str, list[_Block]] = {}
    section: list[_Block] | None = None
    for block in _blocks(path):
        if block.lines[0].startswith("# "):
            name = block.lines[0].removeprefix("# ").strip()
            if name not in (*beats, _TITLES, _LOGLINES):
                raise CorpusError(f"{block.where}: unknown section {name!r}")
            section = sections.setdefault(name, [])
        elif section is not None:
            section.append(block)
    scenes = {beat: tuple(_scenes(path.stem, beat, sections.get(beat, []), cues)) for beat in beats}
    if empty := [beat for beat in beats if not scenes[beat]]:
        raise CorpusError(f"{path.name}: no scene for {', '.join(empty)}")
    titles, loglines = ([line for b in sections.get(name, []) for line in b.lines] for name in (_TITLES, _LOGLINES))
    return Family(path.stem, tuple(titles), tuple(loglines), scenes)


def _blocks(path: Path) -> Iterator[_Block]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path.name}: cannot be read ({type(error).__name__})") from error
    start, gathered = 0, list[str]()
    for number, line in enumerate([*lines, ""], 1):
        for slot in _SLOT.findall(line):
            if slot not in SLOTS:
                raise CorpusError(f"{path.name}:{number}: unknown slot {{{slot}}}")
        if line.strip():
            start = start if gathered else number
            gathered.append(line.strip())
        elif gathered:
            yield _Block(f"{path.name}:{start}", tuple(gathered))
            gathered = []


def _scenes(family: str, beat: str, blocks: list[_Block], cues: frozenset[str]) -> Iterator[BankScene]:
    heading, elements, number = "", list[Element](), 0
    for block in blocks:
        if _HEADING.match(block.lines[0]):
            if heading:
                yield BankScene(family, beat, number, Scene(heading, tuple(elements)))
                number += 1
            heading, elements = block.lines[0], []
        elif not heading:
            raise CorpusError(f"{block.where}: text before the first heading of {beat}")
        else:
            elements.append(_element(block, cues))
    if heading:
        yield BankScene(family, beat, number, Scene(heading, tuple(elements)))


def _element(block: _Block, cues: frozenset[str]) -> Element:
    cue = _CUE.fullmatch(block.lines[0])
    if cue is None or cue.group(1) not in cues:
        return Element(ElementKind.ACTION, " ".join(block.lines))
    name, extension = cue.group(1), cue.group(2) or ""
    asides = [line for line in block.lines[1:] if line.startswith("(") and line.endswith(")")]
    spoken = [line for line in block.lines[1:] if line not in asides]
    if not spoken:
        raise CorpusError(f"{block.where}: a cue without dialogue")
    return Element(ElementKind.SPEECH, " ".join(spoken), name, extension, " ".join(asides).strip("()"))


__all__ = ["SLOTS", "Bank", "BankScene", "Family", "cues_of", "read_bank"]
