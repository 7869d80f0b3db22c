"""A command that has given up the rights of root is still the process that was started."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SECONDS = 20.0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_a_command_keeps_its_process_and_loses_its_rights() -> None:
    told = "echo $$; id -u; id -g; id -G; grep NoNewPrivs /proc/$$/status"
    command = [sys.executable, "-m", "hub.step_down", "3500005:3500006", "/bin/sh", "-c", told]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        said, _ = started.communicate(timeout=SECONDS)
    assert said.splitlines() == [str(started.pid), "3500005", "3500006", "3500006", "NoNewPrivs:\t1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may")
def test_who_may_not_become_somebody_runs_nothing() -> None:
    command = [sys.executable, "-m", "hub.step_down", "3500005:3500005", "/bin/echo", "ran"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")
