"""The quality report as pictures: where each script lies in its band, and perplexity by episode. Numbers only.

Drawn without pyplot, which keeps figures and a backend for the whole process; matplotlib is loaded when a picture is
asked for, because loading it looks for fonts and writes a cache.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from model.quality.bands import BANDS, Band
from model.quality.report import Column, Report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI: Final = 80
ACROSS: Final = 4
COLOURS: Final = ("#1f4e79", "#4f8f3a", "#c0772b", "#a23b3b", "#7a5aa0")
"""Release, held-out, then the controls."""
_BAND_COLOUR: Final = "#dfe9df"


def distributions(report: Report) -> bytes:
    """A small picture for each measure: a dot a script, a column a kind, the band as ground. As PNG."""
    down = math.ceil(len(BANDS) / ACROSS)
    figure = _figure(3.1 * ACROSS, 1.9 * down)
    for place, band in enumerate(BANDS, start=1):
        _strip(figure.add_subplot(down, ACROSS, place), band, report.columns)
    return _png(figure)


def by_episode(perplexity: Mapping[str, Any]) -> bytes:
    """Perplexity of each held-out episode, and bits per byte of each kind of line. As PNG."""
    figure = _figure(9.3, 3.2)
    episodes = list(perplexity.get("episode_perplexities", ()))
    left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    left.bar(range(1, len(episodes) + 1), episodes, color=COLOURS[0])
    left.set_title("perplexity a token, by held-out episode", fontsize=9)
    left.set_xlabel("episode", fontsize=8)
    bits = {k: found["bits_per_byte"] for k, found in perplexity.get("kinds", {}).items() if "bits_per_byte" in found}
    right.barh(list(bits), list(bits.values()), color=COLOURS[1])
    right.invert_yaxis()
    right.set_title("bits per byte, by kind of line", fontsize=9)
    for axes in (left, right):
        _plain(axes)
    return _png(figure)


def _strip(axes: Axes, band: Band, columns: tuple[Column, ...]) -> None:
    """Dots of one column stand beside each other, so that equal values are all seen; the bounds are in the picture."""
    bounds = [bound for bound in (band.low, band.high) if math.isfinite(bound)]
    seen = [*bounds, *(value for column in columns for value in column.values[band.name])]
    room = 0.06 * (max(seen) - min(seen)) or 0.05
    least, most = min(seen) - room, max(seen) + room
    axes.set_ylim(least, most)
    if bounds:
        axes.axhspan(max(band.low, least), min(band.high, most), color=_BAND_COLOUR, linewidth=3, zorder=0)
    for place, (column, colour) in enumerate(zip(columns, COLOURS, strict=False)):
        dots = column.values[band.name]
        across = [place + 0.5 * ((number + 0.5) / len(dots) - 0.5) for number in range(len(dots))]
        axes.scatter(across, dots, s=10, color=colour, zorder=2)
    axes.set_xticks(range(len(columns)), [column.name.replace("_", "-") for column in columns])
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_title(band.name.replace("_", " "), fontsize=9)
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def _figure(width_inches: float, height_inches: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inches, height_inches), layout="constrained")


def _png(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    picture = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(picture, format="png", dpi=DPI)
    return picture.getvalue()


__all__ = ["by_episode", "distributions"]
