"""The dead man's switch of a kernel: runs inside the kernel, on the standard library only. It is no part of the worker.

A kernel has a session of its own, so that it outlives a worker that was killed, and one that is frozen (a paused
machine, a hanging disk). ipykernel ends itself within a second of its parent's death; this covers the rest: no touch
of the alive file for too long means that the lease is over, and that the job may belong to another worker already.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

EXIT_CODE = 75
"""What the kernel ends with (EX_TEMPFAIL): somebody else will do the work."""


def watch(alive_file: str, limit_seconds: float) -> threading.Thread:
    """Begin to watch, in a thread. Nothing happens before ``alive_file`` exists: a spare kernel may wait for hours."""
    thread = threading.Thread(target=_watch, args=(Path(alive_file), limit_seconds), name="dead-man", daemon=True)
    thread.start()
    return thread


def _watch(alive_file: Path, limit_seconds: float) -> None:
    """Changes are timed by this process's own monotonic clock: a step of the wall clock kills nobody."""
    pause = min(0.25, limit_seconds / 16)
    touched, heard_at = None, time.monotonic()
    while touched is None or time.monotonic() - heard_at <= limit_seconds:
        time.sleep(pause)
        try:
            changed = alive_file.stat().st_mtime_ns
        except FileNotFoundError:
            continue
        if changed != touched:
            touched, heard_at = changed, time.monotonic()
    os._exit(EXIT_CODE)
