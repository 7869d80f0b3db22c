"""``tng backup`` and ``tng restore``: the orders database as one file, between machines and kinds of database."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from tng.adapters.backup_file import Manifest, check_backup, restore_backup, write_backup
from tng.adapters.database.engine import connect
from tng.app import build_shelf, build_store, clock_of
from tng.errors import BackupError
from tng.home import LOCK
from tng.settings import Settings

WORD = "replace"
"""What an operator types before orders are thrown away."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--with-runs", is_flag=True, help="with the notebooks of the runs of this machine")
@click.option("--check", is_flag=True, help="make none: say whether FILE is whole, and what is in it")
def backup(file: Path, with_runs: bool, check: bool) -> None:
    """Write the orders database to FILE, as it is at one moment; the house may be open. It is as secret as the orders.

    Releases that were made here are named in it, and are folders of TNG_HOME/shop/releases: copy them, too.
    """
    if check:
        _say(check_backup(file), f"{file} is whole")
        return
    os.umask(0o077)
    settings = Settings.read()
    store = build_store(settings)
    engine = connect(settings.orders_url)
    try:
        runs = settings.runs_folder if with_runs else None
        made = write_backup(engine, file, clock_of(store).now(), runs=runs)
    finally:
        engine.dispose()
        store.close()
    _say(made, f"{file} is written")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="throw away the orders that are there; asks for a word")
@click.option("--word", help=f"that word, which is {WORD!r}, instead of being asked")
def restore(file: Path, replace: bool, word: str | None) -> None:
    """Fill an empty orders database with the backup in FILE, whichever kind of database it was made of.

    The house must be closed, on every machine. Afterwards see docs/operations.md: what was paid since must be found.
    """
    os.umask(0o077)
    settings = Settings.read()
    home = settings.make_home()
    if replace and (word or click.prompt(f"Orders that are there will be lost. Type {WORD}")) != WORD:
        raise BackupError("nothing was restored: that is not the word")
    with _closed_house(home):
        engine = connect(settings.orders_url, busy_seconds=60.0)
        try:
            restored = restore_backup(engine, file, replace=replace, runs=settings.runs_folder)
        finally:
            engine.dispose()
    _say(restored, f"{file} is restored")
    for name in _missing_releases(settings, restored):
        click.echo(f"The ledger names release {name}, which is not on this machine: bring its folder.", err=True)


def _say(manifest: Manifest, what: str) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in manifest.counts.items() if count)
    parts = sum(name.startswith("runs/") for name in manifest.digests)
    about = f"of {manifest.made_at}, revision {manifest.revision}"
    click.echo(f"{what}: {about}, {counts or 'no rows'}, {parts} notebooks.")


def _missing_releases(settings: Settings, manifest: Manifest) -> list[str]:
    here = {release.id for release in build_shelf(settings)}
    return [name for name in manifest.releases if name not in here]


@contextmanager
def _closed_house(home: Path) -> Iterator[None]:
    """Nobody opens the house of this machine meanwhile. Raises BackupError where it is open."""
    descriptor = os.open(home / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BackupError(f"the house in TNG_HOME {home} is open; stop it first") from None
    finally:
        os.close(descriptor)
