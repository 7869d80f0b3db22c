"""Stripe is slow, down, angry or answers into nothing: a person hears within five seconds, and no money moves twice.

All of it goes over the real SDK to the stand-in, and in the end over the real api.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest
from starlette.concurrency import run_in_threadpool

from tests.fakes import FakeClock
from tests.house import session_of
from tests.integration.live_api import LiveApi
from tests.samples import PREMISE, the_order
from tests.stand_ins import StripeStandIn, stripe_stand_in
from tests.unit.tng.api_support import House, make_house
from tng.adapters.clock import SystemClock
from tng.adapters.database.store import SqlStore
from tng.adapters.stripe_gateway import StripeGateway
from tng.api.stripe_room import Answer, StripeRoom
from tng.app import build_shop, build_store
from tng.errors import GatewayUnavailable
from tng.money.refunds import Refunds
from tng.orders import Order, OrderState
from tng.payments import CheckoutStatus
from tng.settings import Settings
from tng.shop import SAME_PAGE, Shop

PATIENCE_SECONDS = 5.0
SLACK_SECONDS = 2.0  # this machine's own
OFTEN = 3  # as often as the patient side of the gateway asks
OPEN, READ, CLOSE, REFUND = (
    *(f"checkout.sessions.{call}" for call in ("create", "retrieve", "expire")),
    "refunds.create",
)
BAD = ("slow", "down", "error", "answer_lost")


@pytest.fixture(scope="module")
def stripe() -> Iterator[StripeStandIn]:
    with stripe_stand_in() as running:
        yield running


@dataclass
class Day:
    """A shop, its database and its clock; and Stripe, whose day it is."""

    stripe: StripeStandIn
    settings: Settings
    store: SqlStore
    clock: FakeClock

    def __post_init__(self) -> None:
        self.shop = self.new_shop()

    def new_shop(self) -> Shop:
        """The shop as a process has it that has just started."""
        return build_shop(self.settings, store=self.store, clock=self.clock)

    def goes_wrong(self, calls: str, kind: str, *, times: int = 1, status: int = 500) -> None:
        """The next calls."""
        self.stripe.fault(calls, kind, seconds=30 if kind == "slow" else 0, status=status, times=times)

    def placed(self) -> Order:
        """An order, without a page."""
        return self.shop.place_order("ada", PREMISE, "key-1")

    def opened(self) -> Order:
        """An order with an open page."""
        return self.shop.open_checkout(self.placed().id, "ada")

    def paid(self) -> Order:
        """An order that was paid, and heard of."""
        order = self.opened()
        self.stripe.pay(str(order.checkout_url))
        self.shop.confirm_payment(session_of(order))
        return the_order(self.store, order.id)

    def books(self, order: Order) -> list[tuple[int, int]]:
        """What Stripe took and gave back for the order, in cents, payment by payment."""
        lines = self.stripe.ledger().values()
        return [(line["captured"], line["refunded"]) for line in lines if line["order_id"] == order.id]


@pytest.fixture
def day(tmp_path: Path, stripe: StripeStandIn) -> Iterator[Day]:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    settings = Settings.read(
        home=tmp_path / "home",
        release=tmp_path,
        free_disk_mb=0,
        stripe_secret_key=stripe.key,
        stripe_webhook_secret=stripe.webhook_secret,
        stripe_api_base=stripe.api_base,
    )
    store = build_store(settings)
    yield Day(stripe, settings, store, FakeClock(SystemClock().now()))
    stripe.mend()
    store.close()


def hears_in_time(click: Callable[[], object]) -> None:
    """The person is told that Stripe is away, and may try again."""
    begun = time.monotonic()
    with pytest.raises(GatewayUnavailable) as refused:
        click()
    assert time.monotonic() - begun < PATIENCE_SECONDS + SLACK_SECONDS
    assert refused.value.retryable
    assert refused.value.user_message


class TestAPageIsOpened:
    def pays_once(self, day: Day, order: Order) -> None:
        """On its page; and that is all the money that moves."""
        day.stripe.pay(str(order.checkout_url))
        paid = day.shop.confirm_payment(session_of(order))
        assert paid is not None
        assert paid.state is OrderState.PAID
        assert day.books(order) == [(paid.paid_cents, 0)]

    @pytest.mark.parametrize("kind", BAD)
    def test_what_could_not_be_opened_is_opened_by_the_next_click_and_paid_once(self, day: Day, kind: str) -> None:
        order = day.placed()
        day.goes_wrong(OPEN, kind)
        hears_in_time(lambda: day.shop.open_checkout(order.id, "ada"))
        day.stripe.mend()
        opened = day.shop.open_checkout(order.id, "ada")
        assert opened.checkout_attempt == 1
        self.pays_once(day, opened)

    def test_a_page_whose_answer_was_lost_is_the_same_page_at_the_next_click_and_after_a_restart(
        self, day: Day, stripe: StripeStandIn
    ) -> None:
        order = day.placed()
        day.goes_wrong(OPEN, "answer_lost")
        hears_in_time(lambda: day.shop.open_checkout(order.id, "ada"))
        there = [s.id for s in stripe.client().v1.checkout.sessions.list({"limit": 100}).data
                 if s.client_reference_id == order.id]  # fmt: skip
        opened = day.new_shop().open_checkout(order.id, "ada")
        assert there == [opened.checkout_session_id]
        self.pays_once(day, opened)

    def test_an_error_that_stripe_repeats_under_its_key_is_over_with_the_next_attempt(self, day: Day) -> None:
        order = day.placed()
        day.goes_wrong(OPEN, "error_after")
        for _ in range(2):  # the page is there, and nobody will ever see it
            hears_in_time(lambda: day.shop.open_checkout(order.id, "ada"))
        day.clock.advance(seconds=SAME_PAGE.total_seconds() + 1)
        opened = day.shop.open_checkout(order.id, "ada")
        assert opened.checkout_attempt == 2
        self.pays_once(day, opened)

    def test_too_many_requests_are_silence_and_not_a_refusal(self, day: Day) -> None:
        order = day.placed()
        day.goes_wrong(OPEN, "error", status=429)
        hears_in_time(lambda: day.shop.open_checkout(order.id, "ada"))
        self.pays_once(day, day.shop.open_checkout(order.id, "ada"))

    @pytest.mark.parametrize("kind", ["slow", "answer_lost"])
    def test_a_page_that_is_open_is_looked_at_no_longer_than_a_person_waits(self, day: Day, kind: str) -> None:
        order = day.opened()
        day.goes_wrong(READ, kind)
        hears_in_time(lambda: day.shop.open_checkout(order.id, "ada"))
        day.stripe.mend()
        assert day.shop.open_checkout(order.id, "ada") == order


class TestMoneyCame:
    @pytest.mark.parametrize(("kind", "status"), [(kind, 500) for kind in BAD] + [("error", 429)])
    def test_who_comes_back_does_not_wait_and_a_loop_finds_the_money(self, day: Day, kind: str, status: int) -> None:
        order = day.opened()
        day.stripe.pay(str(order.checkout_url))
        day.goes_wrong(READ, kind, status=status)
        hears_in_time(lambda: day.shop.confirm_payment(session_of(order), waited_for=True))
        day.stripe.mend()
        day.shop.reconcile()
        day.shop.run_inbox(500)  # Stripe's own list tells of earlier tests, too
        assert the_order(day.store, order.id).state is OrderState.PAID
        assert day.books(order) == [(order.amount_cents, 0)]

    def test_a_loop_has_the_patience_that_a_person_has_not(self, day: Day) -> None:
        """The control: the same slowness, and the answer is waited for."""
        order = day.opened()
        day.stripe.pay(str(order.checkout_url))
        for waited_for in (True, False):
            day.stripe.fault(READ, "slow", seconds=PATIENCE_SECONDS)
            with suppress(GatewayUnavailable):
                day.shop.confirm_payment(session_of(order), waited_for=waited_for)
            is_paid = the_order(day.store, order.id).state is OrderState.PAID
            assert is_paid is not waited_for

    @pytest.mark.parametrize("kind", ["down", "answer_lost", "error"])
    def test_a_report_that_cannot_be_looked_into_comes_back(self, day: Day, kind: str) -> None:
        order = day.opened()
        day.stripe.pay(str(order.checkout_url))
        day.goes_wrong(READ, kind, times=OFTEN)
        with pytest.raises(GatewayUnavailable):
            day.shop.confirm_payment(session_of(order))
        day.shop.reconcile()
        day.shop.run_inbox(500)
        assert the_order(day.store, order.id).state is OrderState.PAID


class TestTakenBack:
    @pytest.mark.parametrize("calls", [READ, CLOSE])
    @pytest.mark.parametrize("kind", ["slow", "answer_lost"])
    def test_who_cancels_is_told_and_cancels_again(self, day: Day, calls: str, kind: str) -> None:
        order = day.opened()
        day.goes_wrong(calls, kind)
        hears_in_time(lambda: day.shop.cancel(order.id, "ada"))
        day.stripe.mend()
        assert day.shop.cancel(order.id, "ada").state is OrderState.EXPIRED
        session = day.stripe.client().v1.checkout.sessions.retrieve(session_of(order))
        assert session.status == CheckoutStatus.EXPIRED

    @pytest.mark.parametrize("kind", ["answer_lost", "error_after", "error", "down"])
    def test_money_goes_back_once_whatever_was_answered_and_by_whichever_process(self, day: Day, kind: str) -> None:
        order = day.paid()
        Refunds(day.store, day.clock).refund(order.id, by="operator ola", why="asked for")
        day.goes_wrong(REFUND, kind, times=OFTEN)
        assert day.shop.run_errands() == 0
        assert the_order(day.store, order.id).state is OrderState.REFUNDING
        day.stripe.mend()
        again = day.new_shop()
        for _ in range(3):
            day.clock.advance(minutes=10)
            again.reconcile()
            again.run_inbox(500)
            again.run_errands()
        assert the_order(day.store, order.id).state is OrderState.REFUNDED
        assert day.books(order) == [(order.paid_cents, order.paid_cents)]


# --- everybody comes back at once -----------------------------------------------------------------------------------

CROWD = 60
PROMISED_SECONDS = 1.0
PEOPLE = [f"customer-{number}" for number in range(CROWD)]


class NoRoom(StripeRoom):
    """The control: those who wait for Stripe have the threads of everybody."""

    async def ask(self, call: Callable[[], Answer]) -> Answer:
        """In a thread of the application's pool."""
        return await run_in_threadpool(call)


@asynccontextmanager
async def a_crowd_at_stripe(stripe: StripeStandIn) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, Order]]]:
    """An api on a port, over the real gateway; and people with an open page, as it was when Stripe was well."""
    gateway = StripeGateway(stripe.key, stripe.webhook_secret, product="Scripts", api_base=stripe.api_base)
    house: House = replace(make_house(), gateway=gateway, clock=FakeClock(SystemClock().now()))  # type: ignore[arg-type]
    for person in PEOPLE:
        house.hub.admit(person, person)
    api = LiveApi(house)
    api.house = make_house(like=house)
    orders = {person: api.house.order(person) for person in PEOPLE}
    api.start()
    limits = httpx.Limits(max_connections=2 * CROWD)
    try:
        async with httpx.AsyncClient(base_url=api.url, timeout=60, trust_env=False, limits=limits) as client:
            yield client, orders
    finally:
        api.kill()


async def slowest_page(client: httpx.AsyncClient, order: Order, until: asyncio.Event) -> float:
    """How long a page or a sign of health took at most, in seconds, while something else goes on."""
    slowest, headers = 0.0, {"Authorization": f"Bearer {order.customer}"}
    while not until.is_set():
        for path in ("/health", f"/orders/{order.id}"):
            began = time.monotonic()
            (await client.get(path, headers=headers)).raise_for_status()
            slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.05)
    return slowest


async def all_come_back(stripe: StripeStandIn) -> tuple[list[str], float, float]:
    """At once, while Stripe takes half a minute: where they are sent, the slowest of them, and the slowest page."""
    async with a_crowd_at_stripe(stripe) as (client, orders):
        stripe.fault("*", "slow", seconds=30, times=10_000)
        over = asyncio.Event()
        page = asyncio.create_task(slowest_page(client, orders[PEOPLE[0]], over))
        await asyncio.sleep(0.5)
        seconds: list[float] = []

        async def comes_back(person: str) -> str:
            began = time.monotonic()
            answer = await client.get(
                "/pay/return",
                params={"session_id": session_of(orders[person])},
                headers={"Authorization": f"Bearer {person}"},
            )
            seconds.append(time.monotonic() - began)
            assert answer.headers["location"].endswith(f"?order={orders[person].id}&returned=1")
            return str(answer.status_code)

        answers = list(await asyncio.gather(*map(comes_back, PEOPLE)))
        over.set()
        return answers, max(seconds), await page


async def test_everybody_comes_back_while_stripe_is_slow_and_the_house_answers_everybody_else(
    stripe: StripeStandIn,
) -> None:
    answers, slowest_return, slowest = await all_come_back(stripe)
    stripe.mend()
    assert answers == ["303"] * CROWD
    assert slowest_return < PATIENCE_SECONDS + SLACK_SECONDS
    assert slowest < PROMISED_SECONDS + SLACK_SECONDS / 2


async def test_without_a_room_of_their_own_they_hold_up_everybody(
    stripe: StripeStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr("tng.api.service.StripeRoom", NoRoom)
    _, _, slowest = await all_come_back(stripe)
    stripe.mend()
    assert slowest > PROMISED_SECONDS + SLACK_SECONDS / 2
