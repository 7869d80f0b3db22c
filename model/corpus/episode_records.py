"""The records of an imported episode: a header and its scene, both with marks for guests. It reads and writes nothing.

They are those of the demonstration corpus (see ``training_text``) as far as a teleplay says so much: it names no beat,
no family and no tone, and seldom a story, so these lines are never there.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from model.corpus.guests import Guests, guests_of
from model.corpus.records import Record, listed_cast
from model.corpus.teleplays.shelf import StoredEpisode
from model.gate import EXTENSIONS
from model.prompt import SceneBrief, header
from tng.script import Scene, render_element
from tng.shows import Show

_BY_MACHINE: Final = frozenset({"COM", "INTERCOM", "RADIO", "RECORDED", "VIEWSCREEN", "MONITOR"})


@dataclass(frozen=True, slots=True)
class MarkedScene:
    """A scene with marks, the act it belongs to, and the last line of the scene before."""

    act: str
    scene: Scene
    before: str


def marked_scenes(episode: StoredEpisode, guests: Guests, show: Show) -> Iterator[MarkedScene]:
    """The scenes of an episode in their order, with marks, under the acts of the show."""
    before = ""
    names = told_acts([act.name for act in episode.script.acts], show)
    for name, act in zip(names, episode.script.acts, strict=True):
        for scene in act.scenes:
            marked = _with_told_extensions(guests.scene(scene))
            yield MarkedScene(name, marked, before)
            before = render_element(marked.elements[-1]) if marked.elements else before


def told_acts(names: Sequence[str], show: Show) -> list[str]:
    """The acts of an episode as the show plans with them: by their own names, or by their place where it has others."""
    own = list(show.acts)
    for spelled in (list(names), [name.replace("ACT ", "PART ") for name in names]):
        if set(spelled) <= set(own):
            return spelled
    return [own[place * len(own) // len(names)] for place in range(len(names))]


def _with_told_extensions(scene: Scene) -> Scene:
    """Teleplays have a hundred extensions, a script has three: a voice is over, off, or comes by a machine."""
    elements = tuple(replace(e, extension=_told_extension(e.extension)) if e.extension else e for e in scene.elements)
    return replace(scene, elements=elements)


def _told_extension(extension: str) -> str:
    if extension in EXTENSIONS:
        return extension
    words = extension.replace(".", " ").split()
    if _BY_MACHINE.intersection(words):
        return "COM"
    return "O.S." if words == ["VOICE"] else ""


def episode_records(episode: StoredEpisode, show: Show, seed: int) -> list[Record]:
    """The records of an episode. Headers vary by (seed, episode): lines are left out, the cast is shuffled."""
    rng = random.Random(f"{seed}/{episode.facts.key}/headers")  # noqa: S311 - chance for a header, no secret
    guests = guests_of(episode.script, show)
    title, story = guests.marked(episode.facts.title), guests.marked(episode.facts.story)
    return [
        Record(header(_brief(rng, one, title, story, show)), one.scene) for one in marked_scenes(episode, guests, show)
    ]


def _brief(rng: random.Random, one: MarkedScene, title: str, story: str, show: Show) -> SceneBrief:
    return SceneBrief(
        heading=one.scene.heading,
        act=one.act,
        beat="",
        cast=listed_cast(rng, one.scene.speakers, show),
        title=title if rng.random() < 0.7 else "",
        story=story if rng.random() < 0.5 else "",
        before=one.before if rng.random() < 0.7 else "",
    )


__all__ = ["MarkedScene", "episode_records", "marked_scenes", "told_acts"]
