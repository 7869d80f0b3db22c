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
from tng.script import TITLE_CHARACTERS, Act, Scene, Script
from tng.shows import Show

RESERVE_EVERY: Final = 11


@dataclass(frozen=True, slots=True)
class Part:
    """One scene of an episode: the scene of the bank that it was, and the one with marks for names."""

    act: str
    source: BankScene
    scene: Scene
    is_side_story: bool = False


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
    def script(self) -> Script:
        """The episode as a script."""
        filled = [(part.act, fill_scene(part.source.scene, self.names)) for part in self.parts]
        acts = (
            Act(act, tuple(scene for its, scene in filled if its == act)) for act in dict.fromkeys(a for a, _ in filled)
        )
        return Script(unmarked(self.title, self.names)[:TITLE_CHARACTERS], tuple(acts))


class Assembler:
    """Makes episodes of a show by number, out of its bank and one seed."""

    def __init__(self, bank: Bank, show: Show, seed: int) -> None:
        self.show = show
        self._bank = bank
        self._seed = seed
        self._families = sorted(bank.families)

    def episode(self, number: int, *, held_out: bool = False) -> Episode:
        """Assemble episode ``number``. Families take turns; a held-out one takes reserved scenes where it can."""
        rng = random.Random(f"{self._seed}/{number}")  # noqa: S311 - chance for a story, no secret
        family = self._bank.families[self._families[number % len(self._families)]]
        side_beats = self.show.side_story.beats
        names = draw_names(rng, self.show)
        chosen = {beat: self._choose(rng, family, beat, held_out) for beat in self.show.beats}
        chosen |= dict(zip(side_beats, self._choose_thread(rng, held_out), strict=True))
        parts = (
            Part(act, chosen[beat], fill_scene(chosen[beat].scene, MARKS), beat in side_beats)
            for act in self.show.acts
            for beat in self.show.beats_of(act)
        )
        title, logline = fill(rng.choice(family.titles), MARKS), fill(rng.choice(family.loglines), MARKS)
        return Episode(number, family.name, title, logline, names, tuple(parts))

    def is_reserved(self, source: BankScene) -> bool:
        """Whether a scene is kept out of all training: the last one of every eleventh beat, and the last side story."""
        if source.family == self.show.side_story.family:
            return source.number == len(self._bank.threads) - 1
        beats = self.show.beats
        place = self._families.index(source.family) * len(beats) + beats.index(source.beat)
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
