"""How a person's server becomes its person's: real processes, started as the spawner starts them."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from jupyterhub.spawner import SpawnException

from hub import spawner
from hub.homes import make_home
from hub.limits import GroupFence
from hub.processes import listens
from hub.spawner import HouseSpawner, why_ended
from hub.unix_users import UnixUser, end_all, listeners, person
from hub.watch import processes_of

BASE, ACCOUNT = 3_400_000, 7
UID = BASE + 1000 + ACCOUNT
SECONDS = 20.0

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may start a server as somebody else")

TOLD = (
    "id -u; id -g; id -G; pwd; umask; ls -a; ulimit -c; cat /proc/self/oom_score_adj; grep NoNewPrivs /proc/self/status"
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody reaches: those of pytest are closed."""
    with tempfile.TemporaryDirectory(prefix="tng-place-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def house(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HouseSpawner]:
    """The spawner of account 7 in a house that keeps people apart, prepared, without control groups."""
    monkeypatch.setattr(spawner, "_fences", lambda _: None)
    one = HouseSpawner(isolated=True, uid_base=BASE, homes=str(place / "homes"))
    one.user = SimpleNamespace(name="100017", id=ACCOUNT, groups=[], url="/user/100017/")
    yield one
    if os.geteuid() == 0:
        end_all(UnixUser(UID, UID))


def _start(house: HouseSpawner, *command: str, **kind: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, preexec_fn=house.make_preexec_fn(house.user.name), stdout=subprocess.PIPE, text=True, **kind
    )


def _starts(monkeypatch: pytest.MonkeyPatch, port: int, *command: str) -> None:
    async def start(self: HouseSpawner) -> tuple[str, int]:
        self.proc = _start(self, *command)
        self.pid = self.proc.pid
        return "127.0.0.1", port

    monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "start", start)


@as_root
async def test_a_server_is_its_person_at_home_and_gains_nothing(house: HouseSpawner) -> None:
    await house.prepare()
    said, _ = _start(house, "sh", "-c", TOLD).communicate(timeout=SECONDS)
    uid, gid, groups, home, umask, *files, core, blame, privileges = said.splitlines()
    assert uid == gid == str(UID)
    assert groups.split() == [str(UID), str(BASE + 4)]
    assert home == house.home_dir == str(Path(house.homes) / "100017")
    assert umask.endswith("077")
    assert files == [".", "..", ".tmp"]
    assert (core, blame, privileges) == ("0", "500", "NoNewPrivs:\t1")


@as_root
async def test_a_power_users_server_is_in_no_other_group_and_finds_its_notebooks(house: HouseSpawner) -> None:
    await house.prepare()
    house.prepare_workbench()
    said, _ = _start(house, "sh", "-c", "id -G; ls -l workbench").communicate(timeout=SECONDS)
    groups, _, *files = said.splitlines()
    assert groups == str(UID)
    assert any(line.endswith(".ipynb") for line in files)
    assert {line.split()[2] for line in files} == {str(UID)}


@as_root
async def test_a_trap_in_the_place_of_the_workbench_keeps_nobody_waiting(house: HouseSpawner, place: Path) -> None:
    await house.prepare()
    house.prepare_workbench()
    precious = place / "precious"
    precious.mkdir(mode=0o755)
    (Path(house.home_dir) / "workbench").symlink_to(precious)
    os.mkfifo(Path(house.home_dir) / ".tmp")
    began = time.monotonic()
    assert _start(house, "true").wait(timeout=SECONDS) == 0
    assert time.monotonic() - began < 5
    assert list(precious.iterdir()) == []


async def test_the_environment_names_the_person_and_their_own_folders(
    house: HouseSpawner, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setattr(spawner, "socket_folder", lambda wished, owner: wished)
    house.home_dir = str(place / "homes" / "100017")
    customer = house.user_env({})
    assert customer["HOME"] == house.home_dir
    assert customer["USER"] == customer["LOGNAME"] == f"u{UID}"
    assert customer["IPYTHONDIR"] == str(place / "run" / "7" / "ipython")
    assert customer["JUPYTER_RUNTIME_DIR"] == str(place / "run" / "7")
    assert "TMPDIR" not in customer
    house.prepare_workbench()
    power_user = house.user_env({})
    assert power_user["TMPDIR"] == f"{house.home_dir}/.tmp"
    assert power_user["IPYTHONDIR"] == f"{house.home_dir}/.ipython"


def test_two_people_are_two_users_and_one_person_is_one(house: HouseSpawner) -> None:
    assert house.unix_user == person(BASE, ACCOUNT, may_open_slots=True)
    house.user.id = ACCOUNT + 1
    assert house.unix_user is not None
    assert house.unix_user.uid == UID + 1
    house.isolated = False
    assert house.unix_user is None


@as_root
async def test_whose_home_is_anothers_gets_a_page_and_no_server(
    house: HouseSpawner, caplog: pytest.LogCaptureFixture
) -> None:
    make_home(Path(house.homes), "100017", UnixUser(UID + 5, UID + 5))
    with pytest.raises(SpawnException) as refused:
        await house.prepare()
    assert refused.value.status_code == 500
    assert "another person" in str(refused.value)
    assert f"no server for account {ACCOUNT}" in caplog.text


@as_root
async def test_what_an_earlier_server_left_running_is_ended_first(house: HouseSpawner) -> None:
    await house.prepare()
    left = _start(house, "sleep", "60", start_new_session=True)
    await house.prepare()
    assert left.wait(timeout=SECONDS) == -9


@as_root
def test_nothing_of_a_server_is_left_when_it_has_ended(house: HouseSpawner) -> None:
    asyncio.run(house.prepare())
    sockets = Path(house.user_env({})["JUPYTER_RUNTIME_DIR"])
    assert sockets.stat().st_uid == UID
    escaped = _start(house, "sh", "-c", "setsid sleep 60 & echo $!")
    assert escaped.stdout is not None
    pid = int(escaped.stdout.readline())
    assert psutil.Process(pid).uids().real == UID
    house.clear_state()
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=SECONDS)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert not sockets.exists()
    escaped.wait(timeout=SECONDS)


@as_root
async def test_a_server_that_holds_too_much_memory_is_ended_and_its_person_told(
    house: HouseSpawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()
    _starts(monkeypatch, 1, "sh", "-c", "hoard=$(head -c 200M /dev/zero | tr '\\0' x); sleep 60")
    house.dashboard_memory_mb = 100
    monkeypatch.setattr("hub.limits.Ceiling.apply", lambda *_, **__: None)
    house.add_poll_callback(ended.set)
    monkeypatch.setattr(spawner, "listens", lambda _: True)
    monkeypatch.setattr(spawner, "listeners", lambda _: {UID})
    house.home_dir = str(make_home(Path(house.homes), "100017", house.unix_user))
    await HouseSpawner.start(house)
    await asyncio.wait_for(ended.wait(), SECONDS)
    assert why_ended(house.user).startswith("Your server was stopped: it used ")
    assert not processes_of(UID)
    assert why_ended(SimpleNamespace(id=ACCOUNT + 1)) == ""


def test_a_server_that_the_system_ended_for_its_memory_is_told_of(house: HouseSpawner, tmp_path: Path) -> None:
    (tmp_path / "group").mkdir()
    (tmp_path / "group" / "memory.events").write_text("oom 1\noom_kill 1\n")
    house.fence = GroupFence((tmp_path / "group",))
    house.clear_state()
    assert "1024 MB of memory" in why_ended(house.user)
    assert house.fence is None


async def test_a_hub_that_was_started_again_knows_what_to_clear(house: HouseSpawner, tmp_path: Path) -> None:
    house.pid, house.sockets = os.getpid(), tmp_path / "run"
    house.fence = GroupFence((tmp_path / "memory", tmp_path / "pids"))
    again = HouseSpawner(isolated=True, uid_base=BASE, homes=house.homes)
    again.user = house.user
    again.load_state(house.get_state())
    assert again.sockets == house.sockets
    assert again.fence == house.fence


@as_root
@pytest.mark.parametrize("is_quicker", [True, False], ids=["a-stranger-is-quicker", "nobody-is"])
async def test_nobody_is_taken_for_a_server_who_was_quicker_to_listen(
    house: HouseSpawner, monkeypatch: pytest.MonkeyPatch, is_quicker: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert listeners(port) == {0}
        _starts(monkeypatch, port, "sleep", "60")
        if not is_quicker:
            monkeypatch.setattr(spawner, "listeners", lambda _: {UID})
            assert await house.start() == ("127.0.0.1", port)
            await house.stop(now=True)
            return
        with pytest.raises(SpawnException, match="taken by another program"):
            await house.start()
        assert await house.poll() is not None
    assert listeners(port) == set()


@pytest.fixture(autouse=True)
def _starts_that_are_taken_at_their_word() -> None:
    """These are real processes."""


@pytest.fixture
def plain(house: HouseSpawner) -> HouseSpawner:
    """The same where everybody is the user of the hub: this needs no root."""
    house.isolated = False
    house.interrupt_timeout = house.term_timeout = 1  # whoever runs the tests may not hear of interruptions
    return house


async def test_a_start_is_over_when_its_server_listens(plain: HouseSpawner, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    late = f"import socket, time; time.sleep(0.5); s = socket.create_server(('127.0.0.1', {port})); time.sleep(60)"
    _starts(monkeypatch, port, sys.executable, "-c", late)
    assert await plain.start() == ("127.0.0.1", port)
    assert listens(("127.0.0.1", port)), "the hub's first look finds it"
    await plain.stop(now=True)


@pytest.mark.parametrize("why", ["", "its GPU hours of the week are used up"])
async def test_a_server_that_ends_before_it_listens_keeps_nobody_waiting(
    plain: HouseSpawner, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    _starts(monkeypatch, 1, "sleep", "60" if why else "0")
    monkeypatch.setattr(spawner, "listens", lambda _: False)

    async def renew() -> str:
        return why

    monkeypatch.setattr(plain.hold, "renew", renew)
    with pytest.raises(SpawnException) as refused:
        await asyncio.wait_for(plain.start(), SECONDS)
    assert (f"Your server was stopped: {why}." if why else spawner.ENDED) in str(refused.value)
    assert await plain.poll() is not None
