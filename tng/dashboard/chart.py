"""A small line chart as SVG: one metric over time. Every text is set as text; it needs no script and no style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tng.dashboard.markup import Html, tag
from tng.promotion.promotions import shown

WIDTH, HEIGHT = 320, 132
LEFT, RIGHT, TOP, BOTTOM = 54, 14, 12, 24
MARK_RADIUS, DOT_RADIUS = 5.5, 3.2


@dataclass(frozen=True, slots=True)
class Dot:
    """A measured value; ``is_marked`` ones stand out: they were promoted. ``beside`` is what it was held against."""

    at: datetime
    value: float
    name: str
    is_marked: bool = False
    beside: float | None = None


def chart(title: str, dots: Sequence[Dot]) -> Html:
    """A figure of these dots, the earliest first, and the same in a sentence. Where there is none, it says so."""
    if not dots:
        return tag("figure", tag("figcaption", tag("b", title), " not measured yet"), class_="tng-chart")
    caption = tag("figcaption", tag("b", title), " ", tag("span", shown(dots[-1].value)))
    return tag("figure", caption, _drawn(title, dots), class_="tng-chart")


def in_words(title: str, dots: Sequence[Dot]) -> str:
    """What a person who does not see the chart is told."""
    lowest, highest = min(dot.value for dot in dots), max(dot.value for dot in dots)
    last, marked = dots[-1], [dot.name for dot in dots if dot.is_marked]
    count = f"{len(dots)} evaluations" if len(dots) > 1 else "one evaluation"
    promoted = f" Promoted: {', '.join(marked)}." if marked else " None of them was promoted."
    against = f", where the champion had {shown(last.beside)}" if last.beside is not None else ""
    return (
        f"{title} of {count} from {dots[0].at:%-d %b %Y} to {last.at:%-d %b %Y}, between {shown(lowest)} and "
        f"{shown(highest)}; the last is {shown(last.value)}, of {last.name}{against}.{promoted}"
    )


def _drawn(title: str, dots: Sequence[Dot]) -> Html:
    places = _places(dots)
    lowest, highest = _bounds(dots)
    return tag(
        "svg",
        tag("title", title),
        tag("desc", in_words(title, dots)),
        *_axis(lowest, highest),
        _line(
            [place for place, dot in zip(_places(dots, beside=True), dots, strict=True) if dot.beside is not None],
            "beside",
        ),
        _line(places, "line"),
        *(_mark(dot, place) for dot, place in zip(dots, places, strict=True)),
        *_days(dots),
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        role="img",
        aria_label=in_words(title, dots),
    )


def _line(places: Sequence[tuple[float, float]], kind: str) -> Html:
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places), class_=f"tng-chart-{kind}")


def _axis(lowest: float, highest: float) -> list[Html]:
    """Two lines, at the lowest and the highest value of the scale, with their numbers."""
    parts = []
    for value, y in ((highest, TOP), (lowest, HEIGHT - BOTTOM)):
        parts.append(tag("line", x1=f"{LEFT}", x2=f"{WIDTH - RIGHT}", y1=f"{y}", y2=f"{y}", class_="tng-chart-axis"))
        parts.append(tag("text", shown(value), x=f"{LEFT - 8}", y=f"{y + 4}", text_anchor="end"))
    return parts


def _days(dots: Sequence[Dot]) -> list[Html]:
    first, last = f"{dots[0].at:%-d %b}", f"{dots[-1].at:%-d %b}"
    y = f"{HEIGHT - 6}"
    if first == last:
        return [tag("text", last, x=f"{WIDTH - RIGHT}", y=y, text_anchor="end")]
    return [
        tag("text", first, x=f"{LEFT}", y=y),
        tag("text", last, x=f"{WIDTH - RIGHT}", y=y, text_anchor="end"),
    ]


def _mark(dot: Dot, place: tuple[float, float]) -> Html:
    x, y = place
    kind, radius = ("tng-chart-promoted", MARK_RADIUS) if dot.is_marked else ("tng-chart-dot", DOT_RADIUS)
    promoted = ", promoted" if dot.is_marked else ""
    words = tag("title", f"{dot.name}: {shown(dot.value)}, {dot.at:%-d %b %Y %H:%M}{promoted}")
    return tag("circle", words, cx=f"{x:.1f}", cy=f"{y:.1f}", r=f"{radius}", class_=kind)


def _places(dots: Sequence[Dot], *, beside: bool = False) -> list[tuple[float, float]]:
    """Where each dot, or what it was held against, stands in the drawing. One alone stands in the middle."""
    lowest, highest = _bounds(dots)
    begin = dots[0].at
    seconds = (dots[-1].at - begin).total_seconds()
    across, down = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    return [
        (
            LEFT + across * ((dot.at - begin).total_seconds() / seconds if seconds > 0 else 0.5),
            TOP + down * (highest - value) / (highest - lowest),
        )
        for dot, value in ((dot, dot.beside if beside and dot.beside is not None else dot.value) for dot in dots)
    ]


def _bounds(dots: Sequence[Dot]) -> tuple[float, float]:
    """The scale: a little more than the values take; never empty."""
    values = [dot.value for dot in dots] + [dot.beside for dot in dots if dot.beside is not None]
    lowest, highest = min(values), max(values)
    room = (highest - lowest) * 0.15 or abs(highest) * 0.1 or 1.0
    return lowest - room, highest + room
