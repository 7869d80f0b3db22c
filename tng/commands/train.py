"""``tng train``: run the training notebook from the shell, and show how it goes."""

from __future__ import annotations

import click


@click.command()
def train() -> None:
    """Train a checkpoint."""
