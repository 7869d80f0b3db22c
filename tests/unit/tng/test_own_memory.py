"""What one process was told, another of the same Unix user cannot read: the words of prctl(2), tried."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tng.settings import ROOT

NOBODY = 65534
PLAIN = f"""
import ctypes, os, subprocess
from tng.adapters.own_memory import PR_SET_DUMPABLE, close_memory
os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as it is after every exec
"""
CLOSED = f"{PLAIN}close_memory()\n"
WAITS = "print('ready', flush=True); input()"

pytestmark = pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="it takes root to be two of one")


@contextmanager
def running(code: str) -> Iterator[int]:
    """A process of nobody's with a secret in its environment."""
    command = [sys.executable, "-c", code + WAITS]
    told = {"PYTHONPATH": str(ROOT), "A_SECRET": "open sesame"}
    process = subprocess.Popen(command, env=told, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"ready\n"
        yield process.pid
    finally:
        process.communicate(b"\n", timeout=20)


def read_by_another(pid: int) -> bytes:
    """What another process of nobody's reads of its environment."""
    read = ["/bin/cat", f"/proc/{pid}/environ"]
    return subprocess.run(read, user=NOBODY, group=NOBODY, extra_groups=[], env={}, capture_output=True).stdout


def test_its_environment_is_its_own() -> None:
    with running(CLOSED) as pid:
        assert read_by_another(pid) == b""


def test_control_without_it_another_process_reads_it() -> None:
    with running(PLAIN) as pid:
        assert b"open sesame" in read_by_another(pid)


def test_what_it_starts_is_a_process_like_any_other() -> None:
    starts = "subprocess.run(['/bin/cat', '/proc/self/environ'], check=True)"
    done = subprocess.run([sys.executable, "-c", CLOSED + starts], env={"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert b"PYTHONPATH" in done.stdout
