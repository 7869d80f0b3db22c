"""Spare kernels are there when they are needed, and out of the way when they are not. No process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import cast

import pytest

from tng.adapters.kernel import Kernel
from tng.adapters.warm_kernels import WarmKernels
from tng.errors import KernelDied, StoreBusy

PLENTY = 10.0


class FakeKernel:
    """Lives until it is closed or told to die."""

    def __init__(self) -> None:
        self.warmed: list[str] = []
        self.alive, self.closed = True, False

    def is_alive(self) -> bool:
        return self.alive

    def warm(self, code: str) -> None:
        self.warmed.append(code)

    def kill(self) -> None:
        self.alive = False

    def close(self) -> None:
        self.closed, self.alive = True, False


class Foundry:
    """Makes kernels, remembers them, and may be told to wait or to fail."""

    def __init__(self) -> None:
        self.made: list[FakeKernel] = []
        self.open = threading.Event()
        self.open.set()
        self.failures = 0
        self._changed = threading.Condition()

    def __call__(self) -> Kernel:
        assert self.open.wait(PLENTY)
        if self.failures:
            self.failures -= 1
            raise OSError("no memory")
        with self._changed:
            self.made.append(FakeKernel())
            self._changed.notify_all()
        return cast("Kernel", self.made[-1])

    def await_made(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.made) >= count, PLENTY)


@pytest.fixture
def foundry() -> Foundry:
    return Foundry()


@pytest.fixture
def opened(foundry: Foundry, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., WarmKernels]]:
    monkeypatch.setattr("tng.adapters.warm_kernels.LOOK_SECONDS", 0.01)
    every: list[WarmKernels] = []

    def make(*, spare: int = 1, preload: dict[str, Callable[[], str]] | None = None) -> WarmKernels:
        every.append(WarmKernels(foundry, {"write": lambda: "warm()"} if preload is None else preload, spare=spare))
        return every[-1]

    yield make
    foundry.open.set()
    for kernels in every:
        kernels.close()


def test_a_spare_kernel_is_warmed_before_anybody_asks(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    kernels = opened(spare=2)
    foundry.await_made(2)
    taken = kernels.take("write")
    assert taken is cast("Kernel", foundry.made[0])
    assert foundry.made[0].warmed == ["warm()"]


def test_nothing_is_started_while_a_run_has_the_machine(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    kernels = opened()
    kernels.take("write")
    before = len(foundry.made)
    threading.Event().wait(0.1)  # many looks of the filler
    assert len(foundry.made) == before
    kernels.refill()
    foundry.await_made(before + 1)


def test_one_that_is_being_warmed_is_waited_for(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    foundry.open.clear()
    kernels = opened()
    taken: list[Kernel] = []
    thread = threading.Thread(target=lambda: taken.append(kernels.take("write")))
    thread.start()
    foundry.open.set()
    thread.join(PLENTY)
    assert len(foundry.made) == 1
    assert taken == [cast("Kernel", foundry.made[0])]


def test_a_spare_kernel_that_died_is_replaced(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    kernels = opened()
    foundry.await_made(1)
    foundry.made[0].alive = False
    foundry.await_made(2)
    assert foundry.made[0].closed
    assert kernels.take("write") is cast("Kernel", foundry.made[1])


def test_a_kernel_that_cannot_be_started_is_tried_again(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    foundry.failures = 3
    opened()
    foundry.await_made(1)


def test_a_run_hears_that_no_kernel_can_be_started(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    foundry.failures = 1
    with pytest.raises(OSError, match="no memory"):
        opened(spare=0).take("write")


def test_without_spares_a_kernel_is_warmed_on_demand(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    opened(spare=0).take("write")
    assert foundry.made[0].warmed == ["warm()"]


def test_a_notebook_without_a_preload_gets_a_plain_kernel(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    opened(preload={}).take("train")
    assert foundry.made[0].warmed == []


def test_one_that_dies_while_it_is_warmed_is_closed(
    foundry: Foundry, opened: Callable[..., WarmKernels], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(kernel: FakeKernel, code: str) -> None:
        raise KernelDied("out of memory")

    monkeypatch.setattr(FakeKernel, "warm", die)
    with pytest.raises(KernelDied):
        opened(spare=0).take("write")
    assert foundry.made[0].closed


def test_a_fault_that_nobody_foresaw_keeps_no_run_waiting(
    foundry: Foundry, opened: Callable[..., WarmKernels], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble_once(kernel: FakeKernel, code: str) -> None:
        if kernel is foundry.made[0]:
            raise LookupError("no such kernel")  # what jupyter_client says where the kernel's spec is gone

    monkeypatch.setattr(FakeKernel, "warm", stumble_once)
    kernels = opened()
    foundry.await_made(1)  # by the filler
    taken: list[Kernel] = []
    run = threading.Thread(target=lambda: taken.append(kernels.take("write")), daemon=True)
    run.start()
    run.join(PLENTY)
    assert len(taken) == 1, "the run still waits, and its lease is kept meanwhile: for ever"
    assert foundry.made[0].closed


def test_closing_ends_the_spare_ones(foundry: Foundry, opened: Callable[..., WarmKernels]) -> None:
    kernels = opened(spare=2)
    foundry.await_made(2)
    kernels.close()
    assert all(kernel.closed for kernel in foundry.made)


def test_closing_does_not_wait_for_one_that_is_being_warmed(
    foundry: Foundry, opened: Callable[..., WarmKernels], monkeypatch: pytest.MonkeyPatch
) -> None:
    warming, killed = threading.Event(), threading.Event()

    def warm_slowly(kernel: FakeKernel, code: str) -> None:
        warming.set()
        assert killed.wait(PLENTY), "closing waited for it"
        raise KernelDied("killed")

    monkeypatch.setattr(FakeKernel, "warm", warm_slowly)
    monkeypatch.setattr(FakeKernel, "kill", lambda kernel: killed.set())
    kernels = opened()
    assert warming.wait(PLENTY)
    kernels.close()
    assert foundry.made[0].closed


# --- what is to be loaded changes -------------------------------------------------------------------------------------


class Today:
    """The code that kernels load today; it may be changed, and nobody may be there to say it."""

    def __init__(self, code: str = "warm('a')") -> None:
        self.code, self.down = code, False

    def __call__(self) -> str:
        if self.down:
            raise StoreBusy("locked")
        return self.code


def test_spare_kernels_that_loaded_something_else_are_replaced_before_anybody_asks(
    foundry: Foundry, opened: Callable[..., WarmKernels]
) -> None:
    today = Today()
    kernels = opened(spare=2, preload={"write": today})
    foundry.await_made(2)
    today.code = "warm('b')"
    foundry.await_made(4)
    assert [kernel.closed for kernel in foundry.made[:2]] == [True, True]
    taken = kernels.take("write")
    assert taken in [cast("Kernel", kernel) for kernel in foundry.made[2:]]
    assert foundry.made[2].warmed == foundry.made[3].warmed == ["warm('b')"]


def test_the_control_where_nothing_changes_the_spare_ones_stay(
    foundry: Foundry, opened: Callable[..., WarmKernels]
) -> None:
    opened(spare=2, preload={"write": Today()})
    foundry.await_made(2)
    threading.Event().wait(0.2)  # many looks of the filler
    assert [kernel.closed for kernel in foundry.made] == [False, False]


def test_a_run_right_after_the_change_gets_a_kernel_with_what_counts_today(
    foundry: Foundry, opened: Callable[..., WarmKernels], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tng.adapters.warm_kernels.LOOK_SECONDS", PLENTY)  # the filler notices nothing
    today = Today()
    kernels = opened(preload={"write": today})
    foundry.await_made(1)
    while not foundry.made[0].warmed:
        threading.Event().wait(0.01)
    today.code = "warm('b')"
    taken = kernels.take("write")
    assert taken is cast("Kernel", foundry.made[1]), "one cold load, and no more"
    assert foundry.made[1].warmed == ["warm('b')"]
    assert not foundry.made[0].alive
    assert len(foundry.made) == 2


def test_one_that_is_being_warmed_with_old_code_is_not_waited_for(
    foundry: Foundry,
    opened: Callable[..., WarmKernels],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    warming, killed = threading.Event(), threading.Event()

    def warm_slowly(kernel: FakeKernel, code: str) -> None:
        kernel.warmed.append(code)
        if code == "warm('a')":
            warming.set()
            assert killed.wait(PLENTY), "it was waited for"
            raise KernelDied("killed")

    monkeypatch.setattr(FakeKernel, "warm", warm_slowly)
    monkeypatch.setattr(FakeKernel, "kill", lambda kernel: killed.set())
    today = Today()
    kernels = opened(preload={"write": today})
    assert warming.wait(PLENTY)
    today.code = "warm('b')"
    taken = kernels.take("write")
    assert taken is cast("Kernel", foundry.made[1])
    assert foundry.made[1].warmed == ["warm('b')"]
    assert "no spare kernel" not in caplog.text


def test_while_nobody_can_say_what_to_load_what_is_there_serves(
    foundry: Foundry, opened: Callable[..., WarmKernels], caplog: pytest.LogCaptureFixture
) -> None:
    today = Today()
    kernels = opened(preload={"write": today})
    foundry.await_made(1)
    while not foundry.made[0].warmed:
        threading.Event().wait(0.01)
    today.down = True
    assert kernels.take("write") is cast("Kernel", foundry.made[0])
    kernels.refill()
    threading.Event().wait(0.1)  # many looks of the filler
    assert len(foundry.made) == 1, "nothing is warmed with nobody knows what"
    kernels.take("write")
    assert foundry.made[1].warmed == []
    assert "StoreBusy" in caplog.text
    today.down = False
    kernels.refill()
    foundry.await_made(3)
