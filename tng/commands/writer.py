"""``tng corpus``, ``tng model`` and ``tng tracking``: the writer's commands, run in a process of their own.

The product never imports the writer: what TensorFlow does to its process is no concern of the shop's.
"""

from __future__ import annotations

import subprocess
import sys

import click

_PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}


@click.command(context_settings=_PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def corpus(arguments: tuple[str, ...]) -> None:
    """Import teleplays, list what there is, and make it ready for training."""
    sys.exit(_hand_over("corpus", arguments))


@click.command("model", context_settings=_PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def checkpoints(arguments: tuple[str, ...]) -> None:
    """Import a checkpoint, or download one to start from."""
    sys.exit(_hand_over("model", arguments))


@click.command(context_settings=_PASSED_ON)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def tracking(arguments: tuple[str, ...]) -> None:
    """Put MLflow's records of trainings in order."""
    sys.exit(_hand_over("tracking", arguments))


def _hand_over(group: str, arguments: tuple[str, ...]) -> int:
    return subprocess.run([sys.executable, "-m", "model", group, *arguments], check=False).returncode
