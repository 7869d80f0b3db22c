"""A real house that is opened by root and gives everybody a Unix user of their own.

People's processes need the way to the interpreter, and that of a test machine often lies in a home folder that is
closed. So the house gets a view of the file system of its own, in which that folder holds nothing but the interpreter
and lets everybody through; nothing on the machine is changed.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.open_house import OpenHouse, free_block, opened

BIND = """
set -e
place=$1; base=$2; shift 2
if [ -n "$place" ]; then
    kept=$(mktemp -d /tmp/tng-kept-XXXXXX)
    mount --bind "$base" "$kept"
    mount -t tmpfs -o mode=0755 tmpfs "$place"
    mkdir -p "$base"
    mount --bind "$kept" "$base"
    umount "$kept"
    rmdir "$kept"
fi
exec "$@"
"""


def why_not() -> str:
    """Why no such house can be opened here; nothing where one can."""
    if os.geteuid() != 0:
        return "only root can give people Unix users of their own"
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
        return "no mounts of one's own can be made here"
    return ""


def closed_place() -> str:
    """The highest folder on the way to the interpreter that others may not pass; nothing where the way is free."""
    for folder in reversed(Path(sys.base_prefix).resolve().parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            return str(folder)
    return ""


def own_view() -> list[str]:
    """What comes before a command so that it sees the file system with the way to the interpreter free."""
    shell = ["sh", "-c", BIND, "sh", closed_place(), str(Path(sys.base_prefix).resolve())]
    return ["unshare", "-m", "--propagation", "private", *shell]


def uid_base_of(port: int) -> int:
    """Where the Unix user ids of the house at this port begin."""
    return 10_000 * port


@contextmanager
def isolated(*, before: Callable[[Path], None] | None = None, **settings: str) -> Iterator[OpenHouse]:
    """A house with ``TNG_ISOLATION=users`` that is ready; its home is not below a folder that is closed.

    ``before`` is called with the home folder to be, before the house is opened.
    """
    place = Path(tempfile.mkdtemp(prefix="tng-house-"))
    place.chmod(0o711)
    if before is not None:
        before(place / "var")
    port = free_block()
    numbers = {"TNG_UID_BASE": str(uid_base_of(port))}  # two houses with the same numbers may not be open at once
    told = {"TNG_ISOLATION": "users"} | numbers | settings
    try:
        with opened(place / "var", port=port, command=own_view(), **told) as house:
            yield house
    finally:
        shutil.rmtree(place, ignore_errors=True)
