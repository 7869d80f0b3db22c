"""``tng tracking``: MLflow's records of trainings, put in order. MLflow only shows; the ledger of the shop decides."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from model.commands.places import home
from tng.errors import StoreBusy

_database = click.option(
    "--database",
    type=click.Path(path_type=Path, dir_okay=False),
    help="MLflow's SQLite file  [default: shop/retraining/mlflow.sqlite in TNG_HOME]",
)


@click.group()
def tracking() -> None:
    """What MLflow shows of trainings and releases."""
    os.umask(0o077)


@tracking.command()
@_database
def reap(database: Path | None) -> None:
    """End the records of trainings whose process on this machine is gone, as killed."""
    from model.training.tracking import reap as reap_records  # loads numpy and more, which no other command needs

    with _in_a_sentence():
        count = reap_records(_place(database))
    click.echo(f"{count} records ended as killed.")


@tracking.command()
@_database
def mirror(database: Path | None) -> None:
    """Make MLflow's registry say what the ledger says, which is read as JSON from the input."""
    from model.training.registry import mirror as mirror_ledger
    from model.training.registry import read_ledger

    ledger = read_ledger(sys.stdin.read())
    with _in_a_sentence():
        report = mirror_ledger(_place(database), ledger)
    if report.was_overtaken:
        click.echo("A newer state of the ledger is mirrored already.")
    else:
        click.echo(f"{report.made} made, {report.mended} mended, {report.removed} removed; ledger {ledger.number}.")


def _place(database: Path | None) -> Path:
    return database or home() / "shop" / "retraining" / "mlflow.sqlite"


@contextmanager
def _in_a_sentence() -> Iterator[None]:
    """What MLflow and its database raise, as one sentence; their own text may hold anything."""
    from model.training.mlflow_store import failures

    try:
        yield
    except StoreBusy:
        raise
    except failures() as error:
        if "locked" in str(error):
            raise StoreBusy("MLflow's database is locked by somebody else; try again") from error
        raise click.ClickException(f"MLflow's database cannot be used ({type(error).__name__})") from error


__all__ = ["tracking"]
