"""A kept command runs again when it ends, and ends when the keeper does."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

SECONDS = 20.0
COUNTING = "import os, sys, time; print(os.getpid(), flush=True); {then}"


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a keeper that considers only the first ``early`` seconds early."""
    keepers = []

    def start(then: str, *, early: float = 5.0) -> subprocess.Popen[str]:
        code = f"import sys, hub.keeper as k; k.EARLY_SECONDS = {early}; sys.exit(k.main(sys.argv[1:]))"
        command = [sys.executable, "-c", code, sys.executable, "-c", COUNTING.format(then=then)]
        keepers.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        return keepers[-1]

    yield start
    for keeper in keepers:
        keeper.kill()
        keeper.communicate(timeout=SECONDS)


def _next_child(keeper: subprocess.Popen[str]) -> psutil.Process:
    assert keeper.stdout is not None
    return psutil.Process(int(keeper.stdout.readline()))


def _wait_until_gone(process: psutil.Process) -> bool:
    return not psutil.wait_procs([process], timeout=SECONDS)[1]


def test_a_command_that_is_killed_runs_again_at_once(keep: Callable[..., subprocess.Popen[str]]) -> None:
    keeper = keep("time.sleep(60)", early=0.0)
    first = _next_child(keeper)
    killed = time.monotonic()
    first.kill()
    second = _next_child(keeper)
    assert second.pid != first.pid
    assert time.monotonic() - killed < 5.0
    assert keeper.poll() is None


@pytest.mark.parametrize(("then", "status"), [("sys.exit(3)", 3), ("sys.exit(0)", 1), ("os.kill(os.getpid(), 9)", 1)])
def test_a_command_that_ends_at_once_is_broken(
    keep: Callable[..., subprocess.Popen[str]], then: str, status: int
) -> None:
    keeper = keep(then)
    assert keeper.wait(timeout=SECONDS) == status


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "sigint"])
def test_a_keeper_that_is_told_to_end_takes_its_command_along(
    keep: Callable[..., subprocess.Popen[str]], number: signal.Signals
) -> None:
    keeper = keep("time.sleep(60)")
    child = _next_child(keeper)
    keeper.send_signal(number)
    assert keeper.wait(timeout=SECONDS) == 0
    assert _wait_until_gone(child)


def test_a_command_that_does_not_listen_is_killed(keep: Callable[..., subprocess.Popen[str]]) -> None:
    keeper = keep("import signal; signal.signal(15, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(60)")
    _next_child(keeper)
    child = _next_child(keeper)
    keeper.terminate()
    assert keeper.wait(timeout=SECONDS) == 0
    assert _wait_until_gone(child)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_keeper_that_is_killed_leaves_nothing_behind(keep: Callable[..., subprocess.Popen[str]]) -> None:
    keeper = keep("time.sleep(60)")
    child = _next_child(keeper)
    keeper.kill()
    assert _wait_until_gone(child)
