"""The group that ``tng`` and ``python -m model`` share: a refusal of the product ends with a sentence, no traceback."""

from __future__ import annotations

import getpass
from typing import Any

import click

from tng.errors import TngError

FAILED = 1


class Commands(click.Group):
    """A group whose commands end with one sentence and status 1 where the product refuses."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except TngError as error:
            click.echo(f"tng: {error}", err=True)
            ctx.exit(FAILED)


def actor() -> str:
    """Who calls from the shell, for the records."""
    name = _unix_user()
    return f"shell:{name}" if name else "shell"


def operator() -> str:
    """The same, for the audit of orders."""
    return f"operator {_unix_user()}".rstrip()


def _unix_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name
        return ""
