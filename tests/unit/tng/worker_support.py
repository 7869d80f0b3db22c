"""A store with one paid order and a ledger of releases, and workers for it: for the tests of workers and desks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes import FakeClock, FakeStore
from tests.orders import job_in, paid_order
from tests.releases import a_ledger
from tng.desk import WritingDesk
from tng.errors import TngError
from tng.fulfilment import Fulfilment
from tng.jobs import EventKind, Job, JobState
from tng.ports import Event, NotebookRunner
from tng.worker import Worker

TEXT = "Title: The Quiet Hours\n## ACT ONE\n# INT. BRIDGE\nPicard turns from the glass.\n"
RESULT = {"script_text": TEXT, "release_id": "tiny"}
SCENES = [(EventKind.SCENE, {"number": number}) for number in (1, 2)]


class Stumbling(Fulfilment):
    """A Fulfilment whose named methods raise the given errors first, one a call."""

    def __init__(self, store: FakeStore, clock: FakeClock, **errors: list[Exception]) -> None:
        super().__init__(store, clock, lease_seconds=10, spread=lambda: 0)
        self._errors = errors

    def _stumble(self, method: str) -> None:
        if self._errors.get(method):
            raise self._errors[method].pop(0)

    def claim(self, worker: str) -> Job | None:
        self._stumble("claim")
        return super().claim(worker)

    def heartbeat(self, job: Job, events: Sequence[Event] = ()) -> None:
        self._stumble("heartbeat")
        super().heartbeat(job, events)

    def deliver(self, job: Job, **result: Any) -> None:
        self._stumble("deliver")
        super().deliver(job, **result)

    def fail(self, job: Job, error: TngError) -> JobState:
        self._stumble("fail")
        return super().fail(job, error)


class Desk:
    """A store with one paid order, and workers for it."""

    def __init__(self, folder: Path) -> None:
        self.store, self.clock, self.folder = FakeStore(), FakeClock(), folder
        self.ledger = a_ledger(self.store, folder / "releases", clock=self.clock)
        self.ledger.current()
        paid_order(self.store)

    def worker(self, runner: NotebookRunner, **errors: list[Exception]) -> Worker:
        return Worker(
            WritingDesk(Stumbling(self.store, self.clock, **errors), self.ledger),
            runner,
            name="w1",
            runs_folder=self.folder,
            lease_seconds=10,
        )

    def heard(self) -> list[tuple[EventKind, dict[str, Any]]]:
        with self.store.read() as work:
            return [(event.kind, event.body) for event in work.jobs.heard(job_in(self.store).id)]
