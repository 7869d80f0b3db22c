"""Releases on a shelf, evaluations, retrainings and their jobs, for tests of what an operator sees and does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

from tests.fakes import START
from tng.jobs import EventKind, Job, JobKind
from tng.operations import Operations
from tng.ports import Clock, Store
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.lookout import ReleaseLookout
from tng.promotion.promotions import Check, Evaluation, Sample
from tng.promotion.shelf import ReleaseShelf
from tng.releases import Release, writing_release
from tng.training.lookout import NOTEBOOKS, RetrainingLookout
from tng.training.retraining import Retrainings
from tng.training.retrainings import RetrainingOptions
from tng.training.timetable import Timetable

OLD, NEW, WORSE, NEVER = "tng-small-2", "tng-small-r7", "tng-small-r8", "tng-small-r9"
"""Current, proven, refused by its evaluation, never evaluated."""

CHECKS = (
    Check("files", "whole", "whole", "every file by its digest", True),
    Check("perplexity", "11.31", "12.04", "ratio at most 0.995", True, "better on held-out episodes"),
    Check("format", "0.98", "0.96", "at least 0.95", True),
    Check("repetition", "0.94", "0.93", "at least 0.911", True),
    Check("copying", "12", "14", "at most 50 words", None, "the corpus is ours: measured, and not judged"),
    Check("blocked words", "0", "0", "at most 0", True),
    Check("speed and memory", "41.2", "40.8", "at least 36.7", True),
    Check("loads and repeats", "yes", "yes", "the same text twice", True),
)
SAMPLE = Sample("A clock stops.", "# INT. READY ROOM\nPICARD: It runs.", "# INT. BRIDGE\nDATA: It stopped.")
CANARY = {"format_least_share": 0.95, "distinct_3_least": 0.9, "copied_most_words": None}


def an_evaluation(candidate: str = NEW, champion: str = OLD, **changes: Any) -> Evaluation:
    """One that passed, unless it is told otherwise."""
    metrics = {"candidate_perplexity": 11.31, "champion_perplexity": 12.04, "candidate_peak_bytes": 4.2e8}
    found = Evaluation(0, START, candidate, champion, True, ("all checks passed",), CHECKS, (SAMPLE,), metrics, CANARY)
    return replace(found, **changes)


def a_refused_evaluation(candidate: str = WORSE, champion: str = OLD, **changes: Any) -> Evaluation:
    """One that did not pass."""
    worse = replace(CHECKS[1], value="13.9", passed=False, sentence="worse on held-out episodes")
    checks = (CHECKS[0], worse, *CHECKS[2:])
    reasons = ("perplexity: 13.9 where at most 11.98 is asked for",)
    return an_evaluation(candidate, champion, promote=False, reasons=reasons, checks=checks, **changes)


def keep_evaluations(store: Store, *evaluations: Evaluation) -> list[Evaluation]:
    """Stored, with the ids that they have now."""
    with store.begin() as work:
        kept = [work.promotions.keep(one) for one in evaluations]
        work.commit()
    return kept


def put_on_shelf(place: Path, *names: str) -> None:
    """A folder for each release: whole, and with nothing in it that could write."""
    for name in names:
        with writing_release(place / name) as folder:
            (folder / "meta.json").write_text(json.dumps({"id": name}), encoding="utf-8")


def make_operations(
    store: Store, clock: Clock, folder: Path, *, first: str = OLD, canary_scripts: int = 20
) -> Operations:
    """Over ``folder/releases`` and ``folder/retraining``."""
    shelf, numbers = ReleaseShelf([folder / "releases"]), count(1)
    ledger = ReleaseLedger(store, clock, shelf, Release(first, folder / "releases" / first))
    retrainings = Retrainings(store, clock, ledger, lease_seconds=10, new_id=lambda now: f"r{next(numbers)}")
    timetable = Timetable(store, clock, retrainings)
    releases = ReleaseLookout(store, clock, shelf, canary_scripts=canary_scripts)
    runs = RetrainingLookout(store, clock, timetable, folder / "retraining")
    return Operations(releases, runs, ledger, timetable, retrainings)


def furnish(store: Store, operations: Operations, folder: Path) -> None:
    """Four releases of which the first is current, two evaluations, and a schedule."""
    put_on_shelf(folder / "releases", OLD, NEW, WORSE, NEVER)
    operations.ledger.current()
    keep_evaluations(store, an_evaluation(), a_refused_evaluation(at=START + timedelta(hours=1)))
    operations.timetable.add("0 3 * * SUN", "Europe/Berlin", RetrainingOptions(preset="tiny"), name="weekly")


def run_step(operations: Operations, folder: Path, *, percent: float | None = None, html: str = "<p>page</p>") -> Job:
    """Take the step that is owed, say how far it is, and leave a notebook of the attempt."""
    job = operations.retrainings.claim("scheduler-1")
    assert job is not None
    if percent is not None:
        operations.retrainings.heartbeat(job, [(EventKind.PROGRESS, {"percent": percent})])
    retraining = operations.retrainings.of(job)
    notebooks = folder / "retraining" / retraining.id / NOTEBOOKS
    notebooks.mkdir(parents=True, exist_ok=True)
    stem = f"{job.kind.value}-{job.id}.{job.attempt}"
    (notebooks / f"{stem}.html").write_text(html, encoding="utf-8")
    (notebooks / f"{stem}.ipynb").write_text("{}", encoding="utf-8")
    return job


def finish_steps(operations: Operations, folder: Path, *steps: JobKind) -> None:
    """The steps are run, and done."""
    for step in steps:
        job = run_step(operations, folder)
        assert job.kind is step
        operations.retrainings.done(job, {})
