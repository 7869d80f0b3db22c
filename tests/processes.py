"""What a living process says of itself, and nothing where it has ended between being listed and being asked.

A house starts and ends processes all the time. Between the list and the question one may be gone, or be a zombie that
nobody has waited for yet: that is no failure of a test that looks for somebody else.
"""

from __future__ import annotations

import psutil


def words_of(process: psutil.Process) -> list[str]:
    """The command line of a process; none where it has just ended."""
    try:
        words: list[str] = process.cmdline()
    except psutil.NoSuchProcess:  # a zombie is one of these
        return []
    return words


def environment_of(process: psutil.Process) -> dict[str, str]:
    """The environment that a process was started with; none where it has just ended."""
    try:
        environment: dict[str, str] = process.environ()
    except psutil.NoSuchProcess:
        return {}
    return environment


def below(process: psutil.Process) -> list[psutil.Process]:
    """All that a process has started, and what those have; none where it has just ended."""
    try:
        children: list[psutil.Process] = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return children


def above(process: psutil.Process) -> list[psutil.Process]:
    """The parents of a process, the nearest first; none where it has just ended."""
    try:
        parents: list[psutil.Process] = process.parents()
    except psutil.NoSuchProcess:
        return []
    return parents


def is_kernel(process: psutil.Process) -> bool:
    """Whether it is a living kernel of Jupyter's."""
    return any("ipykernel_launcher" in word for word in words_of(process))
