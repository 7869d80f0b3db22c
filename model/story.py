"""The shape of an episode: acts, beats, plot families and their tones. Tables, and nothing that reads or writes.

The corpus is assembled by these tables and scripts are planned by them, so that what the network has learnt
is what it is asked for.
"""

from __future__ import annotations

from typing import Final

from tng.script import Tone

ACT_BEATS: Final[dict[str, tuple[str, ...]]] = {
    "TEASER": ("LOG", "HOOK"),
    "ACT ONE": ("BRIEFING", "INVESTIGATE"),
    "ACT TWO": ("COMPLICATION", "CHARACTER", "TURN"),
    "ACT THREE": ("PRESSURE", "GUEST", "SETBACK"),
    "ACT FOUR": ("INSIGHT", "MORAL", "CRISIS"),
    "ACT FIVE": ("PLAN", "CLIMAX", "RESOLUTION", "TAG"),
}
"""The acts in their order, and the beats of each: one scene a beat."""

BEATS: Final[tuple[str, ...]] = tuple(beat for beats in ACT_BEATS.values() for beat in beats)

SIDE_BEATS: Final[tuple[str, ...]] = ("SETUP", "DEVELOP", "TWIST", "PAYOFF")
SIDE_PLACES: Final[dict[str, tuple[str, str]]] = {
    "ACT ONE": ("SETUP", "BRIEFING"),
    "ACT TWO": ("DEVELOP", "COMPLICATION"),
    "ACT FOUR": ("TWIST", "INSIGHT"),
    "ACT FIVE": ("PAYOFF", "RESOLUTION"),
}
"""Where a side story stands: act → (its beat, the main beat that it follows)."""

SIDE_FAMILY: Final = "bstory"

FAMILY_TONES: Final[dict[str, Tone]] = {
    "rescue": Tone.ADVENTURE,
    "border": Tone.ADVENTURE,
    "intruder": Tone.ADVENTURE,
    "mystery": Tone.MYSTERY,
    "anomaly": Tone.MYSTERY,
    "displacement": Tone.MYSTERY,
    "diplomacy": Tone.DRAMA,
    "disease": Tone.DRAMA,
    "contact": Tone.DRAMA,
    "malfunction": Tone.COMEDY,
    SIDE_FAMILY: Tone.COMEDY,
}
"""Each plot family and its tone. Side stories are always comedy."""


def beats_of(act: str, *, with_side_story: bool) -> tuple[str, ...]:
    """The beats of one act in the order of the page, the side story's among them where there is one."""
    beats = ACT_BEATS[act]
    if not with_side_story or act not in SIDE_PLACES:
        return beats
    side_beat, follows = SIDE_PLACES[act]
    place = beats.index(follows) + 1
    return (*beats[:place], side_beat, *beats[place:])


__all__ = [
    "ACT_BEATS",
    "BEATS",
    "FAMILY_TONES",
    "SIDE_BEATS",
    "SIDE_FAMILY",
    "SIDE_PLACES",
    "beats_of",
]
