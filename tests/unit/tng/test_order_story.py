"""One search of the log for an order tells its whole story, from the order to the refund, and nobody's words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import FakeRunner
from tests.log_lines import Lines, logged
from tests.releases import a_ledger
from tests.unit.tng.api_support import ADA, SCRIPT, WISH, House, make_house, visiting
from tng.desk import WritingDesk
from tng.errors import RunFailed
from tng.jobs import EventKind
from tng.lease import LeaseKeeper
from tng.log import LogForm
from tng.ports import RunGuard
from tng.worker import Worker

SCENES = [
    (EventKind.SCENE, {"act": "ACT ONE", "number": number, "text": f"DATA: the secret line {number}"})
    for number in range(1, 13)
]
DAMAGED = RunFailed("write_script: cell 3 raised ReleaseDamaged", cause="ReleaseDamaged", retryable=False)
SECRETS = (ADA, str(WISH["title"]), str(WISH["logline"]), "secret line", "ada-token", "service-token", "whsec_fake")


@pytest.fixture
def house() -> House:
    return make_house()


async def place(house: House) -> tuple[str, str]:
    """Ada orders on the page: (order, session)."""
    async with visiting(house) as ada:
        order_id = (await ada.post("/orders", json=WISH, headers={"Idempotency-Key": "1"})).json()["id"]
    return order_id, str(house.store.tables.orders[order_id].checkout_session_id)


async def pay(house: House, session_id: str) -> None:
    """She pays, and Stripe reports it, twice."""
    house.gateway.pay(session_id)
    payload, signature = house.gateway.webhook("checkout.session.completed", session_id, event_id="evt_1")
    async with visiting(house, None) as stripe:
        for _ in range(2):
            await stripe.post("/stripe/webhook", content=payload, headers={"Stripe-Signature": signature})


def write(house: House, folder: Path, runner: FakeRunner) -> None:
    """A worker takes the job, and brings it to an end."""
    ledger = a_ledger(house.store, folder / "releases", first="tng-test")
    ledger.current()
    desk = WritingDesk(house.fulfilment, ledger)
    worker = Worker(desk, runner, name="host:1", runs_folder=folder, lease_seconds=10)
    assert worker.run_one()


def story(lines: Lines, order_id: str) -> list[str]:
    """What ``grep order=<id>`` finds: the events alone."""
    found = [line for line in lines if re.search(rf"\border={order_id}\b", line)]
    return [line.split(": ", 1)[1].split(" order=")[0] for line in found]


async def test_from_the_order_to_the_refund(house: House, tmp_path: Path) -> None:
    with logged() as lines:
        other, _ = await place(make_house())
        order_id, session_id = await place(house)
        await pay(house, session_id)
        write(house, tmp_path, FakeRunner(events=SCENES, error=DAMAGED))
        house.shop.run_errands()
    assert story(lines, order_id) == [
        "PLACED",
        "checkout asked for",
        "checkout opened",
        "webhook received",
        "payment confirmed: PLACED→PAID",
        "webhook received again",
        "job claimed",
        "PAID→WRITING",
        "scene 1 is written",
        "scene 10 is written",
        "nothing can be written until somebody acts: write_script: cell 3 raised ReleaseDamaged",
        "job failed: RUNNING→DEAD, RunFailed: write_script: cell 3 raised ReleaseDamaged",
        "refund owed: WRITING→REFUNDING",
        "refund asked for",
        "refund done: REFUNDING→REFUNDED",
    ]
    assert story(lines, other) == ["PLACED", "checkout asked for", "checkout opened"]
    for secret in SECRETS:
        assert secret not in lines.getvalue().replace("http://hub.test", "")


async def test_from_the_order_to_the_script(house: House, tmp_path: Path) -> None:
    with logged() as lines:
        order_id, session_id = await place(house)
        await pay(house, session_id)
        write(house, tmp_path, FakeRunner({"script_text": SCRIPT, "release_id": "tng-test"}, events=SCENES[:2]))
    assert story(lines, order_id)[6:] == [
        "job claimed",
        "PAID→WRITING",
        "scene 1 is written",
        "job done",
        "WRITING→DELIVERED",
    ]
    for secret in (*SECRETS, "Captain's log"):
        assert secret not in lines.getvalue()


async def test_each_line_names_what_else_it_is_about(house: House, tmp_path: Path) -> None:
    with logged() as lines:
        order_id, session_id = await place(house)
        await pay(house, session_id)
        write(house, tmp_path, FakeRunner(events=SCENES, error=DAMAGED))
        house.shop.run_errands()
    expected = {
        "PLACED order": "amount_cents=299 currency=usd",
        "checkout opened": f"checkout=1 session={session_id}",
        "webhook received": f"event=evt_1 session={session_id} type=checkout.session.completed",
        "payment confirmed": f"session={session_id} job=1",
        "job claimed": "job=1 attempt=1 release=tng-test worker=host:1",
        "scene 10": "job=1 attempt=1",
        "job failed": "job=1 attempt=1 release=tng-test failures=1 fault=ReleaseDamaged",
        "refund owed": "job=1 attempt=1",
        "refund asked for": "tries=1",
    }
    for words, facts in expected.items():
        line = lines.about(words)[0]
        assert f"order={order_id}" in line
        assert facts in line


async def test_as_json_the_same_story_can_be_collected(house: House, tmp_path: Path) -> None:
    with logged(form=LogForm.JSON) as lines:
        order_id, session_id = await place(house)
        await pay(house, session_id)
        write(house, tmp_path, FakeRunner(events=SCENES, error=DAMAGED))
        house.shop.run_errands()
    bodies = [json.loads(line) for line in lines]
    mine = [body["event"] for body in bodies if body.get("order") == order_id]
    assert (mine[0], mine[-1], len(mine)) == ("PLACED", "refund done: REFUNDING→REFUNDED", 15)


async def test_what_goes_wrong_with_an_order_while_it_is_reconciled_is_told_of_it(house: House) -> None:
    order_id, _ = await place(house)
    house.gateway.down = True
    with logged() as lines:
        house.shop.reconcile()
    assert story(lines, order_id) == ["reconciling waits: Stripe does not answer"]
    assert "fault=GatewayUnavailable" in lines.getvalue()


async def test_the_keeper_of_a_lease_speaks_of_its_order_from_its_own_thread(house: House, tmp_path: Path) -> None:
    order_id, session_id = await place(house)
    await pay(house, session_id)

    class Slow(FakeRunner):
        """While it runs, another worker claims the job."""

        def run(
            self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard
        ) -> dict[str, Any]:
            house.store.tables.jobs[1] = replace(house.store.tables.jobs[1], attempt=2, worker="host:2")
            guard.say(*SCENES[0])
            assert isinstance(guard, LeaseKeeper)
            guard._thread.join(5)
            raise DAMAGED

    with logged() as lines:
        write(house, tmp_path, Slow())
    assert any(line.startswith("run is lost") for line in story(lines, order_id))
