"""The plan of a script: acts, scenes, where each plays and who speaks in it. By code and chance alone; no network.

The plan keeps what the customer asked for: only the asked cast and the story's guests speak, everyone who was asked
for is in every act, a tone has its plot families, a length its acts. And it reads as a story: beats in the order that
the show gives them, each scene at another place than the one before, side stories woven in, no scene used twice.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from model.casting import Casting
from model.corpus.outlines import Outline, Outlines, words_of
from model.corpus.slots import MARKS, Names, draw_names, fill, fill_heading, marked
from model.naming import given_names
from model.plans import Plan, PlannedScene
from model.pool import Found, OutlinePool
from model.spreading import spread, spread_into
from tng.errors import ReleaseDamaged
from tng.script import Element, Premise, render_element
from tng.shows import Beats, Show


def plan(premise: Premise, outlines: Outlines, show: Show) -> Plan:
    """Plan a script of a show for a premise. The same premise, outlines and show give the same plan.

    Raises ReleaseDamaged where the outlines hold no scene at all.
    """
    return _planned(premise, outlines, show)[0]


def plan_again(premise: Premise, outlines: Outlines, show: Show, again: Sequence[int]) -> tuple[Plan, PlannedScene]:
    """The plan of a premise, and another scene for one of its places: as far in the story, with other things in it.

    ``again`` are the scenes that were written again so far, from 1, in their order, and at the end the one to write:
    what those were made of is used. Nobody vanishes from an act by it. Raises ReleaseDamaged.
    """
    whole, board = _planned(premise, outlines, show)
    places = [min(number, len(whole.scenes)) - 1 for number in again]
    others, place = [board.another(place) for place in places], places[-1]
    scenes = [*whole.scenes[:place], others[-1], *whole.scenes[place + 1 :]]
    return whole, spread_into(place, scenes, premise.cast, show)


def _planned(premise: Premise, outlines: Outlines, show: Show) -> tuple[Plan, _Storyboard]:
    rng = random.Random(f"{premise.seed}/plan")  # noqa: S311 - chance for a story, no secret
    family = _family(premise, show, rng)
    names = draw_names(rng, show, _fixed_names(premise, show))
    loglines = outlines.loglines.get(family) or outlines.loglines.get("") or ("",)
    story = marked(premise.logline, names) or fill(rng.choice(loglines), MARKS)
    slots = list(_slots(show.lengths[premise.length], _threads(premise, outlines, show, rng)))
    casting = Casting(premise.cast, names, rng, show)
    board = _Storyboard(slots, OutlinePool(outlines, show, family), casting, show)
    scenes = spread(board.scenes(), premise.cast, show)
    guests = {names["GUEST"], names["GUEST2"], names["CREWMAN"]}
    everyone = frozenset({*premise.cast, *guests, *show.always_aboard})
    title = marked(premise.title, names)
    return Plan(premise.title, title, story, family, names, show, scenes, everyone), board


def _fixed_names(premise: Premise, show: Show) -> Names:
    """The names that the customer gave. A guest with the name of somebody aboard is no guest."""
    fixed = given_names(premise, show)
    for slot in ("guest", "guest2"):
        if fixed.get(slot, "").upper() in (*show.cues, *show.always_aboard):
            del fixed[slot]
    return fixed


def _family(premise: Premise, show: Show, rng: random.Random) -> str:
    """A plot family of the tone; one whose words the premise uses comes first."""
    words = set(words_of(f"{premise.title} {premise.logline}"))
    families = [family for family in show.main_families if family.tone is premise.tone]
    return max(families, key=lambda family: (len(words & family.keywords), rng.random())).name


@dataclass(frozen=True, slots=True)
class _Slot:
    """A scene's place on the page: its beat, and the outline that it must have where a side story gives one."""

    act: str
    beat: str
    story: int = 0
    outline: Outline | None = None


def _threads(premise: Premise, outlines: Outlines, show: Show, rng: random.Random) -> list[dict[str, Outline]]:
    """The side stories, beat → outline: as many as the length tells, where the corpus has so many."""
    told = Counter(beat for beats in show.lengths[premise.length].values() for beat in beats)
    wanted = max((told[beat] for beat in show.side_story.beats), default=0)
    threads = rng.sample(outlines.threads, min(wanted, len(outlines.threads)))
    return [dict(zip(show.side_story.beats, thread, strict=False)) for thread in threads]


def _slots(acts: Beats, threads: list[dict[str, Outline]]) -> Iterator[_Slot]:
    """The places of a script. When a side story's beat comes again it belongs to the next side story.

    A beat for which no side story is left is the main story's: a scene nearby will stand in.
    """
    told: Counter[str] = Counter()
    for act, beats in acts.items():
        for beat in beats:
            thread = threads[told[beat]] if told[beat] < len(threads) else {}
            outline = thread.get(beat)
            told[beat] += 1
            yield _Slot(act, beat, told[beat] if outline else 0, outline)


class _Storyboard:
    """The slots of a script while they are filled, one after the other."""

    def __init__(self, slots: list[_Slot], pool: OutlinePool, casting: Casting, show: Show) -> None:
        self._slots, self._pool, self._casting, self._show = slots, pool, casting, show
        self._headings: list[str] = []

    def scenes(self) -> list[PlannedScene]:
        """The scenes in the order of the page. Whoever was silent in an act so far is wanted most in it."""
        for slot in self._slots:
            if slot.outline:
                self._pool.take(slot.outline)
        scenes: list[PlannedScene] = []
        before = ""
        for number, slot in enumerate(self._slots):
            if not scenes or scenes[-1].act != slot.act:
                self._casting.begin_act()
            found = self._found(number, before)
            before = found.outline.heading
            self._headings.append(before)
            scenes.append(self._scene(slot, found))
        return scenes

    def another(self, number: int) -> PlannedScene:
        """Another scene for a place that is filled. It is the main story's: a side story has one scene for a beat."""
        slot = self._slots[number]
        found = self._best(slot, avoid=set(self._headings[max(number - 1, 0) : number + 2]))
        self._pool.take(found.outline)
        return self._scene(replace(slot, story=0, outline=None), found)

    def _found(self, number: int, before: str) -> Found:
        slot = self._slots[number]
        if slot.outline:
            return Found(slot.outline, self._show.side_story.family, slot.beat, self._show.act_of(slot.beat))
        following = self._slots[number + 1].outline if number + 1 < len(self._slots) else None
        found = self._best(slot, avoid={before, following.heading if following else ""})
        self._pool.take(found.outline)
        return found

    def _best(self, slot: _Slot, avoid: set[str]) -> Found:
        """What fits best: at another place than its neighbours first of all, but nothing a second time for that."""
        tiers = self._pool.tiers(slot.beat, slot.act)
        first = next(tiers, None) or self._pool.again(slot.beat, slot.act)
        elsewhere = ([one for one in tier if one.outline.heading not in avoid] for tier in chain([first], tiers))
        fitting = next(filter(None, elsewhere), first)
        if not fitting:
            raise ReleaseDamaged("the outlines of the release hold no scene, so nothing can be planned of them")
        return max(fitting, key=lambda one: self._casting.score(one.outline))

    def _scene(self, slot: _Slot, found: Found) -> PlannedScene:
        told, roles = self._casting.cast(found.outline)
        tone = self._show.tone_of(found.family)
        return PlannedScene(
            act=slot.act,
            story_act=found.act,
            beat=found.beat,
            family=found.family,
            tone=tone.value if tone else "",
            heading=fill_heading(found.outline.heading, self._casting.names),
            told_heading=fill_heading(found.outline.heading, MARKS),
            told=tuple(told),
            roles=roles,
            opening=fill(found.outline.opening, MARKS),
            story=slot.story,
        )


def told_line(element: Element, planned: PlannedScene, whole: Plan) -> str:
    """A line of a page as the network was told it: its speaker by the part, the names by their marks."""
    parts = {player: part for part, player in planned.roles.items()}
    return marked(render_element(replace(element, cue=parts.get(element.cue, element.cue))), whole.names)


__all__ = ["Plan", "PlannedScene", "plan", "plan_again", "told_line"]
