"""Two GPUs, three power users: a real house with a stand-in for nvidia-smi. Nobody shares, nobody is forgotten.

What somebody who means ill tries with GPUs is in tests/hostile/test_gpus.py.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hub.sandbox.people import by_address
from tests.isolated_house import isolated, own_view, uid_base_of, why_not
from tests.nvidia import stand_in, uuid
from tests.open_house import OpenHouse, arrive, free_block, server_path, sign_in, visitor
from tests.processes import environment_of, words_of

pytestmark = pytest.mark.slow

WISH = {"opt-door": "workbench", "opt-gpus": "1"}
POWER = "ada@example.com,ben@example.com"


@pytest.fixture
def enter(tmp_path: Path) -> Iterator[Callable[..., OpenHouse]]:
    """Opens the house, again and again: the same home, the same address."""
    port, houses = free_block(), []

    def build(**settings: str) -> OpenHouse:
        told = {"TNG_POWER_USERS": POWER, "TNG_ORDER_GPUS": "0", "TNG_SPARE_KERNELS": "0"} | settings
        house = OpenHouse(tmp_path / "var", port, PATH=stand_in(tmp_path / "bin", 2), **told)
        houses.append(house)
        house.wait_until_ready()
        return house

    yield build
    for house in houses:
        house.end()


@pytest.fixture
def person(enter: Any) -> Iterator[Callable[[OpenHouse, str], httpx.Client]]:
    """Signs somebody in."""
    clients = []

    def build(house: OpenHouse, email: str) -> httpx.Client:
        clients.append(visitor(house))
        sign_in(clients[-1], email, to="/hub/home")
        return clients[-1]

    yield build
    for client in clients:
        client.close()


def server(house: OpenHouse, email: str) -> psutil.Process:
    """The JupyterLab of somebody."""
    for process in house.belongings():
        whose = environment_of(process).get("JUPYTERHUB_USER")
        if "hub.lab_server" in words_of(process) and whose == by_address(email).id:
            return process
    raise AssertionError(f"{email} has no workbench")


def open_workbench(client: httpx.Client, email: str) -> None:
    """Ask for a workbench with one GPU, and wait until it is there."""
    assert client.get("/hub/spawn", params=WISH).status_code == 200
    assert arrive(client, server_path(email)).url.path.endswith("/lab/tree/workbench")


def put_away(client: httpx.Client, email: str) -> None:
    """Stop the own server, and wait until it has ended."""
    token = next(str(c.value) for c in client.cookies.jar if c.name == "_xsrf" and c.path == "/hub/")
    address = f"/hub/api/users/{by_address(email).id}/server"
    answer = client.delete(address, headers={"X-XSRFToken": token, "accept": "application/json"})
    assert answer.status_code in (202, 204)
    until = time.monotonic() + 30
    while client.get("/hub/spawn").url.path.startswith("/hub/spawn-pending"):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_two_work_the_third_waits_and_a_restart_of_the_hub_changes_nothing(enter: Any, person: Any) -> None:
    first = enter(TNG_KEEP_SERVERS="true")
    pia, ada, ben = (person(first, f"{name}@example.com") for name in ("pia", "ada", "ben"))
    open_workbench(pia, "pia@example.com")
    open_workbench(ada, "ada@example.com")
    held = {environment_of(server(first, f"{name}@example.com"))["CUDA_VISIBLE_DEVICES"] for name in ("pia", "ada")}
    assert held == {uuid(0), uuid(1)}

    busy = ben.get("/hub/spawn", params=WISH | {"next": "/hub/user-redirect/?order=ord_1"})
    assert busy.status_code == 503
    assert busy.headers["retry-after"] == "20"
    assert "All GPUs are busy. You are number 1 in the queue." in busy.text
    again = re.search(r'http-equiv="refresh" content="20; url=([^"]+)"', busy.text)
    assert again is not None
    path = again[1].replace("&amp;", "&")
    assert path.startswith("/hub/spawn/")
    assert "opt-gpus=1" in path
    assert "next=%2Fhub%2Fuser-redirect" in path
    assert "hub/gpus.py" not in first.log  # no traceback
    assert "consecutive spawns failed" not in first.log

    hers = server(first, "pia@example.com")
    assert first.stop() == 0
    assert hers.is_running()
    second = enter(TNG_KEEP_SERVERS="true")
    assert server(second, "pia@example.com") == hers
    assert arrive(pia, server_path("pia@example.com")).url.path.endswith("/lab/tree/workbench")
    assert ben.get(path).status_code == 503

    put_away(pia, "pia@example.com")
    assert not hers.is_running()
    assert ben.get(path).status_code == 200
    assert arrive(ben, path).url.params["order"] == "ord_1"
    assert environment_of(server(second, "ben@example.com"))["CUDA_VISIBLE_DEVICES"] in held


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_the_same_holds_where_everybody_is_a_unix_user_of_their_own(person: Any, tmp_path: Path) -> None:
    tools = Path(tempfile.mkdtemp(prefix="tng-bin-"))
    tools.chmod(0o755)
    told = {"PATH": stand_in(tools, 2), "TNG_KEEP_SERVERS": "true", "TNG_SPARE_KERNELS": "0"}
    with isolated(**told) as first:
        numbers = {"TNG_ISOLATION": "users", "TNG_UID_BASE": str(uid_base_of(first.port))}
        pia = person(first, "pia@example.com")
        open_workbench(pia, "pia@example.com")
        hers, worker = server(first, "pia@example.com"), first.service("tng.cli worker")
        assert environment_of(hers)["CUDA_VISIBLE_DEVICES"] == uuid(0)
        assert len({0, hers.uids().real, worker.uids().real}) == 3
        owners = {path.stat().st_uid for path in (first.home / "shop").glob("orders.sqlite*")}
        assert 0 not in owners  # root's hub wrote in it, and left it to the shop
        assert first.stop() == 0
        second = OpenHouse(first.home, first.port, command=own_view(), **told | numbers)
        try:
            second.wait_until_ready()
            assert server(second, "pia@example.com") == hers
            put_away(pia, "pia@example.com")
            assert not hers.is_running()
        finally:
            second.stop()
            second.end()
    shutil.rmtree(tools)
