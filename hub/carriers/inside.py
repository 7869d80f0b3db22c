"""Begins a workbench inside a container: ``python -m hub.carriers.inside MODULE ARGUMENT…``. It runs as the person.

The home is a volume that the hub never sees: so the notebooks are laid out here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hub.rules import WORKBENCH
from hub.workbench import stock


def main(arguments: list[str]) -> None:
    """Lay out the notebooks, and become the server."""
    os.umask(0o077)
    stock(WORKBENCH, Path.home() / "workbench")
    os.chdir(Path.home())
    os.execv(sys.executable, [sys.executable, "-P", "-m", "hub.start", *arguments])  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
