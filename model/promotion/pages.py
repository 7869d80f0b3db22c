"""What the notebooks evaluate and decide display: the table of the gate, scenes side by side, and their results.

Everything that stands in the HTML is escaped: samples and the names of releases come from elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from IPython.display import display

from model.corpus.training_text import Corpus
from model.events import RESULT_MIME, show_event
from model.promotion.checks import Check
from model.promotion.evaluation import EVALUATION_FILE, Question, evaluate
from model.promotion.script_measures import read_blocked_words
from model.promotion.verdict import Verdict
from model.quality.pages import verdict_text
from model.quality.report import Report
from tng.releases import Release
from tng.script import Length

SHOWN_EVERY_PERCENT: Final = 5
_WORDS: Final = {True: "passed", False: "failed", None: "not judged"}
_HEADS: Final = ("check", "candidate", "champion", "limit", "verdict", "")


@dataclass(frozen=True, slots=True)
class Compared:
    """A candidate that was held against a champion, or was not because none was named.

    ``is_sound`` is whether it can be measured in this process; ``evaluation_file`` is empty where nothing was compared.
    """

    is_sound: bool = True
    evaluation_file: str = ""


def compared(
    release: Release,
    champion_folder: str,
    corpus: Corpus,
    report_folder: str,
    *,
    samples: int,
    length: str,
    seed: int,
    blocked_words_file: str = "",
) -> Compared:
    """Hold a release against the champion and keep what was measured; percents are displayed as events."""
    if not champion_folder:
        return Compared()
    question = Question(corpus, samples, Length(length), seed, read_blocked_words(blocked_words_file))

    trial = evaluate(release.folder, Path(champion_folder), question, Path(report_folder), _Percents().report)
    return Compared(trial.candidate.is_sound, str(Path(report_folder) / EVALUATION_FILE))


class _Percents:
    """Shows how far it is, in steps that a reader of the executed notebook can bear."""

    def __init__(self) -> None:
        self._shown = -SHOWN_EVERY_PERCENT

    def report(self, percent: int) -> None:
        """So many percent are done."""
        if percent >= self._shown + SHOWN_EVERY_PERCENT:
            self._shown = percent
            show_event("progress", {"percent": percent})


def show_measured(report: Report | None, release: Release, comparison: Compared) -> None:
    """Display the verdict of the quality report in words, and as the run's result all of it and where things are."""
    result: dict[str, Any] = {
        **(report.to_fields() if report else {}),
        "release_id": release.id,
        "release_folder": str(release.folder),
        "evaluation_file": comparison.evaluation_file,
    }
    said = verdict_text(report) if report else "It cannot be measured any further; the gate says why."
    display({RESULT_MIME: result, "text/plain": said}, raw=True)  # type: ignore[no-untyped-call]


def show_checks(verdict: Verdict) -> None:
    """Display the gate: a row a check."""
    display({"text/html": checks_html(verdict), "text/plain": checks_text(verdict)}, raw=True)  # type: ignore[no-untyped-call]


def show_samples(verdict: Verdict) -> None:
    """Display the scenes that both wrote for the same premises, side by side."""
    samples = verdict.to_fields()["samples"]
    said = "\n\n".join(f"{one['premise']}\n\n{one['candidate']}\n\n{one['champion']}" for one in samples)
    display({"text/html": samples_html(verdict), "text/plain": said or "no samples"}, raw=True)  # type: ignore[no-untyped-call]


def show_decision(verdict: Verdict) -> None:
    """Display the verdict in words, and the run's result."""
    display({RESULT_MIME: verdict.to_fields(), "text/plain": decision_text(verdict)}, raw=True)  # type: ignore[no-untyped-call]


def checks_html(verdict: Verdict) -> str:
    """The table as HTML."""
    head = "".join(f"<th>{escape(name)}</th>" for name in _HEADS)
    rows = "".join(_row_html(check) for check in verdict.checks)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def checks_text(verdict: Verdict) -> str:
    """The same as plain text."""
    return "\n".join(f"{c.name:18}{_WORDS[c.passed]:12}{c.sentence}" for c in verdict.checks)


def samples_html(verdict: Verdict) -> str:
    """The scenes as HTML, a row a premise."""
    fields = verdict.to_fields()
    head = "".join(f"<th>{escape(fields[side])}</th>" for side in ("candidate", "champion"))
    rows = "".join(_sample_html(sample) for sample in fields["samples"])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def decision_text(verdict: Verdict) -> str:
    """The verdict in a sentence or more."""
    names = f"{verdict.trial.candidate.release_id} and {verdict.trial.champion.release_id}"
    said = "The candidate may be promoted" if verdict.promote else "The champion stays"
    return f"{said} ({names}). {' '.join(verdict.reasons)}"


def _row_html(check: Check) -> str:
    cells = (check.value, check.champion_value, check.limit, _WORDS[check.passed], check.sentence)
    row = "".join(f"<td>{escape(_shown(cell))}</td>" for cell in cells)
    return f"<tr><th>{escape(check.name)}</th>{row}</tr>"


def _sample_html(sample: Mapping[str, str]) -> str:
    cells = "".join(f"<td><pre>{escape(sample[side])}</pre></td>" for side in ("candidate", "champion"))
    return f'<tr><th colspan="2">{escape(sample["premise"])}</th></tr><tr>{cells}</tr>'


def _shown(value: float | str | None) -> str:
    return "–" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


__all__ = [
    "Compared",
    "checks_html",
    "checks_text",
    "compared",
    "decision_text",
    "samples_html",
    "show_checks",
    "show_decision",
    "show_measured",
    "show_samples",
]
