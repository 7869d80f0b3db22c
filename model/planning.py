"""The plan of a script: acts, scenes, where each plays and who speaks in it. By code and chance alone; no network.

The plan keeps what the customer asked for: only the asked cast and the story's guests speak, everyone who was asked
for is in scenes enough, a tone has its plot families, a length its acts.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from model.casting import WOMEN, Casting
from model.corpus.outlines import Outlines, words_of
from model.corpus.slots import MARKS, Names, draw_names, fill, fill_heading, marked
from model.naming import names_in
from model.story import ACT_BEATS, FAMILY_TONES, SIDE_BEATS, SIDE_FAMILY, beats_of
from tng.script import CAST, Length, Premise

COMPUTER: Final = "COMPUTER VOICE"

LENGTH_BEATS: Final[dict[Length, dict[str, tuple[str, ...]]]] = {
    Length.TEASER: {"TEASER": ("LOG", "HOOK", "BRIEFING")},
    Length.SHORT: {
        "TEASER": ("LOG", "HOOK"),
        "ACT ONE": ("BRIEFING", "INVESTIGATE", "TURN"),
        "ACT TWO": ("GUEST", "PLAN", "CLIMAX", "TAG"),
    },
    Length.EPISODE: {act: beats_of(act, with_side_story=True) for act in ACT_BEATS},
}
"""The acts of each length and their beats."""

_BEAT_ACTS: Final[dict[str, str]] = {beat: act for act in ACT_BEATS for beat in beats_of(act, with_side_story=True)}
_KEYWORDS: Final[dict[str, str]] = {
    "rescue": "rescue save trapped distress stranded survivors evacuate wreck crash lifeboat",
    "border": "border neutral zone romulan romulans treaty patrol warbird klingon klingons fleet war battle",
    "intruder": "intruder stowaway spy boarded boarding hijack hostage thief takeover infiltrator impostor",
    "mystery": "murder mystery missing vanished killer dead crew derelict trial witness accused secret clue",
    "anomaly": "anomaly rift nebula subspace vortex gravity spatial distortion phenomenon void",
    "displacement": "time loop past future timeline alternate reality parallel dream memory yesterday tomorrow",
    "diplomacy": "treaty peace ambassador negotiation conference delegates diplomat summit alliance talks",
    "disease": "disease plague virus cure sick illness epidemic outbreak infection patient quarantine doctor",
    "contact": "first contact alien species civilization culture language prime directive natives unknown signal",
    "malfunction": "malfunction computer holodeck broken replicator transporter accident program glitch",
}


@dataclass(frozen=True, slots=True)
class PlannedScene:
    """A scene to write. ``act`` is where it stands on the page, ``story_act`` where its beat belongs in an episode.

    ``told`` are the speakers that the network is told, and ``told_heading`` the heading, with marks for names;
    ``roles`` says who stands on the page for whom.
    """

    act: str
    story_act: str
    beat: str
    family: str
    heading: str
    told_heading: str
    told: tuple[str, ...]
    roles: Mapping[str, str] = field(default_factory=dict)

    @property
    def cast(self) -> tuple[str, ...]:
        """Who speaks on the page."""
        return tuple(dict.fromkeys(self.roles.get(name, name) for name in self.told))

    @property
    def is_side_story(self) -> bool:
        """Whether the scene belongs to the side story."""
        return self.family == SIDE_FAMILY


@dataclass(frozen=True, slots=True)
class Plan:
    """The whole script before its first line. ``told_title`` and ``told_story`` are for the network, with marks."""

    title: str
    told_title: str
    told_story: str
    family: str
    names: Names
    scenes: tuple[PlannedScene, ...]
    speakers: frozenset[str]

    @property
    def acts(self) -> dict[str, list[PlannedScene]]:
        """The scenes under their acts, in the order of the page."""
        acts: dict[str, list[PlannedScene]] = {}
        for scene in self.scenes:
            acts.setdefault(scene.act, []).append(scene)
        return acts


def plan(premise: Premise, outlines: Outlines) -> Plan:
    """Plan a script for a premise. The same premise and outlines give the same plan."""
    rng = random.Random(f"{premise.seed}/plan")  # noqa: S311 - chance for a story, no secret
    family = _family(premise, rng)
    names = draw_names(rng, _fixed_names(premise))
    story = marked(premise.logline, names) or fill(rng.choice(outlines.loglines[family]), MARKS)
    casting = Casting(premise.cast, names, rng)
    thread = dict(zip(SIDE_BEATS, rng.choice(outlines.threads), strict=True))
    scenes: list[PlannedScene] = []
    for act, beats in LENGTH_BEATS[premise.length].items():
        for beat in beats:
            is_side = beat in SIDE_BEATS
            choices = outlines.families[family].get(beat, ())
            outline = thread[beat] if is_side else max(choices, key=casting.score)
            told, roles = casting.cast(outline)
            scenes.append(
                PlannedScene(
                    act=act,
                    story_act=_BEAT_ACTS[beat],
                    beat=beat,
                    family=SIDE_FAMILY if is_side else family,
                    heading=fill_heading(outline.heading, names),
                    told_heading=fill_heading(outline.heading, MARKS),
                    told=tuple(told),
                    roles=roles,
                )
            )
    guests = {names["GUEST"], names["GUEST2"], names["CREWMAN"]}
    everyone = frozenset({*premise.cast, *guests, COMPUTER})
    everywhere = _with_everyone(scenes, premise.cast)
    return Plan(premise.title, marked(premise.title, names), story, family, names, everywhere, everyone)


def _fixed_names(premise: Premise) -> Names:
    """The names that the customer gave. A guest with the name of somebody aboard is no guest."""
    fixed = names_in(premise.logline)
    for slot in ("guest", "guest2"):
        if fixed.get(slot, "").upper() in (*CAST, COMPUTER):
            del fixed[slot]
    return fixed


def _family(premise: Premise, rng: random.Random) -> str:
    """A plot family of the tone; one whose words the premise uses comes first."""
    words = set(words_of(f"{premise.title} {premise.logline}"))
    families = [name for name, tone in FAMILY_TONES.items() if tone is premise.tone and name != SIDE_FAMILY]
    return max(families, key=lambda name: (len(words & set(_KEYWORDS[name].split())), rng.random()))


def _with_everyone(scenes: Sequence[PlannedScene], asked: tuple[str, ...]) -> tuple[PlannedScene, ...]:
    """Everybody is in scenes enough: by a part of somebody who has more than enough of them, or else as one more."""
    wanted = max(1, len(scenes) // 4)
    planned = list(scenes)
    for name in asked:
        while (counts := _scenes_of_each(planned))[name] < wanted:
            parts = [
                (place, role)
                for place, scene in enumerate(planned)
                for role in scene.told
                if name not in scene.cast and role in asked and role not in scene.roles and counts[role] > wanted
            ]
            if parts:
                place, role = max(parts, key=lambda part: _ease(part[1], name, counts))
                planned[place] = replace(planned[place], roles={**planned[place].roles, role: name})
            else:
                free = [place for place, scene in enumerate(planned) if name not in scene.cast]
                place = min(free, key=lambda place: len(planned[place].told))
                planned[place] = replace(planned[place], told=(*planned[place].told, name))
    return tuple(planned)


def _scenes_of_each(scenes: Sequence[PlannedScene]) -> Counter[str]:
    return Counter(name for scene in scenes for name in scene.cast)


def _ease(role: str, player: str, counts: Counter[str]) -> tuple[bool, bool, int]:
    """How well a part goes to another: the captain is called captain, and pronouns stay as they are."""
    return role != "PICARD", (role in WOMEN) is (player in WOMEN), counts[role]


__all__ = ["LENGTH_BEATS", "Plan", "PlannedScene", "plan"]
