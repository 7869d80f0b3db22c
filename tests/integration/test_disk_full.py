"""A database that finds no room: every write says so and can be repeated; with room again, all ends right."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from tests.fakes import FakeGateway
from tests.house import COMPLETED, House, session_of, settle
from tests.invariants import World, assert_invariants, books_of
from tests.samples import PREMISE
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.errors import StoreBusy
from tng.orders import OrderState

TMPFS_BYTES = 1024 * 1024
RESULT = {"script_text": "Title: X\n" * 200, "release_id": "tng-small-2", "run_sha256": "a" * 64}


class Room:
    """A database that may not grow while it is ``taken``."""

    def __init__(self, path: Path) -> None:
        migrate(f"sqlite:///{path}")
        self._engine = connect(f"sqlite:///{path}", busy_seconds=1)
        self.store = SqlStore(self._engine)
        self._taken = False
        event.listen(self._engine, "checkout", self._limit)

    def take(self) -> None:
        """From here on not a page more."""
        self._taken = True

    def give_back(self) -> None:
        """There is room again."""
        self._taken = False

    def _limit(self, connection: object, *_rest: object) -> None:
        # 1 is less than the file has: SQLite takes the size that it has now, and lets it grow no more
        connection.execute(f"PRAGMA max_page_count={1 if self._taken else 2**30}")  # type: ignore[attr-defined]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path / "orders.sqlite")
    yield made
    made.store.close()


def fill(house: House) -> None:
    """Orders until there is no room; raises StoreBusy."""
    for number in range(2000):
        house.shop.place_order(f"filler-{number}", PREMISE, f"fill-{number}")


def integrity(store: SqlStore) -> str:
    """What SQLite finds when it looks at every page."""
    with store._writing.connect() as connection:
        return str(connection.execute(text("PRAGMA integrity_check")).scalar())


def test_an_order_that_finds_no_room_is_refused_and_can_be_repeated(room: Room) -> None:
    house = House(room.store)
    room.take()
    with pytest.raises(StoreBusy, match="disk is full"):
        fill(house)
    before = len(house.all_orders())
    room.give_back()
    house.shop.place_order(f"filler-{before}", PREMISE, f"fill-{before}")
    assert len(house.all_orders()) == before + 1
    assert integrity(room.store) == "ok"


def test_a_payment_reported_into_a_full_disk_is_asked_for_again_and_not_lost(room: Room) -> None:
    house = House(room.store)
    order = house.placed()
    room.take()
    with pytest.raises(StoreBusy):
        fill(house)
    house.gateway.pay(session_of(order))
    hook = house.gateway.webhook(COMPLETED, session_of(order))
    with suppress(StoreBusy):  # a single row may still find a place on the last page
        house.shop.receive_event(*hook)
    room.give_back()
    assert ends_right(house, hook)


def test_a_script_that_finds_no_room_is_delivered_by_a_later_attempt(room: Room) -> None:
    house = House(room.store)
    order, job = house.writing()
    room.take()
    with pytest.raises(StoreBusy):
        fill(house)
    with pytest.raises(StoreBusy):
        house.fulfilment.deliver(job, **{**RESULT, "script_text": "A line.\n" * 100_000})
    assert house.shop.order(order.id, "ada").state is OrderState.WRITING
    room.give_back()
    settle(house, RESULT)
    assert house.shop.order(order.id, "ada").state is OrderState.DELIVERED
    assert integrity(room.store) == "ok"


def test_without_the_translation_a_full_disk_would_be_an_unknown_error(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what SQLite says reaches the caller as it is, which the api answers with 500."""
    monkeypatch.setattr("tng.adapters.database.engine._has_no_room", lambda _error: False)
    house = House(room.store)
    room.take()
    with pytest.raises(OperationalError, match="full"):
        fill(house)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a file system")
def test_a_file_system_that_is_full_in_mid_write_loses_nothing(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_BYTES}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        _full_file_system(place)
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def _full_file_system(place: Path) -> None:
    migrate(f"sqlite:///{place / 'orders.sqlite'}")
    store = SqlStore(connect(f"sqlite:///{place / 'orders.sqlite'}", busy_seconds=1))
    house = House(store)
    order = house.placed()
    house.gateway.pay(session_of(order))
    hook = house.gateway.webhook(COMPLETED, session_of(order))
    ballast = place / "ballast"
    with pytest.raises(OSError, match="No space"), ballast.open("wb", buffering=0) as file:  # noqa: PT012
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(StoreBusy):
        fill(house)
    ballast.unlink()
    assert ends_right(house, hook)
    assert integrity(store) == "ok"
    store.close()


def ends_right(house: House, hook: tuple[bytes, str]) -> bool:
    """The report comes again, and the invariants hold."""
    gateway: FakeGateway = house.gateway
    house.shop.receive_event(*hook)
    settle(house, RESULT)
    delivered = [order for order in house.all_orders() if order.state is OrderState.DELIVERED]
    assert_invariants(World(house.store, books_of(gateway)))
    return len(delivered) == 1
