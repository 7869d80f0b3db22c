"""The webhooks of the stand-in for Stripe: signed, repeated, held back, and never forgotten."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import stripe

from hub.sandbox.stripe.store import Store
from tests.stripe_desk import SECRET, SHOP, START, desk

PAID = ["charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


async def test_a_payment_is_announced_with_a_signature_that_the_sdk_accepts() -> None:
    async with desk() as here:
        session = await here.session()
        await here.pay(session)
        await here.settled(3)
        assert sorted(here.receiver.types) == sorted(PAID)
        request = here.receiver.requests[-1]
        header = request.headers["Stripe-Signature"]
        event = stripe.Webhook.construct_event(request.content, header, SECRET)
        assert event.livemode is False
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.Webhook.construct_event(request.content + b" ", header, SECRET)
        assert await here.events(delivery_success="false") == []
        assert {event["pending_webhooks"] for event in await here.events()} == {0}


async def test_an_event_that_nobody_takes_is_offered_again_and_then_given_up() -> None:
    async with desk(retries=(0.0, 0.0)) as here:
        here.receiver.answers = [500, 0, 404]
        session = await here.session()
        await here.post(f"/v1/checkout/sessions/{session['id']}/expire")
        delivery = (await here.settled(1, "given up"))[0]
        assert delivery == {
            "event": delivery["event"],
            "type": "checkout.session.expired",
            "url": SHOP,
            "state": "given up",
            "attempts": 3,
            "answer": "404",
        }
        lost = await here.events(delivery_success="false")
        assert [(event["id"], event["pending_webhooks"]) for event in lost] == [(delivery["event"], 1)]


async def test_a_second_attempt_waits_for_its_time() -> None:
    async with desk(retries=(60.0,)) as here:
        here.receiver.answers = [503]
        session = await here.session()
        await here.post(f"/v1/checkout/sessions/{session['id']}/expire")
        await here.receiver.has(1)
        await here.get("/v1/events")  # wakes the courier: it is too early all the same
        await asyncio.sleep(0.05)
        assert (await here.settled(1, "pending"))[0]["attempts"] == 1
        here.now += 60
        await here.get("/v1/events")
        await here.settled(1)
        assert len(here.receiver.requests) == 2


async def test_in_a_pause_events_wait_and_the_buyer_does_not() -> None:
    async with desk(hold_seconds=60) as here:
        await here.post("/_sandbox/pause")
        assert (await here.pay(await here.session())).status_code == 303
        await asyncio.sleep(0.05)
        assert here.receiver.requests == []
        assert len(await here.events(delivery_success="false")) == 3
        await here.post("/_sandbox/resume")
        await here.settled(3)
        assert sorted(here.receiver.types) == sorted(PAID)


async def test_the_way_back_waits_for_the_shop_to_be_told() -> None:
    async with desk(hold_seconds=30) as here:
        here.receiver.open.clear()
        paying = asyncio.create_task(here.pay(await here.session()))
        await asyncio.sleep(0.05)
        assert not paying.done()
        here.receiver.open.set()
        answer = await paying
        assert answer.status_code == 303
        assert "checkout.session.completed" in here.receiver.types


async def test_the_way_back_does_not_wait_for_ever() -> None:
    async with desk(hold_seconds=0.05) as here:
        here.receiver.open.clear()
        assert (await here.pay(await here.session())).status_code == 303
        assert here.receiver.requests == []


async def test_an_event_can_be_sent_again_though_it_was_taken() -> None:
    async with desk() as here:
        session = await here.session()
        await here.post(f"/v1/checkout/sessions/{session['id']}/expire")
        event = (await here.settled(1))[0]["event"]
        answer = await here.post(f"/_sandbox/resend/{event}")
        assert [each["state"] for each in answer.json()["deliveries"]] == ["delivered"]
        assert [json.loads(each.content)["id"] for each in here.receiver.requests] == [event, event]
        assert (await here.post("/_sandbox/resend/evt_nothing")).status_code == 404


async def test_an_endpoint_of_the_api_gets_what_it_asked_for_signed_with_its_own_secret() -> None:
    async with desk(webhook=False) as here:
        form = {"url": "http://127.0.0.1:9/two", "enabled_events[0]": "checkout.session.expired"}
        endpoint = (await here.post("/v1/webhook_endpoints", form)).json()
        await here.pay(await here.session())
        session = await here.session()
        await here.post(f"/v1/checkout/sessions/{session['id']}/expire")
        await here.settled(1)
        assert here.receiver.types == ["checkout.session.expired"]
        request = here.receiver.requests[0]
        stripe.Webhook.construct_event(request.content, request.headers["Stripe-Signature"], endpoint["secret"])
        listed = (await here.get("/v1/webhook_endpoints")).json()["data"]
        assert ([each["id"] for each in listed], listed[0].get("secret")) == ([endpoint["id"]], None)


async def test_events_go_to_this_machine_alone() -> None:
    async with desk() as here:
        form = {"url": "https://example.org/hook", "enabled_events[0]": "*"}
        assert (await here.post("/v1/webhook_endpoints", form)).json()["error"]["code"] == "url_invalid"


async def test_what_was_owed_at_the_end_is_delivered_after_the_next_start(tmp_path: Path) -> None:
    db = str(tmp_path / "stripe.sqlite")
    async with desk(db=db, retries=(3600.0,)) as here:
        here.receiver.answers = [0, 0, 0]
        await here.pay(await here.session())
        await here.receiver.has(3)
    async with desk(db=db) as here:
        await here.settled(3)
        assert sorted(here.receiver.types) == sorted(PAID)
    async with desk(db=db) as here:
        await here.settled(3)
        assert here.receiver.requests == []


async def test_after_three_days_nobody_is_told_any_more(tmp_path: Path) -> None:
    db = str(tmp_path / "stripe.sqlite")
    async with desk(db=db) as here:
        here.receiver.answers = [0, 0, 0]
        await here.pay(await here.session())
        await here.settled(3, "given up")
    async with desk(db=db, now=START + 3 * 24 * 3600 + 1) as here:
        assert len(await here.settled(3, "given up")) == 3
        assert here.receiver.requests == []


async def test_an_endpoint_that_is_gone_is_given_up(tmp_path: Path) -> None:
    db = str(tmp_path / "stripe.sqlite")
    async with desk(db=db) as here:
        await here.post("/_sandbox/pause")
        await here.pay(await here.session())
    async with desk(db=db, webhook=False) as here:
        found = await here.settled(3, "given up")
        assert {each["answer"] for each in found} == {"endpoint is gone"}


def test_two_stand_ins_cannot_share_a_file_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "stripe.sqlite"
    store = Store(str(path))
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        Store(str(path), patience_seconds=0.1)
    store.close()
    Store(str(path)).close()


async def test_the_courier_goes_on_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.sandbox.stripe.app.FAULT_SECONDS", 0.01)
    monkeypatch.setattr("hub.sandbox.stripe.webhooks.FAULT_SECONDS", 0.01)
    async with desk() as here:
        session = await here.session()
        real, faults = (here.store.pending, here.store.record_attempt), [sqlite3.OperationalError("disk is full")] * 2

        def failing(*arguments: Any, **named: Any) -> Any:
            if faults:
                raise faults.pop()
            return real[0 if not arguments else 1](*arguments, **named)

        monkeypatch.setattr(here.store, "pending", failing)
        monkeypatch.setattr(here.store, "record_attempt", failing)
        await here.post(f"/v1/checkout/sessions/{session['id']}/expire")
        await here.settled(1)
        assert faults == []
