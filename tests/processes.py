"""What a living process says of itself, and nothing where it has ended between being listed and being asked.

A house starts and ends processes all the time. Between the list and the question one may be gone, or be a zombie that
nobody has waited for yet: that is no failure of a test that looks for somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import psutil

Answer = TypeVar("Answer")


def words_of(process: psutil.Process) -> list[str]:
    """The command line of a process; none where it has just ended."""
    return _asked(process.cmdline, [])


def environment_of(process: psutil.Process) -> dict[str, str]:
    """The environment that a process was started with; none where it has just ended."""
    return _asked(process.environ, {})


def below(process: psutil.Process) -> list[psutil.Process]:
    """All that a process has started, and what those have; none where it has just ended."""
    return _asked(lambda: process.children(recursive=True), [])


def above(process: psutil.Process) -> list[psutil.Process]:
    """The parents of a process, the nearest first; none where it has just ended."""
    return _asked(process.parents, [])


def is_kernel(process: psutil.Process) -> bool:
    """Whether it is a living kernel of Jupyter's."""
    return any("ipykernel_launcher" in word for word in words_of(process))


def kernels_below(pid: int) -> list[psutil.Process]:
    """The living kernels that a process has started, or others for it."""
    return [process for process in below(psutil.Process(pid)) if is_kernel(process)]


def _asked(ask: Callable[[], Answer], nothing: Answer) -> Answer:
    try:
        return ask()
    except psutil.NoSuchProcess:  # a zombie is one of these
        return nothing
