"""The writer's own commands, a process of their own: the shop hands over and never imports the writer."""

from __future__ import annotations

import click

from model.commands.checkpoints import checkpoints
from model.commands.corpus import corpus
from tng.commands.group import Commands


@click.group(cls=Commands, commands=[corpus, checkpoints], context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Corpora and checkpoints: what the model learns from, and what it starts from."""
