"""``tng schedule``: when the writer is trained again, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from tng.app import build_store
from tng.commands.group import actor
from tng.errors import ScheduleError
from tng.jobs import JobKind
from tng.ports import Store
from tng.settings import Settings
from tng.training.house import build_house_retrainings, build_timetable, places_of
from tng.training.places import TrainingPlaces
from tng.training.retraining import Retrainings
from tng.training.retrainings import PRESETS, Retraining, RetrainingOptions
from tng.training.schedules import Schedule
from tng.training.slots import in_zone
from tng.training.timetable import Timetable

WHAT = ["retrain"]
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group()
def schedule() -> None:
    """Train the writer again when a cron line says so. A better one is promoted; any other is kept beside."""


@schedule.command("add")
@click.argument("cron")
@click.argument("what", type=click.Choice(WHAT))
@click.option("--name", default="", help="what to call it  [default: retrain, retrain-2, …]")
@click.option("--zone", default="UTC", show_default=True, help="the time zone of the line, such as Europe/Berlin")
@click.option("--preset", type=click.Choice(PRESETS), default="small", show_default=True, help="how large a training")
@click.option("--steps", type=click.IntRange(0), default=0, help="another number of steps than the preset's")
@click.option("--minutes", type=click.FloatRange(0), default=0.0, help="train for so long at most")
@click.option("--samples", type=click.IntRange(1), default=50, show_default=True, help="scenes that the gate looks at")
@click.option("--seed", type=int, default=1, show_default=True, help="of the first sample")
@click.option(
    "--base", type=click.Path(path_type=Path, exists=True, file_okay=False), help="a checkpoint to start from"
)
@click.option("--with-delivered-scripts", is_flag=True, help="train on customers' scripts, too: only where they agreed")
@click.option("--even-if-nothing-new", is_flag=True, help="train again on a corpus that was trained on before")
@click.option("--no-promotion", is_flag=True, help="never promote; keep every candidate beside")
def add(cron: str, what: str, name: str, zone: str, **options: Any) -> None:
    """Add a schedule: a CRON line of minute, hour, day, month and weekday, in quotes, and what to do.

    For example: tng schedule add "0 3 * * SUN" retrain --preset small
    """
    timetable = build_timetable(Settings.read())
    added = timetable.add(cron, zone, options_of(**options), name=name)
    click.echo(f"{added.name}: {added.cron} ({added.zone}), next {_next(timetable, added)}")


@schedule.command("list")
def list_schedules() -> None:
    """List the schedules, each with its next slot as the clocks of its zone show it."""
    timetable = build_timetable(Settings.read())
    found = timetable.all()
    for one in found:
        state = "paused" if one.is_paused else f"next {_next(timetable, one)}"
        click.echo(f"{one.name:<20}  {one.cron:<20}  {one.zone:<20}  {state}")
    click.echo(f"{len(found)} schedules", err=True)


@schedule.command("next")
@click.argument("name")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True)
def show_next(name: str, count: int) -> None:
    """Show the next slots of a schedule, in its zone and in UTC."""
    timetable = build_timetable(Settings.read())
    one = timetable.get(name)
    if one.is_paused:
        raise ScheduleError(f"schedule {name} is paused: it has no next slot until `tng schedule resume {name}`")
    for slot in timetable.next(one, count):
        click.echo(f"{_shown(slot, one.zone)}  {slot:%Y-%m-%d %H:%M} UTC")


@schedule.command()
@click.argument("name")
def pause(name: str) -> None:
    """Let a schedule begin nothing any more. What it has begun goes on."""
    build_timetable(Settings.read()).pause(name)
    click.echo(f"{name} is paused.")


@schedule.command()
@click.argument("name")
def resume(name: str) -> None:
    """Go on with a schedule from its next slot. What was missed in the pause is not made up for.

    It also puts right a schedule that waits because the machine's clock once ran ahead.
    """
    timetable = build_timetable(Settings.read())
    click.echo(f"{name}: next {_next(timetable, timetable.resume(name))}")


@schedule.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove a schedule. What it has begun goes on, and stays in the list of runs."""
    build_timetable(Settings.read()).remove(name)
    click.echo(f"{name} is removed.")


@schedule.command("run")
@click.argument("name")
def run_now(name: str) -> None:
    """Begin now what a schedule would begin; its slots stay as they are."""
    begun = build_timetable(Settings.read()).run_now(name, actor=actor())
    click.echo(f"Retraining {begun.id} is begun. Look at it: tng schedule show {begun.id}")


@schedule.command("runs")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_runs(limit: int) -> None:
    """List what was begun, the newest first."""
    with build_store(Settings.read()).read() as work:
        found = work.retrainings.latest(limit)
    for one in found:
        click.echo(f"{one.id}  {one.begun_at:%Y-%m-%d %H:%M}  {one.state.value:<9}  {one.step.value:<12}  {one.actor}")
    click.echo(f"{len(found)} retrainings", err=True)


@schedule.command("show")
@click.argument("run")
def show_run(run: str) -> None:
    """Show what became of one retraining: its steps, every attempt at them, and where their notebooks are."""
    settings = Settings.read()
    with build_store(settings).read() as work:
        retraining = work.retrainings.get(run)
        job = work.jobs.get(retraining.job_key)
    for name, value in run_lines(retraining, places_of(settings), job.error if job else None):
        click.echo(f"{name:<16}{value}")


@schedule.command()
@click.argument("run")
def cancel(run: str) -> None:
    """End a retraining; a step that runs is ended within seconds."""
    _retrainings().cancel(run, actor=actor())
    click.echo(f"Retraining {run} is cancelled. Take it up again: tng schedule retry {run}")


@schedule.command()
@click.argument("run")
def retry(run: str) -> None:
    """Take up a retraining that failed or was cancelled, at the step that it ended with."""
    again = _retrainings().retry(run, actor=actor())
    click.echo(f"Retraining {run} goes on with {again.step.value}.")


def options_of(
    *, base: Path | None, with_delivered_scripts: bool, no_promotion: bool, even_if_nothing_new: bool, **numbers: Any
) -> RetrainingOptions:
    """The options of a retraining, from those of the command."""
    return RetrainingOptions(
        base=str(base.resolve()) if base else "",
        delivered_scripts=with_delivered_scripts,
        promotes=not no_promotion,
        even_if_nothing_new=even_if_nothing_new,
        **numbers,
    )


def run_lines(retraining: Retraining, places: TrainingPlaces, error: str | None = None) -> Sequence[tuple[str, object]]:
    """What there is to say of a retraining, as (name, value); ``error`` is of the last attempt at its step."""
    chosen = {name: value for name, value in retraining.options.to_fields().items() if value}
    lines: list[tuple[str, object]] = [
        ("retraining", retraining.id),
        ("state", retraining.state.value),
        ("step", retraining.step.value),
        ("sentence", retraining.sentence or "-"),
        ("begun", f"{retraining.begun_at:%Y-%m-%d %H:%M:%S} by {retraining.actor}"),
        ("slot", _slot(retraining)),
        ("ended", f"{retraining.ended_at:%Y-%m-%d %H:%M:%S}" if retraining.ended_at else "-"),
        ("options", ", ".join(f"{name} {value}" for name, value in chosen.items())),
        ("corpus", retraining.fingerprint or "-"),
        ("champion", retraining.champion_id or "-"),
        ("candidate", retraining.candidate_id or "-"),
        ("error", error or "-"),
    ]
    return lines + [line for step in JobKind for line in _step_lines(retraining, places, step)]


def _step_lines(retraining: Retraining, places: TrainingPlaces, step: JobKind) -> list[tuple[str, object]]:
    """What a step said of itself, then its attempts."""
    said = retraining.notes.get(step.value)
    numbers = {name: value for name, value in (said or {}).items() if isinstance(value, str | int | float)}
    lines: list[tuple[str, object]] = []
    if numbers:
        lines.append((step.value, ", ".join(f"{name} {value}" for name, value in numbers.items())))
    for attempt in retraining.attempts:
        if attempt["step"] == step.value:
            page = places.notebook(retraining.id, attempt).with_suffix(".html")
            kept = str(page) if page.is_file() else "no notebook (yet)"
            lines.append((step.value, f"attempt {attempt['attempt']} at {attempt['at'][:19]}: {kept}"))
    return lines


def _slot(retraining: Retraining) -> str:
    if retraining.slot_at is None:
        return "-"
    more = f", and {retraining.coalesced} missed before it" if retraining.coalesced else ""
    return f"{retraining.slot_at:%Y-%m-%d %H:%M} UTC{more}"


def _next(timetable: Timetable, one: Schedule) -> str:
    return next((_shown(slot, one.zone) for slot in timetable.next(one)), "never")


def _shown(moment: datetime, zone: str) -> str:
    there = in_zone(moment, zone)
    return f"{there:%a %Y-%m-%d %H:%M} {there.tzname() if there.utcoffset() else 'UTC'}"


def _retrainings() -> Retrainings:
    settings = Settings.read()
    store: Store = build_store(settings)
    return build_house_retrainings(settings, store=store)


__all__ = ["options_of", "run_lines", "schedule"]
