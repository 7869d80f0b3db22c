"""What the bridge shows of schedules and retrainings, as markup."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tng.dashboard.bridge_parts import ago, day_and_time
from tng.dashboard.markup import Html, joined, link, tag
from tng.jobs import JobKind, JobState
from tng.training.retrainings import Retraining, RetrainingState
from tng.training.view import NotebookView, RetrainingView, ScheduleView, StepView

STEP_NAMES = {
    JobKind.BUILD_CORPUS: "Build the corpus",
    JobKind.FINETUNE: "Finetune",
    JobKind.EVALUATE: "Evaluate",
    JobKind.DECIDE: "Decide",
}
STEP_WORDS: Mapping[JobState | None, tuple[str, str]] = {
    None: ("not begun", ""),
    JobState.QUEUED: ("waits", "tng-now"),
    JobState.RUNNING: ("runs", "tng-now"),
    JobState.DONE: ("done", "tng-done"),
    JobState.DEAD: ("failed", "tng-failed"),
    JobState.CANCELLED: ("cancelled", ""),
}
ENDED_WORDS: Mapping[RetrainingState, tuple[str, str]] = {
    RetrainingState.RUNNING: ("under way", "tng-now"),
    RetrainingState.PROMOTED: ("✓ promoted", "tng-well"),
    RetrainingState.KEPT: ("– the champion stays", "tng-unknown"),
    RetrainingState.SKIPPED: ("– nothing new to learn", "tng-unknown"),
    RetrainingState.FAILED: ("✗ failed", "tng-unwell"),
    RetrainingState.CANCELLED: ("– cancelled", "tng-unknown"),
}


def schedule(seen: ScheduleView, now: datetime) -> Html:
    """A schedule: its line, what it begins, and when it is due next in its own zone."""
    line = tag("p", tag("code", seen.cron), f" in {seen.zone}; {_options(seen.options)}")
    title = tag("h3", seen.name, " ", tag("small", "paused") if seen.is_paused else "")
    if seen.is_paused:
        return joined([title, line, tag("p", "Paused: no slot is due until it is resumed.", class_="tng-hint")])
    if not seen.next_at:
        return joined([title, line, tag("p", "No slot is left.", class_="tng-hint")])
    first, *later = seen.next_at
    soon = tag("p", "next: ", tag("b", _there(first, seen.zone)), f", in {_until(first, now)}")
    then = tag("p", "then: ", "; ".join(_there(slot, seen.zone) for slot in later), class_="tng-hint") if later else ""
    return joined([title, line, soon, then])


def retraining(seen: RetrainingView, now: datetime) -> Html:
    """A retraining: its state, who began it, its four steps with their notebooks, and how it ended."""
    one = seen.retraining
    said, kind = ENDED_WORDS[one.state]
    title = tag("h3", f"Retraining {one.id}: ", tag("span", said, class_=kind))
    begun = tag("p", f"begun by {one.actor}", _slot(one), ", ", day_and_time(one.begun_at), f" UTC{_lasted(one, now)}")
    about = tag("p", _options(one.options.to_fields()), _names(one), class_="tng-hint")
    steps = tag("ol", *(_step(step) for step in seen.steps), class_="tng-steps")
    sentence = tag("p", one.sentence, class_="tng-words") if one.sentence else ""
    return joined([title, begun, about, steps, sentence])


def _step(seen: StepView) -> Html:
    said, kind = STEP_WORDS[seen.state]
    name = STEP_NAMES.get(seen.step, seen.step.value)
    bar = Html("")
    if seen.percent is not None:
        how_far = f"{seen.percent:.0f} %"
        said = f"{said}, {how_far}"
        bar = tag("progress", how_far, value=f"{seen.percent:.0f}", max="100", aria_label=f"{name}: {how_far}")
    notes = [tag("span", said, class_="tng-note"), bar, _tries(seen)]
    if seen.error and seen.state is not JobState.DONE:
        notes.append(tag("span", seen.error, class_="tng-note tng-words"))
    return tag("li", tag("b", name), *notes, _notebooks(name, seen), class_=kind or None)


def _tries(seen: StepView) -> Html:
    if seen.attempts <= 1 and not seen.failures:
        return Html("")
    failed = f", {seen.failures} failed" if seen.failures else ""
    return tag("span", f"attempt {seen.attempts}{failed}", class_="tng-note")


def _notebooks(name: str, seen: StepView) -> Html:
    if not seen.notebooks:
        return Html("")
    lines = [_notebook(name, note, number) for number, note in enumerate(seen.notebooks, 1)]
    return tag("span", *lines, class_="tng-notebooks")


def _notebook(name: str, note: NotebookView, number: int) -> Html:
    """Links that open beside the bridge, so that it stays where it is."""
    label = f"{name}, attempt {number}"
    away = {"target": "_blank", "rel": "noopener"}
    page = link("notebook", note.page, aria_label=f"{label}: notebook as a page", **away) if note.page else ""
    file = link(".ipynb", note.file, aria_label=f"{label}: notebook as a file", **away) if note.file else ""
    between = " · " if page and file else ""
    return tag("span", page, between, file)


def _options(options: Mapping[str, Any]) -> str:
    parts = [f"preset {options.get('preset', '?')}"]
    if options.get("steps"):
        parts.append(f"{options['steps']} steps")
    if options.get("minutes"):
        parts.append(f"at most {options['minutes']:g} minutes" if isinstance(options["minutes"], int | float) else "")
    if options.get("delivered_scripts"):
        parts.append("with delivered scripts")
    if options.get("even_if_nothing_new"):
        parts.append("even if nothing is new")
    if options.get("promotes") is False:
        parts.append("without promotion")
    return ", ".join(part for part in parts if part)


def _names(one: Retraining) -> str:
    names = [
        f"candidate {one.candidate_id}" if one.candidate_id else "",
        f"champion {one.champion_id}" if one.champion_id else "",
    ]
    told = ", ".join(name for name in names if name)
    return f"; {told}" if told else ""


def _slot(one: Retraining) -> str:
    if one.slot_at is None:
        return f" for {one.schedule}" if one.schedule else ""
    missed = f", which stands for {one.coalesced} earlier ones" if one.coalesced else ""
    return f" at the slot of {one.slot_at:%-d %b, %H:%M}{missed}"


def _lasted(one: Retraining, now: datetime) -> str:
    if one.ended_at is None:
        return f", {ago(one.begun_at, now)}"
    return f"; ended {one.ended_at:%-d %b, %H:%M}"


def _there(slot: datetime, zone: str) -> str:
    try:
        there = slot.astimezone(ZoneInfo(zone))
    except (KeyError, ValueError, OSError):  # this machine does not know the zone
        there = slot.astimezone(UTC)
    return f"{there:%a %-d %b %Y, %H:%M} {there.tzname()}"


def _until(slot: datetime, now: datetime) -> str:
    return ago(now, slot).removesuffix(" ago")
