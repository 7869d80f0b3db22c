"""How many kernels of dashboards may run in the house: a file a kernel, locked while the kernel's server lives.

A lock of ``flock`` ends with the process that holds it, however that ends: no place is ever lost, and nobody counts. A
kernel that is kept warm has a place, too, but gives it up where somebody waits: who waits leaves a wish, and one of the
servers with a spare answers it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:  # the hub's side alone: a person's server starts without the settings
    from tng.settings import Settings

SLOTS: Final = "TNG_SLOTS"
"""The environment variable that names the folder; without it (in a container, say) there is no ceiling of the house."""

IN_ALL: Final = "TNG_KERNELS_IN_ALL"

PER_CUSTOMER: Final = "TNG_KERNELS_PER_CUSTOMER"
IDLE: Final = "TNG_IDLE_SECONDS"
ACTIVITY: Final = "JUPYTERHUB_ACTIVITY_INTERVAL"

WANTED: Final = "wanted"
FRESH_SECONDS: Final = 5.0
"""A wish that is older is of somebody who has given up."""

WISH_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 0.1


class Slot:
    """A place that is taken. ``release`` gives it back; so does the end of this process."""

    def __init__(self, file: int | None) -> None:
        self._file = file

    def release(self) -> None:
        """Give the place back. Once is enough, twice does no harm."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def __del__(self) -> None:
        self.release()


class KernelSlots:
    """The places of the house: ``count`` files in ``folder``, which the hub has made."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._names = [f"{number:03d}" for number in range(count)]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> KernelSlots:
        """The places that the house names; as many as one likes where it names none."""
        if not environment.get(SLOTS):
            return NoCeiling()
        return cls(Path(environment[SLOTS]), int(environment[IN_ALL]))

    @classmethod
    def prepare(cls, settings: Settings, group: int | None = None) -> Self:
        """Make the files: for the members of ``group``, who may open but not list them; else for their owner alone."""
        slots = cls.of(settings)
        folder = slots._folder
        folder.mkdir(mode=0o700, exist_ok=True)
        _give(folder, 0o700 if group is None else 0o710, group)
        for name in (*slots._names, WANTED):
            (folder / name).touch(mode=0o600)
            _give(folder / name, 0o600 if group is None else 0o660, group)
        return slots

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The places of a house on this machine, as they are once they are prepared."""
        return cls(settings.home.resolve() / "slots", settings.kernels_in_all)

    def environment(self) -> dict[str, str]:
        """What a server must know to find the places."""
        return {SLOTS: str(self._folder), IN_ALL: str(len(self._names))}

    def take(self) -> Slot | None:
        """A place, or None where all are taken."""
        first = os.getpid() % max(len(self._names), 1)  # not everybody at the same end
        for name in self._names[first:] + self._names[:first]:
            file = _lock(self._folder / name)
            if file is not None:
                return Slot(file)
        return None

    async def wait(self, seconds: float) -> Slot | None:
        """A place as soon as there is one, or None after so many seconds. Spares of others give way meanwhile."""
        until, wish_at = time.monotonic() + seconds, 0.0
        while (slot := self.take()) is None and (now := time.monotonic()) < until:
            if now >= wish_at:
                self.wish()
                wish_at = now + WISH_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
        return slot

    def wish(self) -> None:
        """Say that somebody waits for a place."""
        (self._folder / WANTED).write_bytes(b"!")

    def wanted(self) -> bool:
        """Whether somebody waits, and nobody else has answered: to whom this says so, that one gives up its spare."""
        path = self._folder / WANTED
        if not _fresh(path) or (file := _lock(path)) is None:
            return False
        try:
            answers = _fresh(path)
            os.ftruncate(file, 0)
            return answers
        finally:
            os.close(file)


class NoCeiling(KernelSlots):
    """Where the house counts nothing: every kernel has a place."""

    def __init__(self) -> None:
        super().__init__(Path(), 0)

    def environment(self) -> dict[str, str]:
        """Nothing to find."""
        return {}

    def take(self) -> Slot:
        """A place."""
        return Slot(None)

    def wanted(self) -> bool:
        """Nobody waits."""
        return False


def _lock(path: Path) -> int | None:
    """The open file, locked, or None where somebody else holds it. No kernel inherits it."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _fresh(path: Path) -> bool:
    about = path.stat()
    return about.st_size > 0 and time.time() - about.st_mtime < FRESH_SECONDS


def _give(path: Path, mode: int, group: int | None) -> None:
    if group is not None:
        os.chown(path, -1, group)
    path.chmod(mode)
