"""Somebody wants to be forgotten while the house is open: everything of theirs goes, and nobody else notices."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hub.sandbox.people import by_address
from tests.architecture.sources import ROOT
from tests.fakes import START
from tests.open_house import NOTHING_WRITTEN, OpenHouse, arrive, opened, server_path, sign_in, visitor
from tests.processes import environment_of
from tests.samples import an_order, keep
from tng.app import build_store
from tng.erasing import NOTHING_ASKED
from tng.orders import OrderState
from tng.settings import Settings

ADA, BEN = "ada@example.com", "ben@example.com"
NAME, OTHER = (by_address(address).id for address in (ADA, BEN))


@pytest.fixture(scope="module")
def open_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    with opened(tmp_path_factory.mktemp("open") / "var", **NOTHING_WRITTEN) as house:
        yield house


def command(house: OpenHouse, *words: str) -> subprocess.CompletedProcess[str]:
    """What an operator types, beside the house."""
    told = {"PATH": os.environ["PATH"], "TNG_HOME": str(house.home), "TNG_PORT": str(house.port)}
    told["TNG_FREE_DISK_MB"] = "0"
    return subprocess.run(
        [sys.executable, "-m", *words], cwd=ROOT, env=told, capture_output=True, text=True, timeout=180, check=False
    )


def servers_of(house: OpenHouse, name: str) -> list[int]:
    """The processes that run in a person's home folder, or know that they are that person's."""
    return sorted(one.pid for one in house.belongings() if environment_of(one).get("JUPYTERHUB_USER") == name)


def test_the_server_ends_name_and_home_are_gone_and_the_others_work_on(open_one: OpenHouse) -> None:
    house = open_one
    with visitor(house) as ada, visitor(house) as ben:
        for browser, address in ((ada, ADA), (ben, BEN)):
            sign_in(browser, address)
            arrive(browser, server_path(address))
        assert servers_of(house, NAME)
        before = servers_of(house, OTHER)
        assert before
        assert NAME.encode() in (house.home / "hub.sqlite").read_bytes()
        store = build_store(Settings(home=house.home))
        expired = an_order(customer=NAME, state=OrderState.EXPIRED, ended_at=START)
        keep(store, expired, an_order(2, customer=OTHER))

        done = command(house, "tng", "customers", "erase", NAME, "--yes")
        assert done.stdout.startswith("Erased."), done.stderr
        done = command(house, "hub.forget", NAME)
        assert done.stdout == "The account is gone.\n", done.stderr

        assert not servers_of(house, NAME)
        assert not (house.home / "homes" / NAME).exists()
        assert NAME.encode() not in (house.home / "hub.sqlite").read_bytes()
        with store.read() as work:
            order = work.orders.get(expired.id)
            assert order.premise == NOTHING_ASKED
            assert order.customer.startswith("erased-")
            assert work.orders.get(an_order(2).id).customer == OTHER
        store.close()

        assert set(before) <= set(servers_of(house, OTHER))
        assert arrive(ben, server_path(BEN)).status_code == 200
        assert (house.home / "homes" / OTHER).is_dir()
        assert "/user/" not in ada.get(server_path(ADA)).url.path, "whoever was signed in as them is not any more"


def test_of_nobody_nothing_is_taken(open_one: OpenHouse) -> None:
    homes = sorted(path.name for path in (open_one.home / "homes").iterdir())
    for name in ("nobody", "..", "../homes", ""):
        assert command(open_one, "hub.forget", name).stdout == "There is no account of this name.\n"
    assert sorted(path.name for path in (open_one.home / "homes").iterdir()) == homes


def test_whoever_comes_back_is_somebody_new(open_one: OpenHouse) -> None:
    with visitor(open_one) as ada:
        sign_in(ada, ADA)
        assert arrive(ada, server_path(ADA)).status_code == 200
        assert command(open_one, "hub.forget", NAME).stdout == "The account is gone.\n"
