"""Everybody who was asked for is in every act and in scenes enough: by a part of who has many, or as one more.

A part goes only to somebody of the same sex, since pronouns stay as the network writes them, and never from somebody
who is called by a rank.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from model.casting import alike
from model.plans import PlannedScene
from tng.shows import Show


def spread(scenes: Sequence[PlannedScene], asked: Sequence[str], show: Show) -> tuple[PlannedScene, ...]:
    """The scenes, and everybody of ``asked`` in each act and in a fair share of all scenes."""
    page = _Page(scenes, asked, show)
    for name in asked:
        for places in page.acts():
            if not any(name in page.scenes[place].cast for place in places):
                page.bring_in(name, places)
        while page.counts()[name] < page.fair_share:
            page.bring_in(name, range(len(page.scenes)))
    return tuple(page.scenes)


def spread_into(place: int, scenes: Sequence[PlannedScene], asked: Sequence[str], show: Show) -> PlannedScene:
    """The scene of a place, with everybody of ``asked`` in it who is in no other scene of its act."""
    page = _Page(scenes, asked, show)
    for name in asked:
        if not page.counts(scenes[place].act)[name]:
            page.bring_in(name, [place])
    return page.scenes[place]


class _Page:
    """The scenes while parts are given."""

    def __init__(self, scenes: Sequence[PlannedScene], asked: Sequence[str], show: Show) -> None:
        self.scenes = list(scenes)
        self._asked, self._show = asked, show
        self.fair_share = max(1, min(len(scenes) // 4, 2 * len(scenes) // len(asked)))
        """A quarter of the scenes; less where more are asked for than two a scene have room."""

    def acts(self) -> list[list[int]]:
        """The places of the scenes, act by act."""
        names = dict.fromkeys(scene.act for scene in self.scenes)
        return [[place for place, scene in enumerate(self.scenes) if scene.act == name] for name in names]

    def counts(self, act: str = "") -> Counter[str]:
        """In how many scenes everybody is, of one act or of all."""
        return Counter(name for scene in self.scenes if act in ("", scene.act) for name in scene.cast)

    def bring_in(self, name: str, places: Iterable[int]) -> None:
        """Put somebody into one more of these scenes, one at least of which must be without them."""
        free = [place for place in places if name not in self.scenes[place].cast]
        counts = self.counts()
        givers = {role for role in self._asked if counts[role] > self.fair_share and self._may_give(role, name)}
        parts = [(place, role) for place in free for role in self._given_in(self.scenes[place], givers)]
        if parts:
            place, role = max(parts, key=lambda part: counts[part[1]])
            scene = self.scenes[place]
            self.scenes[place] = replace(scene, roles={**scene.roles, role: name})
        else:
            place = min(free, key=lambda place: len(self.scenes[place].told))
            scene = self.scenes[place]
            self.scenes[place] = replace(scene, told=(*scene.told, name))

    def _may_give(self, role: str, name: str) -> bool:
        member = self._show.member(role)
        return member is not None and not member.is_called_by_rank and alike(self._show, role, name)

    def _given_in(self, scene: PlannedScene, givers: set[str]) -> Iterator[str]:
        """Whose part in a scene may go: nobody vanishes from an act for it, and a part goes once."""
        of_act = self.counts(scene.act) if givers.intersection(scene.told) else Counter()
        yield from (role for role in scene.told if role in givers and role not in scene.roles and of_act[role] > 1)


__all__ = ["spread", "spread_into"]
