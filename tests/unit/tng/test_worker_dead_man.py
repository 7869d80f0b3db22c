"""The dead man's switch ends its process when nobody touches the file any more, and only then."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tng.adapters.dead_man import EXIT_CODE

LIMIT = 0.6
CODE = (
    "import sys, time; from tng.adapters.dead_man import watch; watch(sys.argv[1], float(sys.argv[2])); time.sleep(30)"
)


def watched(alive: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CODE, str(alive), str(LIMIT)])


def test_it_ends_its_process_when_the_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "alive").touch()
    assert watched(tmp_path / "alive").wait(20) == EXIT_CODE


def test_it_waits_for_ever_for_a_file_that_never_was(tmp_path: Path) -> None:
    process = watched(tmp_path / "alive")
    try:
        threshold = time.monotonic() + LIMIT * 4
        while time.monotonic() < threshold:
            assert process.poll() is None
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()


def test_touches_keep_it_and_a_step_of_the_wall_clock_does_not_end_it(tmp_path: Path) -> None:
    alive = tmp_path / "alive"
    alive.touch()
    process = watched(alive)
    try:
        for step in range(20):
            past = time.time() - 10**6 + step  # as if the clock of the file's system were days behind
            os.utime(alive, (past, past))
            time.sleep(LIMIT / 6)
            assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_a_file_that_is_removed_ends_it_too(tmp_path: Path) -> None:
    (tmp_path / "alive").touch()
    process = watched(tmp_path / "alive")
    time.sleep(LIMIT / 2)
    (tmp_path / "alive").unlink()
    assert process.wait(20) == EXIT_CODE
