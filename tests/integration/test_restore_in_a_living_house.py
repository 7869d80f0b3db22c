"""A rehearsal: a backup while people order, a disaster, a restore; then Stripe's list of events has it all told again.

The api and the worker are processes of their own, as in the house; the disaster is that everything since the backup
is forgotten. Orders that were there at the backup come to their right end, whatever happened to them since; those
placed since are gone, and an operator is told of the money of each.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from tests.benchmarks.load import books_of
from tests.benchmarks.load_house import LoadedHouse, TheHub, furnished_house
from tests.invariants import Books, World, assert_invariants, broken
from tests.stand_ins import DISPUTED, PAYS, ROOT
from tests.unit.tng.api_support import WISH
from tng.adapters.database.engine import connect
from tng.adapters.database.records import ErrandRecord, InboxRecord
from tng.adapters.database.store import SqlStore
from tng.app import build_store
from tng.errors import OrderNotFound
from tng.fulfilment import Fulfilment
from tng.jobs import NOTICE, REFUND
from tng.money.reports import LOST_TRIES
from tng.orders import Order, OrderState
from tng.ports import Store

LONG_SECONDS = 90.0
LEASE_SECONDS = 2.0
CROWD = 8


class Guest:
    """Somebody who does one thing after the other, when the test says so."""

    order_id: str
    page: str

    def __init__(self, name: str, house: LoadedHouse, http: httpx.AsyncClient) -> None:
        self._name, self._house, self._http = name, house, http

    async def places(self) -> Guest:
        order = await self._ask("/orders", headers={"idempotency-key": self._name}, json=WISH)
        self.order_id, self.page = order["id"], order["checkout_url"]
        return self

    async def pays(self, card: str = PAYS) -> Guest:
        """On Stripe's page, and does not come back: Stripe reports it."""
        answer = await asyncio.to_thread(self._house.stripe.pay, self.page, card)
        assert answer.status_code == 303, answer.text
        return self

    async def orders(self) -> Guest:
        """Places and pays."""
        return await (await self.places()).pays()

    async def cancels(self) -> None:
        await self._ask(f"/orders/{self.order_id}/cancel")

    async def _ask(self, path: str, *, headers: Mapping[str, str] | None = None, **given: Any) -> dict[str, Any]:
        known = {"authorization": f"Bearer {self._name}", **(headers or {})}
        answer = await self._http.post(self._house.url + path, headers=known, **given)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())


@dataclass
class Rehearsal:
    """A house, the people in it, and what is in its books."""

    house: LoadedHouse
    http: httpx.AsyncClient
    store: SqlStore
    engine: Engine
    guests: list[Guest] = field(default_factory=list)

    def guest(self) -> Guest:
        self.guests.append(Guest(f"guest-{len(self.guests)}", self.house, self.http))
        return self.guests[-1]

    def many(self, count: int) -> list[Guest]:
        return [self.guest() for _ in range(count)]

    def order(self, guest: Guest) -> Order | None:
        """As it is stored now; None where it is not there."""
        with self.store.read() as work:
            try:
                return work.orders.get(guest.order_id)
            except OrderNotFound:
                return None

    def states(self, guests: Iterable[Guest]) -> list[OrderState | None]:
        found = [self.order(guest) for guest in guests]
        return [order.state if order else None for order in found]

    async def become(self, state: OrderState, *guests: Guest) -> None:
        """Until their orders are in this state."""
        await until(lambda: set(self.states(guests)) == {state}, lambda: f"{self.states(guests)} are not all {state}")

    async def come_to_rest(self, lost: Collection[str]) -> None:
        """Until nothing is owed but what concerns the orders that are not there."""
        await until(lambda: not restless(self, lost), lambda: f"owed still: {restless(self, lost)}")

    def world(self, lost: Collection[str]) -> World:
        """What there is to be asked, without the orders that are not there."""
        said, answered = self.house.log.read_text("utf-8"), frozenset(acted_on(self))
        return World(self.store, books_here(self, lost), answered, said, secrets=(self.house.stripe.key,))

    async def tng(self, *words: str) -> str:
        """The operator's command: what it says."""
        command = [sys.executable, "-m", "tng", *words]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=self.house.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return str(done.stdout)


async def until(is_so: Callable[[], bool], why_not: Callable[[], str]) -> None:
    """Look again and again: what happens in other processes has no event that could be awaited."""
    try:
        async with asyncio.timeout(LONG_SECONDS):
            while not await asyncio.to_thread(is_so):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(why_not())


@asynccontextmanager
async def rehearsal(folder: Path, database_url: str) -> AsyncIterator[Rehearsal]:
    """Nobody works in the house yet."""
    async with TheHub() as hub, httpx.AsyncClient(timeout=60, trust_env=False) as http:
        with furnished_house(folder, hub.port, database_url) as house:
            here = Rehearsal(house, http, build_store(house.settings), connect(house.settings.orders_url))
            yield here
            here.store.close()
            here.engine.dispose()


@dataclass(frozen=True)
class Before:
    """Who was there at the backup, by how their order stood."""

    delivered: Guest
    given_back: Guest
    placed: Guest
    gone: Guest
    paid: Guest
    regretted: Guest
    writing: Guest
    refunding: Guest
    disputed: Guest
    expired: Guest
    crowd: list[Guest]

    @property
    def own(self) -> tuple[Guest, ...]:
        """Those of whom each has a story, in the order of the tables below."""
        ready = (self.delivered, self.given_back, self.placed, self.gone, self.paid, self.regretted, self.writing)
        return *ready, self.refunding, self.disputed, self.expired


async def people_of(here: Rehearsal) -> Before:
    """Two of them have their script; the others have not come yet."""
    delivered, given_back = here.many(2)
    with here.house.at_work(1):
        await asyncio.gather(delivered.orders(), given_back.orders())
        await here.become(OrderState.DELIVERED, delivered, given_back)
    return Before(delivered, given_back, *here.many(8), here.many(CROWD))


async def come_so_far(here: Rehearsal, people: Before) -> None:
    """Until each is where it shall be at the backup. The api works, and no worker: this test has begun to write."""
    await people.writing.orders()
    await here.become(OrderState.PAID, people.writing)
    desk = Fulfilment(here.store, here.store.clock, lease_seconds=LEASE_SECONDS, spread=lambda: 0.0)
    assert desk.claim("a worker that is about to die") is not None
    await asyncio.gather(
        *(guest.places() for guest in (people.placed, people.gone, people.disputed, people.expired)),
        *(guest.orders() for guest in (people.paid, people.regretted, people.refunding)),
    )
    await people.disputed.pays(DISPUTED)
    await here.become(OrderState.PAID, people.paid, people.regretted, people.refunding)
    here.house.stripe.fault("refunds.create", "down", times=1000)
    await asyncio.gather(people.refunding.cancels(), people.expired.cancels())
    for guest, state in zip(people.own, AT_THE_BACKUP, strict=True):
        await here.become(state, guest)


AT_THE_BACKUP = (
    OrderState.DELIVERED,
    OrderState.DELIVERED,
    OrderState.PLACED,
    OrderState.PLACED,
    OrderState.PAID,
    OrderState.PAID,
    OrderState.WRITING,
    OrderState.REFUNDING,
    OrderState.DISPUTED,
    OrderState.EXPIRED,
)
AFTER_ALL = (
    OrderState.DELIVERED,
    OrderState.REFUNDED,  # in Stripe's dashboard, after the backup
    OrderState.DELIVERED,  # paid after the backup
    OrderState.EXPIRED,  # cancelled after the backup, and nobody paid
    OrderState.DELIVERED,
    OrderState.REFUNDED,  # cancelled after the backup
    OrderState.DELIVERED,
    OrderState.REFUNDED,  # Stripe took the refund after the backup
    OrderState.DISPUTED,
    OrderState.EXPIRED,
)


async def go_on(here: Rehearsal, people: Before) -> None:
    """What happens after the backup, and is forgotten in the house."""
    stripe = here.house.stripe
    stripe.mend()
    await asyncio.gather(people.placed.pays(), people.gone.cancels(), people.regretted.cancels())
    given_back = here.order(people.given_back)
    assert given_back is not None
    refund = {"payment_intent": str(given_back.payment_intent_id)}
    await asyncio.to_thread(stripe.client().v1.refunds.create, refund)  # type: ignore[arg-type]
    await here.become(OrderState.REFUNDED, people.given_back, people.regretted, people.refunding)


def orders_in(store: Store) -> set[str]:
    """Ids of orders that are there."""
    with store.read() as work:
        return {order.id for order in work.orders.listed()}


def about_lost(here: Rehearsal) -> set[str]:
    """Reports of Stripe's about orders that are not there: they come back for three days."""
    known = orders_in(here.store)
    with Session(here.engine) as session:
        rows = session.execute(select(InboxRecord.event_id, InboxRecord.order_id))
        return {event_id for event_id, order_id in rows if order_id not in known}


def told_of(here: Rehearsal) -> list[str]:
    """The ids of orders that operators were told of because they are not there."""
    with Session(here.engine) as session:
        bodies = session.scalars(select(ErrandRecord.body).where(ErrandRecord.kind == NOTICE)).all()
    return [str(body["facts"]["order"]) for body in bodies if body["title"] == "A paid order is not there"]


def let_minutes_pass(here: Rehearsal) -> None:
    """What comes back in a while comes back now."""
    waiting = (InboxRecord.processed_at.is_(None), InboxRecord.tries < LOST_TRIES)
    with Session(here.engine) as session:
        session.execute(update(InboxRecord).where(*waiting).values(due_at=datetime.now(UTC)))
        owed = (ErrandRecord.kind == REFUND, ErrandRecord.done.is_(False), ErrandRecord.due_at > datetime.now(UTC))
        session.execute(update(ErrandRecord).where(*owed).values(due_at=datetime.now(UTC)))
        session.commit()


def acted_on(here: Rehearsal) -> set[str]:
    """Reports that were answered with 2xx, but for those about orders that are not there."""
    return {each["event"] for each in here.house.stripe.deliveries() if each["state"] == "delivered"} - about_lost(here)


def restless(here: Rehearsal, lost: Collection[str]) -> list[str]:
    """What is owed still, but for what concerns the orders that are not there."""
    let_minutes_pass(here)
    reports, told = acted_on(here), told_of(here)
    with here.store.read() as work:
        owed = [f"report {event}" for event in reports if not work.inbox.processed(event)]
        owed += [f"job {job.key}, attempt {job.attempt}" for job in work.counts.running()]
        owed += [f"{work.counts.waiting()[0]} scripts"] if work.counts.waiting()[0] else []
        owed += [f"{work.counts.errands(REFUND)} refunds"] if work.counts.errands(REFUND) else []
    return owed + ([f"notices of {lost}, and not of {told}"] if sorted(told) != sorted(lost) else [])


def books_here(here: Rehearsal, lost: Collection[str]) -> Books:
    """Stripe's books, without the money that operators were told of."""
    ledger = here.house.stripe.ledger()
    frozen = {payment for payment, line in ledger.items() if line["disputed"]}
    entries = [entry for entry in books_of(here.house.stripe).entries if entry.order_id not in lost]
    refunds = here.house.stripe.client().v1.refunds.list({"limit": 100}).data
    given = Counter(str(refund.payment_intent) for refund in refunds)
    return Books(
        tuple(replace(entry, is_frozen=entry.payment in frozen) for entry in entries),
        given_twice=tuple(payment for payment, times in given.items() if times > 1),
    )


def test_states_are_told_apart() -> None:
    assert set(AT_THE_BACKUP) == set(OrderState) - {OrderState.REFUNDED}


@pytest.mark.timeout(400)
async def test_after_a_restore_nothing_is_lost_or_doubled_and_money_without_an_order_is_told_of(
    tmp_path: Path, database_url: str
) -> None:
    async with rehearsal(tmp_path, database_url) as here:
        people, backup = await people_of(here), str(tmp_path / "backup.zip")
        with here.house.at_work(0):
            await come_so_far(here, people)
            await asyncio.gather(here.tng("backup", backup), *(guest.orders() for guest in people.crowd))
            await go_on(here, people)
            later = await asyncio.gather(*(guest.orders() for guest in here.many(3)))
        with here.house.at_work(1):
            later += await asyncio.gather(*(guest.orders() for guest in here.many(2)))
            await here.become(OrderState.DELIVERED, *people.crowd, *later, people.placed, people.paid)

        assert "is restored" in await here.tng("restore", backup, "--replace", "--word", "replace")
        lost = {guest.order_id for guest in here.guests if here.order(guest) is None}
        assert {guest.order_id for guest in later} <= lost
        assert here.states(people.own) == list(AT_THE_BACKUP)
        assert broken(here.world(lost)), "the control: a restore alone is not enough"

        with here.house.at_work(1):
            for guest, state in zip(people.own, AFTER_ALL, strict=True):
                await here.become(state, guest)
            await here.come_to_rest(lost)
            kept = [guest for guest in people.crowd if guest.order_id not in lost]
            await here.become(OrderState.DELIVERED, *kept, await here.guest().orders())
            await here.come_to_rest(lost)
        assert_invariants(here.world(lost))
