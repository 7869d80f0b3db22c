"""A shop of the release before is taken over with everything half done: each order comes to its right end.

``house_0005.json`` was written by that release's own code: an order in every state, what Stripe knew of them, and an
event that was handled.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.fakes import FakeClock
from tests.house import COMPLETED, House
from tng.adapters.backup_file import MANIFEST, Manifest, restore_backup
from tng.adapters.database import rows
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import upgrade, upgrade_within
from tng.adapters.database.store import SqlStore
from tng.orders import OrderState
from tng.payments import CheckoutStatus, Dispute, Payment

OLD: dict[str, Any] = json.loads(Path(__file__).with_name("house_0005.json").read_text(encoding="utf-8"))
SCRIPT = "Title: The Quiet Hours\n## ACT ONE\n# INT. READY ROOM\nA clock stops.\n"

RIGHT_END = {
    "no-page": OrderState.EXPIRED,
    "placed-open": OrderState.EXPIRED,
    "expired": OrderState.EXPIRED,
    "placed-paid": OrderState.DELIVERED,
    "paid": OrderState.DELIVERED,
    "writing": OrderState.DELIVERED,
    "delivered": OrderState.DELIVERED,
    "refunding": OrderState.REFUNDED,
    "refunded": OrderState.REFUNDED,
    "disputed": OrderState.DELIVERED,
}


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """The database as the release before has left it."""
    url = f"sqlite:///{tmp_path / 'orders.sqlite'}"
    if request.param == "postgresql":
        with request.getfixturevalue("postgres").fresh(migrated=False) as url:
            yield from _filled(url)
        return
    yield from _filled(url)


def _filled(url: str) -> Iterator[Engine]:
    engine = connect(url)
    with engine.begin() as connection:
        upgrade_within(connection, OLD["revision"])
        for name, table in rows.TABLES.items():
            rows.put(connection, table, map(json.dumps, OLD["tables"].get(name, ())))
        rows.go_on_from(connection, {"jobs": 100, "job_events": 100, "outbox": 100})
    yield engine
    engine.dispose()


def _house(engine: Engine) -> House:
    """Today's shop over it, an hour and a half later; Stripe knows what it knew."""
    clock = FakeClock(datetime.fromisoformat(OLD["made_at"]))
    house = House(store=SqlStore(engine), clock=clock)
    for session_id, told in OLD["stripe"].items():
        dispute = Dispute.OPEN if told["disputed"] else None
        facts = {name: value for name, value in told.items() if name != "disputed"}
        facts["status"] = CheckoutStatus(told["status"])
        house.gateway.payments[session_id] = Payment(session_id, **facts, livemode=False, dispute=dispute)
    clock.advance(minutes=90)
    return house


def _write_all(house: House) -> int:
    written = 0
    while (job := house.fulfilment.claim("w2")) is not None:
        house.fulfilment.deliver(job, script_text=SCRIPT, release_id="r", run_sha256="0" * 64, provenance=None)
        written += 1
    return written


def _ends(house: House) -> dict[str, OrderState]:
    return {order.request_key: order.state for order in house.all_orders()}


def test_every_order_comes_to_its_right_end(old: Engine) -> None:
    upgrade(old)
    house = _house(old)
    for _ in range(3):
        house.shop.reconcile()
        house.shop.run_inbox()
        house.shop.run_errands()
        _write_all(house)
        house.clock.advance(minutes=5)
    assert _ends(house) == {**RIGHT_END, "disputed": OrderState.DISPUTED}
    disputed = next(order for order in house.all_orders() if order.state is OrderState.DISPUTED)
    house.gateway.change(str(disputed.checkout_session_id), dispute=Dispute.WON)
    house.shop.reconcile()
    assert _write_all(house) == 1
    assert _ends(house) == RIGHT_END


def test_money_went_back_once_and_for_one_order(old: Engine) -> None:
    upgrade(old)
    house = _house(old)
    for _ in range(3):
        house.shop.reconcile()
        house.shop.run_errands()
    refunding = next(order for order in OLD["tables"]["orders"] if order["request_key"] == "refunding")
    assert house.gateway.refunds == {f"order-{refunding['id']}-refund": refunding["payment_intent_id"]}


def test_an_event_that_was_handled_is_not_acted_on_again(old: Engine) -> None:
    upgrade(old)
    (event,) = OLD["tables"]["inbox"]
    with SqlStore(old).read() as work:
        assert work.inbox.processed(event["event_id"])
        assert work.inbox.waiting() == 0


def test_the_audit_begins_with_what_each_order_was_and_no_end_is_older_than_its_order(old: Engine) -> None:
    upgrade(old)
    upgrade(old)
    with SqlStore(old).read() as work:
        for row in OLD["tables"]["orders"]:
            order = work.orders.get(row["id"])
            assert [(move.actor, move.after) for move in work.orders.history(order.id)] == [("upgrade", order.state)]
            assert order.ended_at is None or order.ended_at >= order.placed_at


def test_what_was_paid_while_the_house_was_closed_is_found_by_its_event(old: Engine) -> None:
    upgrade(old)
    house = _house(old)
    session = next(row["checkout_session_id"] for row in OLD["tables"]["orders"] if row["request_key"] == "placed-paid")
    house.gateway.report(COMPLETED, session)
    house.clock.advance(seconds=1)
    house.shop.reconcile()
    house.shop.run_inbox()
    assert _ends(house)["placed-paid"] is OrderState.PAID


def test_a_backup_of_the_release_before_is_restored_as_todays(old: Engine, tmp_path: Path) -> None:
    _backup_of_old(tmp_path / "old.zip")
    engine = connect(f"sqlite:///{tmp_path / 'new.sqlite'}")
    assert restore_backup(engine, tmp_path / "old.zip").revision == OLD["revision"]
    upgrade(old)
    with SqlStore(engine).read() as restored, SqlStore(old).read() as upgraded:
        assert restored.orders.listed() == upgraded.orders.listed()


def _backup_of_old(target: Path) -> None:
    parts = {
        f"tables/{name}.jsonl": "".join(f"{json.dumps(row)}\n" for row in some) for name, some in OLD["tables"].items()
    }
    digests = {name: hashlib.sha256(part.encode()).hexdigest() for name, part in parts.items()}
    counts = {name: len(some) for name, some in OLD["tables"].items()}
    manifest = Manifest(OLD["made_at"], OLD["revision"], counts, {}, {}, digests)
    with zipfile.ZipFile(target, "w") as zipped:
        for name, part in {**parts, MANIFEST: json.dumps(asdict(manifest))}.items():
            zipped.writestr(name, part)
