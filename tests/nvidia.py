"""A stand-in for ``nvidia-smi``: a program on PATH that names as many GPUs as a test wants."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

SCRIPT = """#!/bin/sh
# As many GPUs as this file says; asked otherwise than the house asks, it fails as the real one does.
[ "$1" = "--query-gpu=uuid,name,memory.total" ] && [ "$2" = "--format=csv,noheader" ] || exit 2
number=0
while [ "$number" -lt "{count}" ]; do
  echo "GPU-00000000-0000-0000-0000-00000000000$number, NVIDIA Stand-in, 40960 MiB"
  number=$((number + 1))
done
"""


def uuid(number: int) -> str:
    """The UUID of a GPU of the stand-in."""
    return f"GPU-00000000-0000-0000-0000-00000000000{number}"


def stand_in(folder: Path, count: int, environment: Mapping[str, str] = os.environ) -> str:
    """Write it into ``folder``; a PATH on which it comes first."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "nvidia-smi"
    program.write_text(SCRIPT.format(count=count), encoding="ascii")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{environment.get('PATH', '')}"
