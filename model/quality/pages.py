"""The quality report for the reader of a notebook: a table, two pictures, the verdict, and the result for the worker.

It holds no text of any script. Everything that stands in the HTML is escaped.
"""

from __future__ import annotations

import math
from base64 import b64encode
from html import escape
from typing import Final

from IPython.display import display

from model.events import RESULT_MIME
from model.quality.bands import BANDS, Band
from model.quality.plots import by_episode, distributions
from model.quality.report import Column, Report

_SIGNS: Final = {True: "✓", False: "✗", None: ""}
_WORDS: Final = {True: "inside", False: "outside", None: "not judged"}


def show_table(report: Report) -> None:
    """Display the measures: a row a measure, a column a kind of scripts."""
    display({"text/html": table_html(report), "text/plain": table_text(report)}, raw=True)  # type: ignore[no-untyped-call]


def show_plots(report: Report) -> None:
    """Display where each script lies, and the perplexity by episode where it was measured."""
    pictures = {"measures of each script": distributions(report)}
    if report.perplexity:
        pictures["perplexity by episode"] = by_episode(report.perplexity)
    for name, picture in pictures.items():
        encoded = b64encode(picture).decode("ascii")
        display({"image/png": encoded, "text/plain": name}, raw=True)  # type: ignore[no-untyped-call]


def show_verdict(report: Report) -> None:
    """Display the verdict in words, and the whole report as the run's result."""
    display({RESULT_MIME: report.to_fields(), "text/plain": verdict_text(report)}, raw=True)  # type: ignore[no-untyped-call]


def table_html(report: Report) -> str:
    """The table as HTML: mean, extremes, and whether the judged value is inside the band."""
    heads = ["measure", *(column.name.replace("_", "-") for column in report.columns), "band"]
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    rows = "".join(_row_html(band, report) for band in BANDS)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def table_text(report: Report) -> str:
    """The same as plain text, means alone."""
    lines = [f"{'':18}" + "".join(f"{column.name.replace('_', '-'):>12}" for column in report.columns) + "  band"]
    for band in BANDS:
        cells = "".join(f"{_number(_mean(band, c)):>10} {_SIGNS[c.passes(band)]:1}" for c in report.columns)
        lines.append(f"{band.name:18}{cells}  {band_text(band)}")
    return "\n".join(lines)


def verdict_text(report: Report) -> str:
    """The verdict in a sentence or two."""
    verdict = report.verdict
    said = ["Everything that is judged is inside its band."]
    if verdict.outside:
        said = [f"Outside their bands: {', '.join(verdict.outside)}."]
    if verdict.unnoticed:
        said.append(f"The measures did not notice {', '.join(verdict.unnoticed)}: this report says nothing.")
    if not report.release.judges_copying:
        said.append("Copying is measured and not judged: the training text is the project's own.")
    if not report.release.is_whole:
        said.append("The scripts are shorter than an episode: what depends on length is not judged.")
    return " ".join(said)


def band_text(band: Band) -> str:
    """The band in signs, and which value is held against it where that is not the mean."""
    low, high = math.isfinite(band.low), math.isfinite(band.high)
    if not (low or high):
        return "reported only"
    bounds = f"{band.low:g} to {band.high:g}" if low and high else f"≥ {band.low:g}" if low else f"≤ {band.high:g}"
    return bounds if band.judged == "mean" else f"{bounds}, {'lowest' if band.judged == 'least' else 'highest'}"


def _row_html(band: Band, report: Report) -> str:
    cells = "".join(_cell_html(band, column) for column in report.columns)
    name = f'<th title="{escape(band.meaning)}">{escape(band.name.replace("_", " "))}</th>'
    return f"<tr>{name}{cells}<td>{escape(band_text(band))}</td></tr>"


def _cell_html(band: Band, column: Column) -> str:
    values, passes = column.values[band.name], column.passes(band)
    spread = f"{_number(min(values))} to {_number(max(values))}"
    return (
        f'<td title="{_WORDS[passes]}">{_number(_mean(band, column))} <small>({spread})</small> {_SIGNS[passes]}</td>'
    )


def _mean(band: Band, column: Column) -> float:
    values = column.values[band.name]
    return math.fsum(values) / len(values)


def _number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


__all__ = ["band_text", "show_plots", "show_table", "show_verdict", "table_html", "table_text", "verdict_text"]
