"""Assemble an episode from the bank: a family, a scene for every beat, one side story, one set of names.

The same bank, seed and number give the same episode. Of the bank a few scenes are reserved: episodes for training
never hold one, held-out episodes hold every one that fits, so that both can be measured.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from model.corpus.scenebank import Bank, BankScene, Family
from model.corpus.slots import MARKS, Names, draw_names, fill, fill_scene, unmarked
from model.story import ACT_BEATS, BEATS, FAMILY_TONES, SIDE_BEATS, SIDE_FAMILY, beats_of
from tng.script import TITLE_CHARACTERS, Act, Scene, Script, Tone

RESERVE_EVERY: Final = 11


@dataclass(frozen=True, slots=True)
class Part:
    """One scene of an episode: the scene of the bank that it was, and the one with marks for names."""

    act: str
    source: BankScene
    scene: Scene

    @property
    def is_side_story(self) -> bool:
        """Whether the scene belongs to the side story."""
        return self.source.family == SIDE_FAMILY


@dataclass(frozen=True, slots=True)
class Episode:
    """An assembled teleplay and what it was assembled of. Title, logline and parts hold marks, ``script`` names."""

    number: int
    family: str
    title: str
    logline: str
    names: Names
    parts: tuple[Part, ...]

    @property
    def tone(self) -> Tone:
        """The tone of the family."""
        return FAMILY_TONES[self.family]

    @property
    def script(self) -> Script:
        """The episode as a script of six acts."""
        filled = [(part.act, fill_scene(part.source.scene, self.names)) for part in self.parts]
        acts = (Act(act, tuple(scene for its, scene in filled if its == act)) for act in ACT_BEATS)
        return Script(unmarked(self.title, self.names)[:TITLE_CHARACTERS], tuple(acts))


class Assembler:
    """Makes episodes by number out of one bank and one seed."""

    def __init__(self, bank: Bank, seed: int) -> None:
        self._bank = bank
        self._seed = seed
        self._families = sorted(bank.families)

    def episode(self, number: int, *, held_out: bool = False) -> Episode:
        """Assemble episode ``number``. Families take turns; a held-out one takes reserved scenes where it can."""
        rng = random.Random(f"{self._seed}/{number}")  # noqa: S311 - chance for a story, no secret
        family = self._bank.families[self._families[number % len(self._families)]]
        names = draw_names(rng)
        chosen = {beat: self._choose(rng, family, beat, held_out) for beat in BEATS}
        chosen |= dict(zip(SIDE_BEATS, self._choose_thread(rng, held_out), strict=True))
        parts = (
            Part(act, chosen[beat], fill_scene(chosen[beat].scene, MARKS))
            for act in ACT_BEATS
            for beat in beats_of(act, with_side_story=True)
        )
        title, logline = fill(rng.choice(family.titles), MARKS), fill(rng.choice(family.loglines), MARKS)
        return Episode(number, family.name, title, logline, names, tuple(parts))

    def is_reserved(self, source: BankScene) -> bool:
        """Whether a scene is kept out of all training: the last one of every eleventh beat, and the last side story."""
        if source.family == SIDE_FAMILY:
            return source.number == len(self._bank.threads) - 1
        place = self._families.index(source.family) * len(BEATS) + BEATS.index(source.beat)
        scenes = self._bank.families[source.family].scenes[source.beat]
        return place % RESERVE_EVERY == 0 and source.number == len(scenes) - 1

    def _choose(self, rng: random.Random, family: Family, beat: str, held_out: bool) -> BankScene:
        reserved = [scene for scene in family.scenes[beat] if self.is_reserved(scene)]
        if held_out and reserved:
            return reserved[0]
        return rng.choice([scene for scene in family.scenes[beat] if scene not in reserved])

    def _choose_thread(self, rng: random.Random, held_out: bool) -> Sequence[BankScene]:
        return self._bank.threads[-1] if held_out else rng.choice(self._bank.threads[:-1])


__all__ = ["Assembler", "Episode", "Part"]
