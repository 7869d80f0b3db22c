"""``tng model``: checkpoints from elsewhere, checked and made a base or a release."""

from __future__ import annotations

import click


@click.group("model")
def checkpoints() -> None:
    """What the model starts from."""
