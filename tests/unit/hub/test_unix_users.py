"""Who runs as whom, and when that cannot be."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub import unix_users
from hub.unix_users import UnixUser, can_isolate, describe, end_all, isolates, person, service, sole_user_ids
from tng.errors import SettingsError
from tng.settings import Settings

UID = 3_100_000
SECONDS = 20.0

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that everybody reaches: those of pytest are closed."""
    with tempfile.TemporaryDirectory(prefix="tng-place-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture
def reachable(monkeypatch: pytest.MonkeyPatch, place: Path) -> Callable[..., Settings]:
    """Settings of a root whose interpreter and folders everybody reaches."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(unix_users, "interpreter", list)
    monkeypatch.setattr(unix_users, "refusal", lambda _: "")
    monkeypatch.setattr(unix_users, "ROOT", place / "project")
    for name in ("project", "show", "release"):
        (place / name).mkdir(mode=0o755)
    (place / "release" / "manifest.json").touch(mode=0o644)
    folders = {"home": place / "home", "show": place / "show", "release": place / "release"}
    return lambda **changes: Settings.read(**folders | changes)


# --- numbers --------------------------------------------------------------------------------------------------------


def test_everybody_is_another_user() -> None:
    services = [service(200_000, name) for name in ("api", "worker", "idle-culler", "proxy")]
    people = [person(200_000, number, may_open_slots=False) for number in (1, 2)]
    assert len({user.uid for user in (*services, *people)}) == 6
    assert {user.uid for user in (*services, *people)} == {
        *(200_001, 200_002, 200_003, 200_005),
        *(201_001, 201_002),
    }


def test_only_the_api_and_the_worker_share_the_shop() -> None:
    base = 200_000
    assert service(base, "api").gid == service(base, "worker").gid == base
    others = [service(base, name) for name in ("google", "stripe", "idle-culler", "stand-ins", "who-knows")]
    assert {user.gid for user in others} == {base + 3}
    assert base not in {group for user in others for group in user.groups}
    for slots in (True, False):
        assert base not in (person(base, 1, may_open_slots=slots).gid, *person(base, 1, may_open_slots=slots).groups)


def test_only_dashboards_may_open_the_kernel_slots() -> None:
    assert person(200_000, 7, may_open_slots=True).groups == (200_004,)
    assert person(200_000, 7, may_open_slots=False).groups == ()


# --- whether it can be ----------------------------------------------------------------------------------------------


def test_people_are_kept_apart_where_that_can_be(reachable: Callable[..., Settings]) -> None:
    assert can_isolate(reachable()) == ""
    assert isolates(reachable())
    assert isolates(reachable(isolation="users"))
    assert not isolates(reachable(isolation="one"))
    assert describe(reachable()) == "Everybody's server runs as a Unix user of its own."


def test_only_root_can(reachable: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "only root" in can_isolate(reachable())
    assert not isolates(reachable())
    with pytest.raises(SettingsError, match="TNG_ISOLATION=users cannot be: only root"):
        isolates(reachable(isolation="users"))


def test_only_linux_can(reachable: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "darwin" in can_isolate(reachable())


@pytest.mark.parametrize("carrier", ["docker", "kubernetes"])
def test_containers_need_no_unix_users(reachable: Callable[..., Settings], carrier: str) -> None:
    settings = reachable(carrier=carrier, image="tng:1")
    assert carrier in can_isolate(settings)
    assert describe(settings) == f"Everybody's server runs in a container of its own ({carrier})."


@pytest.mark.parametrize("what", ["home", "release", "show", "interpreter"])
def test_a_closed_folder_on_the_way_is_named(
    reachable: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, place: Path, what: str
) -> None:
    closed = place / "closed"
    (closed / "inner").mkdir(parents=True, mode=0o755)
    closed.chmod(0o700)
    if what == "interpreter":
        monkeypatch.setattr(unix_users, "interpreter", lambda: [closed / "inner"])
    settings = reachable() if what == "interpreter" else reachable(**{what: closed / "inner"})
    assert f"{closed} is closed to other users" in can_isolate(settings)
    assert f"(/{str(closed)[1:]} is closed" in describe(settings)
    closed.chmod(0o711)
    assert can_isolate(settings) == ""


@pytest.mark.parametrize("name", ["release/manifest.json", "show/show.toml"])
def test_a_file_that_a_service_cannot_read_is_named(reachable: Callable[..., Settings], place: Path, name: str) -> None:
    settings = reachable()
    (place / name).touch()
    (place / name).chmod(0o600)
    assert f"{name} is closed to other users" in can_isolate(settings)


def test_an_account_in_the_way_is_named(reachable: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pwd, "getpwall", lambda: [SimpleNamespace(pw_uid=200_500, pw_name="nightly")])
    assert "200500 is the account nightly" in can_isolate(reachable())
    assert can_isolate(reachable(uid_base=300_000)) == ""


def test_two_houses_never_give_out_the_same_numbers(reachable: Callable[..., Settings], place: Path) -> None:
    with sole_user_ids(reachable(), locks=place):
        with pytest.raises(SettingsError, match=r"another house .* from 200000; set TNG_UID_BASE"):
            sole_user_ids(reachable(), locks=place).__enter__()
        with (
            sole_user_ids(reachable(uid_base=300_000), locks=place),
            sole_user_ids(reachable(isolation="one"), locks=place),
        ):
            pass
    with sole_user_ids(reachable(), locks=place):
        pass


def test_a_root_that_may_become_nobody_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(subprocess, "run", refuse)
    assert "may not become user 201000 (PermissionError)" in unix_users.refusal(200_000)


# --- becoming somebody ----------------------------------------------------------------------------------------------


@as_root
def test_who_became_somebody_cannot_go_back() -> None:
    told = (
        "import os, sys; from hub.unix_users import UnixUser; UnixUser(3100000, 3100000, (3100004,)).become()\n"
        "print(os.getresuid(), os.getresgid(), os.getgroups())\n"
        "try: os.setuid(0)\n"
        "except PermissionError: print('never')"
    )
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=SECONDS, check=True)
    three = "(3100000, 3100000, 3100000)"
    assert ran.stdout.splitlines() == [f"{three} {three} [3100004]", "never"]


@as_root
def test_all_processes_of_a_user_end_whatever_session_they_are_in() -> None:
    user, other = UnixUser(UID, UID), UnixUser(UID + 1, UID + 1)
    started = [
        subprocess.Popen(["sleep", "60"], user=one.uid, group=one.gid, extra_groups=[], start_new_session=True)
        for one in (user, user, other)
    ]
    assert end_all(user)
    assert [process.wait(timeout=SECONDS) for process in started[:2]] == [-9, -9]
    assert started[2].poll() is None
    assert end_all(other)
    assert started[2].wait(timeout=SECONDS) == -9


@as_root
def test_processes_that_go_on_starting_others_end_whole() -> None:
    user = UnixUser(UID + 2, UID + 2)
    busy = ["/bin/sh", "-c", "while :; do sleep 0.01; done"]
    started = [
        subprocess.Popen(busy, user=user.uid, group=user.gid, extra_groups=[], start_new_session=True)
        for _ in range(20)
    ]
    assert end_all(user)
    assert not unix_users.processes_of(user.uid)
    assert {process.wait(timeout=SECONDS) for process in started} == {-9}
