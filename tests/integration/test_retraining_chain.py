"""The whole chain with the real notebooks: a slot comes, a network is trained, measured, found better, and promoted.

On the way the training makes way for an order, and the process is killed. ``test_retraining_process`` has the rest of
what may happen, with stand-ins.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.integration.scheduler_process import Schedulers, wait_until
from tests.samples import a_job, a_paid_order, keep
from tng.app import build_store
from tng.jobs import EventKind, JobKind, JobState
from tng.ports import Store
from tng.settings import Settings
from tng.training.house import NOTEBOOKS, build_house_retrainings, build_timetable
from tng.training.retrainings import Retraining, RetrainingOptions, RetrainingState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STEPS = 100
LONG_SECONDS = 600.0


@pytest.fixture(scope="module")
def half(trained: Path) -> Path:
    """A release that was trained for half as long as it should."""
    return trained / "half"


class House:
    """A house that begins with the release ``half``, and the processes of its schedules over the real notebooks."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.store = settings, build_store(settings)
        self.schedulers = Schedulers(settings, NOTEBOOKS, mirrors=True)

    def begin(self, options: RetrainingOptions) -> Retraining:
        """By a schedule whose slot has come."""
        timetable = build_timetable(self.settings, store=self.store)
        added = timetable.add("* * * * *", "UTC", options)
        with self.store.begin() as work:
            work.schedules.put(replace(added, settled_until_at=added.created_at.replace(year=2020)))
            work.commit()
        begun = timetable.tick()
        assert begun is not None
        timetable.remove(added.name)
        return begun

    def now(self, begun: Retraining) -> Retraining:
        """It, as it is now."""
        return build_house_retrainings(self.settings, store=self.store).get(begun.id)

    def end_of(self, begun: Retraining) -> Retraining:
        """Wait for it."""
        wait_until(lambda: not self.now(begun).is_open, "the retraining does not end", seconds=LONG_SECONDS)
        return self.now(begun)

    def wait_for_step(self, begun: Retraining, number: int) -> None:
        """Wait until the training has told of a step beyond ``number``."""

        def told() -> bool:
            if self.now(begun).step is not JobKind.FINETUNE:
                assert self.now(begun).is_open
                return False
            with self.store.read() as work:
                job = work.jobs.get(self.now(begun).job_key)
                heard = list(work.jobs.heard(job.id)) if job else []
            mine = [event for event in heard if event.kind is EventKind.PROGRESS and event.attempt == job.attempt]
            return bool(mine) and int(mine[-1].body["step"]) > number

        wait_until(told, f"the training does not come to step {number}", seconds=LONG_SECONDS)

    def folder(self, begun: Retraining, part: str) -> Path:
        return self.settings.shop_folder / "retraining" / begun.id / part


@pytest.fixture
def house(half: Path, tmp_path: Path) -> Iterator[House]:
    ours = House(Settings(home=tmp_path / "home", release=half, lease_seconds=10.0))
    yield ours
    ours.schedulers.close()
    ours.store.close()


def write_order(store: Store, number: int = 1) -> None:
    """A worker of another process writes it."""
    with store.begin() as work:
        job = work.jobs.claim(
            "writer", a_paid_order(number).placed_at, a_paid_order(number).placed_at.replace(year=2100)
        )
        assert job is not None
        work.jobs.update(job.token, state=JobState.DONE, lease_until=None)
        work.commit()


def test_from_the_slot_to_the_promotion_whatever_comes_between(house: House, half: Path) -> None:
    base = str(half.parent / "checkpoints" / "half")
    options = RetrainingOptions(preset="tiny", steps=STEPS, samples=6, base=base, even_if_nothing_new=True)
    begun = house.begin(options)
    house.schedulers.start()

    house.wait_for_step(begun, 2)
    order = a_paid_order()
    keep(house.store, order, a_job(order=order))
    wait_until(lambda: "finetune" in house.now(begun).notes or house.now(begun).step is not JobKind.FINETUNE, "no way")
    waiting = house.now(begun)
    assert waiting.step is JobKind.FINETUNE, "the training was through before it could make way"
    assert 0 < waiting.notes["finetune"]["steps"] < STEPS
    write_order(house.store)

    house.wait_for_step(begun, waiting.notes["finetune"]["steps"])
    house.schedulers.kill()
    house.schedulers.start()
    ended = house.end_of(begun)

    assert ended.state is RetrainingState.PROMOTED, ended.sentence
    losses = json.loads((house.folder(begun, "checkpoint") / "losses.json").read_text("ascii"))
    assert [row[0] for row in losses] == list(range(1, STEPS + 1))
    with house.store.read() as work:
        history = work.promotions.history()
        evaluation = work.promotions.evaluation(ended.evaluation_id or 0)
    assert [row.to_id for row in history] == [ended.candidate_id, "half"]
    assert evaluation is not None
    assert len(evaluation.checks) == 8
    steps = ("build_corpus", "finetune", "evaluate", "decide")
    wanted = {f"{step}{ending}" for step in steps for ending in (".ipynb", ".html")}
    wait_until(lambda: wanted == kept_notebooks(house, begun), "not every notebook is kept")

    again = house.begin(replace(options, even_if_nothing_new=False))
    skipped = house.end_of(again)
    assert skipped.state is RetrainingState.SKIPPED
    assert begun.id in skipped.sentence
    wait_until(lambda: mirrored(house) == ended.candidate_id, "MLflow does not say so")


def kept_notebooks(house: House, begun: Retraining) -> set[str]:
    """The steps of which notebooks are kept, with their endings."""
    found = house.folder(begun, "notebooks").iterdir()
    return {path.name.split("-")[0] + path.suffix for path in found if path.suffix != ".partial"}


def mirrored(house: House) -> str:
    """The release that MLflow calls the champion."""
    code = """
import sys
from mlflow.tracking import MlflowClient
version = MlflowClient(f"sqlite:///{sys.argv[1]}").get_model_version_by_alias("writer", "champion")
print(version.tags["release_id"])
"""
    database = house.settings.shop_folder / "retraining" / "mlflow.sqlite"
    asked = subprocess.run([sys.executable, "-c", code, str(database)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()
