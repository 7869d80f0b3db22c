"""How much of the machine a person's server may take: memory, processes, and no more of the processor than others.

Where the house may write control groups (version 2, or 1) the system keeps each server to its ceiling, all processes
counted together. Elsewhere each process has limits of its own, the processes of a person's Unix user are counted, and
``hub.watch`` ends a server whose memory in all is over.
"""

from __future__ import annotations

import hashlib
import logging
import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

MIB: Final = 2**20
OPEN_FILES: Final = 4096
MAPPED: Final = 2
"""A process with many threads maps much that it never uses: their stacks, for one."""

BLAME: Final = 500
"""Added to how likely the system ends a process when memory runs out (-1000 to 1000): people's go before the shop's."""

GROUPS_ROOT: Final = Path("/sys/fs/cgroup")
CLEAR_SECONDS: Final = 5.0
TRIES: Final = 5

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ceiling:
    """What one server may have, its kernels included."""

    memory_mb: int
    processes: int

    def apply(self, *, alone: bool, counts_processes: bool) -> None:
        """Limit this process and all that it starts. Between fork and exec, still as root.

        ``alone`` is without control groups: then no single process may map twice what all should use together.
        The system counts processes by Unix user: only where a person has one of their own does that mean theirs.
        """
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_NOFILE, OPEN_FILES)
        if alone:
            _limit(resource.RLIMIT_DATA, MAPPED * self.memory_mb * MIB)
        if counts_processes:
            _limit(resource.RLIMIT_NPROC, self.processes)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(BLAME), encoding="ascii")


@dataclass(frozen=True)
class GroupFence:
    """The control groups of one server: a folder in each hierarchy; in version 2 there is only one."""

    folders: tuple[Path, ...]

    def enter(self) -> None:
        """Put this process inside, with all that it will start. Safe between fork and exec."""
        for folder in self.folders:
            descriptor = os.open(folder / "cgroup.procs", os.O_WRONLY)
            os.write(descriptor, b"0")
            os.close(descriptor)

    def ended_for_memory(self) -> int:
        """How many processes inside the system had to end because the memory of the ceiling was used up."""
        return sum(_ended_for_memory(folder) for folder in self.folders)

    def clear(self) -> None:
        """End what is left inside, and remove the folders. It may take seconds."""
        until = time.monotonic() + CLEAR_SECONDS
        while not all(_removed(folder) for folder in self.folders) and time.monotonic() < until:
            self._kill()
            time.sleep(0.01)
        with suppress(OSError):
            for folder in self.folders:
                folder.parent.rmdir()  # the last one out

    def _kill(self) -> None:
        for folder in self.folders:
            with suppress(OSError, ValueError):
                for pid in (folder / "cgroup.procs").read_text(encoding="ascii").split():
                    with suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)


class Fences(Protocol):
    """Where the control groups of a house are made."""

    def raise_for(self, name: str, ceiling: Ceiling) -> GroupFence:
        """The fence of a server that is about to start. Raises OSError where it cannot be made."""

    def sweep(self) -> None:
        """Remove the groups in which nobody is any more: a hub that is killed removes none."""


class SplitGroups:
    """Control groups of version 1: memory, processes and processor are three hierarchies."""

    NEEDED = ("memory", "pids")
    WELCOME = ("cpu",)

    def __init__(self, house: str, own: dict[str, Path]) -> None:
        self._folders = {name: folder / house for name, folder in own.items()}

    def raise_for(self, name: str, ceiling: Ceiling) -> GroupFence:
        """A folder in each hierarchy, with the ceiling written down."""
        folders = {kind: folder / name for kind, folder in self._folders.items()}
        for folder in folders.values():
            folder.mkdir(parents=True, exist_ok=True)
        _write(folders["memory"] / "memory.limit_in_bytes", ceiling.memory_mb * MIB)
        with suppress(OSError):  # a kernel that does not count swap
            _write(folders["memory"] / "memory.memsw.limit_in_bytes", ceiling.memory_mb * MIB)
        _write(folders["pids"] / "pids.max", ceiling.processes)
        return GroupFence(tuple(folders.values()))

    def sweep(self) -> None:
        """Remove the empty ones of each hierarchy."""
        for folder in self._folders.values():
            _sweep(folder)


class JoinedGroups:
    """Control groups of version 2: one hierarchy."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def raise_for(self, name: str, ceiling: Ceiling) -> GroupFence:
        """A folder with the ceiling written down."""
        self._folder.mkdir(exist_ok=True)
        _share(self._folder)
        folder = self._folder / name
        folder.mkdir(exist_ok=True)
        _write(folder / "memory.max", ceiling.memory_mb * MIB)
        with suppress(OSError):
            _write(folder / "memory.swap.max", 0)
        _write(folder / "pids.max", ceiling.processes)
        return GroupFence((folder,))

    def sweep(self) -> None:
        """Remove the empty ones."""
        _sweep(self._folder)


def find_fences(home: Path, *, root: Path = GROUPS_ROOT, told: str | None = None) -> Fences | None:
    """Where this house may make control groups; None where it may not. ``told`` is what /proc/self/cgroup says."""
    house = f"tng-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    try:
        own = _own_groups(told if told is not None else Path("/proc/self/cgroup").read_text(encoding="utf-8"), root)
        fences = _joined(house, own) or _split(house, own)
        if fences is not None:
            fences.sweep()
            fences.raise_for("trial", Ceiling(64, 16)).clear()
    except OSError as error:
        logger.info("no control groups can be made (%s): limits are each process's own", error.strerror)
        return None
    return fences


def _joined(house: str, own: dict[str, Path]) -> Fences | None:
    folder = own.get("")
    if folder is None or not {"memory", "pids"} <= set(_read(folder / "cgroup.controllers").split()):
        return None
    for _ in range(TRIES):
        with suppress(OSError):
            _share(folder)
            return JoinedGroups(folder / house)
        _step_aside(folder)  # version 2 shares out only a group in which no process is left; another may be born now
    return None


def _split(house: str, own: dict[str, Path]) -> Fences | None:
    if not all(kind in own for kind in SplitGroups.NEEDED):
        return None
    kinds = (*SplitGroups.NEEDED, *SplitGroups.WELCOME)
    return SplitGroups(house, {kind: own[kind] for kind in kinds if kind in own})


def _own_groups(told: str, root: Path) -> dict[str, Path]:
    """The group of this process in each hierarchy, by the kind that it counts; "" is version 2."""
    groups = {}
    for line in told.splitlines():
        _, kinds, path = line.split(":", 2)
        for kind in kinds.split(","):
            places = [root / kind, root / kinds, root] if kind else [root, root / "unified"]
            mounted = next((place for place in places if (place / "cgroup.procs").exists()), None)
            if mounted is not None:
                own = mounted / path.lstrip("/")
                groups[kind] = own if own.is_dir() else mounted  # a container sees its own group as the root
    return groups


def _share(folder: Path) -> None:
    """Let the groups below have ceilings of their own."""
    have = set(_read(folder / "cgroup.controllers").split())
    shared = [kind for kind in ("cpu", "memory", "pids") if kind in have]
    if not set(shared) <= set(_read(folder / "cgroup.subtree_control").split()):
        _write(folder / "cgroup.subtree_control", " ".join(f"+{kind}" for kind in shared))


def _step_aside(folder: Path) -> None:
    """Move the processes of the house into a group beside those of people. Raises OSError where there are others."""
    inside = {int(pid) for pid in _read(folder / "cgroup.procs").split()}
    if not inside <= {*_family()}:
        raise PermissionError(1, "processes that are not of this house are in its control group")
    (folder / "house").mkdir(exist_ok=True)
    for pid in inside:
        with suppress(ProcessLookupError):
            _write(folder / "house" / "cgroup.procs", pid)
    with suppress(OSError):
        _write(folder / "house" / "cpu.weight", 1000)


def _family() -> Iterator[int]:
    """The launcher, the hub and all that they started."""
    import psutil

    launcher = psutil.Process(os.getppid())
    yield from (launcher.pid, os.getpid())
    yield from (process.pid for process in launcher.children(recursive=True))


def _sweep(folder: Path) -> None:
    if folder.is_dir():
        for group in folder.iterdir():
            if group.is_dir():
                _removed(group)  # the system refuses where somebody is inside


def _ended_for_memory(folder: Path) -> int:
    """How many processes the system ended because the group had no memory left."""
    for name in ("memory.events", "memory.oom_control"):
        with suppress(OSError, ValueError):
            told = dict(line.split() for line in _read(folder / name).splitlines())
            return int(told.get("oom_kill", 0))
    return 0


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii")


def _write(path: Path, value: int | str) -> None:
    descriptor = os.open(path, os.O_WRONLY)  # a group's files are there already, and one write is one order
    try:
        os.write(descriptor, str(value).encode("ascii"))
    finally:
        os.close(descriptor)
