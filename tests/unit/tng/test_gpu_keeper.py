"""A worker has its GPUs for as long as it runs, and writes on the processor where it has none."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from tests.fakes import FakeClock, FakeStore
from tng.gpus.keeper import DEVICES, GpuKeeper
from tng.gpus.ledger import GpuLedger
from tng.gpus.rules import Claim, ClaimKind, Waiting

TWO = ("GPU-a", "GPU-b")


class Told(GpuLedger):
    """A ledger that says when it has been asked."""

    def __init__(self, store: FakeStore, order_gpus: int = 1) -> None:
        self.asked = threading.Semaphore(0)
        super().__init__(store, FakeClock(), host="here", order_gpus=order_gpus)

    def claim(self, *args: object, **kwargs: object) -> Claim | Waiting:
        try:
            return super().claim(*args, **kwargs)  # type: ignore[arg-type]
        finally:
            self.asked.release()


def soon(true: Callable[[], bool], ledger: Told) -> bool:
    """Whether it becomes true within a few more questions."""
    return any(true() for _ in range(20) if ledger.asked.acquire(timeout=5))


def test_holds_them_while_it_runs_and_gives_them_back() -> None:
    ledger = Told(FakeStore())
    with GpuKeeper(ledger, "w1", TWO, 1) as keeper:
        assert keeper.held == ("GPU-a",)
        assert keeper.environment == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", DEVICES: "GPU-a"}
        assert [claim.kind for claim in ledger.book().claims] == [ClaimKind.ORDER]
    assert ledger.book().claims == []


def test_writes_on_the_processor_until_one_is_free() -> None:
    store = FakeStore()
    Told(store, order_gpus=0).claim("ada", ClaimKind.WORKBENCH, 2, TWO)
    ledger = Told(store)
    with GpuKeeper(ledger, "w1", TWO, 1, ask_seconds=0.01) as keeper:
        assert keeper.environment[DEVICES] == ""
        ledger.release("ada", ClaimKind.WORKBENCH)
        assert soon(lambda: keeper.held == ("GPU-a",), ledger)


def test_a_database_that_is_away_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    store = FakeStore()
    store.busy = True
    ledger = Told(store)
    with GpuKeeper(ledger, "w1", TWO, 1, ask_seconds=0.01) as keeper:
        assert keeper.held == ()
        store.busy = False
        assert soon(lambda: keeper.held == ("GPU-a",), ledger)
        store.busy = True
    assert "could not be asked for (StoreBusy)" in caplog.text
    assert "not given back (StoreBusy)" in caplog.text


@pytest.mark.parametrize(("gpus", "count", "environment"), [((), 1, {}), (TWO, 0, {DEVICES: ""})])
def test_asks_nobody_where_there_is_nothing_to_ask_for(
    gpus: tuple[str, ...], count: int, environment: dict[str, str]
) -> None:
    store = FakeStore()
    store.busy = True
    with GpuKeeper(Told(store), "w1", gpus, count) as keeper:
        assert environment.items() <= keeper.environment.items()
        assert bool(keeper.environment) == bool(gpus)


def test_is_content_with_what_the_machine_has() -> None:
    with GpuKeeper(Told(FakeStore(), order_gpus=4), "w1", TWO, 4) as keeper:
        assert keeper.held == TWO
