"""The writer's own commands, a process of their own: the shop hands over and never imports the writer."""

from __future__ import annotations

import click

from model.commands.checkpoints import checkpoints
from model.commands.corpus import corpus
from model.commands.tracking import tracking
from tng.commands.group import Commands


@click.group(
    cls=Commands,
    commands=[corpus, checkpoints, tracking],
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """Corpora, checkpoints and MLflow: what the model learns from, what it starts from, and what is recorded."""
