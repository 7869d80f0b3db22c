"""Keeps a process's environment and memory to itself, where others run as the same Unix user."""

from __future__ import annotations

import ctypes
import sys

PR_SET_DUMPABLE = 4
"""prctl(2). What is not dumpable can be traced by root alone, and its files in /proc are root's (proc(5))."""


def close_memory() -> None:
    """Let no other process of this Unix user read what this one was told, its environment among it.

    It holds until this process turns into another program: those that it starts are not concerned. Linux only.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
