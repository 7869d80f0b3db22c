"""What the bridge shows of releases, as markup: the current one, charts, checks, samples, history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tng.dashboard.bridge_parts import ago, day_and_time, flag, hint, panel, table, verdict, words
from tng.dashboard.chart import Dot, chart
from tng.dashboard.markup import Html, joined, tag
from tng.promotion.promotions import Check, Evaluation, Promotion, Sample
from tng.promotion.view import CanaryView, ReleasesView

MOST_CHARTS = 9
SAMPLE_CHARACTERS = 20_000
FIRST_METRICS = ("perplexity",)
CANDIDATE, CHAMPION = "candidate_", "champion_"
MEGABYTE = 1e6

LEGEND = "A dot is a candidate at its evaluation, a ring one that was promoted; the dashes are its champion then."
NO_LEDGER = "No release has written here yet: the ledger begins with the first worker."
NO_EVALUATION = "No release was evaluated here yet."
NO_SAMPLES = "This evaluation kept no samples."


def current(seen: ReleasesView) -> Html:
    """The release that writes now, since when, by whom and why, and how its first scripts are."""
    row = seen.current
    heading = tag("h2", "The release that writes")
    if row is None:
        return panel(heading, hint(NO_LEDGER))
    since = tag("p", "since ", day_and_time(row.at), f" UTC, {ago(row.at, seen.at)}")
    why = tag("p", f"{row.kind.value}, by {row.actor}: {row.reason}")
    trouble = tag("p", flag(seen.trouble, good=False), role="alert") if seen.trouble else Html("")
    back = hint(f"A rollback would go to {seen.way_back}." if seen.way_back else "There is no way back yet.")
    return panel(heading, tag("p", row.to_id, class_="tng-release"), trouble, since, why, back, canary(seen.canary))


def canary(seen: CanaryView | None) -> Html:
    """How many of the first scripts are through, and how they stand."""
    if seen is None:
        return Html("")
    if not seen.of_scripts:
        return hint(f"Canary: {seen.sentence}")
    through = f"{seen.scripts} of {seen.of_scripts} scripts are through"
    bar = tag("progress", through, value=str(seen.scripts), max=str(seen.of_scripts), aria_label=through)
    line = tag("p", tag("b", "Canary: "), f"{through}. {seen.sentence}")
    rows = [(row.name, row.value, row.limit or "–", _judged(row)) for row in seen.checks]
    return joined([line, bar, _rows("Canary", ("Measure", "So far", "Limit", "Verdict"), rows)])


def charts(seen: ReleasesView) -> Html:
    """Each metric of the candidates over the time of their evaluations; those that were promoted stand out."""
    heading = tag("h2", "Metrics over time")
    if not seen.evaluations:
        return panel(heading, hint(NO_EVALUATION))
    promoted = {row.evaluation_id for row in seen.history if row.evaluation_id is not None}
    names = _metric_names(seen.evaluations)[:MOST_CHARTS]
    drawn = [chart(_titled(name), _dots(name, seen.evaluations, promoted)) for name in names]
    legend = hint(LEGEND)
    return panel(heading, legend, tag("div", *drawn, class_="tng-charts"))


def checks(evaluation: Evaluation, now: datetime) -> Html:
    """Candidate beside champion, check by check."""
    verdict_words = "passed: it may be promoted" if evaluation.promote else "not passed: the champion stays"
    title = tag("p", tag("b", evaluation.candidate_id), " against ", tag("b", evaluation.champion_id))
    when = tag("p", day_and_time(evaluation.at), f" UTC, {ago(evaluation.at, now)}", _of_retraining(evaluation))
    reasons = tag("ul", *(tag("li", reason) for reason in evaluation.reasons)) if evaluation.reasons else Html("")
    rows = [
        (words(row.name), words(row.value), words(row.champion_value), words(row.limit), _judged(row))
        for row in evaluation.checks
    ]
    names = ("Check", "Candidate", "Champion", "Limit", "Verdict")
    said = tag("p", tag("span", verdict_words, class_="tng-well" if evaluation.promote else "tng-unwell"))
    return joined([title, when, said, reasons, _rows("Checks", names, rows)])


def samples(evaluation: Evaluation) -> Html:
    """What both wrote for the same premises, side by side. It is text, and stays so."""
    if not evaluation.samples:
        return hint(NO_SAMPLES)
    return joined(_pair(number, one, evaluation) for number, one in enumerate(evaluation.samples, 1))


def history(seen: ReleasesView) -> Html:
    """The ledger, the newest row first."""
    rows = [
        (str(row.id), day_and_time(row.at), _way(row), row.kind.value, row.actor, words(row.reason), _proof(row))
        for row in seen.history
    ]
    names = ("No.", "When (UTC)", "From → to", "Kind", "By", "Reason", "Evaluation")
    return table("History", names, rows, NO_LEDGER)


def shelf(seen: ReleasesView) -> Html:
    """Every release that stands here, and what is known of it."""
    rows = [
        (
            card.id,
            "current" if card.is_current else "was current" if card.was_current else "candidate",
            "never evaluated" if card.evaluation_id is None else verdict(card.verdict),
            str(card.evaluation_id or "–"),
        )
        for card in seen.releases
    ]
    names = ("Release", "State", "Last evaluation", "Evaluation")
    return table("On the shelf", names, rows, "No release stands here.")


def in_a_line(evaluation: Evaluation) -> str:
    """An evaluation in a drop-down."""
    said = "passed" if evaluation.promote else "not passed"
    return f"{evaluation.candidate_id} against {evaluation.champion_id}, {evaluation.at:%-d %b %Y %H:%M}: {said}"


def _judged(row: Check) -> Html:
    note = tag("small", row.sentence, class_="tng-words") if row.sentence else Html("")
    return joined([verdict(row.passed), note])


def _of_retraining(evaluation: Evaluation) -> str:
    return f", retraining {evaluation.retraining_id}" if evaluation.retraining_id else ""


def _metric_names(evaluations: Sequence[Evaluation]) -> list[str]:
    """What was measured of candidates: that of the newest evaluation first, and perplexity before all others."""
    names = [
        name.removeprefix(CANDIDATE) for one in evaluations for name in one.metrics if not name.startswith(CHAMPION)
    ]
    return sorted(dict.fromkeys(names), key=lambda name: name not in FIRST_METRICS)


def _dots(name: str, evaluations: Sequence[Evaluation], promoted: set[int]) -> list[Dot]:
    dots = []
    for one in evaluations:
        value = one.metrics.get(CANDIDATE + name, one.metrics.get(name))
        beside = one.metrics.get(CHAMPION + name)
        if value is not None:
            unit = MEGABYTE if name.endswith("_bytes") else 1.0
            shown = beside / unit if beside is not None else None
            dots.append(Dot(one.at, value / unit, one.candidate_id, one.id in promoted, shown))
    return sorted(dots, key=lambda dot: dot.at)


def _titled(name: str) -> str:
    return name.replace("_bytes", "_megabytes").replace("_", " ")


def _pair(number: int, sample: Sample, evaluation: Evaluation) -> Html:
    both = (
        ("Candidate", evaluation.candidate_id, sample.candidate),
        ("Champion", evaluation.champion_id, sample.champion),
    )
    columns = [_column(f"{who} {name}", text, f"Premise {number}, {who.lower()}") for who, name, text in both]
    return tag("div", tag("h3", f"Premise {number}: {sample.premise}"), tag("div", *columns, class_="tng-pair"))


def _column(caption: str, text: str, label: str) -> Html:
    shown = text if len(text) <= SAMPLE_CHARACTERS else text[:SAMPLE_CHARACTERS] + "\n…"
    scene = tag("pre", shown, class_="tng-sample", tabindex="0", role="region", aria_label=label)
    return tag("figure", tag("figcaption", caption), scene)


def _way(row: Promotion) -> str:
    return f"{row.from_id or 'nothing'} → {row.to_id}"


def _proof(row: Promotion) -> str:
    return str(row.evaluation_id) if row.evaluation_id is not None else "–"


def _rows(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    """A table inside a panel, which a phone shows as a list."""
    if not rows:
        return Html("")
    heads = (tag("th", name, scope="col", role="columnheader") for name in names)
    head = tag("thead", tag("tr", *heads, role="row"), role="rowgroup")
    body = tag("tbody", *(_row(names, row) for row in rows), role="rowgroup")
    drawn = tag("table", head, body, role="table", class_="tng-checks")
    return tag("div", drawn, class_="tng-scrolls", tabindex="0", role="region", aria_label=title)


def _row(names: Sequence[str], row: Sequence[str]) -> Html:
    """A row whose cells know their columns: on a phone the names stand before them, and the roles stay."""
    return tag(
        "tr", *(tag("td", cell, role="cell", data_name=name) for name, cell in zip(names, row, strict=True)), role="row"
    )
