"""Nobody outlives the house, not even a grandchild in a session of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from hub.processes import descendants, end, listens

DAEMON = (
    "import subprocess, sys; quiet = subprocess.DEVNULL; "
    "subprocess.Popen([sys.executable, '-c', {code!r}], start_new_session=True, stdout=quiet, stderr=quiet)"
)
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"

HOUSE = """
import pathlib, subprocess, sys, time
from hub.processes import adopt_orphans, descendants, end_descendants
{adopt}
subprocess.run([sys.executable, "-c", {daemon!r}], check=True)
until = time.monotonic() + 10
while not pathlib.Path({marker!r}).exists() and time.monotonic() < until: time.sleep(0.02)
print(*[p.pid for p in descendants()], flush=True)
print("ended", end_descendants(grace_seconds=1.0), flush=True)
"""


def _house(tmp_path: Path, *, adopt: bool) -> list[str]:
    marker = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(marker)!r}).write_text(str(os.getpid())); time.sleep(60)"
    adoption = "adopt_orphans()" if adopt else ""
    script = HOUSE.format(adopt=adoption, daemon=DAEMON.format(code=code), marker=str(marker))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt orphans")
def test_an_orphan_is_adopted_and_ended(tmp_path: Path) -> None:
    pids, ended = _house(tmp_path, adopt=True)
    assert ended == "ended 1"
    assert not psutil.pid_exists(int(pids))


def test_without_adoption_the_orphan_is_out_of_sight(tmp_path: Path) -> None:
    pids, ended = _house(tmp_path, adopt=False)
    assert (pids, ended) == ("", "ended 0")
    orphan = psutil.Process(int((tmp_path / "pid").read_text()))
    assert orphan.is_running()
    orphan.kill()


def test_a_process_that_does_not_listen_is_killed() -> None:
    child = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    end([psutil.Process(child.pid)], grace_seconds=0.2)
    assert not psutil.pid_exists(child.pid)
    child.wait(timeout=10)
    child.stdout.close()


def test_ending_what_has_ended_is_fine() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    process = psutil.Process(child.pid)
    child.wait(timeout=10)
    end([process], grace_seconds=0.1)
    assert process not in descendants()


LATE = """
import os, signal, sys, time
from hub.processes import die_with_parent
signal.signal(signal.SIGTERM, lambda *_: None)
parent = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == parent: time.sleep(0.01)
die_with_parent({expected})
print("alive", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, flush=True)
"""


@pytest.mark.parametrize(("expected", "says"), [("parent", ""), ("", "alive True\n")], ids=["knows-it", "does-not"])
def test_a_child_that_asks_after_its_parents_end_ends_where_it_knows_its_parent(expected: str, says: str) -> None:
    script = LATE.format(expected=expected)
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True, timeout=30)
    assert done.stdout == says


def test_an_address_is_known_to_listen_or_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        assert listens(address)
    assert not listens(address)
