"""The house with a Unix user for each: the shop works as elsewhere, over the orders of an older version, too."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from hub.places import PROXY
from tests.hostile.people import Person
from tests.isolated_house import isolated, uid_base_of, why_not
from tests.open_house import OpenHouse
from tests.processes import above, below, words_of
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())

SECONDS = 120.0


def _older(home: Path) -> None:
    """A home as the version before left it."""
    home.mkdir(mode=0o700)
    url = f"sqlite:///{home / 'orders.sqlite'}"
    migrate(url)
    connect(url).dispose()
    (home / "runs" / "order.1").mkdir(parents=True)
    (home / "stripe-stand-in.sqlite").touch(mode=0o600)


@pytest.fixture(scope="module")
def house() -> Iterator[OpenHouse]:
    """A house that keeps people apart, and was one of an older version."""
    with isolated(before=_older) as ready:
        yield ready


@pytest.fixture(scope="module")
def ada(house: OpenHouse) -> Iterator[Person]:
    """A customer."""
    person = Person.of(house, "ada@example.com")
    yield person
    person.client.close()


def test_its_banner_says_so(house: OpenHouse) -> None:
    assert "Everybody's server runs as a Unix user of its own." in house.says


@pytest.mark.parametrize(
    ("module", "uid", "gid"),
    [
        ("tng.api", 1, 0),
        ("tng.cli worker", 2, 0),
        ("hub.sandbox.google", 3, 3),
        ("hub.sandbox.stripe", 3, 3),
        ("jupyterhub_idle_culler", 3, 3),
        ("hub.voila_server", 1001, 1001),
    ],
)
def test_each_process_is_who_it_should_be(house: OpenHouse, ada: Person, module: str, uid: int, gid: int) -> None:
    process = house.service(module)
    base = uid_base_of(house.port)
    assert set(process.uids()) == {base + uid}
    assert set(process.gids()) == {base + gid}
    keepers = [parent for parent in above(process) if "hub.keeper" in words_of(parent)]
    assert {one.uids().real for one in (*keepers, *below(process))} <= {base + uid}
    assert house.service("jupyterhub").uids().real == 0


def test_the_proxy_is_no_root_and_nobody_else(house: OpenHouse) -> None:
    (proxy,) = [process for process in house.belongings() if str(PROXY) in words_of(process)]
    assert set(proxy.uids()) == {uid_base_of(house.port) + 5}
    assert (house.home / "proxy.pid").read_text() == str(proxy.pid)


def test_an_order_is_paid_written_and_read(house: OpenHouse, ada: Person) -> None:
    order = ada.pay(ada.place())
    until = time.monotonic() + SECONDS
    while (state := ada.api("GET", f"/orders/{order['id']}").json()["state"]) != "delivered":
        assert state in ("paid", "writing"), house.log[-3000:]
        assert time.monotonic() < until, house.log[-3000:]
        time.sleep(0.5)
    (run,) = (house.home / "shop" / "runs").glob("*/notebook.ipynb")
    assert run.stat().st_uid == uid_base_of(house.port) + 2


def test_what_an_older_version_kept_is_there_and_in_the_right_hands(house: OpenHouse) -> None:
    shop, base = house.home / "shop", uid_base_of(house.port)
    assert (shop / "runs" / "order.1").stat().st_uid == base + 2
    assert (house.home / "rooms" / "stand-ins" / "stripe-stand-in.sqlite").stat().st_uid == base + 3
    assert not [house.home / name for name in ("orders.sqlite", "runs") if (house.home / name).exists()]


def test_the_operators_commands_leave_the_house_as_it_is(house: OpenHouse, ada: Person) -> None:
    environment = {"TNG_HOME": str(house.home), "PATH": os.environ["PATH"]}
    for words in (["orders", "list"], ["migrate"]):
        command = [sys.executable, "-m", "tng.cli", *words]
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert ran.returncode == 0, ran.stderr
    assert house.home.stat().st_mode & 0o7777 == 0o711
    with sqlite3.connect(house.home / "shop" / "orders.sqlite") as database:
        database.execute("PRAGMA wal_checkpoint")
    for path in (house.home / "shop").glob("orders.sqlite*"):
        assert (path.stat().st_gid, path.stat().st_mode & 0o777) == (uid_base_of(house.port), 0o660), path
    assert ada.place()["state"] == "placed"


def test_its_processes_end_with_it(house: OpenHouse, ada: Person) -> None:
    members = house.belongings()
    base = uid_base_of(house.port)
    assert {member.uids().real for member in members} >= {0, base + 1, base + 2, base + 3, base + 1001}
    psutil.Process(house.service("jupyterhub").pid).kill()
    house.wait()
    psutil.wait_procs(members, timeout=SECONDS)
    assert not house.belongings()
