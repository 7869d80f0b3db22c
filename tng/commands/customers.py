"""``tng customers``: what is kept about a person, handed over or taken away; and ``tng sweep``: what is old, gone."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import click

from tng.adapters.whole_file import written_whole
from tng.app import build_store, build_sweep, clock_of
from tng.customers import Customers
from tng.errors import BackupError
from tng.settings import Settings


@click.group()
def customers() -> None:
    """What is kept about a person. NAME is the hub's name of the user, or one of their orders."""


@customers.command("export")
@click.argument("name")
@click.option("--to", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), help="a new ZIP file")
def export(name: str, target: Path) -> None:
    """Write all that the shop keeps about a person into a ZIP file: orders, scripts, what runs said, notebooks."""
    ours = _customers()
    name = ours.name_of(name)
    try:
        with written_whole(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
            for path, content in ours.everything(name):
                zipped.writestr(path, content)
            count = len(zipped.namelist())
    except OSError as error:
        raise BackupError(f"nothing was written: {error}") from error
    click.echo(f"{count} files in {target}. The address is with the hub: see docs/privacy.md.")


@customers.command("erase")
@click.argument("name")
@click.option("--yes", is_flag=True, help="do not ask")
def erase(name: str, yes: bool) -> None:
    """Take away what a person asked for and what was written for them; amounts, times and payment ids stay."""
    ours = _customers()
    name = ours.name_of(name)
    if not yes:
        click.confirm(f"Erase every premise and script of {name}? There is no way back", abort=True)
    try:
        pseudonym = ours.forget(name)
    except OSError as error:
        raise BackupError(f"nothing was erased: a run could not be removed ({error.strerror})") from error
    click.echo(f"Erased. The orders stand under {pseudonym} now.")
    click.echo("The account and its files are the hub's: python -m hub.forget NAME.")


@click.command()
def sweep() -> None:
    """Remove what is old, as the scheduler does daily: needed by hand on a machine that has workers alone."""
    os.umask(0o077)
    settings = Settings.read()
    gone = build_sweep(settings, store=build_store(settings)).run()
    click.echo(", ".join(f"{count} {what}" for what, count in gone.items()))


def _customers() -> Customers:
    os.umask(0o077)
    settings = Settings.read()
    store = build_store(settings)
    return Customers(store, clock_of(store), settings.runs_folder)
