"""A customer has a scene of a real script written again: by the product's notebook, in a worker that may die of it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.test_worker_survives import wait_until
from tests.integration.worker_process import start
from tests.processes import kernels_below
from tests.samples import an_order, forced, keep, the_order
from tng.app import build_release_ledger, build_store, clock_of
from tng.jobs import Job, JobKind, JobState
from tng.library.reworking import Desktop, Reworking
from tng.library.takes import TakeJob
from tng.orders import OrderState
from tng.script import Length, Premise, parse, parse_scene
from tng.settings import ROOT, Settings

PREMISE = Premise("The Quiet Hours", "Ambassador Sorel comes aboard.", ("PICARD", "DATA"), length=Length.TEASER, seed=7)
RELEASE = ROOT / "model" / "releases" / "tng-small-2"
NOTEBOOKS = ROOT / "notebooks" / "runs"
SCRIPT = """Title: The Quiet Hours
## TEASER
# INT. READY ROOM
Picard turns from the glass.
PICARD: It stopped, Data. Every clock aboard has stopped.
DATA: They have not, sir. They show what they are shown.
# INT. MAIN BRIDGE
Data looks up from his console. Nobody moves.
DATA: Ambassador Sorel comes aboard within the hour, Captain.
PICARD: Then we have an hour in which to be wrong.
# EXT. SPACE
The ship turns.
"""
LEASE = 5.0
PLENTY = 200.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


class House:
    """A home with a release and a script that was delivered, and the workers that were started."""

    def __init__(self, folder: Path) -> None:
        release = shutil.copytree(RELEASE, folder / "tng-small-2", copy_function=os.link)
        self.settings = Settings.read(home=folder / "home", lease_seconds=LEASE, release=release)
        self.settings.make_home()
        self.store = build_store(self.settings)
        self.rework = Reworking(self.store, clock_of(self.store))
        self.workers: list[subprocess.Popen[bytes]] = []
        build_release_ledger(self.settings, store=self.store).current()
        wish = an_order(premise=PREMISE)
        keep(self.store, forced(wish, OrderState.DELIVERED, script_text=SCRIPT, release_id="tng-small-2"))
        self.delivered = the_order(self.store, wish.id)

    def start(self, notebooks: Path = NOTEBOOKS) -> subprocess.Popen[bytes]:
        """One more worker."""
        self.workers.append(start(self.settings, notebooks))
        return self.workers[-1]

    def there(self) -> Desktop:
        """What there is to rework."""
        return self.rework.desktop(self.delivered.id, "ada")

    def ask(self, scene: int, seen: int) -> TakeJob:
        """Have a scene written again."""
        return self.rework.write_again(self.delivered.id, "ada", scene, seen)

    def take_job(self) -> Job:
        """The job of the take that was asked for last."""
        with self.store.read() as work:
            return [job for job in work.jobs.of(self.delivered.id) if job.kind is JobKind.WRITE_SCENE][-1]

    def kernels(self) -> list[psutil.Process]:
        """The kernels of the last worker."""
        return kernels_below(self.workers[-1].pid)

    def end(self) -> None:
        """Kill the workers at once, as a power cut does."""
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.end()
    house.store.close()


def test_a_scene_is_written_again_also_by_the_worker_after_one_that_was_killed_in_the_middle(house: House) -> None:
    """Two takes: the first in peace, the second after kill -9. The script as it was delivered never changes."""
    house.start()
    assert house.ask(2, 0) == TakeJob(2, 1)
    wait_until(lambda: house.there().edition == 1, PLENTY)
    house.ask(2, 1)
    wait_until(house.kernels, PLENTY)
    (kernel,) = house.kernels()
    house.end()
    assert house.there().pending == TakeJob(2, 2, is_running=True), "nobody knows yet"
    house.start()
    wait_until(lambda: house.there().edition == 2, PLENTY)
    assert not kernel.is_running()
    there, original = house.there(), parse(str(house.delivered.script_text))
    first, second = [parse_scene(take.text) for take in there.takes]
    assert len({original.scenes[1], first, second}) == 3, "each take is another scene"
    assert parse(house.rework.text_of(house.delivered) or "").scenes == (
        original.scenes[0],
        second,
        *original.scenes[2:],
    )
    assert [take.release_id for take in there.takes] == ["tng-small-2"] * 2
    job = house.take_job()
    assert (job.state, job.attempt, job.failures) == (JobState.DONE, 2, 0), "a crash is not a failure"
    assert the_order(house.store, house.delivered.id) == house.delivered
    assert (house.settings.runs_folder / f"{job.id}.2" / "notebook.ipynb").is_file()


def test_a_take_that_fails_for_good_is_given_back_and_the_script_stays_delivered(house: House, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    text = (NOTEBOOKS / "write_scene.ipynb").read_text(encoding="utf-8")
    wrong = text.replace("[*written_before, scene_number]", "[*written_before, 99]")
    assert wrong != text
    (broken / "write_scene.ipynb").write_text(wrong, encoding="utf-8")
    house.ask(1, 0)
    house.start(broken)
    wait_until(lambda: house.there().failed is not None, PLENTY)
    assert (house.there().pending, house.there().edition, list(house.there().takes)) == (None, 0, [])
    assert the_order(house.store, house.delivered.id) == house.delivered
    with house.store.read() as work:
        assert work.counts.errands() == 0, "nothing was paid for it, and nothing goes back"
    house.end()
    assert house.ask(1, 0) == TakeJob(1, 1), "the same take, once more"
    house.start()
    wait_until(lambda: house.there().edition == 1, PLENTY)
