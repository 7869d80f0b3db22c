"""A run goes on exactly as long as its lease is kept. Real processes stand for the kernel, no notebook."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tng.errors import JobCancelled, LeaseLost, StoreBusy
from tng.jobs import EventKind
from tng.lease import LeaseKeeper, Verdict
from tng.ports import Event

LEASE = 1.2
PLENTY = 10.0


class Database:
    """Takes heartbeats, and may raise on them; ``beaten`` is set with the n-th."""

    def __init__(self, error: Exception | None = None, *, fails: int = 10**6, beats: int = 1) -> None:
        self.error, self.fails, self.beats = error, fails, beats
        self.asked: list[list[Event]] = []
        self.stored: list[Event] = []
        self.beaten = threading.Event()

    def renew(self, events: Sequence[Event]) -> None:
        self.asked.append(list(events))
        if len(self.asked) >= self.beats:
            self.beaten.set()
        if self.error is not None and len(self.asked) <= self.fails:
            raise self.error
        self.stored += events


@pytest.fixture
def kernel() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def keeper(database: Database, hurry: threading.Event | None = None, lease_seconds: float = LEASE) -> LeaseKeeper:
    return LeaseKeeper(database.renew, lease_seconds=lease_seconds, hurry=hurry or threading.Event())


def scenes(*numbers: int) -> list[Event]:
    return [(EventKind.SCENE, {"number": number}) for number in numbers]


def test_a_silent_run_keeps_its_lease() -> None:
    database = Database(beats=3)
    began = time.monotonic()
    with keeper(database) as keeping:
        assert database.beaten.wait(PLENTY)
    assert keeping.verdict is Verdict.KEPT
    assert time.monotonic() - began >= LEASE * 0.8, "three beats take three thirds of a lease"
    assert database.asked == [[], [], []]


def test_what_a_run_says_is_stored_in_order_and_together() -> None:
    database = Database()
    with keeper(database, lease_seconds=60) as keeping:
        for kind, body in scenes(1, 2, 3):
            keeping.say(kind, body)
        assert database.beaten.wait(PLENTY)
        keeping.say(*scenes(4)[0])
    assert database.stored == scenes(1, 2, 3, 4)
    assert len(database.asked) <= 3


def test_events_survive_a_database_that_is_away_for_a_moment() -> None:
    database = Database(StoreBusy("locked"), fails=2, beats=3)
    with keeper(database, lease_seconds=60) as keeping:
        keeping.say(*scenes(1)[0])
        assert database.beaten.wait(PLENTY)
        keeping.say(*scenes(2)[0])
    assert database.stored == scenes(1, 2)
    assert keeping.verdict is Verdict.KEPT


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        pytest.param(LeaseLost("another has it"), Verdict.LOST, id="lost"),
        pytest.param(JobCancelled("refunded"), Verdict.CANCELLED, id="cancelled"),
        pytest.param(ConnectionError("away"), Verdict.LOST, id="database-away-for-a-lease"),
    ],
)
def test_a_run_that_may_not_go_on_loses_its_kernel(
    kernel: subprocess.Popen[bytes], tmp_path: Path, error: Exception, verdict: Verdict
) -> None:
    with keeper(Database(error)) as keeping:
        keeping.started(kernel.pid, tmp_path / "alive")
        assert kernel.wait(PLENTY) == -signal.SIGKILL
    assert keeping.verdict is verdict


def test_a_database_that_is_away_is_waited_for_until_the_lease_is_nearly_over(
    kernel: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    began = time.monotonic()
    with keeper(Database(ConnectionError("away"))) as keeping:
        keeping.started(kernel.pid, tmp_path / "alive")
        kernel.wait(PLENTY)
        assert LEASE * 0.8 <= time.monotonic() - began <= LEASE * 1.5


def test_a_run_is_ended_when_the_worker_is_in_a_hurry(kernel: subprocess.Popen[bytes], tmp_path: Path) -> None:
    hurry = threading.Event()
    with keeper(Database(), hurry, lease_seconds=60) as keeping:
        keeping.started(kernel.pid, tmp_path / "alive")
        hurry.set()
        assert kernel.wait(PLENTY) == -signal.SIGKILL
    assert keeping.verdict is Verdict.STOPPED


def test_a_kernel_that_starts_too_late_is_ended_at_once(kernel: subprocess.Popen[bytes], tmp_path: Path) -> None:
    hurry = threading.Event()
    hurry.set()
    with keeper(Database(), hurry) as keeping:
        while keeping.verdict is Verdict.KEPT:
            threading.Event().wait(0.01)
        keeping.started(kernel.pid, tmp_path / "alive")
        assert kernel.wait(PLENTY) == -signal.SIGKILL


def test_only_a_renewed_lease_touches_the_file_that_keeps_the_kernel_alive(
    kernel: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    alive = tmp_path / "alive"
    database = Database(StoreBusy("locked"), fails=1, beats=3)
    touched: list[int] = []
    renew = database.renew

    def renew_and_look(events: Sequence[Event]) -> None:
        touched.append(alive.stat().st_mtime_ns)  # what the beats before this one did
        renew(events)

    with LeaseKeeper(renew_and_look, lease_seconds=LEASE * 2, hurry=threading.Event()) as keeping:
        keeping.started(kernel.pid, alive)
        assert database.beaten.wait(PLENTY)
    assert touched[0] == touched[1], "the beat that failed touched it"
    assert touched[2] > touched[1], "the beat that was kept did not touch it"


def test_after_a_lost_lease_nothing_more_is_stored(kernel: subprocess.Popen[bytes], tmp_path: Path) -> None:
    database = Database(LeaseLost("another has it"), fails=1)
    with keeper(database) as keeping:
        keeping.started(kernel.pid, tmp_path / "alive")
        keeping.say(*scenes(1)[0])
        kernel.wait(PLENTY)
        keeping.say(*scenes(2)[0])
    assert database.stored == []
    assert len(database.asked) == 1
