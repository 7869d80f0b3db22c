"""The ledger under many hands: promoters, workers and canaries at once, over a real database."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from tests.orders import job_in, order_in, paid_order
from tests.postgres import Databases
from tests.releases import a_ledger, a_release
from tng.adapters.clock import SystemClock
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.desk import WritingDesk
from tng.errors import PromotionOvertaken
from tng.fulfilment import Fulfilment
from tng.jobs import EventKind, Job
from tng.orders import OrderState
from tng.ports import RunGuard
from tng.promotion.canary import Canary
from tng.promotion.ledger import ReleaseLedger
from tng.promotion.promotions import Evaluation, Promotion, PromotionKind
from tng.worker import Worker

TEXT = "Title: The Quiet Hours\n## ACT ONE\n# INT. BRIDGE\nPicard turns from the glass.\n"
PLENTY = 60.0
PROMOTERS = 8


def a_store(url: str) -> SqlStore:
    migrate(url)
    return SqlStore(connect(url))


def on_file(database: Path) -> str:
    return f"sqlite:///{database}"


# --- many promoters ---------------------------------------------------------------------------------------------------

ROUNDS: dict[str, dict[str, Any]] = {
    "expects": {"unproven": True, "expected": "a"},
    "proves": {},
    "looks at nothing": {"unproven": True},
}


@dataclass
class Race:
    """The database of each round, and what was answered in it."""

    urls: dict[str, str]
    heard: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in ROUNDS})

    def rows(self, name: str) -> list[Promotion]:
        """What the ledger says after a round, the newest first."""
        store = a_store(self.urls[name])
        with store.read() as work:
            rows = list(work.promotions.history())
        store.close()
        return rows


def decide_at_once(
    urls: dict[str, str], folder: Path, number: int, barrier: Barrier, answers: Queue[tuple[str, str]]
) -> None:
    """A process of its own: in each round it promotes its own release, in the same moment as the others."""
    for name, how in ROUNDS.items():
        ledger = a_ledger(a_store(urls[name]), folder, first="a", clock=SystemClock())
        barrier.wait(PLENTY)
        try:
            ledger.promote(f"candidate-{number}", actor=f"shell:{number}", reason="mine is best", **how)
        except PromotionOvertaken:
            answers.put((name, "told"))
        else:
            answers.put((name, "won"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def race(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Race]:
    """Eight processes decide at once, in three rounds: what each was answered."""
    folder = tmp_path_factory.mktemp("race")
    for number in range(PROMOTERS):
        a_release(folder, f"candidate-{number}")
    with ExitStack() as stack:
        urls = {name: on_file(folder / f"{name}.sqlite") for name in ROUNDS}
        if request.param == "postgresql":
            postgres: Databases = request.getfixturevalue("postgres")
            urls = {name: stack.enter_context(postgres.fresh()) for name in ROUNDS}
        yield run(Race(urls), folder)


def run(race: Race, folder: Path) -> Race:
    for url in race.urls.values():
        store = a_store(url)
        a_ledger(store, folder, first="a").current()
        with store.begin() as work:
            for number in range(PROMOTERS):
                proof = Evaluation(0, SystemClock().now(), f"candidate-{number}", "a", promote=True)
                work.promotions.keep(proof)
            work.commit()
        store.close()
    spawning = multiprocessing.get_context("spawn")
    barrier, answers = spawning.Barrier(PROMOTERS), spawning.Queue()
    processes = [
        spawning.Process(target=decide_at_once, args=(race.urls, folder, number, barrier, answers), daemon=True)
        for number in range(PROMOTERS)
    ]
    for process in processes:
        process.start()
    for _ in range(PROMOTERS * len(ROUNDS)):
        name, answer = answers.get(timeout=PLENTY)
        race.heard[name][answer] += 1
    for process in processes:
        process.join(PLENTY)
    return race


@pytest.mark.timeout(180)
@pytest.mark.parametrize("name", ["expects", "proves"])
def test_of_eight_who_decide_at_once_one_is_heard_and_seven_are_told(race: Race, name: str) -> None:
    assert race.heard[name] == {"won": 1, "told": PROMOTERS - 1}
    assert len(race.rows(name)) == 2


@pytest.mark.timeout(180)
def test_the_control_who_looks_at_nothing_overwrites_the_others(race: Race) -> None:
    rows = race.rows("looks at nothing")
    assert race.heard["looks at nothing"]["won"] > 1
    assert len(rows) > 2
    assert [row.from_id for row in rows[:-1]] == [row.to_id for row in rows[1:]], "a chain all the same"


# --- a rollback while scripts are written -----------------------------------------------------------------------------


@dataclass
class Slowly:
    """A runner whose runs take 50 ms, and look at their release when they begin and when they end."""

    provenance: dict[str, Any] | None = None
    before_the_end: Callable[[], object] = lambda: None
    seen: list[tuple[str, str]] = field(default_factory=list)

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        """Write a script."""
        meta = Path(parameters["release_folder"]) / "meta.json"
        began = meta.read_text(encoding="utf-8")
        guard.say(EventKind.SCENE, {"number": 1})
        threading.Event().wait(0.05)
        run_folder.mkdir(parents=True)
        (run_folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
        self.seen.append((began, meta.read_text(encoding="utf-8")))
        self.before_the_end()
        return {"script_text": TEXT, "release_id": meta.parent.name, "provenance": self.provenance}

    def close(self) -> None:
        """There is nothing to end."""


@dataclass
class Claim:
    """A claim: the last row of the ledger before it, that of the job, and the last one after it; when it was made."""

    before: int
    job: Job
    after: int
    at_seconds: float


class Witness(WritingDesk):
    """A desk that remembers what the ledger said around each claim."""

    def __init__(self, fulfilment: Fulfilment, ledger: ReleaseLedger, canary: Canary | None = None) -> None:
        super().__init__(fulfilment, ledger, canary)
        self.claims: list[Claim] = []
        self._witnessed = ledger

    def claim(self, worker: str) -> Job | None:
        """Take one, and write down what was current."""
        before = self._witnessed.last().id
        job = super().claim(worker)
        if job is not None:
            self.claims.append(Claim(before, job, self._witnessed.last().id, time.monotonic()))
        return job


class House:
    """A database, releases ``a`` (the first) and ``b``, and workers as threads."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, a_store(on_file(folder / "orders.sqlite"))
        self.ledger = a_ledger(self.store, folder / "releases", "b", first="a", clock=SystemClock())
        self.ledger.current()
        self.desks: list[Witness] = []
        self.runners: list[Slowly] = []

    def work(self, count: int, make: Callable[[], Slowly], canary: Callable[[], Canary] | None = None) -> None:
        """So many workers work until nothing is owed."""
        threads = []
        for number in range(count):
            fulfilment = Fulfilment(self.store, SystemClock(), lease_seconds=30, spread=lambda: 0.0)
            self.desks.append(Witness(fulfilment, self.ledger, canary() if canary else None))
            self.runners.append(make())
            runs = self.folder / "runs"
            worker = Worker(self.desks[-1], self.runners[-1], name=f"w{number}", runs_folder=runs, lease_seconds=30)
            threads.append(threading.Thread(target=_until_nothing_is_owed, args=(worker,)))
        for thread in threads:
            thread.start()
        self.threads = threads

    def wait(self) -> None:
        for thread in self.threads:
            thread.join(PLENTY)
            assert not thread.is_alive()

    def delivered(self) -> int:
        with self.store.read() as work:
            return work.counts.orders().get(OrderState.DELIVERED, 0)

    def await_delivered(self, least: int) -> None:
        until = time.monotonic() + PLENTY
        while self.delivered() < least:
            assert time.monotonic() < until
            threading.Event().wait(0.01)


def _until_nothing_is_owed(worker: Worker) -> None:
    while worker.run_one():
        continue


@pytest.mark.timeout(180)
def test_a_rollback_while_scripts_are_written_mixes_nothing_and_counts_from_the_next_claim_on(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    house, orders = House(tmp_path), [f"ord_{number}" for number in range(60)]
    for order_id in orders:
        paid_order(house.store, order_id)
    house.work(4, Slowly)
    house.await_delivered(10)
    promoted = house.ledger.promote("b", actor="shell:ola", reason="on trial", unproven=True)
    house.await_delivered(25)
    asked = time.monotonic()
    back = house.ledger.roll_back(actor="shell:ola", reason="worse")
    returned = time.monotonic()
    house.wait()
    claims = [claim for desk in house.desks for claim in desk.claims]
    rows = {row.id: row.to_id for row in house.ledger.history()}
    assert {claim.job.release_id for claim in claims} == {"a", "b"}, "some were written by each"
    for claim in claims:
        assert claim.before <= int(claim.job.promotion_id or 0) <= claim.after
        assert claim.job.release_id == rows[int(claim.job.promotion_id or 0)]
        order, job = order_in(house.store, str(claim.job.order_id)), job_in(house.store, str(claim.job.order_id))
        assert (order.state, order.release_id, job.promotion_id, job.failures) == (
            OrderState.DELIVERED,
            claim.job.release_id,
            claim.job.promotion_id,
            0,
        )
    assert len(claims) == len(orders)
    seen = [pair for runner in house.runners for pair in runner.seen]
    assert all(began == ended for began, ended in seen), "no attempt saw two releases"
    later = [claim for claim in claims if claim.before >= back.id]
    assert later, "somebody was claimed after the rollback"
    assert {claim.job.release_id for claim in later} == {"a"}
    assert (promoted.to_id, back.to_id) == ("b", "a")
    seconds = min(claim.at_seconds for claim in later) - asked
    record_property("rollback_seconds", round(returned - asked, 3))
    record_property("next_script_seconds", round(seconds, 3))
    assert seconds < 30


# --- canaries ---------------------------------------------------------------------------------------------------------

FORMLESS = {"measures": {"reads_back": False}}


def promoted_with(house: House, limits: dict[str, float | None]) -> Promotion:
    with house.store.begin() as work:
        work.promotions.keep(Evaluation(0, SystemClock().now(), "b", "a", promote=True, canary=limits))
        work.commit()
    return house.ledger.promote("b", actor="schedule:weekly", reason="better")


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("limits", "current"),
    [
        pytest.param({"format_least_share": 0.95}, "a", id="promised"),
        pytest.param({"format_least_share": None}, "b", id="control-nothing-promised"),
    ],
)
def test_five_workers_who_deliver_at_once_roll_back_once(
    tmp_path: Path, limits: dict[str, float | None], current: str
) -> None:
    house, together = House(tmp_path), threading.Barrier(5)
    promoted_with(house, limits)
    for number in range(5):
        paid_order(house.store, f"ord_{number}")
    house.work(
        5,
        lambda: Slowly(FORMLESS, before_the_end=lambda: together.wait(PLENTY)),
        lambda: Canary(house.store, house.ledger),
    )
    house.wait()
    assert house.delivered() == 5, "the scripts are delivered, whatever becomes of their release"
    assert house.ledger.last().to_id == current
    kinds = Counter(row.kind for row in house.ledger.history())
    assert kinds[PromotionKind.CANARY] == (1 if current == "a" else 0)
