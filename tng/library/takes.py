"""Scenes that are written again: the jobs that owe them, and what became of those. One is under way per order.

A take is given, and not paid for: one that fails is simply there to be asked for again, and its order stays DELIVERED.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tng.errors import EditionRefused, TakeUnderWay
from tng.jobs import ENDED, Job, JobKind, JobState
from tng.library.editions import MOST_TAKES, Take
from tng.orders import Order, OrderState
from tng.ports import Work

PRIORITY = 1
"""Later than every script that was paid for."""

NONE_LEFT = f"A scene can be written again {MOST_TAKES} times, and this one was. Please choose one of its takes."
FAILED = "This scene could not be written again. Nothing is lost: please try once more."


@dataclass(frozen=True, slots=True)
class TakeJob:
    """A take that is owed, or that failed. ``scene`` and ``number`` count from 1."""

    scene: int
    number: int
    is_running: bool = False


def may_be_reworked(order: Order) -> bool:
    """Whether its customer may change the script: it is delivered, and its words are there."""
    return order.state is OrderState.DELIVERED and order.is_readable


def is_wanted(job: Job, order: Order) -> bool:
    """Whether the run of a job may go on: its script is being written, or its scene still has one to stand in."""
    return may_be_reworked(order) if job.kind is JobKind.WRITE_SCENE else order.state is OrderState.WRITING


def under_way(jobs: Sequence[Job]) -> TakeJob | None:
    """The take that waits or is being written, among the jobs of an order."""
    return next((_take_of(job) for job in _of(jobs) if job.state not in ENDED), None)


def failed(jobs: Sequence[Job]) -> TakeJob | None:
    """The take that was asked for last, where it failed."""
    last = _of(jobs)[-1:]
    return next((_take_of(job) for job in last if job.state is JobState.DEAD), None)


def owe_take(work: Work, order: Order, scene: int, now: datetime) -> TakeJob:
    """The next take of a scene, owed; the one that is under way, where that is of this scene. The caller commits.

    Raises TakeUnderWay where another scene is, EditionRefused where no take is left.
    """
    jobs, takes = work.jobs.of(order.id), sorted(work.editions.takes(order.id), key=lambda take: take.made_at)
    if (known := under_way(jobs)) is not None:
        if known.scene != scene:
            raise TakeUnderWay(f"order {order.id}: scene {known.scene} is being written again")
        return known
    number = sum(take.scene == scene for take in takes) + 1
    if number > MOST_TAKES:
        raise EditionRefused(f"order {order.id}: no take of scene {scene} is left", user_message=NONE_LEFT)
    return _take_of(work.jobs.add(_job_for(order, scene, number, takes, len(_of(jobs)) + 1, now)))


def end_jobs(work: Work, order: Order, now: datetime) -> None:
    """Nothing is written for the order any more: neither its script nor a take. The caller commits."""
    for job in work.jobs.of(order.id):
        work.jobs.cancel(job.key, now)


def take_by(job: Job, order: Order, text: str, release_id: str, now: datetime) -> Take:
    """What a run wrote, as the take that it was asked for."""
    about = _take_of(job)
    return Take(order.id, about.scene, about.number, text, order.premise.seed, release_id, now)


def _of(jobs: Sequence[Job]) -> list[Job]:
    return [job for job in jobs if job.kind is JobKind.WRITE_SCENE]


def _take_of(job: Job) -> TakeJob:
    """What a job owes. One whose parameters were taken away owes nothing any more."""
    scene, number = (int(job.parameters.get(name, 0)) for name in ("scene_number", "take_number"))
    return TakeJob(scene, number, job.state is JobState.RUNNING)


def _job_for(order: Order, scene: int, number: int, takes: Sequence[Take], serial: int, now: datetime) -> Job:
    """``serial`` counts the takes that were asked for, those that failed, too: so the key is new."""
    parameters = {
        "order_id": order.id,
        "premise_json": json.dumps(order.premise.to_fields()),
        "scene_number": scene,
        "take_number": number,
        "written_before": [take.scene for take in takes],
    }
    key = f"order:{order.id}:take:{serial}"
    return Job(0, key, JobKind.WRITE_SCENE, order.id, parameters, ready_at=now, priority=PRIORITY)
