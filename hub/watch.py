"""Adds up what a person's server and all its processes have in memory, where no control group does it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import psutil

MIB: Final = 2**20
EVERY_SECONDS: Final = 3.0

Find = Callable[[], Iterable[psutil.Process]]


def processes_of(uid: int) -> list[psutil.Process]:
    """Every living process of a Unix user, wherever it stands in the tree."""
    return [process for process in psutil.process_iter() if _is_of(process, uid)]


def tree(pid: int) -> list[psutil.Process]:
    """A process and all below it; nothing where it has ended."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory_mb(processes: Iterable[psutil.Process], most_mb: int) -> int:
    """What the processes hold, in MiB.

    The quick sum counts shared pages once a process. Only where that is over ``most_mb`` each page is told apart.
    """
    found = list(processes)
    quick = sum(_bytes(process, precise=False) for process in found) // MIB
    return quick if quick <= most_mb else sum(_bytes(process, precise=True) for process in found) // MIB


async def until_over(find: Find, most_mb: int, *, every_seconds: float = EVERY_SECONDS) -> int:
    """Wait until the processes that ``find`` gives hold more than ``most_mb``; how much that is, in MiB."""
    while True:
        used_mb = await asyncio.to_thread(lambda: memory_mb(find(), most_mb))
        if used_mb > most_mb:
            return used_mb
        await asyncio.sleep(every_seconds)


def _is_of(process: psutil.Process, uid: int) -> bool:
    try:
        return bool(process.uids().real == uid and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def _bytes(process: psutil.Process, *, precise: bool) -> int:
    try:
        return int(process.memory_full_info().pss if precise else process.memory_info().rss)
    except (psutil.Error, AttributeError):  # it ended, or this system knows no proportional size
        return 0
