"""The quality report: measures of a release's scripts beside held-out episodes and controls, and the verdict.

It holds numbers and names of measures, never a line of a script. Written into its folder whole or not at all.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from model.quality.bands import BANDS, Band, Sample, Yardstick, measured
from model.quality.bleu import self_bleu
from model.quality.wording import script_words
from tng.errors import CorpusError

REPORT_FILE: Final = "report.json"
VERSION: Final = 1
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class Column:
    """One kind of scripts, and what was measured of each: measure → a value a script.

    ``judges_copying`` is off where the training text is the project's own; ``is_whole`` where all are full episodes.
    """

    name: str
    values: Mapping[str, tuple[float, ...]]
    judges_copying: bool = True
    is_whole: bool = True

    def value(self, band: Band) -> float:
        """The value that is held against the band."""
        return band.judged.of(self.values[band.name])

    def passes(self, band: Band) -> bool | None:
        """Whether that is inside; None where it is not judged."""
        exempt = (band.is_of_copying and not self.judges_copying) or (band.is_of_whole_episodes and not self.is_whole)
        return None if exempt or not band.is_bounded else band.holds(self.value(band))

    @property
    def outside(self) -> tuple[str, ...]:
        """The measures that are outside their band."""
        return tuple(band.name for band in BANDS if self.passes(band) is False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """``outside`` are the release's measures outside their bands; ``unnoticed`` the controls that no band noticed.

    A report with an unnoticed control says nothing for the release.
    """

    outside: tuple[str, ...]
    unnoticed: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Whether everything judged is inside and every control was noticed."""
        return not self.outside and not self.unnoticed


@dataclass(frozen=True, slots=True)
class Report:
    """A release's scripts and what is beside them. ``facts`` say what it was, ``perplexity`` is of held-out text."""

    release: Column
    held_out: Column
    controls: tuple[Column, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    perplexity: Mapping[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[Column, ...]:
        """From left to right."""
        return (self.release, self.held_out, *self.controls)

    @property
    def verdict(self) -> Verdict:
        """What the bands say."""
        return Verdict(self.release.outside, tuple(c.name for c in self.controls if not c.outside))

    def to_fields(self) -> dict[str, Any]:
        """Everything as plain JSON values; there is no text of a script in it, and no number that JSON has not."""
        verdict = self.verdict
        return {
            "version": VERSION,
            "facts": dict(self.facts),
            "perplexity": dict(self.perplexity),
            "measures": [_row(band, self.columns) for band in BANDS],
            "verdict": {
                "is_good": verdict.is_good,
                "outside": list(verdict.outside),
                "held_out_outside": list(self.held_out.outside),
                "controls": {column.name: list(column.outside) for column in self.controls},
                "unnoticed": list(verdict.unnoticed),
            },
        }

    def save(self, folder: Path) -> Path:
        """Write ``report.json``; one that was there is replaced in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / REPORT_FILE
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_text(json.dumps(self.to_fields(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
        partial.replace(path)
        return path


def column(
    name: str,
    samples: Sequence[Sample],
    yardstick: Yardstick,
    *,
    judges_copying: bool = True,
    is_whole: bool = True,
) -> Column:
    """Measure scripts of one kind. Raises CorpusError where there is none."""
    if not samples:
        raise CorpusError(f"there is no script to measure for {name}")
    each = [measured(sample, yardstick) for sample in samples]
    values = {measure: tuple(found[measure] for found in each) for measure in each[0]}
    values["self_bleu"] = tuple(self_bleu([script_words(sample.script) for sample in samples]))
    return Column(name, values, judges_copying, is_whole)


def _row(band: Band, columns: Iterable[Column]) -> dict[str, Any]:
    return {
        "name": band.name,
        "meaning": band.meaning,
        "judged": band.judged.value,
        "band": [bound if math.isfinite(bound) else None for bound in (band.low, band.high)],
        "columns": {column.name: _cell(band, column) for column in columns},
    }


def _cell(band: Band, column: Column) -> dict[str, Any]:
    values = column.values[band.name]
    return {
        "mean": round(math.fsum(values) / len(values), _DIGITS),
        "least": round(min(values), _DIGITS),
        "most": round(max(values), _DIGITS),
        "values": [round(value, _DIGITS) for value in values],
        "passes": column.passes(band),
    }


__all__ = ["REPORT_FILE", "VERSION", "Column", "Report", "Verdict", "column"]
