"""What several test files need and takes long to make: made once a run, also where several workers run the tests."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

WHOLE = "whole"
"""A file beside what was made, written last."""


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder ``name`` of this run, which ``make`` fills for whoever asks first. Nobody may change what is in it.

    Who asks meanwhile waits. Where ``make`` raises, the next one who asks tries again.
    """
    base = folder_of_the_run(factory) / "made once"
    base.mkdir(exist_ok=True)
    folder, whole = base / name, base / f"{name}.{WHOLE}"
    with (base / f"{name}.lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder


def folder_of_the_run(factory: pytest.TempPathFactory) -> Path:
    """The temporary folder that all workers of this run have in common."""
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def worker() -> tuple[int, int]:
    """The number of this worker, from 0 on, and how many there are."""
    name = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return int(name.removeprefix("gw")), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
