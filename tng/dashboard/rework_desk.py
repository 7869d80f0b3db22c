"""What there is of a script to rework, as the api tells it, and what the page shows of that: plain, without widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tng.library.editions import MOST_TAKES, Why

ORIGINAL = 0
"""The number of the edition, and of the take, that the writer delivered."""

BY_HAND = -1
"""In the place of a take's number: the scene stands as no take has it, because a line of it was changed."""

WORDS = {
    Why.LINE: "a line changed",
    Why.SCENE: "another take of a scene",
    Why.RENAME: "a guest renamed",
    Why.BACK: "gone back",
}
BEING_WRITTEN = "being written again…"
CHANGED_BY_HAND = "changed by hand"
NOT_WRITTEN = "could not be written again; you can ask once more"


@dataclass(frozen=True, slots=True)
class Version:
    """An edition in the list. ``made_at`` is as the api says it, in ISO 8601: the browser knows the reader's clock."""

    number: int
    words: str
    made_at: str


@dataclass(frozen=True, slots=True)
class SceneTake:
    """A scene that was written again, the ``number``-th time, or is to be."""

    scene: int
    number: int


@dataclass(frozen=True, slots=True)
class Desk:
    """The editions and takes of an order. ``edition`` is the one that is shown; ``guests`` can be renamed.

    ``stands`` says of every scene that has takes which one is in the script. ``pending`` is the take that is under way;
    ``failed`` the last one, where it did not come about, and ``why_failed`` the sentence for it.
    """

    edition: int = ORIGINAL
    versions: Sequence[Version] = ()
    takes: Sequence[SceneTake] = ()
    stands: Sequence[tuple[int, int]] = ()
    guests: Sequence[str] = ()
    pending: SceneTake | None = None
    failed: SceneTake | None = None
    why_failed: str = ""
    most_takes: int = MOST_TAKES

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Desk:
        """From the api's JSON."""
        failed = body.get("failed") or {}
        return cls(
            edition=int(body["edition"]),
            versions=tuple(_version(one) for one in body["editions"]),
            takes=tuple(_take(one) for one in body["takes"]),
            stands=tuple(_stands(one) for one in body.get("stands") or ()),
            guests=tuple(str(name) for name in body.get("guests") or ()),
            pending=_take(body["pending"]) if body.get("pending") else None,
            failed=_take(failed) if failed else None,
            why_failed=str(failed.get("message") or ""),
            most_takes=int(body.get("most_takes") or MOST_TAKES),
        )

    def bars(self) -> dict[int, dict[str, Any]]:
        """For every scene that was written again: its ``takes``, the one ``chosen``, and how often more it can be."""
        under_way = self.pending.scene if self.pending else 0
        stands = dict(self.stands)
        bars = {}
        for number in sorted({take.scene for take in self.takes}):
            takes = [take.number for take in self.takes if take.scene == number]
            left = max(self.most_takes - len(takes) - (number == under_way), 0)
            bars[number] = {"takes": [ORIGINAL, *takes], "chosen": stands.get(number, BY_HAND), "left": left}
        return bars

    def notes(self) -> dict[int, str]:
        """Short words for the scenes of which there is something to say."""
        by_hand = {scene: CHANGED_BY_HAND for scene, take in self.stands if take == BY_HAND}
        failed = {self.failed.scene: NOT_WRITTEN} if self.failed else {}
        return by_hand | failed | ({self.pending.scene: BEING_WRITTEN} if self.pending else {})


def _version(body: Mapping[str, Any]) -> Version:
    why = str(body["why"])
    return Version(int(body["number"]), WORDS[Why(why)] if why in WORDS else why, str(body["made_at"]))


def _take(body: Mapping[str, Any]) -> SceneTake:
    return SceneTake(int(body["scene"]), int(body["number"] if "number" in body else body["take"]))


def _stands(body: Mapping[str, Any]) -> tuple[int, int]:
    take = body["take"]
    return int(body["scene"]), BY_HAND if take is None else int(take)
