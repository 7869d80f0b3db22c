"""``tng release``: which releases there are, and whether they are whole."""

from __future__ import annotations

import click

from tng.releases import find_release, verify
from tng.settings import Settings


@click.group()
def release() -> None:
    """Look after the releases that write."""


@release.command("verify")
def verify_release() -> None:
    """Hold every file of the release against its manifest."""
    checked = verify(find_release(Settings.read().release))
    click.echo(f"Release {checked.id} is whole.")
