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


# --- a run that is asked to end early ---------------------------------------------------------------------------------

COUNTS_SIGINT = """
import signal, sys, time
signal.signal(signal.SIGINT, lambda *_: print("asked", flush=True))
print("ready", flush=True)
while True: time.sleep(0.05)
"""


@pytest.fixture
def polite(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """A kernel that hears SIGINT, and says so."""
    monkeypatch.setattr("tng.lease.YIELD_SECONDS", 0.0)
    process = subprocess.Popen([sys.executable, "-c", COUNTS_SIGINT], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


class Asked:
    """Says yes from the n-th question on; ``answered`` is set with the question that many after it."""

    def __init__(self, first_yes: int = 1, *, error: Exception | None = None) -> None:
        self.questions, self.first_yes, self.error = 0, first_yes, error
        self.heard = threading.Event()

    def __call__(self) -> bool:
        self.questions += 1
        if self.questions >= self.first_yes:
            self.heard.set()
        elif self.error is not None:
            raise self.error
        return self.heard.is_set()


def yielding(database: Database, asked: Asked) -> LeaseKeeper:
    return LeaseKeeper(database.renew, lease_seconds=60, hurry=threading.Event(), yields=asked)


def told(process: subprocess.Popen[str]) -> str:
    """What it says, once it is ended."""
    process.kill()
    return process.stdout.read() if process.stdout else ""


def test_a_run_that_yields_is_asked_once_and_goes_on_to_its_own_end(
    polite: subprocess.Popen[str], tmp_path: Path
) -> None:
    database, asked = Database(beats=3), Asked()
    with yielding(database, asked) as keeping:
        keeping.started(polite.pid, tmp_path / "alive")
        for number in range(3):
            keeping.say(*scenes(number)[0])
            assert polite.poll() is None
            threading.Event().wait(0.3)
    assert (keeping.yielded, keeping.verdict) == (True, Verdict.KEPT)
    assert asked.questions == 1, "once the answer is yes, nobody is asked again"
    assert told(polite) == "asked\n"


def test_one_that_did_not_hear_is_asked_again(
    polite: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tng.lease.YIELD_AGAIN_SECONDS", 0.0)
    with yielding(Database(), Asked()) as keeping:
        keeping.started(polite.pid, tmp_path / "alive")
        keeping.say(*scenes(1)[0])
        assert polite.stdout is not None
        assert [polite.stdout.readline() for _ in range(2)] == ["asked\n", "asked\n"]


def test_a_kernel_that_only_starts_is_let_start(polite: subprocess.Popen[str], tmp_path: Path) -> None:
    asked = Asked()
    with yielding(Database(), asked) as keeping:
        keeping.started(polite.pid, tmp_path / "alive")
        assert asked.heard.wait(PLENTY)
        threading.Event().wait(0.5)  # several looks
    assert keeping.yielded
    assert told(polite) == ""


@pytest.mark.parametrize(
    ("error", "verdict"), [(JobCancelled("x"), Verdict.CANCELLED), (LeaseLost("x"), Verdict.LOST)], ids=str
)
def test_a_run_that_is_not_wanted_any_more_is_ended_within_a_second_however_silent_it_is(
    kernel: subprocess.Popen[bytes], tmp_path: Path, error: Exception, verdict: Verdict
) -> None:
    database, asked = Database(), Asked(2, error=error)
    with yielding(database, asked) as keeping:
        keeping.started(kernel.pid, tmp_path / "alive")
        began = time.monotonic()
        assert kernel.wait(PLENTY) == -signal.SIGKILL
        assert time.monotonic() - began < 1.5
    assert keeping.verdict is verdict
    assert database.asked == [], "no beat was due"


def test_where_nobody_can_say_whether_to_yield_the_run_goes_on(
    polite: subprocess.Popen[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = Asked(3, error=StoreBusy("locked"))
    with yielding(Database(), asked) as keeping:
        keeping.started(polite.pid, tmp_path / "alive")
        keeping.say(*scenes(1)[0])
        assert asked.heard.wait(PLENTY)
        assert polite.stdout is not None
        assert polite.stdout.readline() == "asked\n"
    assert "StoreBusy" in caplog.text
    assert keeping.verdict is Verdict.KEPT
