"""``tng release``: which releases there are, which one writes, and which wrote when; promotion and rollback by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from tng.adapters.in_use import release_in_use
from tng.app import build_release_ledger, build_shelf
from tng.commands.group import actor
from tng.errors import PromotionRefused, ReleaseDamaged, ReleaseError
from tng.promotion.promotions import Promotion
from tng.releases import Release, verify
from tng.settings import Settings
from tng.training.slots import in_zone

CARD = "MODEL_CARD.md"

REASON = click.option("--reason", required=True, help="what the ledger says to those who come later")


@click.group()
def release() -> None:
    """Look after the releases that write. One is named by its id or its folder; the current one where none is named."""


@release.command("list")
def list_releases() -> None:
    """List the releases; a star marks the one that writes."""
    settings = Settings.read()
    found = list(build_shelf(settings))
    current = _current_folder(settings)
    for one in found:
        mark = "*" if one.folder.resolve() == current else " "
        click.echo(f"{mark} {one.id:<40}  {_summary(one)}")
    click.echo(f"{len(found)} releases", err=True)


@release.command("show")
@click.argument("name", required=False)
def show_release(name: str | None) -> None:
    """Show the model card of a release, and its folder."""
    one = chosen_release(Settings.read(), name)
    try:
        card = (one.folder / CARD).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ReleaseDamaged(f"release {one.id}: {CARD} cannot be read ({type(error).__name__})") from error
    click.echo(card)
    click.echo(f"Folder: {one.folder}")


@release.command("verify")
@click.argument("name", required=False)
def verify_release(name: str | None) -> None:
    """Hold every file of a release against its manifest."""
    checked = verify(chosen_release(Settings.read(), name))
    click.echo(f"Release {checked.id} is whole.")


@release.command()
@click.argument("name")
@REASON
@click.option("--unproven", is_flag=True, help="although no evaluation says that it is better than the current one")
@click.option("--expect", default=None, metavar="ID", help="only where this release is current still")
def promote(name: str, reason: str, unproven: bool, expect: str | None) -> None:
    """Let a release write from now on. Its last evaluation must have passed, against the release that is current.

    Scripts that are being written are finished by the release that began them.
    """
    ledger = build_release_ledger(Settings.read())
    row = ledger.promote(name, actor=actor(), reason=reason, unproven=unproven, expected=expect)
    click.echo(_sentence(row))


@release.command()
@REASON
@click.option("--to", default="", metavar="ID", help="a release that was current once  [default: the one before]")
@click.option("--expect", default=None, metavar="ID", help="only where this release is current still")
def rollback(reason: str, to: str, expect: str | None) -> None:
    """Go back to the release before the current one: no file is touched, and the next script is written by it."""
    ledger = build_release_ledger(Settings.read())
    click.echo(_sentence(ledger.roll_back(actor=actor(), reason=reason, to=to, expected=expect)))


@release.command()
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def history(limit: int) -> None:
    """Show how the current release changed, the newest change first. Times are UTC."""
    rows = build_release_ledger(Settings.read()).history(limit)
    for row in rows:
        change = f"{row.from_id or '–'} → {row.to_id}"
        click.echo(
            f"{row.id:>4}  {row.at:%Y-%m-%d %H:%M:%S}  {row.kind.value:<11}  {change}  {row.actor}: {row.reason}"
        )
    click.echo(f"{len(rows)} changes", err=True)


@release.command()
@click.argument("moment")
@click.option("--zone", default="", help="the time zone of MOMENT, such as Europe/Berlin  [default: this machine's]")
def at(moment: str, zone: str) -> None:
    """Show which release wrote at a MOMENT, such as 2026-11-20T12:00, since when, by whom and why."""
    asked = _moment(moment, zone)
    ledger = build_release_ledger(Settings.read())
    row = ledger.at(asked)
    if row is None:
        began = next((f", which begins at {first.at:%Y-%m-%d %H:%M:%S} UTC" for first in ledger.history()[-1:]), "")
        raise PromotionRefused(f"{asked:%Y-%m-%d %H:%M} is before the ledger of releases{began}")
    since = f"{in_zone(row.at, zone) if zone else row.at.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    lines = {"release": row.to_id, "since": since, "by": row.actor, "how": row.kind.value, "why": row.reason}
    for label, value in lines.items():
        click.echo(f"{label:<10}{value}")


def chosen_release(settings: Settings, name: str | None) -> Release:
    """The release of that id or folder; the one that writes where ``name`` is nothing. Raises ReleaseMissing."""
    return build_shelf(settings).find(name) if name else release_in_use(settings)


def _current_folder(settings: Settings) -> Path | None:
    try:
        return release_in_use(settings).folder.resolve()
    except ReleaseError:
        return None  # it is not here: none of those that are is the one


def _moment(text: str, zone: str) -> datetime:
    """A moment as a person writes it. Raises PromotionRefused, ScheduleError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise PromotionRefused(f"{text!r} is no moment: write it as 2026-11-20T12:00") from None
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=in_zone(datetime.now(UTC), zone).tzinfo) if zone else moment.astimezone()


def _sentence(row: Promotion) -> str:
    return f"Release {row.to_id} writes from now on; before it was {row.from_id}."


def _summary(one: Release) -> str:
    """One line about a release; a damaged one says so and hides none of the others."""
    try:
        meta = one.meta
        network = meta["config"]["network"]
        shape = f"{network['n_layer']} x {network['n_embd']}, window {network['n_ctx']}"
    except (ReleaseDamaged, KeyError, TypeError):
        return "damaged: meta.json cannot be read"
    return f"{shape:<26}{_measured(meta):<26}{_size_mb(one.folder):>8,.1f} MB"


def _measured(meta: dict[str, Any]) -> str:
    perplexity = meta.get("evaluation", {}).get("recombined_perplexity")
    return f"perplexity {perplexity:.2f}" if isinstance(perplexity, int | float) else "not measured"


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) / 1e6
