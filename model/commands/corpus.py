"""``tng corpus``: the operator's own text, imported, listed and made ready for training."""

from __future__ import annotations

import click


@click.group()
def corpus() -> None:
    """What the model learns from."""
