"""The places of the house: one each, lost by nobody, given up for whoever waits."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.ceilings import ceilings
from hub.kernel_slots import FRESH_SECONDS, KernelSlots, NoCeiling
from tests.architecture.sources import ROOT
from tng.settings import Settings

HOLDER = """
import sys, time
from hub.kernel_slots import KernelSlots
slot = KernelSlots.from_environment().take()
print("holds" if slot else "stands outside", flush=True)
time.sleep(60)
"""


@pytest.fixture
def slots(settings: Callable[..., Settings]) -> KernelSlots:
    """Three places."""
    told = settings(kernels_in_all=3)
    told.make_home()
    return KernelSlots.prepare(told)


def folder_of(slots: KernelSlots) -> Path:
    return Path(slots.environment()["TNG_SLOTS"])


def holder(slots: KernelSlots) -> tuple[subprocess.Popen[str], str]:
    """Another process that wants a place, and what became of it."""
    environment = {"PYTHONPATH": str(ROOT), **slots.environment()}
    process = subprocess.Popen([sys.executable, "-c", HOLDER], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_there_are_as_many_places_as_the_house_allows(slots: KernelSlots) -> None:
    taken = [slots.take() for _ in range(3)]
    assert all(taken)
    assert slots.take() is None


def test_a_place_that_is_given_back_can_be_taken_again(slots: KernelSlots) -> None:
    taken = [slots.take() for _ in range(3)]
    assert taken[1] is not None
    taken[1].release()
    taken[1].release()
    assert slots.take() is not None


def test_a_place_of_another_process_is_taken(slots: KernelSlots) -> None:
    mine = [slots.take(), slots.take()]
    one, got = holder(slots)
    another, nothing = holder(slots)
    try:
        assert (got, nothing) == ("holds", "stands outside")
        assert slots.take() is None
    finally:
        for process in (one, another):
            process.kill()
            process.communicate()
    assert len(mine) == 2


def test_the_place_of_a_process_that_is_killed_is_free_at_once(slots: KernelSlots) -> None:
    mine = [slots.take(), slots.take()]
    process, got = holder(slots)
    assert got == "holds"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert slots.take() is not None
    assert mine


def test_a_child_of_the_holder_does_not_keep_the_place(slots: KernelSlots) -> None:
    taken = [slots.take() for _ in range(3)]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert taken[0] is not None
        taken[0].release()
        assert slots.take() is not None
        child.communicate(b"\n")


def test_control_without_a_folder_there_is_no_ceiling() -> None:
    slots = KernelSlots.from_environment({})
    assert isinstance(slots, NoCeiling)
    assert all(slots.take() for _ in range(200))
    assert not slots.wanted()
    assert slots.environment() == {}


async def test_who_waits_gets_the_place_that_is_given_back(slots: KernelSlots) -> None:
    taken = [slots.take() for _ in range(3)]
    waiting = asyncio.create_task(slots.wait(10))
    await asyncio.sleep(0)  # it looks for a place, finds none, and wishes for one
    assert slots.wanted()
    assert taken[0] is not None
    taken[0].release()
    assert await waiting is not None


async def test_who_waits_in_vain_is_told_so(slots: KernelSlots) -> None:
    taken = [slots.take() for _ in range(3)]
    assert await slots.wait(0.05) is None
    assert taken


def test_a_wish_is_answered_once(slots: KernelSlots) -> None:
    assert not slots.wanted()
    slots.wish()
    assert slots.wanted()
    assert not slots.wanted()


def test_an_old_wish_is_of_somebody_who_has_given_up(slots: KernelSlots) -> None:
    slots.wish()
    old = time.time() - FRESH_SECONDS - 1
    os.utime(folder_of(slots) / "wanted", (old, old))
    assert not slots.wanted()


def test_the_files_are_for_their_owner_alone(slots: KernelSlots) -> None:
    assert folder_of(slots).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder_of(slots).iterdir()} == {0o600}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to a group")
def test_the_members_of_a_group_may_open_the_files_and_not_list_them(settings: Callable[..., Settings]) -> None:
    told = settings(kernels_in_all=2)
    told.make_home()
    folder = folder_of(KernelSlots.prepare(told, group=200_004))
    assert (folder.stat().st_mode & 0o777, folder.stat().st_gid) == (0o710, 200_004)
    assert {(path.stat().st_mode & 0o777, path.stat().st_gid) for path in folder.iterdir()} == {(0o660, 200_004)}


def test_preparing_again_keeps_the_places_that_are_taken(slots: KernelSlots, settings: Callable[..., Settings]) -> None:
    taken = [slots.take() for _ in range(3)]
    again = KernelSlots.prepare(settings(kernels_in_all=4))
    taken.append(again.take())
    assert all(taken)
    assert again.take() is None


def test_servers_are_told_the_ceilings(settings: Callable[..., Settings]) -> None:
    told = ceilings(settings(kernels_per_customer=3, kernels_in_all=7, idle_minutes=0.5))
    assert told["TNG_KERNELS_PER_CUSTOMER"] == "3"
    assert told["TNG_KERNELS_IN_ALL"] == "7"
    assert told["TNG_IDLE_SECONDS"] == "30"
    assert int(told["JUPYTERHUB_ACTIVITY_INTERVAL"]) < 30 / 2
    assert Path(told["TNG_SLOTS"]).name == "slots"


def test_a_server_in_a_container_is_told_of_no_files_of_this_machine(settings: Callable[..., Settings]) -> None:
    told = ceilings(settings(carrier="docker", image="an-image"))
    assert "TNG_SLOTS" not in told
    assert told["TNG_KERNELS_PER_CUSTOMER"] == "2"
