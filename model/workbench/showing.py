"""Lines, tables and pictures in the output of a cell. Everything that is not made here is escaped, or drawn as it is.

Pictures are drawn without pyplot, which keeps figures for the whole process; matplotlib is loaded for the first.
"""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from IPython.display import display

from tng.dashboard.markup import joined, tag

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI: Final = 90
COLOURS: Final = ("#1f4e79", "#c0772b")
"""Of the first and the second thing that is shown."""
LONGEST_LABEL_CHARACTERS: Final = 40


def show_lines(*lines: str) -> None:
    """Display lines as plain text."""
    display({"text/plain": "\n".join(lines)}, raw=True)  # type: ignore[no-untyped-call]


def show_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Display a table; its first column says what a row is."""
    display({"text/html": table_html(head, rows), "text/plain": table_text(head, rows)}, raw=True)  # type: ignore[no-untyped-call]


def table_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as HTML, all text escaped."""
    heads = tag("tr", *(tag("th", name, scope="col") for name in head))
    body = joined(tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows)
    return tag("table", tag("thead", heads), tag("tbody", body))


def table_text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same as plain text."""
    lines = [head, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def show_picture(picture: bytes, described: str) -> None:
    """Display a PNG; ``described`` is what stands for it where there is no picture."""
    encoded = b64encode(picture).decode("ascii")
    display({"image/png": encoded, "text/plain": described}, raw=True)  # type: ignore[no-untyped-call]


def bars(values: Mapping[str, float], title: str, unit: str) -> bytes:
    """A lying bar for each value, the first on top, with its number at its end. As PNG."""
    figure = _figure(8.0, 0.8 + 0.26 * max(1, len(values)))
    axes = figure.subplots()
    drawn = axes.barh(range(len(values)), list(values.values()), color=COLOURS[0])
    axes.bar_label(drawn, labels=[f"{value:,}" for value in values.values()], padding=3, fontsize=8)
    # a dollar sign of somebody's text is no formula
    labels = [name[:LONGEST_LABEL_CHARACTERS] for name in values]
    axes.set_yticks(range(len(values)), labels, fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    return _finished(figure, axes, title, unit)


def counts(values: Sequence[float], title: str, unit: str) -> bytes:
    """How often which value comes, as columns. As PNG."""
    figure = _figure(8.0, 2.8)
    axes = figure.subplots()
    axes.hist(list(values), bins=min(30, max(1, len(set(values)))), color=COLOURS[0], edgecolor="white")
    axes.set_ylabel("scenes", fontsize=8)
    return _finished(figure, axes, title, unit)


def lines(curves: Mapping[str, Sequence[tuple[float, float]]], title: str, unit: str) -> bytes:
    """A curve for each name, of (across, up). As PNG."""
    figure = _figure(8.0, 3.2)
    axes = figure.subplots()
    for number, (name, curve) in enumerate(curves.items()):
        if curve:
            axes.plot(*zip(*curve, strict=True), color=COLOURS[number % len(COLOURS)], label=name, linewidth=1.2)
    if any(curves.values()):
        axes.legend(frameon=False, fontsize=8)
    axes.grid(visible=True, alpha=0.3)
    return _finished(figure, axes, title, unit)


def _figure(width_inches: float, height_inches: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inches, height_inches), layout="constrained")


def _finished(figure: Figure, axes: Axes, title: str, unit: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    axes.set_title(title, fontsize=10, loc="left", parse_math=False)
    axes.set_xlabel(unit, fontsize=8)
    axes.tick_params(axis="x", labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    written = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(written, format="png", dpi=DPI)
    return written.getvalue()


def number_text(value: Any) -> str:
    """A number as a reader wants it; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


__all__ = [
    "bars",
    "counts",
    "lines",
    "number_text",
    "show_lines",
    "show_picture",
    "show_table",
    "table_html",
    "table_text",
]
