"""A record: what the network is told of a scene, and the scene. All training text is made of these."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tng.script import Scene, render_scene
from tng.shows import Show


@dataclass(frozen=True, slots=True)
class Record:
    """One header with its scene. ``unseen`` says that the scene was reserved: no training text holds it."""

    prompt: str
    scene: Scene
    unseen: bool = False

    @property
    def text(self) -> str:
        """The whole record, as the network reads it."""
        return self.prompt + render_scene(self.scene).removeprefix(f"# {self.scene.heading}") + "\n"


def listed_cast(rng: random.Random, speakers: Sequence[str], show: Show) -> tuple[str, ...]:
    """Who speaks, as a header says it; now and then somebody is missing, is named too much, or stands elsewhere."""
    cast = list(speakers)
    if rng.random() < 0.2 and len(cast) > 2:
        cast.remove(rng.choice(cast))
    if rng.random() < 0.25 and (others := [name for name in show.cues if name not in cast]):
        cast.append(rng.choice(others))
    if rng.random() < 0.2:
        rng.shuffle(cast)
    return tuple(cast)


__all__ = ["Record", "listed_cast"]
