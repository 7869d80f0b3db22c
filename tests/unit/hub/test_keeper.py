"""A kept command runs again when it ends, and ends when the keeper does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hub.keeper import hold
from tests.open_house import free_block
from tng.api.__main__ import listen

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


ORPHANING = """
import os, signal, subprocess, sys
command = [sys.executable, "-m", "hub.keeper", *{options}, sys.executable, "-c", {code!r}]
child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
os.kill(child.pid, signal.SIGSTOP)  # it has not come to ask who its parent is
print(os.getpid(), child.pid, flush=True)
"""


def _keeper_that_starts_slowly(options: str, tmp_path: Path) -> tuple[psutil.Process, Path]:
    """A keeper whose parent ended while Python was starting in it, and the file that its command writes."""
    written = tmp_path / "written"
    code = f"import pathlib, time; pathlib.Path({str(written)!r}).touch(); time.sleep(60)"
    script = ORPHANING.format(options=options, code=code)
    done = subprocess.run(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS
    )
    keeper = psutil.Process(int(done.stdout.split()[1]))
    keeper.resume()
    return keeper, written


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_keeper_whose_parent_ended_while_it_started_ends_too(tmp_path: Path) -> None:
    keeper, written = _keeper_that_starts_slowly("[f'--parent={os.getpid()}']", tmp_path)
    assert _wait_until_gone(keeper)
    assert not written.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_keeper_that_does_not_know_its_parent_would_live_on(tmp_path: Path) -> None:
    keeper, written = _keeper_that_starts_slowly("[]", tmp_path)
    until = time.monotonic() + SECONDS
    while not written.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert written.exists()
    keeper.terminate()
    assert _wait_until_gone(keeper)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_a_keeper_becomes_who_it_is_told_and_so_does_its_command() -> None:
    command = [sys.executable, "-m", "hub.keeper", f"--parent={os.getpid()}", "--as=3500001:3500000"]
    told = "id -u; id -g; id -G; grep NoNewPrivs /proc/$PPID/status; cat /proc/$PPID/status | grep ^Uid"
    ran = subprocess.run([*command, "sh", "-c", told], stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=False)
    uid = "\t3500001" * 4
    assert ran.stdout.splitlines() == ["3500001", "3500000", "3500000", "NoNewPrivs:\t1", f"Uid:{uid}"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_a_keeper_of_another_user_ends_with_its_parent() -> None:
    command = [sys.executable, "-m", "hub.keeper", "--as=3500001:3500000", "sh", "-c", "echo $$; exec sleep 60"]
    parent = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); p.wait()"
    started = subprocess.Popen([sys.executable, "-c", parent, *command], stdout=subprocess.PIPE, text=True)
    child = _next_child(started)
    assert child.uids().real == 3500001
    started.kill()
    assert _wait_until_gone(child)
    started.communicate(timeout=SECONDS)


TAKING = """
import os, socket
os.setgid({uid}); os.setuid({uid})
for options in ([], [socket.SO_REUSEADDR], [socket.SO_REUSEPORT], [socket.SO_REUSEADDR, socket.SO_REUSEPORT]):
    with socket.socket() as taking:
        for option in options:
            taking.setsockopt(socket.SOL_SOCKET, option, 1)
        try:
            taking.bind(("127.0.0.1", {port}))
            print("taken")
        except OSError:
            print("refused")
"""


def _take(uid: int, port: int) -> set[str]:
    code = TAKING.format(uid=uid, port=port)
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=SECONDS, check=True)
    return set(ran.stdout.split())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
def test_nobody_takes_the_port_of_a_command_that_is_down() -> None:
    port = free_block(1)
    assert _take(3500009, port) == {"taken"}  # the control: nobody holds it yet
    with hold(port):
        assert _take(3500009, port) == {"refused"}
        with listen("127.0.0.1", port) as serving:
            socket.create_connection(("127.0.0.1", port)).close()
            serving.accept()[0].close()
            assert _take(3500009, port) == {"refused"}
        assert _take(3500009, port) == {"refused"}
        listen("127.0.0.1", port).close()
    with hold(port):  # where something is still under way from before
        assert _take(3500009, port) == {"refused"}


def test_a_port_that_cannot_be_held_keeps_no_command_from_running(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, hold(other.getsockname()[1]):
        assert "cannot be held" in caplog.text


def test_a_command_that_is_to_stand_back_does_so_from_its_first_moment_on() -> None:
    asks = "import os; print(os.nice(0))"
    command = [sys.executable, "-m", "hub.keeper", "--nice=7", sys.executable, "-c", asks]
    told = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert told.stdout.split() == [str(min(19, os.nice(0) + 7))]
