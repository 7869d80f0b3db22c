"""The process of the schedules, killed and ended at every step: whatever happens, the retraining comes to one end.

The notebooks are stand-ins; ``test_retraining_chain`` has the real ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.integration.retraining_steps import SAVE_EVERY, STEPS, write_notebooks
from tests.integration.scheduler_process import Schedulers, wait_until
from tests.releases import a_release
from tests.samples import a_job, a_paid_order, keep
from tng.app import build_store
from tng.errors import StoreBusy
from tng.jobs import JobKind, JobState
from tng.ports import Store
from tng.settings import Settings
from tng.training.house import build_house_retrainings, build_timetable
from tng.training.retraining import Retrainings
from tng.training.retrainings import STEPS as CHAIN
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState

pytestmark = pytest.mark.slow


@dataclass
class House:
    """A house with the release ``tiny``, and the processes of its schedules."""

    settings: Settings
    store: Store
    controls: Path
    schedulers: Schedulers

    @property
    def retrainings(self) -> Retrainings:
        return build_house_retrainings(self.settings, store=self.store)

    def begin(self) -> Retraining:
        """By a schedule whose slot has come."""
        timetable = build_timetable(self.settings, store=self.store)
        added = timetable.add("* * * * *", "UTC", RetrainingOptions(preset="tiny", samples=6))
        with self.store.begin() as work:
            work.schedules.put(replace(added, settled_until_at=added.created_at.replace(year=2020)))
            work.commit()
        begun = timetable.tick()
        assert begun is not None
        timetable.pause(added.name)
        return begun

    def hold(self, step: JobKind) -> None:
        """The step is to wait when it has begun."""
        (self.controls / f"{step.value}.hold").touch()

    def release(self, step: JobKind) -> None:
        """It may go on."""
        (self.controls / f"{step.value}.hold").unlink()

    def attempts(self, step: JobKind) -> int:
        """How often its notebook was begun."""
        log = self.controls / f"{step.value}.log"
        return len(log.read_text("utf-8").splitlines()) if log.exists() else 0

    def began(self, step: JobKind, times: int = 1) -> None:
        """Wait until it has."""
        wait_until(lambda: self.attempts(step) >= times or not self.is_open(), f"{step} does not begin")
        assert self.is_open()
        if step is JobKind.FINETUNE and times == 1:
            wait_until((self.controls / "finetune.half").exists, "the training is not half through")

    def is_open(self) -> bool:
        """Whether a retraining is."""
        with self.store.read() as work:
            return work.retrainings.open() is not None

    def end_of(self, begun: Retraining) -> Retraining:
        """Wait for it."""
        wait_until(lambda: not self.retrainings.get(begun.id).is_open, "the retraining does not end")
        return self.retrainings.get(begun.id)

    def ledger(self) -> list[str]:
        """What was current, the first one first."""
        with self.store.read() as work:
            return [row.to_id for row in work.promotions.history()][::-1]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    release = a_release(tmp_path / "releases", "tiny")
    settings = Settings(home=tmp_path / "home", release=release.folder, lease_seconds=4.0)
    store = build_store(settings)
    controls = tmp_path / "controls"
    schedulers = Schedulers(settings, write_notebooks(tmp_path / "notebooks", controls))
    yield House(settings, store, controls, schedulers)
    schedulers.close()
    store.close()


@pytest.mark.parametrize("step", CHAIN)
def test_killed_in_a_step_it_is_gone_on_with_there_by_another_and_promoted_once(house: House, step: JobKind) -> None:
    house.hold(step)
    begun = house.begin()
    house.schedulers.start()
    house.began(step)
    house.schedulers.kill()
    house.release(step)
    house.schedulers.start()
    ended = house.end_of(begun)
    assert ended.state is RetrainingState.PROMOTED, ended.sentence
    assert house.ledger() == ["tiny", ended.candidate_id]
    assert {one: house.attempts(one) for one in CHAIN} == {one: 2 if one is step else 1 for one in CHAIN}
    assert ended.notes["finetune"]["steps"] == STEPS


def test_a_killed_training_loses_no_more_than_it_had_not_saved(house: House) -> None:
    house.hold(JobKind.FINETUNE)
    begun = house.begin()
    house.schedulers.start()
    house.began(JobKind.FINETUNE)
    house.schedulers.kill()
    state = house.settings.shop_folder / "retraining" / begun.id / "checkpoint" / "state"
    assert STEPS // 2 + 3 - int(state.read_text("ascii")) <= SAVE_EVERY


def test_of_several_processes_one_runs_each_step(house: House) -> None:
    begun = house.begin()
    for _ in range(3):
        house.schedulers.start()
    ended = house.end_of(begun)
    assert ended.state is RetrainingState.PROMOTED
    assert [house.attempts(step) for step in CHAIN] == [1, 1, 1, 1]
    assert house.ledger() == ["tiny", ended.candidate_id]
    with house.store.read() as work:
        assert len(work.retrainings.latest()) == 1


def test_asked_to_end_it_lets_the_training_save_and_another_goes_on(house: House) -> None:
    house.hold(JobKind.FINETUNE)
    begun = house.begin()
    process = house.schedulers.start()
    house.began(JobKind.FINETUNE)
    asked_at = time.monotonic()
    process.terminate()
    assert process.wait(15) == 0
    assert time.monotonic() - asked_at < 10
    half = house.retrainings.get(begun.id)
    assert (half.step, half.notes["finetune"]["steps"]) == (JobKind.FINETUNE, STEPS // 2 + 3)
    house.release(JobKind.FINETUNE)
    house.schedulers.start()
    assert house.end_of(begun).state is RetrainingState.PROMOTED
    with house.store.read() as work:
        job = work.jobs.get(half.job_key)
    assert job is not None
    assert (job.attempt, job.given_back, job.failures) == (2, 1, 0)


def test_asked_twice_it_ends_at_once_and_gives_the_step_back(house: House) -> None:
    house.hold(JobKind.EVALUATE)
    begun = house.begin()
    process = house.schedulers.start()
    house.began(JobKind.EVALUATE)
    process.terminate()
    process.terminate()
    assert process.wait(10) == 0
    with house.store.read() as work:
        job = work.jobs.get(house.retrainings.get(begun.id).job_key)
    assert job is not None
    assert (job.state, job.given_back) == (JobState.QUEUED, 1)


def test_a_training_makes_way_for_an_order_and_goes_on_after_it(house: House) -> None:
    house.hold(JobKind.FINETUNE)
    begun = house.begin()
    house.schedulers.start()
    house.began(JobKind.FINETUNE)
    order = a_paid_order()
    keep(house.store, order, a_job(order=order))
    wait_until(lambda: "steps" in house.retrainings.get(begun.id).notes.get("finetune", {}), "it makes no way")
    house.release(JobKind.FINETUNE)
    assert house.retrainings.get(begun.id).notes["finetune"]["steps"] == STEPS // 2 + 3
    time.sleep(1.5)  # it would begin within this time, if it did not wait for the order
    assert house.attempts(JobKind.FINETUNE) == 1
    with house.store.begin() as work:
        script = work.jobs.claim("writer", order.placed_at, order.placed_at.replace(year=2100))
        assert script is not None
        work.jobs.update(script.token, state=JobState.DONE, lease_until=None)
        work.commit()
    ended = house.end_of(begun)
    assert ended.state is RetrainingState.PROMOTED
    assert ended.notes["finetune"]["steps"] == STEPS
    assert house.attempts(JobKind.FINETUNE) == 2


def test_a_cancelled_retraining_ends_its_kernel_within_seconds(house: House) -> None:
    house.hold(JobKind.EVALUATE)
    begun = house.begin()
    house.schedulers.start()
    house.began(JobKind.EVALUATE)
    kernel = int((house.controls / "evaluate.log").read_text("utf-8"))
    house.retrainings.cancel(begun.id, actor="shell:ola")
    wait_until(lambda: not Path(f"/proc/{kernel}").exists(), "its kernel goes on", seconds=8)
    notebooks = house.settings.shop_folder / "retraining" / begun.id / "notebooks"
    wait_until(lambda: len(list(notebooks.glob("evaluate-*.html"))) == 1, "its notebook is not kept")
    house.release(JobKind.EVALUATE)
    house.retrainings.retry(begun.id, actor="shell:ola")
    assert house.end_of(begun).state is RetrainingState.PROMOTED
    assert [house.attempts(step) for step in CHAIN] == [1, 1, 2, 1]


def test_one_that_failed_is_taken_up_at_its_step(house: House) -> None:
    (house.controls / "evaluate.fail").touch()
    begun = house.begin()
    house.schedulers.start()
    ended = house.end_of(begun)
    assert (ended.state, ended.step) == (RetrainingState.FAILED, JobKind.EVALUATE)
    assert "ValueError" in ended.sentence
    assert house.attempts(JobKind.EVALUATE) == 3
    notebooks = house.settings.shop_folder / "retraining" / begun.id / "notebooks"
    wait_until(lambda: len(list(notebooks.glob("evaluate-*.html"))) == 3, "not every failed notebook is kept")
    (house.controls / "evaluate.fail").unlink()
    house.retrainings.retry(begun.id, actor="shell:ola")
    assert house.end_of(begun).state is RetrainingState.PROMOTED
    assert [house.attempts(step) for step in CHAIN] == [1, 1, 4, 1]


def test_a_schedule_begins_by_itself_when_its_slot_comes_and_says_so(house: House) -> None:
    timetable = build_timetable(house.settings, store=house.store)
    added = timetable.add("* * * * *", "UTC", RetrainingOptions(preset="tiny"), name="minutely")
    with house.store.begin() as work:
        work.schedules.put(replace(added, settled_until_at=added.created_at.replace(year=2020)))
        work.commit()
    for _ in range(2):
        house.schedulers.start()

    def begun() -> list[Retraining]:
        try:
            with house.store.read() as work:
                return list(work.retrainings.latest())
        except StoreBusy:
            return []

    wait_until(begun, "no slot is run")
    timetable.pause("minutely")
    first = begun()[-1]
    assert (first.schedule, first.coalesced) == ("minutely", 99)
    assert house.end_of(first).state is RetrainingState.PROMOTED
    wait_until(lambda: "notice" in house.schedulers.log.read_text("utf-8"), "no operator is told")
