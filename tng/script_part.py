"""What stood of a script when its writing was stopped: put together from what its run had shown. Pure, and no I/O."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from tng.errors import ScriptError
from tng.jobs import EventKind, JobEvent
from tng.script import Act, Scene, Script, parse_scene, render

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ScriptPart:
    """The scenes of one attempt so far, each with the name of its act, and how many were ``planned``; 0: not known."""

    scenes: tuple[tuple[str, Scene], ...] = ()
    planned: int = 0

    @classmethod
    def read(cls, events: Iterable[JobEvent], attempt: int) -> ScriptPart:
        """From what the runs of a job said: this attempt counts, and no other."""
        scenes: dict[int, tuple[str, Scene]] = {}
        planned = 0
        for event in events:
            if event.attempt != attempt:
                continue
            if event.kind is EventKind.PLAN:
                planned = _planned(event.body)
            elif event.kind is EventKind.SCENE and (scene := _scene(event.body)) is not None:
                scenes.setdefault(int(event.body.get("number", len(scenes) + 1)), scene)
        return cls(tuple(scenes[number] for number in sorted(scenes)), planned)

    @property
    def written(self) -> int:
        """How many scenes there are."""
        return len(self.scenes)

    @property
    def is_half(self) -> bool:
        """Whether half of what was planned is written, or more. Where no plan is known, nothing is."""
        return 0 < self.planned <= 2 * self.written

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        return 0 < self.planned <= self.written

    def text(self, title: str) -> str | None:
        """The part as a script in the compact form; None where there is no scene."""
        if not self.scenes:
            return None
        acts = groupby(self.scenes, key=lambda scene: scene[0])
        return render(Script(title, tuple(Act(name, tuple(scene for _, scene in group)) for name, group in acts)))

    def provenance(self, release_id: str | None, seed: int) -> dict[str, Any]:
        """How it came about, in the form of ``tng.provenance``: what the run counts at its end is not known."""
        part = {"written": self.written, "planned": self.planned}
        return {"release": release_id, "seed": seed, "part": part}


def _planned(body: Mapping[str, Any]) -> int:
    return sum(len(act.get("scenes", ())) for act in body.get("acts", ()))


def _scene(body: Mapping[str, Any]) -> tuple[str, Scene] | None:
    try:
        return str(body.get("act", "")), parse_scene(str(body.get("text", "")))
    except ScriptError:
        logger.error("a scene of a stopped script cannot be read, and is left out")
        return None
