"""``tng gpus``: who holds which GPU, and who waits."""

from __future__ import annotations

import socket

import click

from tng.app import build_gpu_ledger
from tng.gpus.ledger import Book
from tng.settings import Settings


@click.group()
def gpus() -> None:
    """Look at the GPUs that are held for paid orders and by workbenches."""


@gpus.command("list")
def list_gpus() -> None:
    """List who holds which GPU since when, and the queue, the next one first."""
    settings = Settings.read()
    settings.make_home()
    ledger = build_gpu_ledger(settings.orders_url, host=socket.gethostname(), order_gpus=settings.order_gpus)
    lines = book_lines(ledger.book())
    for line in lines:
        click.echo(line)
    if not lines:
        click.echo("No GPU is held, and nobody waits.", err=True)


def book_lines(book: Book) -> list[str]:
    """A line a GPU that is held, then a line a place in the queue."""
    held = [
        f"{claim.host}  {gpu}  {claim.kind.value:<9}  since {claim.since_at:%Y-%m-%d %H:%M:%S}  {claim.holder}"
        for claim in book.claims
        for gpu in claim.gpus
    ]
    return held + [
        f"{wish.host}  waits for {wish.count}  {wish.kind.value:<9}  "
        f"since {wish.since_at:%Y-%m-%d %H:%M:%S}  {wish.holder}"
        for wish in book.wishes
    ]
