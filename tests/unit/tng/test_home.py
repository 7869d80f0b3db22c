"""How a home folder is made, and how one of an older version becomes one of today."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from tng.adapters.database.engine import connect
from tng.errors import SettingsError
from tng.home import close, make_home, move_database, move_shop
from tng.settings import Settings


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_closed(tmp_path: Path) -> None:
    home = make_home(tmp_path / "var")
    assert {_mode(path) for path in (home, home / "shop", home / "shop" / "runs")} == {0o700}


@pytest.mark.parametrize(("before", "after"), [(0o777, 0o711), (0o755, 0o711), (0o711, 0o711), (0o700, 0o700)])
def test_others_may_pass_at_most(tmp_path: Path, before: int, after: int) -> None:
    tmp_path.chmod(before)
    close(tmp_path)
    assert _mode(tmp_path) == after


def test_a_folder_of_another_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    close(tmp_path)
    assert _mode(tmp_path) == 0o755


def _old_home(home: Path) -> None:
    """A home as an older version left it, killed in the middle: an order that is only in the write-ahead log."""
    home.mkdir()
    orders = sqlite3.connect(home / "orders.sqlite")
    orders.execute("PRAGMA journal_mode=WAL")
    orders.execute("CREATE TABLE orders (id TEXT)")
    orders.execute("INSERT INTO orders VALUES ('ord_1')")
    orders.commit()
    for name in ("orders.sqlite", "orders.sqlite-wal", "orders.sqlite-shm"):
        (home / f"{name}.kept").write_bytes((home / name).read_bytes())
    orders.close()
    for name in ("orders.sqlite", "orders.sqlite-wal", "orders.sqlite-shm"):
        (home / f"{name}.kept").replace(home / name)
    (home / "runs" / "order.1").mkdir(parents=True)
    (home / "runs" / "order.1" / "notebook.ipynb").touch()


def _orders(home: Path) -> list[tuple[str]]:
    with sqlite3.connect(home / "shop" / "orders.sqlite") as orders:
        return orders.execute("SELECT id FROM orders").fetchall()


def test_what_an_older_version_kept_is_moved_whole(tmp_path: Path) -> None:
    _old_home(tmp_path / "var")
    home = make_home(tmp_path / "var")
    assert _orders(home) == [("ord_1",)]
    assert (home / "shop" / "runs" / "order.1" / "notebook.ipynb").is_file()
    assert not list(home.glob("orders.sqlite*")) + list(home.glob("runs"))
    assert make_home(home) == home


def test_a_move_that_was_cut_short_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "var"
    _old_home(home)
    rename, moved = Path.rename, []

    def cut(path: Path, target: Path) -> Path:
        if moved:
            raise OSError(28, "No space left on device")
        moved.append(path)
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", cut)
        with pytest.raises(SettingsError, match="No space left"):
            make_home(home)
    assert (home / "orders.sqlite").exists()
    assert _orders(make_home(home)) == [("ord_1",)]


def test_nothing_is_moved_while_an_older_house_is_open(tmp_path: Path) -> None:
    home = tmp_path / "var"
    _old_home(home)
    with (home / "house.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(SettingsError, match="a house of an older version is open"):
            make_home(home)
        assert (home / "orders.sqlite").exists()
    move_shop(home)
    assert not (home / "orders.sqlite").exists()


def test_orders_in_two_places_are_never_mixed(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).touch()
    with pytest.raises(SettingsError, match="both in"):
        move_database(tmp_path / "old", tmp_path / "new")
    assert (tmp_path / "old").exists()


def test_runs_of_the_same_name_are_both_kept(tmp_path: Path) -> None:
    home = make_home(tmp_path / "var")
    for folder in (home / "runs", home / "shop" / "runs"):
        (folder / "order.1").mkdir(parents=True)
    make_home(home)
    assert sorted(path.name for path in (home / "shop" / "runs").iterdir()) == ["order.1", "order.1.older"]


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o700, 0o600), (0o2770, 0o660)], ids=["own", "shared"])
def test_the_database_is_open_to_those_who_share_its_folder(tmp_path: Path, folder_mode: int, file_mode: int) -> None:
    shop = Settings.read(home=tmp_path / "var").make_home() / "shop"
    shop.chmod(folder_mode)
    before = os.umask(0o077)
    try:
        engine = connect(f"sqlite:///{shop / 'orders.sqlite'}")
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE one (id TEXT)")
            assert {_mode(path) for path in shop.glob("orders.sqlite*")} == {file_mode}
            assert len(list(shop.glob("orders.sqlite*"))) == 3
        engine.dispose()
    finally:
        os.umask(before)
