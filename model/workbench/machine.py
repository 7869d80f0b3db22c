"""What the machine has for whoever sits at a notebook: its GPUs, and the hours of them that are left. It loads nothing.

The house names the GPUs of a server in ``CUDA_VISIBLE_DEVICES``, by their ids or by number; empty is none.
"""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Mapping
from typing import Final

from model.workbench.showing import show_lines

HOURS: Final = "TNG_GPU_HOURS_LEFT"
VISIBLE: Final = "CUDA_VISIBLE_DEVICES"
NO_GPU: Final = "No GPU: everything here runs on the CPU"
QUERY: Final = ("nvidia-smi", "--query-gpu=uuid,name,memory.total", "--format=csv,noheader")
ANSWER_SECONDS: Final = 10


def show_machine() -> None:
    """Say which GPU this server has, and how many GPU hours are left where they are counted."""
    show_lines(*machine_lines(os.environ, gpus_of_machine()))


def machine_lines(environ: Mapping[str, str], machine: Mapping[str, str]) -> tuple[str, ...]:
    """The same as lines. ``machine`` has the name of every GPU by its id, in the order of their numbers."""
    names = Counter(visible_gpus(environ.get(VISIBLE), machine))
    gpus = ", ".join(f"{count} × {name}" if count > 1 else name for name, count in names.items())
    hours = _hours(environ.get(HOURS, ""))
    return (
        f"GPU: {gpus}" if gpus else NO_GPU,
        *([f"GPU hours left of these seven days: {hours:.1f}"] if hours is not None else []),
    )


def visible_gpus(visible: str | None, machine: Mapping[str, str]) -> list[str]:
    """The names of the GPUs that a process may use; None for ``visible`` is all of them."""
    if visible is None:
        return list(machine.values())
    numbered = {str(number): name for number, name in enumerate(machine.values())} | dict(machine)
    return [numbered[gpu.strip()] for gpu in visible.split(",") if gpu.strip() in numbered]


def gpus_of_machine() -> dict[str, str]:
    """Name by id of every GPU of this machine, as its driver's own program tells; none where that is not there."""
    try:
        told = subprocess.run(QUERY, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    rows = (line.split(",") for line in told.splitlines())
    return {row[0].strip(): row[1].strip() for row in rows if len(row) > 1}


def _hours(told: str) -> float | None:
    try:
        return max(0.0, float(told))
    except ValueError:
        return None


__all__ = ["machine_lines", "show_machine", "visible_gpus"]
