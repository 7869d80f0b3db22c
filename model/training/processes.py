"""Whether the process that a training ran in is still that process: ids are used again, beginnings are not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_BOOT: Final = _PROC / "sys/kernel/random/boot_id"
_STATE, _STARTED = 0, 19
"""Places in ``/proc/PID/stat`` behind the name, which may hold anything."""


def beginning_of(pid: int) -> str:
    """When a process began, as no other process of its id ever did; empty where there is none or nothing is told."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
    return "" if fields[_STATE] in "ZX" else f"{boot} {fields[_STARTED]}"


def is_gone(pid: int, beginning: str) -> bool:
    """Whether the process that began so is no more. Where nothing is known of it, it is not."""
    if not beginning:
        return False
    found = beginning_of(pid)
    return found != beginning if found else not _is_there(pid)


def _is_there(pid: int) -> bool:
    """Whether there is a process of this id that only hides itself from us; one that is dead and unburied is gone."""
    if (_PROC / str(pid) / "stat").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


__all__ = ["beginning_of", "is_gone"]
