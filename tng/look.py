"""The colours of a house: a show names two or more, the others follow, and what is written can be read.

Contrast is WCAG 2.2's (w3.org/TR/WCAG22/#dfn-contrast-ratio): 4.5 is enough for text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

NIGHT: Final = "#1c2733"
AMBER: Final = "#d08a2e"
WHITE: Final = "#ffffff"
BLACK: Final = "#000000"

ENOUGH: Final = 4.5
ON_PAPER: Final = 5.5
"""Enough on white, with something to spare for a page that is not quite white."""


def whole_look(look: Mapping[str, str]) -> dict[str, str]:
    """Every colour that the templates use, as ``#rrggbb``: the show's own, and for those that it leaves out one mixed.

    ``night`` is the bar at the top and ``amber`` the accent, ``on-…`` what is written on a colour, and the others are
    neighbours of these. A show's own colours are taken as they are.
    """
    night, amber = look.get("night", NIGHT), look.get("amber", AMBER)
    on_night, on_amber = _text_on(night), _text_on(amber)
    night_soft = mix(night, BLACK if on_night == WHITE else WHITE, 0.1)
    mixed = {
        "night": night,
        "night-soft": night_soft,
        "on-night": on_night,
        "on-night-soft": _readable(mix(on_night, night, 0.12), night, on_night),
        "link-on-night": _readable(mix(on_night, amber, 0.35), night, on_night),
        "amber": amber,
        "amber-dark": next(darker for darker in _darker(amber) if contrast(darker, WHITE) >= ON_PAPER),
        "amber-edge": mix(amber, BLACK, 0.22),
        "amber-hover": mix(amber, BLACK if on_amber == WHITE else WHITE, 0.2),
        "on-amber": on_amber,
    }
    return {**mixed, **look}


def mix(colour: str, other: str, share: float) -> str:
    """``colour`` with a share, 0 to 1, of another in it."""
    parts = zip(_parts(colour), _parts(other), strict=True)
    return "#" + "".join(f"{round(one * (1 - share) + two * share):02x}" for one, two in parts)


def contrast(one: str, other: str) -> float:
    """How far apart two colours are, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _text_on(colour: str) -> str:
    """White or black: one of them has a contrast of 4.58 or more to any colour."""
    return max((WHITE, BLACK), key=lambda text: contrast(text, colour))


def _readable(wished: str, ground: str, otherwise: str) -> str:
    return wished if contrast(wished, ground) >= ENOUGH else otherwise


def _darker(colour: str) -> list[str]:
    """The colour, and ever darker ones down to black."""
    return [mix(colour, BLACK, step / 20) for step in range(21)]


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
