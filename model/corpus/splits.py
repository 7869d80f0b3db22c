"""Which imported episodes are trained on, and which are kept for measuring: whole episodes, fixed by their numbers.

An episode is held out because the show says so; where the show says nothing, or the episode has no number, by the hash
of its key, every eleventh. Parts of one story go together. Clip shows and loops are on neither side: the one repeats
other episodes, the other itself, and would teach the network to.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from model.corpus.teleplays.shelf import EpisodeFacts
from tng.errors import CorpusError
from tng.shows import Show, TeleplaySource

HOLD_OUT_EVERY: Final = 11

_PART = re.compile(r"\W*\b(?:parts? )?(?:[IVX]+|\d+|one|two|three|four)\W*$", re.IGNORECASE)
_SAYS_PART = re.compile(r"\bparts? (?:[IVX]+|\d+|one|two|three|four)\W*$|,\s*[IVX]+\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Split:
    """The keys of all episodes, each on one of three sides, in the order of the shelf."""

    training: tuple[str, ...]
    held_out: tuple[str, ...]
    excluded: tuple[str, ...]

    def side_of(self, key: str) -> str:
        """In words, where an episode is; empty where it is trained on, as most are."""
        if key in self.held_out:
            return "held out"
        return "excluded" if key in self.excluded else ""


def split(episodes: Iterable[EpisodeFacts], show: Show) -> Split:
    """Divide episodes to train on. Raises CorpusError where nothing is left to train on."""
    divided = sides(episodes, show)
    if not divided.training:
        raise CorpusError("no episode is left to train on; import more with `tng corpus import`")
    return divided


def sides(episodes: Iterable[EpisodeFacts], show: Show) -> Split:
    """Divide episodes, whether they are enough or not.

    The same episodes are divided in the same way, whatever else is on the shelf. Where nothing would be held out, the
    story with the lowest hash is.
    """
    source = show.teleplays
    all_of_them = list(episodes)
    excluded = [facts.key for facts in all_of_them if facts.number in source.excluded]
    stories = _stories([facts for facts in all_of_them if facts.key not in excluded], source)
    held = [story for story in stories if any(_is_held_out(facts, source) for facts in story)]
    if not held and len(stories) > 1:
        held = [min(stories, key=lambda story: min(_hash(facts.key) for facts in story))]
    held_out = {facts.key for story in held for facts in story}
    training = [facts.key for story in stories for facts in story if facts.key not in held_out]
    in_order = [facts.key for facts in all_of_them]
    return Split(
        tuple(key for key in in_order if key in set(training)),
        tuple(key for key in in_order if key in held_out),
        tuple(excluded),
    )


def _is_held_out(facts: EpisodeFacts, source: TeleplaySource) -> bool:
    if facts.number is not None and source.held_out:
        return facts.number in source.held_out
    return _hash(facts.key) % HOLD_OUT_EVERY == 0


def _stories(episodes: Sequence[EpisodeFacts], source: TeleplaySource) -> list[list[EpisodeFacts]]:
    """Episodes with those that go on with them, by the show's word or by their titles."""
    groups = {number: place for place, numbers in enumerate(source.together) for number in numbers}
    stories: defaultdict[Hashable, list[EpisodeFacts]] = defaultdict(list)
    for facts in episodes:
        if facts.number in groups:
            stories[groups[facts.number]].append(facts)
        elif _SAYS_PART.search(facts.title):
            stories[_PART.sub("", facts.title).casefold()].append(facts)
        else:
            stories["key", facts.key].append(facts)
    return list(stories.values())


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")


__all__ = ["HOLD_OUT_EVERY", "Split", "sides", "split"]
