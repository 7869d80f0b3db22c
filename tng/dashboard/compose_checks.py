"""What is wrong with a premise while it is being made: the api's own rules, asked field by field. They decide nothing.

The api checks again; whoever goes round the form meets the same sentences there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from tng.errors import PremiseError
from tng.script import FEWEST_CAST, Length, Premise, Tone

FIELDS: Final = ("title", "logline", "cast", "guests", "tone", "length", "seed", "temperature")


def faults(wish: Mapping[str, Any], cues: Collection[str]) -> dict[str, str]:
    """Field → what is wrong with it, in a sentence, in the order of the form; empty where it can be ordered.

    Each field is held against the rules among others that are well. Of a cast nothing is said while nobody is known.
    """
    asked = [name for name in FIELDS if name in wish and (name != "cast" or len(cues) >= FEWEST_CAST)]
    found = {name: _fault(name, wish[name], cues) for name in asked}
    return {name: sentence for name, sentence in found.items() if sentence}


def _fault(name: str, value: object, cues: Collection[str]) -> str:
    anybody = ("A", "B") if len(cues) < FEWEST_CAST else tuple(cues)
    well: dict[str, Any] = {"title": "T", "cast": anybody, "tone": Tone.DRAMA, "length": Length.SHORT, "seed": 0}
    try:
        Premise.checked({**well, name: value}, anybody)
    except PremiseError as error:
        return error.user_message
    return ""


__all__ = ["FIELDS", "faults"]
