"""Processes of ours, and how they end: nobody outlives the house.

Linux does the most of it (a parent adopts orphans, a child is told of its parent's end); elsewhere it is a best effort.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable

import psutil

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

ASK_SECONDS = 0.1

ORPHANED = 75
"""What a process ends with (EX_TEMPFAIL) that finds its parent gone while it is being started."""


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none is lost from sight."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int | None = None) -> None:
    """Ask the kernel for a SIGTERM when the parent of this process ends. Safe between fork and exec.

    ``parent`` is the process id that the parent should have. A parent that ended before the kernel was asked is never
    told of: this process has been given another one by then, and ends at once. A change of user forgets the wish: ask
    after it.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler that came along through the fork would swallow it
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if parent is not None and os.getppid() != parent:
        os._exit(ORPHANED)


def become(uid: int, gid: int, groups: Iterable[int] = ()) -> None:
    """Turn this process into another user, by number and for good. Only root may; safe between fork and exec."""
    os.setgroups(list(groups))
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)


def gain_nothing() -> None:
    """Give up for good, for this process and all that it starts, the rights that set-uid programs would lend."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def listens(address: tuple[str, int]) -> bool:
    """Whether somebody listens there. For addresses of this machine: it is asked without waiting for others."""
    with socket.socket() as asking:
        asking.settimeout(ASK_SECONDS)
        return asking.connect_ex(address) == 0


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


def end_descendants(*, grace_seconds: float, spare: Callable[[psutil.Process], bool] | None = None) -> int:
    """End everything below this process, those too that are born meanwhile, but for what ``spare`` says. How many."""
    seen: set[int] = set()
    until = time.monotonic() + grace_seconds + 10.0
    while (
        left := [process for process in descendants() if not (spare and spare(process))]
    ) and time.monotonic() < until:
        end(left, grace_seconds=0.0 if {p.pid for p in left} <= seen else grace_seconds)
        seen |= {process.pid for process in left}
    _reap()
    return len(seen)


def is_persons(process: psutil.Process) -> bool:
    """Whether it is a person's server, or one of its kernels: by what the hub told it when it was started."""
    try:
        return bool(process.environ().get("JUPYTERHUB_SERVICE_PREFIX", "").startswith("/user/"))
    except psutil.Error:
        return False


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
