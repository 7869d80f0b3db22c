"""Gives each folder of the home folder to the Unix user whose it is, when the house is opened.

``shop/`` belongs to the api and the worker together, ``rooms/`` holds a folder for each service, ``exports/`` is the
worker's; ``corpus/``, ``checkpoints/`` and ``releases/`` are the operator's, and read by both; ``homes/`` and ``run/``
are passed through on the way to what is a person's own. All else is the house's: keys, the hub's database, logs. Where
people are not kept apart the folders are the same, and all the house's.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from hub.homes import CLOSED, PASSABLE, hand_over
from hub.unix_users import UnixUser, isolates, service
from tng.home import RELEASES, RUNS, SHOP, move_database
from tng.settings import Settings
from tng.training.places import RETRAINING

SHARED: Final = 0o2770
"""A folder of a group, whose files are the group's, too."""

SERVICES: Final = ("api", "worker", "stand-ins")
PASSED_THROUGH: Final = ("homes", "run", "rooms")
OPERATORS_OWN: Final = ("corpus", "checkpoints", "releases")
"""What the operator's commands fill, as the house's user, and retrainings read."""

LISTED: Final = 0o2750
"""A folder that a group may read; what is made in it later is the group's to read as well."""

ON_THE_WAY: Final = 0o2710
"""A folder that a group passes through, and does not list."""

SLOTS: Final = "slots"
"""The dashboards' kernel slots, which ``hub.kernel_slots`` opens to their group."""

STRIPE_STAND_IN: Final = "stripe-stand-in.sqlite"


def settle(settings: Settings) -> Path:
    """Make the home folder and its rooms, and give them to their users. Raises SettingsError where that cannot be.

    Call it while no service runs: what an older version kept elsewhere is moved.
    """
    home = settings.make_home()
    for name in SERVICES:
        room(settings, name).mkdir(mode=CLOSED, parents=True, exist_ok=True)
    move_database(home / STRIPE_STAND_IN, room(settings, "stand-ins") / STRIPE_STAND_IN)
    if isolates(settings):
        _give_rooms(home, settings)
    elif home.stat().st_uid == os.geteuid():
        home.chmod(CLOSED)
    return home


def room(settings: Settings, name: str) -> Path:
    """The folder of a service's own: its home."""
    return settings.home.resolve() / "rooms" / name


def _give_rooms(home: Path, settings: Settings) -> None:
    uid_base = settings.uid_base
    api, worker = service(uid_base, "api"), service(uid_base, "worker")
    for name in SERVICES:
        hand_over(home / "rooms" / name, service(uid_base, name))
    (home / "exports").mkdir(mode=CLOSED, exist_ok=True)
    hand_over(home / "exports", worker)
    _share_shop(home / SHOP, api, worker)
    (home / "hub.sqlite").touch(mode=0o600)  # before the hub makes it with a mode of its own
    for name in PASSED_THROUGH:
        (home / name).mkdir(mode=CLOSED, exist_ok=True)
    _close_the_rest(home)
    if settings.release.resolve().is_relative_to(home) and not settings.release.resolve().is_relative_to(home / SHOP):
        _show_release(settings.release.resolve(), home, api.gid)
    for name in OPERATORS_OWN:
        _show_folder(home / name, api.gid)
    for name in PASSED_THROUGH:
        (home / name).chmod(PASSABLE)
    home.chmod(PASSABLE)


def _share_shop(shop: Path, api: UnixUser, worker: UnixUser) -> None:
    """The database is open to the group of both; a run is the worker's alone.

    So are releases made here and retrainings, of which the api may read what the worker opens: see
    ``tng.training.places``.
    """
    (shop / RETRAINING).mkdir(mode=CLOSED, exist_ok=True)
    for name in (RUNS, RELEASES, RETRAINING):
        hand_over(shop / name, worker)
    (shop / RELEASES).chmod(LISTED)
    (shop / RETRAINING).chmod(ON_THE_WAY)
    hand_over(shop, api)
    shop.chmod(SHARED)
    for file in shop.glob("*.sqlite*"):
        if not file.is_symlink():
            _share_file(file, api.gid)


def _share_file(file: Path, gid: int) -> None:
    """Open one file to the group. Whoever owns the folder may have put a link there: it is not followed."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        about = os.fstat(descriptor)
        if stat.S_ISREG(about.st_mode) and about.st_nlink == 1:
            os.fchown(descriptor, -1, gid)
            os.fchmod(descriptor, 0o660)
    finally:
        os.close(descriptor)


def _show_release(release: Path, home: Path, gid: int) -> None:
    """Let the api and the worker read the release that was made here; it stays root's, and closed to people."""
    for folder in release.parents[: len(release.relative_to(home).parts) - 1]:
        os.chown(folder, -1, gid)
        folder.chmod(0o710)
    _open_to_read(release, gid, folder_mode=0o750)


def _show_folder(folder: Path, gid: int) -> None:
    """Let the api and the worker read what operators put there while the house is open, too."""
    folder.mkdir(mode=CLOSED, exist_ok=True)
    _open_to_read(folder, gid, folder_mode=LISTED)


def _open_to_read(folder: Path, gid: int, *, folder_mode: int) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            os.chown(path, -1, gid)
            path.chmod(folder_mode if path.is_dir() else 0o640)


def _close_the_rest(home: Path) -> None:
    """What was made with a wider mode, under another umask or by another version, is closed."""
    for entry in home.iterdir():
        about = entry.lstat()
        is_ours = about.st_uid == os.geteuid() and not stat.S_ISLNK(about.st_mode)
        if is_ours and about.st_mode & 0o077 and entry.name != SLOTS:
            entry.chmod(stat.S_IMODE(about.st_mode) & CLOSED)
