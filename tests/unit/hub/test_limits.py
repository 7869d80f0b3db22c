"""What a server may take: with control groups where they can be made, and by each process's own limits elsewhere."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from hub.limits import (
    Ceiling,
    Fences,
    GroupFence,
    JoinedGroups,
    SplitGroups,
    _joined,
    _own_groups,
    _step_aside,
    find_fences,
)
from hub.watch import memory_mb, processes_of, tree, until_over
from tests.processes import below

MIB = 2**20
SECONDS = 20.0

HOG = "b = bytearray({mb} * 2**20); print('had it')"
MANY = """
import subprocess
started = []
try:
    while len(started) < 100:
        started.append(subprocess.Popen(['sleep', '60'], stdout=-3, stderr=-3))
except OSError:
    pass
print(len(started))
"""


@pytest.fixture
def fences(tmp_path: Path) -> Fences:
    """Where this machine lets us make control groups."""
    found = find_fences(tmp_path)
    if found is None:
        pytest.skip("no control groups can be made here")
    return found


def _run(code: str, enter: Callable[[], None]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, preexec_fn=enter, capture_output=True, text=True, timeout=SECONDS, check=False)


# --- control groups -------------------------------------------------------------------------------------------------


def test_a_group_has_no_more_processes_than_its_ceiling(fences: Fences) -> None:
    fence = fences.raise_for("ada", Ceiling(256, 20))
    assert int(_run(MANY, fence.enter).stdout) == 19
    assert fence.ended_for_memory() == 0
    fence.clear()
    assert not any(folder.exists() for folder in fence.folders)


def test_what_is_left_in_a_group_ends_with_it(fences: Fences) -> None:
    fence = fences.raise_for("ada", Ceiling(256, 20))
    left = (
        "import subprocess; print(subprocess.Popen(['sleep', '600'], start_new_session=True, stdout=-3, stderr=-3).pid)"
    )
    pid = int(_run(left, fence.enter).stdout)
    assert psutil.pid_exists(pid)
    fence.clear()
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_group_ends_what_takes_more_memory_than_its_ceiling_and_counts_it(fences: Fences) -> None:
    fence = fences.raise_for("ada", Ceiling(64, 20))
    hog = _run(HOG.format(mb=500), fence.enter)
    assert (hog.returncode, hog.stdout) == (-9, "")
    assert fence.ended_for_memory() == 1
    fence.clear()


def test_control_without_a_group_the_same_memory_is_had() -> None:
    assert _run(HOG.format(mb=500), lambda: None).stdout == "had it\n"


def test_two_servers_have_groups_of_their_own(fences: Fences) -> None:
    first, second = (fences.raise_for(name, Ceiling(64, 20)) for name in ("ada", "ben"))
    assert not set(first.folders) & set(second.folders)
    first.clear()
    assert all(folder.exists() for folder in second.folders)
    second.clear()


def test_what_a_killed_hub_left_is_swept_away_and_nobody_inside_is(fences: Fences, tmp_path: Path) -> None:
    left, lived_in = (fences.raise_for(name, Ceiling(64, 20)) for name in ("ada", "ben"))
    process = subprocess.Popen(["sleep", "60"], preexec_fn=lived_in.enter)
    assert find_fences(tmp_path) is not None
    assert not any(folder.exists() for folder in left.folders)
    assert all(folder.exists() for folder in lived_in.folders)
    lived_in.clear()
    assert process.wait(timeout=SECONDS) == -9


def test_only_the_house_is_moved_aside(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "cgroup.procs").touch()
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n")
    _step_aside(tmp_path)
    assert (tmp_path / "house" / "cgroup.procs").read_text() == str(os.getpid())
    strange = next(pid for pid in psutil.pids() if pid not in {os.getpid(), *_relatives()})
    (tmp_path / "cgroup.procs").write_text(f"{os.getpid()}\n{strange}\n")
    with pytest.raises(PermissionError, match="not of this house"):
        _step_aside(tmp_path)


def _relatives() -> set[int]:
    launcher = psutil.Process(os.getppid())
    return {launcher.pid, *(process.pid for process in below(launcher))}


@pytest.fixture
def first_version(tmp_path: Path) -> tuple[Path, str]:
    """Folders as version 1 mounts them, and what /proc/self/cgroup says of them."""
    for kind in ("memory", "pids", "cpu,cpuacct"):
        (tmp_path / kind / "shop").mkdir(parents=True)
        (tmp_path / kind / "cgroup.procs").touch()
    return tmp_path, "4:memory:/shop\n3:pids:/shop\n2:cpu,cpuacct:/shop\n1:name=systemd:/init\n"


def test_version_1_is_found_where_it_is_mounted(first_version: tuple[Path, str], tmp_path: Path) -> None:
    root, told = first_version
    assert find_fences(tmp_path, root=root, told=told) is None  # these folders make no files of their own
    own = _own_groups(told, root)
    assert own["memory"] == root / "memory" / "shop"
    assert own["cpu"] == root / "cpu,cpuacct" / "shop"


def test_a_container_that_sees_its_own_group_as_the_root_is_no_obstacle(first_version: tuple[Path, str]) -> None:
    root, _ = first_version
    assert _own_groups("4:memory:/docker/0123\n", root)["memory"] == root / "memory"


class SecondVersion:
    """A folder whose groups have the files that version 2 gives them."""

    FILES = ("cgroup.procs", "cgroup.subtree_control", "memory.max", "memory.swap.max", "pids.max", "memory.events")

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.fill(root)
        make = Path.mkdir

        def mkdir(path: Path, *given: object, **named: object) -> None:
            make(path, *given, **named)  # type: ignore[arg-type]
            self.fill(path)

        monkeypatch.setattr(Path, "mkdir", mkdir)

    def fill(self, folder: Path) -> None:
        """The files of a new group."""
        for name in self.FILES:
            (folder / name).touch()
        (folder / "cgroup.controllers").write_text("cpu io memory pids\n")


def test_version_2_is_told_the_ceiling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = SecondVersion(tmp_path, monkeypatch)
    fence = JoinedGroups(second.root / "tng-1").raise_for("ada", Ceiling(512, 99))
    (folder,) = fence.folders
    assert (folder / "memory.max").read_text() == str(512 * MIB)
    assert (folder / "memory.swap.max").read_text() == "0"
    assert (folder / "pids.max").read_text() == "99"
    assert (second.root / "tng-1" / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    (folder / "memory.events").write_text("low 0\noom 2\noom_kill 2\n")
    assert fence.ended_for_memory() == 2


def test_a_house_steps_aside_until_its_own_group_can_be_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    SecondVersion(tmp_path, monkeypatch)
    refusals, aside = [OSError(16, "Device or resource busy")] * 2, []

    def share(folder: Path) -> None:
        if refusals:
            raise refusals.pop()

    monkeypatch.setattr("hub.limits._share", share)
    monkeypatch.setattr("hub.limits._step_aside", aside.append)
    assert isinstance(_joined("tng-1", {"": tmp_path}), JoinedGroups)
    assert aside == [tmp_path, tmp_path]


def test_version_2_without_what_is_needed_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu io\n")
    assert _joined("tng-1", {"": tmp_path}) is None
    assert _joined("tng-1", {}) is None


def test_version_1_is_told_the_ceiling(tmp_path: Path) -> None:
    own = {kind: tmp_path / kind for kind in ("memory", "pids", "cpu")}
    for kind, files in {"memory": ("memory.limit_in_bytes",), "pids": ("pids.max",), "cpu": ()}.items():
        (own[kind] / "tng-1" / "ada").mkdir(parents=True)
        for name in files:
            (own[kind] / "tng-1" / "ada" / name).touch()
    fence = SplitGroups("tng-1", own).raise_for("ada", Ceiling(512, 99))
    assert (fence.folders[0] / "memory.limit_in_bytes").read_text() == str(512 * MIB)
    assert (fence.folders[1] / "pids.max").read_text() == "99"


def test_a_fence_is_entered_by_the_process_that_asks(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").touch()
    GroupFence((tmp_path,)).enter()
    assert (tmp_path / "cgroup.procs").read_text() == "0"


# --- each process's own limits, and the watch -----------------------------------------------------------------------


def test_alone_a_process_may_have_no_more_memory_than_all_should_have() -> None:
    hog = _run(HOG.format(mb=1200), lambda: Ceiling(300, 50).apply(alone=True, counts_processes=False))
    assert (hog.returncode, hog.stdout) == (1, "")
    assert "MemoryError" in hog.stderr


def test_nobody_leaves_a_core_and_everybody_goes_before_the_shop() -> None:
    told = "import resource as r; print(r.getrlimit(r.RLIMIT_CORE), open('/proc/self/oom_score_adj').read())"
    ran = _run(told, lambda: Ceiling(300, 50).apply(alone=False, counts_processes=False))
    assert ran.stdout.split("\n")[0] == "(0, 0) 500"


@pytest.fixture
def holding() -> Iterator[Callable[[int], psutil.Process]]:
    """Start a process whose child holds so many MiB."""
    started = []

    def start(mb: int) -> psutil.Process:
        child = f"b = bytearray(b'x') * ({mb} * 2**20); print('there', flush=True); import time; time.sleep(60)"
        code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
        started.append(subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True))
        assert started[-1].stdout is not None
        assert started[-1].stdout.readline() == "there\n"
        return psutil.Process(started[-1].pid)

    yield start
    for process in started:
        for one in tree(process.pid):
            one.kill()
        process.communicate()


def test_the_memory_of_children_counts(holding: Callable[[int], psutil.Process]) -> None:
    process = holding(200)
    assert 200 <= memory_mb(tree(process.pid), 100) < 300
    assert memory_mb([process], 100) < 100
    assert process in processes_of(process.uids().real)


async def test_the_watch_ends_when_the_memory_is_over(holding: Callable[[int], psutil.Process]) -> None:
    process = holding(200)
    began = time.monotonic()
    used_mb = await asyncio.wait_for(until_over(lambda: tree(process.pid), 150, every_seconds=0.05), SECONDS)
    assert used_mb > 150
    assert time.monotonic() - began < SECONDS
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(until_over(lambda: tree(process.pid), 2000, every_seconds=0.05), 0.5)


def test_a_tree_that_has_ended_holds_nothing(holding: Callable[[int], psutil.Process]) -> None:
    process = holding(1)
    found = tree(process.pid)
    for one in found:
        one.kill()
    psutil.wait_procs(found[1:], timeout=SECONDS)
    assert memory_mb(found[1:], 0) == 0
    assert tree(2**22 + 1) == []
