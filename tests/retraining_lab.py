"""A house that retrains, over any store: releases that write nothing, a desk, and results as notebooks tell them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.fakes import FakeClock
from tests.releases import a_ledger, a_release
from tng.gpus.ledger import GpuLedger
from tng.jobs import Job, JobKind
from tng.ports import Clock, Store
from tng.promotion.ledger import ReleaseLedger
from tng.training.desk import TrainingDesk
from tng.training.gpus import TrainingGpus, orders_are_owed
from tng.training.places import TrainingPlaces
from tng.training.retraining import Retrainings
from tng.training.retrainings import Retraining, RetrainingOptions
from tng.training.run_archive import RunArchive
from tng.training.timetable import Timetable

CHAMPION = "tiny"
CORPUS = {"fingerprint": "f1", "episodes": 12, "held_out_episodes": 2, "training_tokens": 9, "is_ours": True}
TRAINED = {"steps": 60, "of_steps": 60, "seconds": 5.0, "mean_loss": 4.5, "is_finished": True}
PASSED = {"name": "perplexity", "value": 3.1, "champion_value": 3.5, "limit": 3.48, "passed": True, "sentence": ""}


@dataclass
class Lab:
    """``shop`` is the shop's folder; the champion is the release ``tiny``."""

    store: Store
    shop: Path
    clock: Clock = field(default_factory=FakeClock)
    gpus: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        numbers = count(1)
        self.places = TrainingPlaces(
            self.shop, self.shop / "releases", self.shop.parent / "corpus", Path("shows/tng"), "tng"
        )
        self.ledger: ReleaseLedger = a_ledger(self.store, self.places.releases, first=CHAMPION, clock=self.clock)
        self.retrainings = Retrainings(
            self.store, self.clock, self.ledger, lease_seconds=10, new_id=lambda _: f"{next(numbers)}"
        )
        self.timetable = Timetable(self.store, self.clock, self.retrainings)
        self.gpu_ledger = GpuLedger(self.store, self.clock, host="here", order_gpus=1)
        self.training_gpus = TrainingGpus(self.gpu_ledger, "t", self.gpus, lambda: orders_are_owed(self.store))
        self.runs = self.shop / "runs"
        self.archive = RunArchive(self.places, self.runs, lambda ran, page: page.write_text("page") and None)
        self.desk = TrainingDesk(
            self.store,
            self.clock,
            self.retrainings,
            self.ledger,
            self.places,
            self.training_gpus,
            keep_notebooks=self.archive.keep,
        )

    def begin(self, **options: Any) -> Retraining:
        """A retraining of the tiny preset."""
        return self.retrainings.begin(RetrainingOptions(**{"preset": "tiny"} | options), actor="shell:ola")

    def take(self, step: JobKind | None = None) -> Job:
        """Take the step that is owed, as a worker does: with its parameters, and a notebook that was run."""
        self.desk.look_again()
        job = self.desk.claim("w")
        assert job is not None
        assert step in (None, job.kind)
        self.desk.parameters(job)
        folder = self.runs / f"{job.id}.{job.attempt}"
        folder.mkdir(parents=True)
        (folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
        return job

    def accept(self, job: Job, result: Mapping[str, Any]) -> Retraining:
        """Bring a result; the retraining as it is then."""
        self.desk.accept(job, result, self.runs / f"{job.id}.{job.attempt}")
        return self.retrainings.of(job)

    def go(self, *steps: JobKind, **changes: Any) -> Retraining:
        """Take these steps, and bring what was owed; ``changes`` are of the decision."""
        retraining = None
        for step in steps:
            job = self.take(step)
            retraining = self.accept(job, self.result_of(job, **changes))
        assert retraining is not None
        return retraining

    def result_of(self, job: Job, **changes: Any) -> dict[str, Any]:
        """What the notebook of a step would tell."""
        retraining = self.retrainings.of(job)
        if job.kind is JobKind.BUILD_CORPUS:
            return CORPUS | changes
        if job.kind is JobKind.FINETUNE:
            return TRAINED
        candidate = self.places.candidate_id(retraining)
        if job.kind is JobKind.EVALUATE:
            a_release(self.places.releases, candidate)
            return {"release_id": candidate, "evaluation_file": "evaluation.json", "large": {"a": [1]}}
        decision = {"candidate": candidate, "champion": retraining.champion_id, "promote": True, "reasons": []}
        return decision | {"checks": [PASSED], "samples": [], "metrics": {"perplexity": 3.1}, "canary": {}} | changes


STEPS = (JobKind.BUILD_CORPUS, JobKind.FINETUNE, JobKind.EVALUATE, JobKind.DECIDE)
