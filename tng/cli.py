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
from tng.commands.gpus import gpus
from tng.commands.group import Commands
from tng.commands.notices import notices
from tng.commands.release import release
from tng.commands.schedule import schedule
from tng.commands.train import train
from tng.commands.writer import checkpoints, corpus, tracking
from tng.jobs import Job
from tng.orders import Order, OrderState
from tng.settings import Part, Settings
from tng.training_house import build_scheduler

LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"]


@click.group(
    cls=Commands,
    commands=[gpus, release, schedule, train, corpus, checkpoints, tracking, notices],
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
    settings = Settings.read()
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


@main.group()
def orders() -> None:
    """Look at orders. Neither the premise nor the script is shown: they are the customer's."""


@orders.command("list")
@click.option("--state", type=click.Choice([state.value for state in OrderState]), help="only those in this state")
def list_orders(state: str | None) -> None:
    """List orders, the oldest first."""
    states = [OrderState(state)] if state else list(OrderState)
    with build_store(Settings.read()).read() as work:
        found = work.orders.having(*states)
    for order in found:
        click.echo(f"{order.id}  {order.state.value:<10}  {order.placed_at:%Y-%m-%d %H:%M:%S}  {order.customer}")
    click.echo(f"{len(found)} orders", err=True)


@orders.command("show")
@click.argument("order_id")
def show_order(order_id: str) -> None:
    """Show what became of one order, and of the job that writes it."""
    with build_store(Settings.read()).read() as work:
        order = work.orders.get(order_id)
        job = work.jobs.get(f"order:{order_id}")
    for name, value in order_lines(order, job):
        click.echo(f"{name:<16}{value}")


@main.command("settings")
def show_settings() -> None:
    """Show every setting and where it comes from; secrets are hidden."""
    settings = Settings.read()
    for name, field in Settings.model_fields.items():
        variable = field.alias or f"TNG_{name.upper()}"
        origin = "set" if os.environ.get(variable) else "default"
        click.echo(f"{variable:<24}{origin:<9}{_shown(getattr(settings, name)):<34}  {field.description}")


def order_lines(order: Order, job: Job | None) -> list[tuple[str, Any]]:
    """What may be shown of an order, as (name, value)."""
    lines: list[tuple[str, Any]] = [
        ("order", order.id),
        ("customer", order.customer),
        ("state", order.state.value),
        ("price", f"{order.amount_cents / 100:.2f} {order.currency.upper()}"),
        ("placed", order.placed_at),
        ("paid", order.paid_at or "-"),
        ("delivered", order.delivered_at or "-"),
        ("release", order.release_id or "-"),
    ]
    if job is not None:
        lines += [
            ("job", f"{job.id}, {job.state.value}"),
            ("attempts", f"{job.attempt}, of them failed: {job.failures}"),
            ("error", job.error or "-"),
        ]
    return lines


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
