"""The house opens quickly, and leaves nothing behind, however it ends."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
import pytest

from tests.open_house import OpenHouse, arrive, free_block, sign_in, visitor
from tests.processes import words_of

pytestmark = pytest.mark.slow

SECOND_START_SECONDS = 15.0
IGNORING = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])",
)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., OpenHouse]]:
    """Start a house; again on the same ports and home where called again."""
    port, houses = free_block(), []

    def begin(**settings: object) -> OpenHouse:
        houses.append(OpenHouse(tmp_path / "var", port, **settings))  # type: ignore[arg-type]
        return houses[-1]

    yield begin
    for house in houses:
        house.end()


def _alive_after(house: OpenHouse, seconds: float) -> list[list[str]]:
    until = time.monotonic() + seconds
    while (left := house.belongings()) and time.monotonic() < until:
        time.sleep(0.1)
    return [words for process in left if (words := words_of(process))]


def _visit(house: OpenHouse) -> None:
    with visitor(house) as client:
        sign_in(client, "ada@example.com")
        arrive(client, "/hub/user-redirect/")


def test_sigterm_leaves_no_process_and_the_second_start_is_quick(start: Callable[..., OpenHouse]) -> None:
    first = start()
    first.wait_until_ready()
    _visit(first)
    assert len(first.belongings()) > 8
    assert first.stop(signal.SIGTERM) == 0
    assert not _alive_after(first, 0.0)
    assert first.says[-1] == "Stopped."
    second = start()
    assert second.wait_until_ready() < max(SECOND_START_SECONDS, 1.5 * first.ready_seconds), "on a busy machine, too"
    assert second.stop() == 0


def test_ctrl_c_works_where_the_shell_ignored_it(start: Callable[..., OpenHouse]) -> None:
    house = start(command=IGNORING)
    house.wait_until_ready()
    assert house.stop(signal.SIGINT) == 0
    assert not _alive_after(house, 0.0)


def test_ctrl_c_before_it_is_ready_stops_it_too(start: Callable[..., OpenHouse]) -> None:
    house = start()
    until = time.monotonic() + 20
    while len(house.belongings()) < 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert house.stop(signal.SIGINT) == 0
    assert not _alive_after(house, 0.0)


def test_a_second_ctrl_c_hurries(start: Callable[..., OpenHouse]) -> None:
    house = start()
    house.wait_until_ready()
    _visit(house)
    house.process.send_signal(signal.SIGINT)
    time.sleep(0.3)  # two presses, not one
    began = time.monotonic()
    assert house.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 4.0
    assert not _alive_after(house, 0.0)


def test_a_hub_that_is_killed_takes_everything_along_and_says_where_to_look(start: Callable[..., OpenHouse]) -> None:
    house = start()
    house.wait_until_ready()
    house.service("jupyterhub").kill()
    assert house.wait() == 1
    assert "ended by itself" in house.says[-1]
    assert str(house.home / "logs" / "hub.log") in house.says[-1]
    assert not _alive_after(house, 0.0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_launcher_that_is_killed_leaves_nothing_behind(start: Callable[..., OpenHouse]) -> None:
    house = start()
    house.wait_until_ready()
    house.process.kill()
    house.wait()
    assert not _alive_after(house, 20.0)


def test_the_proxy_of_a_killed_house_does_not_stop_the_next(start: Callable[..., OpenHouse]) -> None:
    house = start()
    house.wait_until_ready()
    hub = house.service("jupyterhub")
    for process in (psutil.Process(house.process.pid), hub):
        process.suspend()  # neither may tidy up after the other
    house.process.kill()
    hub.kill()
    house.wait()
    until = time.monotonic() + 20
    while len(house.belongings()) > 1 and time.monotonic() < until:
        time.sleep(0.1)
    left = [words for process in house.belongings() if (words := words_of(process))]
    assert len(left) == 1
    assert left[0][1].endswith("configurable-http-proxy")
    assert start().wait_until_ready() < 2 * SECOND_START_SECONDS


@pytest.mark.parametrize("module", ["tng.api", "tng.cli worker"], ids=["api", "worker"])
def test_a_service_that_is_killed_is_back_in_seconds(start: Callable[..., OpenHouse], module: str) -> None:
    house = start()
    house.wait_until_ready()
    while not _answers(house, module, old_pid=0):  # the house is ready as soon as people may sign in
        time.sleep(0.1)
    time.sleep(max(0.0, 6.0 - _age(house, module)))  # younger ones count as broken
    killed, old = time.monotonic(), house.service(module)
    old.kill()
    while not _answers(house, module, old.pid):
        assert time.monotonic() - killed < 15.0
        time.sleep(0.1)
    assert house.stop() == 0


def test_with_keys_the_sign_in_goes_to_google_with_pkce(start: Callable[..., OpenHouse]) -> None:
    house = start(GOOGLE_CLIENT_ID="an-id.apps.example", GOOGLE_CLIENT_SECRET="a-secret")
    house.wait_until_ready()
    answer = httpx.get(f"{house.url}/hub/oauth_login")
    target, asked = urlsplit(answer.headers["location"]), parse_qs(urlsplit(answer.headers["location"]).query)
    assert (target.scheme, target.netloc) == ("https", "accounts.google.com")
    assert asked["client_id"] == ["an-id.apps.example"]
    assert asked["redirect_uri"] == [f"{house.url}/hub/oauth_callback"]
    assert asked["code_challenge_method"] == ["S256"]
    assert "hub.sandbox.google" not in str([words_of(process) for process in house.belongings()])
    assert house.stop() == 0


def _age(house: OpenHouse, module: str) -> float:
    return time.time() - float(house.service(module).create_time())


def _answers(house: OpenHouse, module: str, old_pid: int) -> bool:
    try:
        if house.service(module).pid == old_pid:
            return False
        return module != "tng.api" or httpx.get(f"{house.url}/services/api/").status_code < 500
    except (AssertionError, httpx.HTTPError):
        return False
