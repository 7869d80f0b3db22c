"""The writer's own commands, a process of their own: the shop hands over and never imports the writer."""

from __future__ import annotations

from typing import Any

import click

from model.commands.checkpoints import checkpoints
from model.commands.corpus import corpus
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


@click.group(cls=Commands, commands=[corpus, checkpoints], context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Corpora and checkpoints: what the model learns from, and what it starts from."""
