"""People's home folders. One is made for its person and never handed on; root does nothing inside of it.

A person is a number of the hub's database, and SQLite gives the number of an account that was deleted to the next one.
So a home folder tells by its owner whose it is: where name and number do not fit together nobody gets in.
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Final

from hub.unix_users import UnixUser
from tng.errors import HomeTaken

CLOSED: Final = 0o700
PASSABLE: Final = 0o711

LONGEST_SOCKET_FOLDER: Final = 57
"""A kernel's socket is ``kernel-<uuid>-ipc-<n>`` (49 characters), and its whole path may have 107."""


def home_of(homes: Path, name: str) -> Path:
    """Where the home folder of a person is. No name leads out: slashes are replaced, and what would hide it is cut."""
    return homes / name.replace("/", "_").lstrip(".")


def make_home(homes: Path, name: str, owner: UnixUser | None = None) -> Path:
    """The home folder of a person, open to its owner only; without ``owner`` that is the user of the house.

    Raises HomeTaken where the folder, or the owner, is somebody else's.
    """
    home = home_of(homes, name)
    homes.mkdir(mode=CLOSED, parents=True, exist_ok=True)
    if owner is None:
        home.mkdir(mode=CLOSED, exist_ok=True)
        home.chmod(CLOSED)
        return home
    homes.chmod(PASSABLE)  # only root makes folders here, so that no name below it can be exchanged
    _refuse_second(homes, home, owner)
    if not home.exists():
        _make_for(home, owner)
    _check_owner(home, owner)
    return home


def socket_folder(wished: Path, owner: UnixUser | None = None) -> Path:
    """``wished``, made anew; or a new folder in the system's own place where that path is too long for a socket."""
    if len(str(wished)) > LONGEST_SOCKET_FOLDER:
        folder = Path(tempfile.mkdtemp(prefix="tng-"))
    else:
        wished.parent.mkdir(mode=CLOSED if owner is None else PASSABLE, parents=True, exist_ok=True)
        remove_sockets(wished)
        wished.mkdir(mode=CLOSED)
        folder = wished
    if owner is not None:
        os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)
    return folder


def remove_sockets(folder: Path) -> None:
    """Take a folder of sockets away at once, and empty it beside: whoever filled it keeps nobody waiting."""
    gone = folder.with_name(f"gone-{secrets.token_hex(8)}")
    with suppress(OSError):
        folder.rename(gone)
        # it goes by open folders and follows no link, so that nothing outside can be meant
        Thread(target=shutil.rmtree, args=(gone,), kwargs={"ignore_errors": True}).start()


def hand_over(folder: Path, owner: UnixUser) -> None:
    """Give what root left in a folder to its owner: no link is followed, and no file that has a second name is given.

    For what was written before people were kept apart. A hard link could be one to a file of the system's.
    """
    for _, folders, files, at in os.fwalk(folder, follow_symlinks=False):
        for name in (*folders, *files):
            about = os.stat(name, dir_fd=at, follow_symlinks=False)
            if about.st_uid == 0 and (about.st_nlink == 1 or stat.S_ISDIR(about.st_mode)):
                os.chown(name, owner.uid, owner.gid, dir_fd=at, follow_symlinks=False)
    os.chown(folder, owner.uid, owner.gid, follow_symlinks=False)


def _make_for(home: Path, owner: UnixUser) -> None:
    home.mkdir(mode=CLOSED)
    os.chown(home, owner.uid, owner.gid, follow_symlinks=False)


def _check_owner(home: Path, owner: UnixUser) -> None:
    about = home.lstat()
    if stat.S_ISDIR(about.st_mode) and about.st_uid == 0:
        hand_over(home, owner)
    elif not stat.S_ISDIR(about.st_mode) or about.st_uid != owner.uid:
        raise HomeTaken(
            f"a home folder is of user {about.st_uid} and not of {owner.uid}: it is never handed on; "
            "give it to that user (chown -R), or move it away"
        )


def _refuse_second(homes: Path, home: Path, owner: UnixUser) -> None:
    for other in homes.iterdir():
        if other != home and other.lstat().st_uid == owner.uid:
            raise HomeTaken(f"user {owner.uid} has another home folder already: it was another person's number")
