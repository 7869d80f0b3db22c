"""The scenes that a script can still be made of: the outlines of a release, each of them given out once.

Where a plot family has no scene left for a beat, a neighbour stands in: a beat nearby in the same act, then the same
beat of another family of the tone, then of any, then whatever is nearest. What stands in says what it is, because the
network must be told of a scene what it was told when it learnt it. A corpus that knows neither families nor beats has
its outlines under the family ``""``, by acts instead of beats; then family and beat stay untold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from model.corpus.outlines import Outline, Outlines
from tng.shows import Show


@dataclass(frozen=True, slots=True)
class Found:
    """An outline and where it stands in the corpus: family and beat are empty where the corpus knows none."""

    outline: Outline
    family: str
    beat: str
    act: str


class OutlinePool:
    """What a script of one family can be made of. It gives nothing out twice while anything else is left."""

    def __init__(self, outlines: Outlines, show: Show, family: str) -> None:
        self._outlines, self._show, self._family = outlines, show, family
        self._used: Counter[Outline] = Counter()

    def take(self, outline: Outline) -> None:
        """This one is given out."""
        self._used[outline] += 1

    def tiers(self, beat: str, act: str) -> Iterator[list[Found]]:
        """What may stand for a beat in an act of the page and is not given out, the best first; no tier is empty."""
        for places in self._tiers_of_places(beat, act):
            if unused := [one for one in self._at(places) if not self._used[one.outline]]:
                yield unused

    def again(self, beat: str, act: str) -> list[Found]:
        """Where nothing is left: what was given out the fewest times. Empty only where there was nothing at all."""
        everything = [one for places in self._tiers_of_places(beat, act) for one in self._at(places)]
        fewest = min((self._used[one.outline] for one in everything), default=0)
        return [one for one in everything if self._used[one.outline] == fewest]

    def _tiers_of_places(self, beat: str, act: str) -> Iterator[list[tuple[str, str]]]:
        """Where to look, as (family, beat or act), the best first and each once."""
        seen: set[tuple[str, str]] = set()
        for places in self._places(beat, act):
            fresh = [place for place in places if place not in seen]
            seen.update(fresh)
            yield fresh

    def _places(self, beat: str, act: str) -> Iterator[list[tuple[str, str]]]:
        show, own = self._show, self._family
        tone = show.tone_of(own)
        alike = [family.name for family in show.main_families if family.name != own and family.tone is tone]
        others = [family.name for family in show.main_families if family.name != own and family.tone is not tone]
        nearby = [name for name in _by_distance(show.beats_of(show.act_of(beat)), beat) if name != beat]
        anywhere = [name for name in _by_distance(show.beats, beat) if name != beat]
        for family in (own, ""):
            yield [(family, beat)]
        yield [("", act)]
        for group in ([own], alike, others):
            yield [(family, beat) for family in group]
            yield from ([(family, name) for family in group] for name in nearby)
        for group in ([own], alike, others, [""]):
            yield from ([(family, name) for family in group] for name in anywhere)
        yield from ([("", name)] for name in _by_distance(tuple(show.acts), act))

    def _at(self, places: Iterable[tuple[str, str]]) -> Iterator[Found]:
        """The outlines of families under beats, or under acts where the corpus knows no beats."""
        for family, where in places:
            beat, act = ("", where) if where in self._show.acts else (where, self._show.act_of(where))
            for outline in self._outlines.families.get(family, {}).get(where, ()):
                yield Found(outline, family, beat, act)


def _by_distance(names: tuple[str, ...], name: str) -> list[str]:
    """The names in their distance from one of them, what comes before it first; as they are where it is none."""
    if name not in names:
        return list(names)
    place = names.index(name)
    return sorted(names, key=lambda other: (abs(names.index(other) - place), names.index(other)))


__all__ = ["Found", "OutlinePool"]
