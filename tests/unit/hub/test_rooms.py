"""Whose each folder of the house is after it was opened, whatever it was before."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from hub import rooms
from hub.rooms import room, settle
from tng.releases import writing_release
from tng.settings import Settings

BASE = 3_300_000
API, WORKER, NOBODY = BASE + 1, BASE + 2, BASE + 3

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")


@pytest.fixture
def apart(settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a house that keeps people apart."""
    monkeypatch.setattr(rooms, "isolates", lambda _: True)
    return settings(uid_base=BASE)


def _whose(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)


@as_root
def test_each_folder_belongs_to_who_needs_it(apart: Settings) -> None:
    home = settle(apart)
    assert _whose(home) == (0, 0, 0o711)
    assert _whose(home / "shop") == (API, BASE, 0o2770)
    assert _whose(home / "shop" / "runs")[0] == WORKER
    assert _whose(home / "shop" / "releases") == (WORKER, BASE, 0o2750)
    assert _whose(home / "shop" / "retraining") == (WORKER, BASE, 0o2710)
    assert _whose(home / "shop" / "releases") == (WORKER, BASE, 0o2750)
    assert _whose(home / "exports") == (WORKER, BASE, 0o700)
    assert _whose(room(apart, "api")) == (API, BASE, 0o700)
    assert _whose(room(apart, "worker")) == (WORKER, BASE, 0o700)
    assert _whose(room(apart, "stand-ins")) == (NOBODY, NOBODY, 0o700)
    assert {_whose(home / name) for name in ("homes", "run", "rooms")} == {(0, 0, 0o711)}
    assert _whose(home / "hub.sqlite") == (0, 0, 0o600)


@as_root
def test_what_is_only_the_houses_is_closed(apart: Settings) -> None:
    home = apart.make_home()
    for name in ("logs", "keys", "training"):
        (home / name).mkdir(mode=0o755)
    (home / "hub.sqlite").touch(mode=0o644)
    (home / "link").symlink_to("/etc")
    settle(apart)
    assert {_whose(home / name) for name in ("logs", "keys", "training")} == {(0, 0, 0o700)}
    assert _whose(home / "hub.sqlite") == (0, 0, 0o600)
    assert _whose(Path("/etc"))[2] & 0o055


@as_root
def test_what_root_left_in_the_shop_can_be_used_again(apart: Settings) -> None:
    shop = settle(apart) / "shop"
    for name in ("orders.sqlite", "orders.sqlite-wal"):
        (shop / name).touch(mode=0o600)
    (shop / "runs" / "order.1").mkdir(mode=0o700)
    settle(apart)
    assert _whose(shop / "orders.sqlite") == _whose(shop / "orders.sqlite-wal") == (API, BASE, 0o660)
    assert _whose(shop / "runs" / "order.1")[0] == WORKER


@as_root
@pytest.mark.parametrize("kind", ["link", "second-name"])
def test_a_trap_in_the_shop_opens_nothing(apart: Settings, tmp_path: Path, kind: str) -> None:
    shop = settle(apart) / "shop"
    precious = tmp_path / "precious"
    precious.touch(mode=0o600)
    if kind == "link":
        (shop / "trap.sqlite").symlink_to(precious)
    else:
        os.link(precious, shop / "trap.sqlite")
    settle(apart)
    assert _whose(precious) == (0, 0, 0o600)


@as_root
def test_a_release_that_was_made_here_is_shown_to_the_services_alone(apart: Settings) -> None:
    release = apart.home.resolve() / "made" / "mine"
    (release / "deep").mkdir(parents=True, mode=0o700)
    for name in ("manifest.json", "deep/part"):
        (release / name).touch(mode=0o600)
    (release / "link").symlink_to("/etc/passwd")
    settle(apart.model_copy(update={"release": release}))
    assert _whose(release.parent) == (0, BASE, 0o710)
    assert _whose(release) == _whose(release / "deep") == (0, BASE, 0o750)
    assert _whose(release / "manifest.json") == _whose(release / "deep" / "part") == (0, BASE, 0o640)
    assert _whose(Path("/etc/passwd"))[1] == 0


@as_root
def test_the_first_release_may_be_one_that_a_retraining_made(apart: Settings) -> None:
    shop = settle(apart) / "shop"
    release = shop / "releases" / "mine"
    with writing_release(release) as partial:
        (partial / "meta.json").touch(mode=0o600)
    settle(apart.model_copy(update={"release": release}))
    assert _whose(shop) == (API, BASE, 0o2770)
    assert _whose(release) == (WORKER, BASE, 0o2750)
    assert _whose(release / "manifest.json") == (WORKER, BASE, 0o640)


@as_root
@pytest.mark.parametrize("name", ["corpus", "checkpoints", "releases"])
def test_what_the_operator_imports_can_be_read_by_retrainings_and_by_no_person(apart: Settings, name: str) -> None:
    folder = apart.home.resolve() / name
    (folder / "tng").mkdir(parents=True, mode=0o700)
    (folder / "tng" / "an-episode").touch(mode=0o600)
    (folder / "link").symlink_to("/etc/passwd")
    settle(apart)
    settle(apart)
    assert _whose(folder) == _whose(folder / "tng") == (0, BASE, 0o2750)
    assert _whose(folder / "tng" / "an-episode") == (0, BASE, 0o640)
    assert _whose(Path("/etc/passwd"))[1] == 0


def test_in_a_house_of_one_user_all_is_its_own(settings: Callable[..., Settings]) -> None:
    ours = settings(isolation="one")
    home = ours.make_home()
    home.chmod(0o711)
    settle(ours)
    assert _whose(home)[2] == 0o700
    assert room(ours, "stand-ins").is_dir()
    assert {path.stat().st_uid for path in home.rglob("*")} == {os.geteuid()}


def test_the_stand_in_for_stripe_keeps_what_it_knows(settings: Callable[..., Settings]) -> None:
    ours = settings(isolation="one")
    home = ours.make_home()
    (home / "stripe-stand-in.sqlite").write_text("sessions")
    settle(ours)
    settle(ours)
    assert (room(ours, "stand-ins") / "stripe-stand-in.sqlite").read_text() == "sessions"
    assert not (home / "stripe-stand-in.sqlite").exists()
