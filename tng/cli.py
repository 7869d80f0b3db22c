"""The command ``tng``: what an operator does without the page. The only place of the package that prints."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import click
from pydantic import SecretStr

from tng import __version__, log
from tng.adapters.own_memory import close_memory
from tng.app import build_attendance, build_gpu_keeper, build_store, build_worker
from tng.commands.backup import backup, restore
from tng.commands.customers import customers, sweep
from tng.commands.gpus import gpus
from tng.commands.group import Commands
from tng.commands.notices import notices
from tng.commands.orders import orders
from tng.commands.release import release
from tng.commands.schedule import schedule
from tng.commands.train import train
from tng.commands.writer import checkpoints, corpus, tracking
from tng.settings import Part, Settings
from tng.training.house import build_scheduler

LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"]


@click.group(
    cls=Commands,
    commands=[
        *(orders, customers, sweep, backup, restore),
        *(gpus, release, schedule, train, corpus, checkpoints, tracking, notices),
    ],
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tng")
@click.option("--log-level", default="INFO", show_default=True, type=click.Choice(LEVELS))
def main(log_level: str) -> None:
    """Orders, jobs and releases of the shop of scripts. It is configured by TNG_… in the environment."""
    log.configure(log_level)


@main.command()
def worker() -> None:
    """Write what is ordered, until stopped.

    The first SIGTERM or Ctrl-C lets the script in hand be finished; the second gives it back at once.
    """
    os.umask(0o077)
    settings = Settings.read(part=Part.WORKER)
    settings.make_home()
    log.write_as(settings.log)
    faults = log.FaultCounter("worker")
    logging.getLogger().addHandler(faults)
    store = build_store(settings)
    with build_gpu_keeper(settings, store=store) as keeper:
        ours = build_worker(settings, keeper.environment, store=store)
        stop_on_signals(ours.stop)
        with build_attendance(settings, ours.name, faults, store=store):
            ours.run_forever()


@main.command()
def scheduler() -> None:
    """Retrain when a schedule says so, tell operators what came of it, and remove what is old; until stopped.

    The first SIGTERM or Ctrl-C asks the step in hand to end and to keep what it has; the second ends it at once.
    """
    os.umask(0o077)
    close_memory()  # the worker and its kernels may be the same Unix user: what notices are sent with is not for them
    settings = Settings.read(part=Part.SCHEDULER)
    settings.make_home()
    log.write_as(settings.log)
    faults = log.FaultCounter("scheduler")
    logging.getLogger().addHandler(faults)
    ours = build_scheduler(settings, faults)
    stop_on_signals(ours.stop)
    ours.run_forever()


@main.command()
def migrate() -> None:
    """Bring the orders database to the form that this version expects."""
    os.umask(0o077)
    settings = Settings.read()
    settings.make_home()
    build_store(settings)
    click.echo("The orders database is up to date.")


@main.command("settings")
def show_settings() -> None:
    """Show every setting and where it comes from; secrets are hidden."""
    settings = Settings.read()
    for name, field in Settings.model_fields.items():
        variable = field.alias or f"TNG_{name.upper()}"
        origin = "set" if os.environ.get(variable) else "default"
        click.echo(f"{variable:<24}{origin:<9}{_shown(getattr(settings, name)):<34}  {field.description}")


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Call ``stop`` for each SIGTERM and SIGINT, on a thread of its own.

    A handler runs between any two steps of the main thread, which may hold the very lock that ``stop`` needs: so the
    handler only writes a byte.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)

    def listen() -> None:
        while os.read(told, 1):
            stop()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.write(tell, b"x"))


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else "-"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or "-"
    # the address of a database may hold its password
    return re.sub(r"://[^/@]*@", "://********@", str(getattr(value, "value", value))) or "-"


if __name__ == "__main__":
    sys.exit(main())
