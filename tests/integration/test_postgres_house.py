"""Several machines over one PostgreSQL: real processes are killed, and the server is stopped under them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.test_api_process import environment, hub, process  # noqa: F401 - hub is a fixture
from tests.integration.worker_process import start
from tests.orders import job_in, order_in, paid_order
from tests.postgres import PostgresServer, server, why_not
from tests.releases import a_release
from tests.stand_ins import free_port, stripe_stand_in
from tests.unit.tng.api_support import PREFIX, WISH
from tng.app import build_store
from tng.jobs import EventKind, JobState
from tng.orders import OrderState
from tng.ports import Store
from tng.settings import Settings

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LEASE_SECONDS = 6.0
PLENTY_SECONDS = 150.0
ORDERS = 12


def wait_until(happened: Callable[[], object], seconds: float = PLENTY_SECONDS) -> None:
    """Wait until it has happened."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it never happened"
        time.sleep(0.05)


class Machines:
    """Homes of their own, as on several machines, and one database; a worker in each."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self.notebooks = folder / "runs"
        self.notebooks.mkdir()
        shutil.copy(NOTEBOOKS / "sleeps.ipynb", self.notebooks / "write_script.ipynb")
        self.workers: list[subprocess.Popen[bytes]] = []
        self.store: Store = build_store(self.settings("desk"))

    def settings(self, name: str) -> Settings:
        """Of the machine of this name."""
        release = a_release(self._folder, "tiny").folder
        home = self._folder / name
        return Settings.read(home=home, lease_seconds=LEASE_SECONDS, release=release, database_url=self._url)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start the worker of a machine."""
        settings = self.settings(name)
        settings.make_home()
        self.workers.append(start(settings, self.notebooks))
        return self.workers[-1]

    def log(self, name: str) -> str:
        """What the worker of a machine said."""
        return (self._folder / name / "worker.log").read_text()

    def states(self) -> Counter[OrderState]:
        """How many orders are in each state."""
        with self.store.read() as work:
            return Counter(work.counts.orders())

    def taken_by(self, worker: subprocess.Popen[bytes]) -> list[str]:
        """The jobs that a worker has now."""
        with self.store.read() as work:
            running = work.counts.running()
        return [job.key for job in running if job.worker and job.worker.endswith(f":{worker.pid}")]

    def kill_at_work(self, worker: subprocess.Popen[bytes]) -> list[str]:
        """Kill a worker while it has a job: which it had."""
        while True:
            os.killpg(worker.pid, signal.SIGSTOP)
            if taken := self.taken_by(worker):
                os.killpg(worker.pid, signal.SIGKILL)
                return taken
            os.killpg(worker.pid, signal.SIGCONT)
            time.sleep(0.1)

    def close(self) -> None:
        """End every worker."""
        for worker in self.workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str) -> Iterator[Machines]:
    made = Machines(tmp_path, postgres_url)
    yield made
    made.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    if reason := why_not():
        pytest.skip(reason)
    with server() as running:
        yield running


@pytest.mark.slow
def test_of_twelve_orders_none_is_lost_or_written_twice_when_a_machine_dies(machines: Machines) -> None:
    names = [f"ord_{number}" for number in range(ORDERS)]
    for name in names:
        paid_order(machines.store, name, steps=4, seconds=0.1)
    one, _other = machines.start("one"), machines.start("two")
    wait_until(lambda: machines.states()[OrderState.DELIVERED] >= 2)
    cut = machines.kill_at_work(one)
    wait_until(lambda: machines.states()[OrderState.DELIVERED] == ORDERS)
    with machines.store.read() as work:
        events = {name: work.jobs.heard(job_in(machines.store, name).id) for name in names}
        moves = {name: [move.after for move in work.orders.history(name)] for name in names}
    assert {
        name: sum(event.kind is EventKind.DONE for event in heard) for name, heard in events.items()
    } == dict.fromkeys(names, 1)
    assert all(told.count(OrderState.DELIVERED) == 1 for told in moves.values())
    again = {name: job_in(machines.store, name).attempt for name in names if job_in(machines.store, name).attempt > 1}
    assert again == {key.removeprefix("order:"): 2 for key in cut}
    assert {job_in(machines.store, name).failures for name in names} == {0}, "a crash is not a failure"


@pytest.mark.slow
def test_a_server_that_goes_away_is_waited_for_by_the_worker(own_server: PostgresServer, tmp_path: Path) -> None:
    machines = Machines(tmp_path, own_server.url)
    try:
        paid_order(machines.store, steps=30, seconds=0.1)
        machines.start("one")
        wait_until(lambda: job_in(machines.store).state is JobState.RUNNING)
        own_server.stop(signal.SIGQUIT)
        time.sleep(1)
        own_server.start()
        wait_until(lambda: order_in(machines.store).state is OrderState.DELIVERED)
        own_server.stop(signal.SIGQUIT)
        wait_until(lambda: "no job could be taken (StoreBusy)" in machines.log("one"))
        own_server.start()
        paid_order(machines.store, "ord_2", steps=1, seconds=0)
        wait_until(lambda: order_in(machines.store, "ord_2").state is OrderState.DELIVERED)
        assert job_in(machines.store).failures == 0
        assert "Traceback" not in machines.log("one")
    finally:
        machines.close()


@pytest.mark.slow
def test_a_server_that_goes_away_is_busy_to_customers_and_then_there_again(
    own_server: PostgresServer,
    hub: str,  # noqa: F811 - the fixture
    tmp_path: Path,
) -> None:
    port, home = free_port(), tmp_path / "home"
    (home / "release").mkdir(parents=True)
    (home / "release" / "manifest.json").write_text("{}")
    url = f"http://127.0.0.1:{port}{PREFIX}"
    ada = httpx.Client(base_url=url, headers={"Authorization": "Bearer ada-token"}, timeout=30)
    with stripe_stand_in() as stripe:
        environ = environment(home, hub, port, stripe) | {"TNG_DATABASE_URL": own_server.url}
        with process(environ, tmp_path / "api.log"):
            first = ada.post("/orders", json=WISH, headers={"Idempotency-Key": "1"})
            own_server.stop(signal.SIGQUIT)
            refused = ada.post("/orders", json=WISH, headers={"Idempotency-Key": "2"})
            own_server.start()
            again = ada.post("/orders", json=WISH, headers={"Idempotency-Key": "2"})
            seen = [order["id"] for order in ada.get("/orders").json()["orders"]]
    assert (first.status_code, refused.status_code, again.status_code) == (201, 503, 201)
    assert sorted(seen) == sorted([first.json()["id"], again.json()["id"]])
    assert "Traceback" not in (tmp_path / "api.log").read_text(encoding="utf-8")
