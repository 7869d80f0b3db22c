"""People's servers go on while the hub is started again, where the operator wants that; else nothing outlives it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from traitlets.config import Config

from hub.processes import end_descendants, is_persons
from hub.spawner import HouseSpawner
from tests.processes import below

SLEEP = [sys.executable, "-c", "print('up', flush=True); import time; time.sleep(60)"]


@contextmanager
def running(**environment: str) -> Iterator[subprocess.Popen[str]]:
    """A process that waits, told this of itself."""
    child = subprocess.Popen(SLEEP, env=os.environ | environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "up\n"
    try:
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.mark.parametrize("kept", [True, False])
def test_the_setting_decides(configured: Callable[..., Config], kept: bool) -> None:
    c = configured(keep_servers=kept)
    assert c.JupyterHub.cleanup_servers is not kept
    assert c.HouseSpawner.outlives_hub is kept
    assert c.JupyterHub.cleanup_proxy  # the proxy is the house's: the next hub starts its own
    assert ("popen_kwargs" in c.HouseSpawner) is kept


def test_only_people_are_spared() -> None:
    with (
        running(JUPYTERHUB_SERVICE_PREFIX="/user/1000/") as server,
        running(JUPYTERHUB_SERVICE_PREFIX="/services/api/") as service,
        running() as worker,
    ):
        mine = {child.pid for child in (server, service, worker)}
        others = {child.pid for child in below(psutil.Process())} - mine

        def spare(process: psutil.Process) -> bool:
            return process.pid in others or is_persons(process)

        assert end_descendants(grace_seconds=2.0, spare=spare) == 2
        assert (server.poll(), service.poll() is None, worker.poll() is None) == (None, False, False)


def a_spawner(pid: int = 0) -> HouseSpawner:
    """A spawner whose server has this process."""
    house = HouseSpawner()
    house.user = SimpleNamespace(name="ada", id=7)
    house.pid = pid
    return house


def test_a_server_is_taken_up_again() -> None:
    with running() as server:
        state = a_spawner(server.pid).get_state()
        after = a_spawner()
        after.load_state(state)
        assert after.pid == server.pid


@pytest.mark.parametrize("changes", [{"born": "1.00"}, {"born": None}, {"pid": 2**22 + 1}], ids=str)
def test_another_process_of_the_same_number_is_not(changes: dict[str, Any]) -> None:
    with running() as stranger:
        after = a_spawner()
        after.load_state(a_spawner(stranger.pid).get_state() | changes)
        assert after.pid == 0
