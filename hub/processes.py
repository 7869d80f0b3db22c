"""Processes of ours, and how they end: nobody outlives the house.

Linux does the most of it (a parent adopts orphans, a child is told of its parent's end); elsewhere it is a best effort.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is lost from sight."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the parent of this process ends. Safe between fork and exec."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def descendants() -> list[psutil.Process]:
    """Every living process below this one, whatever session it put itself in."""
    alive = []
    for process in psutil.Process().children(recursive=True):
        try:
            if process.status() != psutil.STATUS_ZOMBIE:
                alive.append(process)
        except psutil.NoSuchProcess:
            continue
    return alive


def end(processes: Iterable[psutil.Process], *, grace_seconds: float) -> None:
    """End processes: SIGTERM, after the grace SIGKILL. Those that ended already are fine."""
    left = list(processes)
    _send(left, signal.SIGTERM)
    _, left = psutil.wait_procs(left, timeout=grace_seconds)
    _send(left, signal.SIGKILL)
    psutil.wait_procs(left, timeout=5.0)


def end_descendants(*, grace_seconds: float) -> int:
    """End everything below this process, those too that are born meanwhile. How many there were."""
    seen: set[int] = set()
    until = time.monotonic() + grace_seconds + 10.0
    while (left := descendants()) and time.monotonic() < until:
        end(left, grace_seconds=0.0 if {p.pid for p in left} <= seen else grace_seconds)
        seen |= {process.pid for process in left}
    _reap()
    return len(seen)


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def _reap() -> None:
    """Take the exit status of adopted orphans, so that none stays a zombie."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue
    except ChildProcessError:
        return


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)
