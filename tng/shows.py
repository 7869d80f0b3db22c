"""A show: a folder of data that makes the product write another series. It reads and checks; it decides no sentence.

shows/<id>/
  show.toml   who is aboard, how an episode is built, what a script costs, what the page says and looks like
  (whatever the file names, by paths relative to it: the scene bank that the demonstration corpus is made of)

A release carries the ``show.toml`` that its corpus was made with, so that writing needs the release alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tng.errors import ShowError
from tng.script import Length, Tone

SHOW_FILE: Final = "show.toml"

Beats = dict[str, tuple[str, ...]]
"""The acts in their order, and the beats of each: a scene a beat."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody aboard: the cue, how the others call them (the shortest first), and how when they are formal."""

    cue: str
    names: tuple[str, ...]
    formal: str
    is_woman: bool = False
    is_lead: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of plot: its tone, and the words of a premise that speak for it."""

    name: str
    tone: Tone
    keywords: frozenset[str]


@dataclass(frozen=True, slots=True)
class SideStory:
    """The second story: its family, its beats, and where they stand (act → its beat, the main beat it follows)."""

    family: str
    beats: tuple[str, ...]
    places: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TeleplaySource:
    """What the importer must know of the series' own teleplays: how pages are headed, and which are set apart.

    ``excluded`` are clip shows and loops; ``together`` are parts that must not be torn apart between training and
    held-out; numbers are production codes.
    """

    page_heading: str
    title: str
    aliases: Mapping[str, str]
    held_out: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    together: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class Show:
    """A series, as the product knows it."""

    id: str
    title: str
    product: str
    disclaimer: str
    price_cents: int
    currency: str
    cast: tuple[Member, ...]
    families: tuple[Family, ...]
    lengths: Mapping[Length, Beats]
    side_story: SideStory
    known_words: frozenset[str]
    """Lower case: words of the series that name nobody whom a customer made up."""
    taken_names: frozenset[str]
    """Upper case: names that no invented guest may have."""
    teleplays: TeleplaySource
    bank_folder: Path
    look: Mapping[str, str] = field(default_factory=dict)
    """Colour name → CSS colour."""

    @cached_property
    def cues(self) -> tuple[str, ...]:
        """Who can be asked for, as they stand in a cue."""
        return tuple(member.cue for member in self.cast)

    @cached_property
    def leads(self) -> tuple[str, ...]:
        """Who is chosen before anybody chooses."""
        return tuple(member.cue for member in self.cast if member.is_lead)

    def member(self, cue: str) -> Member | None:
        """The one aboard with that cue."""
        return next((member for member in self.cast if member.cue == cue), None)


def read_show(folder: Path) -> Show:
    """The show in ``folder``. Raises ShowError with the part that is missing or wrong, and what it must be."""
    path = folder / SHOW_FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ShowError(f"no show in {folder.name}: {SHOW_FILE} cannot be read ({type(error).__name__})") from error
    try:
        return _show(content, folder)
    except KeyError as error:
        raise ShowError(f"{folder.name}/{SHOW_FILE}: {error.args[0]} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ShowError(f"{folder.name}/{SHOW_FILE} has a part of the wrong kind: {error}") from error


def _show(content: Mapping[str, Any], folder: Path) -> Show:
    families = tuple(_family(name, fields) for name, fields in content["families"].items())
    side = content["side_story"]
    return Show(
        id=content["id"],
        title=content["title"],
        product=content["product"],
        disclaimer=content["disclaimer"],
        price_cents=int(content["price"]["cents"]),
        currency=content["price"]["currency"],
        cast=tuple(_member(fields) for fields in content["cast"]),
        families=families,
        lengths={Length(name): _beats(acts) for name, acts in content["lengths"].items()},
        side_story=SideStory(side["family"], tuple(side["beats"]), {a: (b, f) for a, (b, f) in side["places"].items()}),
        known_words=frozenset(content["names"]["known"].lower().split()),
        taken_names=frozenset(content["names"]["taken"].upper().split()),
        teleplays=_teleplays(content["teleplays"]),
        bank_folder=(folder / content["corpus"]["bank"]).resolve(),
        look=dict(content.get("look", {})),
    )


def _member(fields: Mapping[str, Any]) -> Member:
    return Member(
        fields["cue"],
        tuple(fields["names"]),
        fields["formal"],
        bool(fields.get("woman", False)),
        bool(fields.get("lead", False)),
    )


def _family(name: str, fields: Mapping[str, Any]) -> Family:
    return Family(name, Tone(fields["tone"]), frozenset(fields.get("keywords", "").split()))


def _beats(acts: Mapping[str, Any]) -> Beats:
    return {act: tuple(beats) for act, beats in acts.items()}


def _teleplays(fields: Mapping[str, Any]) -> TeleplaySource:
    return TeleplaySource(
        fields["page_heading"],
        fields["title"],
        dict(fields.get("aliases", {})),
        frozenset(fields.get("held_out", ())),
        frozenset(fields.get("excluded", ())),
        tuple(tuple(numbers) for numbers in fields.get("together", ())),
    )


__all__ = ["SHOW_FILE", "Beats", "Family", "Member", "Show", "SideStory", "TeleplaySource", "read_show"]
