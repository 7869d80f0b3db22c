"""The plan of a script, as words: scenes to write, and who is in them. It decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from model.corpus.slots import Names
from tng.shows import Show


@dataclass(frozen=True, slots=True)
class PlannedScene:
    """A scene to write. ``act`` is where it stands on the page.

    The network is told what it learnt such a scene with: ``story_act`` and ``beat``, where it stands in an episode of
    the corpus, ``family`` and ``tone``, of which kind it is; they are empty where the corpus does not know. ``told``
    are the speakers, ``told_heading`` the heading, both with marks for names. ``roles`` says who stands on the page for
    whom.
    """

    act: str
    story_act: str
    beat: str
    family: str
    tone: str
    heading: str
    told_heading: str
    told: tuple[str, ...]
    roles: Mapping[str, str] = field(default_factory=dict)
    opening: str = ""
    """Its first action, with marks; empty where the network is to find one."""
    story: int = 0
    """Which of the stories it belongs to: 0 is the main one, 1 the first side story."""

    @property
    def cast(self) -> tuple[str, ...]:
        """Who speaks on the page."""
        return tuple(dict.fromkeys(self.roles.get(name, name) for name in self.told))

    @property
    def is_side_story(self) -> bool:
        """Whether the scene belongs to a side story."""
        return self.story > 0


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole script before its first line. ``told_title`` and ``told_story`` are for the network, with marks."""

    title: str
    told_title: str
    told_story: str
    family: str
    names: Names
    show: Show
    scenes: tuple[PlannedScene, ...]
    speakers: frozenset[str]

    @property
    def acts(self) -> dict[str, list[PlannedScene]]:
        """The scenes under their acts, in the order of the page."""
        acts: dict[str, list[PlannedScene]] = {}
        for scene in self.scenes:
            acts.setdefault(scene.act, []).append(scene)
        return acts


__all__ = ["Plan", "PlannedScene"]
