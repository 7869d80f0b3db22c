"""The GPUs of a person's server: claimed at its start, renewed while it runs, given back however it ends."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from traitlets.config import Config

from hub import spawner
from hub.auth import POWER_USERS
from hub.doors import Choice, Door, Refusal
from hub.gpus import KIND, GpuDesk, Hold, hours
from hub.spawner import HouseSpawner
from tests.fakes import FakeClock, FakeStore
from tests.nvidia import stand_in, uuid
from tng.gpus.ledger import LEASE, GpuLedger
from tng.gpus.rules import ClaimKind

ONE = Choice(Door.WORKBENCH, 1)
WISH = ONE.to_options()


class Machine:
    """Two GPUs, of which none is kept for orders; a book in memory and a clock that is moved by hand."""

    def __init__(self) -> None:
        self.store, self.clock = FakeStore(), FakeClock()
        self.ledger = GpuLedger(self.store, self.clock, host="here", order_gpus=0)
        self.desk = GpuDesk("sqlite://", 0, 4, 20.0, "here")
        self.alive = True

    @property
    def held(self) -> dict[str, tuple[str, ...]]:
        """Who holds what."""
        return {claim.holder: claim.gpus for claim in self.ledger.book().claims}


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    built = Machine()
    monkeypatch.setattr("hub.gpus._gpus", lambda: (uuid(0), uuid(1)))
    monkeypatch.setattr("hub.gpus._ledger", lambda *_: built.ledger)
    monkeypatch.setattr("hub.gpus.RENEW_SECONDS", 0.0)
    return built


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, configured: Callable[..., Config], machine: Machine) -> Any:
    """The server of a power user, whose process is only said to be there."""

    async def start(self: HouseSpawner) -> tuple[str, int]:
        machine.alive = True
        return "127.0.0.1", 1

    async def poll(self: HouseSpawner) -> int | None:
        return None if machine.alive else 0

    async def stop(self: HouseSpawner, now: bool = False) -> None:
        machine.alive = False
        assert await self.poll() == 0  # as the real one does: it waits for the end

    monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "start", start)
    monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "poll", poll)
    monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "stop", stop)

    def build(name: str = "ada", **wish: Any) -> HouseSpawner:
        c = configured(order_gpus=0)
        house = HouseSpawner(config=c)
        house.user = SimpleNamespace(name=name, id=7, groups=[SimpleNamespace(name=POWER_USERS)], url="/user/x")
        house.user_options = wish or WISH
        return house

    return build


def environment(house: HouseSpawner) -> dict[str, str]:
    """What the server is told of GPUs."""
    return house.gpu_environment()


class TestServer:
    async def test_has_what_it_claimed_and_no_other(self, server: Any, machine: Machine) -> None:
        first, second = server("ada"), server("bob")
        await first.start()
        await second.start()
        assert machine.held == {"ada": (uuid(0),), "bob": (uuid(1),)}
        assert environment(second) == {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": uuid(1)}

    async def test_without_gpus_is_told_that_it_has_none(self, server: Any, machine: Machine) -> None:
        house = server(door="workbench", gpus=0)
        await house.start()
        assert environment(house)["CUDA_VISIBLE_DEVICES"] == ""
        assert machine.held == {}

    async def test_gives_back_when_it_has_ended(self, server: Any, machine: Machine) -> None:
        house = server()
        await house.start()
        house.clear_state()
        assert machine.held == {}
        house.clear_state()

    async def test_gives_back_when_it_does_not_start(
        self, server: Any, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def fails(_self: Any) -> None:
            raise RuntimeError("no process")

        monkeypatch.setattr(spawner.SimpleLocalProcessSpawner, "start", fails)
        with pytest.raises(RuntimeError):
            await server().start()
        assert machine.held == {}

    async def test_waits_its_turn_and_keeps_its_place_from_start_to_start(self, server: Any, machine: Machine) -> None:
        await server("ada", door="workbench", gpus=2).start()
        for _ in range(3):
            machine.clock.advance(seconds=20)
            for name, place in (("bob", 1), ("cy", 2)):
                house = server(name)
                house.clear_state()  # as the hub does before every start, and after one that failed
                with pytest.raises(Refusal, match=f"number {place} in the queue") as refused:
                    await house.start()
                assert (refused.value.status_code, refused.value.headers) == (503, {"Retry-After": "20"})
                house.clear_state()
        assert machine.held.keys() == {"ada"}

    async def test_a_busy_database_is_a_page_and_no_fault(self, server: Any, machine: Machine) -> None:
        machine.store.busy = True
        with pytest.raises(Refusal) as refused:
            await server().start()
        assert refused.value.status_code == 503

    async def test_ends_although_the_database_does_not_answer(
        self, server: Any, machine: Machine, caplog: pytest.LogCaptureFixture
    ) -> None:
        house = server()
        await house.start()
        machine.store.busy = True
        assert await house.poll() is None
        house.clear_state()
        machine.store.busy = False
        assert machine.held == {"ada": (uuid(0),)}  # until the lease runs out
        machine.clock.advance(seconds=LEASE.total_seconds())
        assert machine.held == {}
        assert "could not be given back" in caplog.text


class TestRenewal:
    async def test_happens_whenever_the_hub_looks(self, server: Any, machine: Machine) -> None:
        house = server()
        await house.start()
        for _ in range(10):
            machine.clock.advance(seconds=60)
            assert await house.poll() is None
        assert machine.held == {"ada": (uuid(0),)}
        assert machine.ledger.hours_used("ada") == pytest.approx(1 / 6)

    async def test_is_not_asked_for_again_and_again(
        self, server: Any, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("hub.gpus.RENEW_SECONDS", 60.0)
        house = server()
        await house.start()
        machine.store.busy = True
        assert await house.poll() is None

    async def test_stops_the_server_when_the_hours_are_used_up(
        self, server: Any, machine: Machine, caplog: pytest.LogCaptureFixture
    ) -> None:
        house = server(door="workbench", gpus=2)
        await house.start()
        assert house.hold.hours_left == 20
        for _ in range(599):
            machine.clock.advance(seconds=60)
            assert await house.poll() is None
        machine.clock.advance(seconds=60)
        assert await house.poll() == 0
        assert not machine.alive
        assert "GPU hours of the week are used up" in caplog.text
        house.clear_state()
        with pytest.raises(Refusal, match="Your 20 GPU hours of the last seven days are used up") as refused:
            await house.start()
        # half of the last ten hours with two GPUs come back an hour of one GPU at a time
        assert "Tuesday, 01 December, 12:30 UTC" in refused.value.jupyterhub_message
        house.user_options = {"door": "workbench", "gpus": 0}
        await house.start()

    async def test_takes_up_what_was_held_after_the_hub_was_started_again(self, server: Any, machine: Machine) -> None:
        before = server()
        await before.start()
        state = before.get_state()
        machine.clock.advance(minutes=10)
        after = server()
        after.load_state(state)
        assert machine.held == {}
        assert await after.poll() is None
        assert machine.held == {"ada": (uuid(0),)}
        assert environment(after)["CUDA_VISIBLE_DEVICES"] == uuid(0)
        after.clear_state()
        assert "gpus" not in after.get_state()
        assert machine.held == {}

    async def test_ends_a_server_whose_gpus_are_somebody_elses_by_now(self, server: Any, machine: Machine) -> None:
        before = server(door="workbench", gpus=2)
        await before.start()
        machine.clock.advance(minutes=10)
        machine.ledger.claim("worker", ClaimKind.WORKBENCH, 1, machine.desk.gpus)
        after = server()
        after.load_state(before.get_state())
        assert await after.poll() == 0
        after.clear_state()
        assert machine.held == {"worker": (uuid(0),)}


class TestDesk:
    def test_says_what_is_free_for_somebody_who_comes_now(self, machine: Machine) -> None:
        machine.ledger.claim("ada", KIND, 1, machine.desk.gpus)
        state = machine.desk.state("bob")
        assert state is not None
        assert (state.free, state.in_all, state.used_hours, state.left_hours) == (1, 2, 0, 20)

    def test_has_nothing_to_say_on_a_machine_without_gpus(
        self, machine: Machine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("hub.gpus._gpus", lambda: ())
        assert machine.desk.state("bob") is None

    def test_does_not_show_where_the_database_is(self) -> None:
        assert "password" not in repr(GpuDesk("postgresql://tng:password@db/tng", 1, 1, 1.0))

    def test_asks_the_machine_once(self, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        from hub.gpus import _gpus

        _gpus.cache_clear()
        monkeypatch.setenv("PATH", stand_in(tmp_path, 1))
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        assert GpuDesk("sqlite://", 0, 4, 20.0).gpus == (uuid(0),)
        stand_in(tmp_path, 2)
        assert GpuDesk("sqlite://", 0, 4, 20.0).most == 1
        _gpus.cache_clear()


async def test_the_log_names_nobody(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hold = Hold(machine.desk, "ada@example.com")
    await hold.take(ONE)
    await hold.renew()
    hold.give_back()
    assert "ada" not in caplog.text


@pytest.mark.parametrize(("value", "written"), [(20.0, "20"), (3.52, "3.5"), (0.04, "0")])
def test_hours_are_written_for_a_person(value: float, written: str) -> None:
    assert hours(value) == written
