"""Reports arrive in any order, twice, fifty times at once, and before their order is known: only the facts count.

Six events about one payment come in each of their 720 orders; where the order ends depends on what Stripe says when it
is asked, and on nothing else.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count, permutations
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes import FakeStore
from tests.house import COMPLETED, House, session_of
from tests.integration.live_api import LiveApi, live_api
from tests.invariants import World, assert_invariants, books_of
from tests.samples import PREMISE
from tests.unit.tng.api_support import ADA
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.jobs import JobState
from tng.orders import Order, OrderState
from tng.payments import CheckoutStatus, Dispute, PaymentEvent
from tng.ports import Inbox, Store

FAILED = "checkout.session.async_payment_failed"
REFUSED = "the bank refused"
EVENTS = (
    COMPLETED,
    "checkout.session.async_payment_succeeded",
    FAILED,
    "checkout.session.expired",
    "charge.refunded",
    "charge.dispute.created",
)
DONE = {"status": CheckoutStatus.COMPLETE}
PAID = {**DONE, "paid": True, "payment_intent_id": "pi_1"}
FACTS: dict[str, tuple[dict[str, Any], OrderState]] = {
    REFUSED: (DONE, OrderState.EXPIRED),
    "the page is over": ({"status": CheckoutStatus.EXPIRED}, OrderState.EXPIRED),
    "paid": (PAID, OrderState.PAID),
    "given back": (PAID | {"refunded": True}, OrderState.REFUNDED),
    "disputed": (PAID | {"dispute": Dispute.OPEN}, OrderState.DISPUTED),
    "dispute won": (PAID | {"dispute": Dispute.WON}, OrderState.PAID),
    "dispute lost": (PAID | {"dispute": Dispute.LOST}, OrderState.REFUNDED),
    "given back and disputed": (PAID | {"refunded": True, "dispute": Dispute.OPEN}, OrderState.REFUNDED),
}
EVERY_ORDER = tuple(permutations(EVENTS))


def with_facts(store: Store, facts: dict[str, Any]) -> tuple[House, Order]:
    """An order with an open page, of which Stripe says something that nobody here knows yet."""
    house = House(store)
    order = house.placed()
    house.gateway.change(session_of(order), **facts)
    return house, order


def report(house: House, order: Order, kinds: Sequence[str]) -> None:
    """These events arrive and are acted on, one after the other."""
    for kind in kinds:
        house.shop.receive_event(*house.gateway.webhook(kind, session_of(order)))
        house.shop.run_inbox()


@pytest.mark.parametrize("facts", FACTS)
def test_the_end_depends_on_the_facts_alone(facts: str) -> None:
    changes, end = FACTS[facts]
    ends = set()
    for kinds in EVERY_ORDER:
        house, order = with_facts(FakeStore(), changes)
        report(house, order, kinds)
        ends.add(house.shop.order(order.id, "ada").state)
        assert house.reports_waiting() == 0, kinds
    assert ends == {end}


@pytest.mark.parametrize("facts", FACTS)
def test_the_end_depends_on_the_facts_alone_in_a_real_database(tmp_path: Path, facts: str) -> None:
    changes, end = FACTS[facts]
    empty = tmp_path / "empty.sqlite"
    migrate(f"sqlite:///{empty}")
    for number, kinds in enumerate(random.Random(7).sample(EVERY_ORDER, 4)):
        store = SqlStore(connect(f"sqlite:///{shutil.copy(empty, tmp_path / f'{number}.sqlite')}"))
        house, order = with_facts(store, changes)
        report(house, order, kinds)
        assert house.shop.order(order.id, "ada").state is end, kinds
        store.close()


@pytest.mark.parametrize("kinds", random.Random(11).sample(EVERY_ORDER, 12), ids=lambda kinds: kinds[0])
@pytest.mark.parametrize("facts", FACTS)
def test_while_the_facts_come_about_events_may_be_late(facts: str, kinds: Sequence[str]) -> None:
    """Some are acted on while the page is still open, and the rest after everything has happened."""
    changes, end = FACTS[facts]
    for early in range(len(kinds)):
        house = House()
        order = house.placed()
        report(house, order, kinds[:early])
        house.gateway.change(session_of(order), **changes)
        report(house, order, kinds[early:])
        if facts == REFUSED:  # nothing but its own event tells it from a bank that still thinks
            house.shop.receive_event(*house.gateway.webhook(FAILED, session_of(order), event_id="evt_refused"))
        house.clock.advance(minutes=61)
        house.shop.reconcile()
        house.shop.run_inbox()
        assert house.shop.order(order.id, "ada").state is end, (early, kinds)


@pytest.mark.parametrize("first", EVENTS)
def test_events_of_an_order_that_is_not_known_yet_come_back_until_it_is(first: str) -> None:
    house, order = with_facts(FakeStore(), PAID)
    stored = house.store.tables.orders.pop(order.id)  # type: ignore[attr-defined]
    report(house, order, (first, *(kind for kind in EVENTS if kind != first)))
    assert house.reports_waiting() > 0
    house.store.tables.orders[order.id] = stored  # type: ignore[attr-defined]
    house.clock.advance(hours=1)
    house.shop.run_inbox()
    assert house.shop.order(order.id, "ada").state is OrderState.PAID
    assert house.reports_waiting() == 0


def test_another_shops_events_are_done_with_at_once() -> None:
    house, order = with_facts(FakeStore(), PAID | {"order_id": None})
    house.store.tables.orders.pop(order.id)  # type: ignore[attr-defined]
    report(house, order, EVENTS)
    assert house.reports_waiting() == 0


# --- at once, over a real port --------------------------------------------------------------------------------------

TIMES = 50


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[SqlStore]:
    """A real orders database."""
    url = f"sqlite:///{tmp_path / 'orders.sqlite'}"
    migrate(url)
    store = SqlStore(connect(url))
    yield store
    store.close()


@pytest.fixture
def api(sqlite: SqlStore) -> Iterator[LiveApi]:
    """The api on a port, over that database."""
    with live_api(store=sqlite) as running:
        yield running


Call = Callable[[httpx.AsyncClient], Any]


def webhook(api: LiveApi, kind: str, session_id: str, event_id: str = "") -> Call:
    """Stripe reports something."""
    payload, signature = api.house.gateway.webhook(kind, session_id, event_id=event_id)
    headers = {"Stripe-Signature": signature}
    return lambda client: client.post("/stripe/webhook", content=payload, headers=headers)


def coming_back(session_id: str) -> Call:
    """The customer comes back from the page."""
    headers = {"Authorization": "Bearer ada-token"}
    return lambda client: client.get("/pay/return", params={"session_id": session_id}, headers=headers)


async def at_once(api: LiveApi, calls: Sequence[Call]) -> tuple[list[int], list[float]]:
    """All these calls at the same moment: their answers, and how long each took in seconds, the fastest first."""
    limits = httpx.Limits(max_connections=len(calls))
    async with httpx.AsyncClient(base_url=api.url, timeout=30, trust_env=False, limits=limits) as client:
        await asyncio.gather(*(client.get("/health") for _ in calls))  # the connections are there already
        seconds: list[float] = []

        async def one(call: Call) -> int:
            began = time.perf_counter()
            answer = await call(client)
            seconds.append(time.perf_counter() - began)
            return int(answer.status_code)

        return list(await asyncio.gather(*map(one, calls))), sorted(seconds)


def placed(api: LiveApi) -> Order:
    """An order of ada's with an open page."""
    order = api.house.shop.place_order(ADA, PREMISE, "key-1")
    return api.house.shop.open_checkout(order.id, ADA)


def settled(api: LiveApi, order: Order) -> Order:
    """The order, once everything that was reported is acted on; with its job and its invariants looked at."""
    house = api.house
    until = time.monotonic() + 20
    while True:
        house.shop.run_inbox()
        with house.store.read() as work:
            if work.inbox.waiting() == 0 or time.monotonic() > until:
                stored = work.orders.get(order.id)
                jobs = [work.jobs.find(number) for number in range(1, 10)]
                moves = work.orders.history(order.id)
                break
        house.clock.advance(seconds=130)
    assert [job.state for job in jobs if job is not None] == [JobState.QUEUED]
    assert [move.after for move in moves].count(OrderState.PAID) == 1
    return stored


async def test_one_event_fifty_times_at_once_is_one_job(api: LiveApi, capsys: pytest.CaptureFixture[str]) -> None:
    order = placed(api)
    api.house.gateway.pay(session_of(order))
    answers, seconds = await at_once(api, [webhook(api, COMPLETED, session_of(order), "evt_1")] * TIMES)
    with capsys.disabled():
        print(f" [50 at once: median {seconds[TIMES // 2] * 1000:.0f} ms, p99 {seconds[-1] * 1000:.0f} ms]", end="")  # noqa: T201
    assert answers == [200] * TIMES
    assert settled(api, order).state is OrderState.PAID


async def test_two_events_and_the_return_page_at_once_are_one_job(api: LiveApi) -> None:
    order = placed(api)
    session_id = session_of(order)
    api.house.gateway.pay(session_id)
    calls = [
        webhook(api, COMPLETED, session_id),
        webhook(api, "checkout.session.async_payment_succeeded", session_id),
        coming_back(session_id),
    ]
    answers, _ = await at_once(api, calls * 6)
    assert set(answers) <= {200, 303}
    assert settled(api, order).state is OrderState.PAID


def test_without_the_inboxs_key_one_event_is_acted_on_more_than_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: what the guard prevents is seen where it is off. The order is right even so, by another guard."""
    house, order = with_facts(FakeStore(), PAID)
    hook = house.gateway.webhook("charge.refunded", session_of(order))  # each of these is looked into
    asked = house.gateway.calls
    for _ in range(3):
        house.shop.receive_event(*hook)
    guarded = house.shop.run_inbox()
    with house.store.read() as work:
        inbox = type(work.inbox)
    receive, numbers = inbox.receive, count()

    def forgetful_receive(of: Inbox, event: PaymentEvent, now: datetime) -> bool:
        return receive(of, replace(event, id=f"{event.id}-{next(numbers)}"), now)

    monkeypatch.setattr(inbox, "receive", forgetful_receive)
    monkeypatch.setattr(inbox, "knows", lambda *_: False)
    for _ in range(3):
        house.shop.receive_event(*hook)
    assert (guarded, house.shop.run_inbox()) == (1, 3)
    assert asked.count("read_payment") == 4
    assert_invariants_but_for_the_job(house)


def assert_invariants_but_for_the_job(house: House) -> None:
    """The order is paid, and waits to be written: give it a worker, and look at everything."""
    job = house.fulfilment.claim("host:1")
    assert job is not None
    house.fulfilment.deliver(job, script_text="Title: X\n", release_id="tng-test", run_sha256="a" * 64)
    assert house.fulfilment.claim("host:1") is None
    assert_invariants(World(house.store, books_of(house.gateway)))
