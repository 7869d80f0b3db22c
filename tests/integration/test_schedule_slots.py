"""Eight processes look at one schedule at once, over a real database: each slot is run once, and one at a time.

They are killed and started again on the way. A control shows that looking and writing in two units would run a slot
several times.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes import START
from tests.releases import a_release
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.settings import ROOT
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState
from tng.training.schedules import Schedule

PROCESSES, SLOTS = 8, 6
MINUTE = timedelta(minutes=1)

LOOKS = """
import sys, threading, time, uuid
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tests.fakes import START, FakeClock
from tests.releases import a_ledger
from tng.adapters.database.engine import connect
from tng.adapters.database.store import SqlStore
from tng.errors import RetrainingError, StoreBusy
from tng.training.retraining import Retrainings
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState
from tng.training.slots import due
from tng.training.timetable import Timetable

url, slots, places, way = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
store, clock = SqlStore(connect(url, busy_seconds=30)), FakeClock()
new_id = lambda now: uuid.uuid4().hex
retrainings = Retrainings(store, clock, a_ledger(store, places), lease_seconds=10, new_id=new_id)
timetable = Timetable(store, clock, retrainings)

def wait_for_all(number):
    (places / f"{number}.{uuid.uuid4().hex}").touch()
    until = time.monotonic() + (60 if number == 0 else 5)  # at first some are still being started
    while len(list(places.glob(f"{number}.*"))) < 8 and time.monotonic() < until:
        time.sleep(0.002)

def look():
    begun = timetable.tick()
    if begun is not None:
        print(begun.slot_at.isoformat(), flush=True)
        retrainings.cancel(begun.id, actor="test")

def look_in_two_units():  # the control: nothing holds what was seen until it is written
    now = clock.now()
    with store.read() as work:
        schedule = work.schedules.get("minutely")
    found = due(schedule, now)
    if found is None:
        return
    wait_for_all(f"seen-{now:%H-%M}")
    with store.begin() as work:
        work.schedules.put(replace(schedule, settled_until_at=found.slot_at))
        ended = Retraining(new_id(now), RetrainingOptions(), "test", now, state=RetrainingState.CANCELLED)
        work.retrainings.add(ended)
        work.commit()
    print(found.slot_at.isoformat(), flush=True)

for number in range(slots):
    clock.advance(minutes=1)
    if way != "killed":
        wait_for_all(number)
    for _ in range(3):
        try:
            (look_in_two_units if way == "control" else look)()
        except StoreBusy:
            pass
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with a schedule of every minute, from START on."""
    address = f"sqlite:///{tmp_path / 'orders.sqlite'}"
    if request.param == "postgresql":
        address = request.getfixturevalue("postgres_url")
    migrate(address)
    store = SqlStore(connect(address))
    with store.begin() as work:
        work.schedules.put(Schedule("minutely", "* * * * *", "UTC", RetrainingOptions().to_fields(), START, START))
        work.commit()
    store.close()
    a_release(tmp_path / "places")
    return address


def start(url: str, tmp_path: Path, *, slots: int = SLOTS, way: str = "together") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", LOOKS, url, str(slots), str(tmp_path / "places"), way]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def begun_by(processes: list[subprocess.Popen[str]]) -> Counter[str]:
    try:
        printed = [process.communicate(timeout=120)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert {process.returncode for process in processes} == {0}
    return Counter(line for text in printed for line in text.split())


def stored(url: str) -> list[Retraining]:
    store = SqlStore(connect(url))
    try:
        with store.read() as work:
            return list(work.retrainings.latest(1000))
    finally:
        store.close()


@pytest.mark.slow
def test_a_slot_is_run_once_by_eight_processes_that_look_at_once(url: str, tmp_path: Path) -> None:
    begun = begun_by([start(url, tmp_path) for _ in range(PROCESSES)])
    assert begun == Counter((START + number * MINUTE).isoformat() for number in range(1, SLOTS + 1))
    assert len(stored(url)) == SLOTS


@pytest.mark.slow
def test_control_looking_and_writing_apart_runs_a_slot_several_times(url: str, tmp_path: Path) -> None:
    begun = begun_by([start(url, tmp_path, slots=2, way="control") for _ in range(PROCESSES)])
    assert max(begun.values()) > 1


@pytest.mark.slow
def test_killed_and_started_again_they_run_no_slot_twice_and_leave_none_half_begun(url: str, tmp_path: Path) -> None:
    """A process goes through time on its own: the others find its slots settled, or coalesce what it left out."""
    for _ in range(3):
        running = [start(url, tmp_path, slots=200, way="killed") for _ in range(2)]
        until = time.monotonic() + 30
        known = len(stored(url))
        while len(stored(url)) < known + 3 and time.monotonic() < until:
            time.sleep(0.05)
        for process in running:
            process.kill()
            process.communicate()
    found = stored(url)
    slots = Counter(one.slot_at for one in found)
    assert max(slots.values()) == 1
    assert sum(one.is_open for one in found) <= 1
    store = SqlStore(connect(url))
    with store.begin() as work:
        settled = work.schedules.get("minutely").settled_until_at
        for one in found:
            assert one.slot_at is not None
            assert one.slot_at <= settled
            assert work.jobs.get(one.job_key) is not None
            work.retrainings.save(replace(one, state=RetrainingState.CANCELLED))
        work.commit()
    store.close()
