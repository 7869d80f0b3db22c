"""The home folder as a place: how it is made, who may enter, and how one of an older version gets today's form.

What the api and the worker share (the orders database, runs, releases made here) lies in ``shop/``; all else belongs to
the house. Where people are kept apart the house gives these folders to Unix users of their own; whoever else opens the
home folder, such as an operator's command, leaves that as it is.
"""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tng.errors import SettingsError

SHOP: Final = "shop"
ORDERS: Final = "orders.sqlite"
RUNS: Final = "runs"
RELEASES: Final = "releases"
LOCK: Final = "house.lock"
PASSABLE: Final = 0o711
"""Others may pass through a folder on their way to one of their own, where the house opened it; nobody lists it."""


def make_home(home: Path) -> Path:
    """Create the home folder where it is missing, and close it. Raises SettingsError where that cannot be."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        close(home)
        move_shop(home)
        (home / SHOP).mkdir(mode=0o700, exist_ok=True)
        for name in (RUNS, RELEASES):
            (home / SHOP / name).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"TNG_HOME {home} cannot be used ({error.strerror}); name a folder that you own") from error
    return home


def close(folder: Path) -> None:
    """Let nobody but its owner list or write a folder. A folder that others may pass through stays so."""
    about = folder.stat()
    mode = stat.S_IMODE(about.st_mode)
    if about.st_uid == os.geteuid() and mode & ~PASSABLE:
        folder.chmod(mode & PASSABLE)


def move_shop(home: Path) -> None:
    """Move what an older version kept in the home folder itself into ``shop/``: once, and only while no house is open.

    Raises SettingsError where a house is open, or where there are orders in both places. A move that was cut short is
    taken up at the next call.
    """
    if not (home / ORDERS).exists() and not (home / RUNS).is_dir():
        return
    with _locked(home):
        (home / SHOP).mkdir(mode=0o700, exist_ok=True)
        move_database(home / ORDERS, home / SHOP / ORDERS)
        if (home / RUNS).is_dir():
            _move_folder(home / RUNS, home / SHOP / RUNS)


def move_database(old: Path, new: Path) -> None:
    """Move a SQLite database that nobody has open, with what belongs to it. Raises SettingsError where both are there.

    The database itself goes last: as long as it is at its old place, the move is not done.
    """
    if not old.exists():
        return
    if new.exists():
        raise SettingsError(f"there are orders both in {old} and in {new}; move the one that is not needed elsewhere")
    for ending in ("-journal", "-wal", "-shm", ""):
        part = old.with_name(old.name + ending)
        if part.exists():
            part.rename(new.with_name(new.name + ending))
    folder = os.open(new.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _move_folder(old: Path, new: Path) -> None:
    new.mkdir(mode=0o700, exist_ok=True)
    for entry in list(old.iterdir()):
        taken = (new / entry.name).exists()  # by a run of the same name: neither is lost
        entry.rename(new / (f"{entry.name}.older" if taken else entry.name))
    old.rmdir()


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    descriptor = os.open(home / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SettingsError(
            f"a house of an older version is open in TNG_HOME {home}; stop it, so that its orders can be moved"
        ) from None
    finally:
        os.close(descriptor)
