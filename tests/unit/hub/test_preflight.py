"""Each reason not to start is one clear sentence."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hub import preflight
from hub.preflight import check_disk, check_ports, check_proxy, end_stale_proxy, open_home, ports
from tests.releases import a_release
from tests.shows import FIRST
from tests.unit.hub.conftest import DEMO, PRODUCTION, WITH_GOOGLE
from tng.app import build_release_ledger
from tng.errors import ReleaseMissing, SettingsError
from tng.settings import Settings

MakeSettings = Callable[..., Settings]


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_named_with_who_uses_it(taken: int) -> None:
    with pytest.raises(SettingsError) as refused:
        check_ports([taken])
    sentence = str(refused.value)
    assert f"port {taken} on 127.0.0.1 cannot be used" in sentence
    assert f"process {os.getpid()}" in sentence
    assert "TNG_PORT" in sentence


def test_the_last_of_the_ports_counts_too(taken: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(SettingsError, match=f"port {taken} "):
        check_ports([port, taken])
    check_ports([port])


def test_an_address_that_is_none_of_this_machine_is_named() -> None:
    with pytest.raises(SettingsError, match=r"on 192\.0\.2\.1 cannot be used"):
        check_ports([18999], "192.0.2.1")


@pytest.mark.parametrize(
    ("changes", "offsets"),
    [(DEMO, [0, 1, 2, 3, 4, 5]), (WITH_GOOGLE, [0, 1, 2, 3, 5]), (PRODUCTION, [0, 1, 2, 3])],
    ids=["demo", "google-is-real", "production"],
)
def test_only_ports_that_are_used_must_be_free(settings: MakeSettings, changes: dict, offsets: list[int]) -> None:
    assert ports(settings(**changes, port=9100)) == [9100 + offset for offset in offsets]


def test_a_full_disk_says_how_much_is_free_and_how_much_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"has \d+ MB free, and 99999999 are needed"):
        check_disk(tmp_path, 99_999_999)
    check_disk(tmp_path, 0)


def test_a_proxy_that_was_not_installed_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(preflight, "PROXY", tmp_path / "absent")
    with pytest.raises(SettingsError, match="make run"):
        check_proxy()


def test_a_home_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(SettingsError, match="name a folder that you own"),
        open_home(Settings.read(home=tmp_path / "file" / "home")),
    ):
        pass


def test_a_home_is_opened_by_one_house_at_a_time(settings: MakeSettings) -> None:
    with open_home(settings()) as home:
        assert home.stat().st_mode & 0o777 == 0o700
        with pytest.raises(SettingsError, match="another one runs"), open_home(settings()):
            pass
    with open_home(settings()):
        pass


def test_a_release_that_is_missing_is_found_before_anything_starts(
    settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(preflight, "check_proxy", lambda: None)
    with pytest.raises(ReleaseMissing, match="TNG_RELEASE"):
        preflight.check(settings(release=tmp_path / "no-release", free_disk_mb=0), tmp_path)


def test_the_release_that_is_looked_for_is_the_one_that_was_promoted(
    settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(preflight, "check_proxy", lambda: None)
    monkeypatch.setattr(preflight, "check_ports", lambda *_: None)
    ours = settings(release=a_release(tmp_path, show=FIRST).folder, free_disk_mb=0)
    home = ours.make_home()
    promoted = a_release(ours.releases_folder, "promoted", show=FIRST)
    build_release_ledger(ours).promote("promoted", actor="shell:ola", reason="x", unproven=True)
    shutil.rmtree(ours.release)
    preflight.check(ours, home)
    shutil.rmtree(promoted.folder)
    with pytest.raises(ReleaseMissing, match="promoted"):
        preflight.check(ours, home)


def test_the_proxy_of_a_killed_hub_is_ended(tmp_path: Path) -> None:
    runs = "import time; print('here', flush=True); time.sleep(60)"
    proxy = subprocess.Popen([sys.executable, "-c", runs, str(preflight.PROXY)], stdout=subprocess.PIPE)
    assert proxy.stdout is not None
    with proxy.stdout as said:
        said.readline()  # a process that has just begun has no command line for a moment
    (tmp_path / "proxy.pid").write_text(f"{proxy.pid}\n")
    end_stale_proxy(tmp_path / "proxy.pid")
    assert not psutil.pid_exists(proxy.pid)
    proxy.wait(timeout=10)


def test_a_stranger_who_got_the_number_of_a_dead_proxy_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (tmp_path / "proxy.pid").write_text(str(stranger.pid))
    end_stale_proxy(tmp_path / "proxy.pid")
    assert psutil.pid_exists(stranger.pid)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait(timeout=10)


@pytest.mark.parametrize("content", [None, "", "not a number", "999999999"], ids=["none", "empty", "words", "nobody"])
def test_a_pid_file_without_a_process_is_fine(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "proxy.pid").write_text(content)
    end_stale_proxy(tmp_path / "proxy.pid")
