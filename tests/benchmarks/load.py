"""``make load``: a thousand customers order at once, and nobody's order is lost or doubled; how long they waited.

Each places an order (and again under the same key, where it is told to come back), pays on Stripe's page, comes back
by its return address, and asks for the order every few seconds until it is delivered. All of them are under way at
once; ``--window`` is the time within which they arrive, 0 the same instant. Everything shares this machine: the
customers, too, who are one process and take their part of its cores.

Times are what a customer sees, from the click to the answer; a webhook's time is the api's own, from its metrics.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import httpx
import stripe

from tests.benchmarks.load_house import READER_TOKEN, LoadedHouse, TheHub, loaded_house
from tests.benchmarks.way import machine
from tests.invariants import Books, Entry, World, broken
from tests.postgres import databases, why_not
from tests.stand_ins import PAYS, StripeStandIn
from tests.unit.tng.api_support import PREFIX, WISH
from tng.app import build_store
from tng.orders import OrderState

CUSTOMERS = 1000
WINDOW_SECONDS = 120.0
LATE = 10**6
TIMES = 50
COMPLETED = "checkout.session.completed"
WORKERS = 2
PROMISED_SECONDS = {
    "create p95": 1.0,
    "order page p95": 0.3,
    "all delivered": 300.0,
    f"one report {TIMES} times p99": 0.5,
}
LOOK_SECONDS = 5.0
AGAIN_SECONDS = 1.0
PATIENCE_SECONDS = 600.0
CARD = {"email": "jlp@example.org", "card": PAYS, "exp": "12 / 34", "cvc": "123", "name": "J L P"}
FORMS = {"content-type": "application/x-www-form-urlencoded"}


@dataclass
class Figures:
    """What the customers measured. ``seconds`` are by the name of what was done; ``refused`` by answer."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    delivered: dict[str, str] = field(default_factory=dict)
    all_seconds: float = 0.0

    def took(self, what: str, began: float) -> None:
        """Something is over that began then."""
        self.seconds.setdefault(what, []).append(time.perf_counter() - began)

    def quantile(self, what: str, share: float) -> float:
        """The time within which this share of them was over, in seconds."""
        ordered = sorted(self.seconds.get(what, [float("nan")]))
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the house said; 599 where nothing came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Customer:
    """One person: orders, pays, comes back, waits."""

    def __init__(self, number: int, house: LoadedHouse, http: aiohttp.ClientSession, figures: Figures) -> None:
        self.name = f"customer-{number}"
        self._house, self._http, self._figures = house, http, figures
        self._me = {"authorization": f"Bearer {self.name}"}

    async def live(self, arrives_after_seconds: float) -> None:
        """From the first click to the script."""
        await asyncio.sleep(arrives_after_seconds)
        order = await self.create()
        await self.pay(str(order["checkout_url"]))
        await self.follow(str(order["id"]))

    async def create(self) -> dict[str, object]:
        """Until there is an order, with whatever refusals come before: a person clicks again."""
        began = time.perf_counter()
        headers = self._me | {"idempotency-key": self.name}
        while True:
            answer = await self.ask("create, one answer", "POST", f"{self._house.url}/orders", headers, json=WISH)
            if answer.status == 201 and (order := json.loads(answer.body))["checkout_url"]:
                self._figures.took("create", began)
                return dict(order)
            self._figures.refused[f"create {answer.status}"] += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", AGAIN_SECONDS)))

    async def pay(self, page: str) -> None:
        """On Stripe's page; and back by its return address."""
        paid = await self.ask("pay at the stand-in", "POST", page, FORMS, data=CARD)
        while paid.status != 303:
            self._figures.refused[f"pay {paid.status}"] += 1
            await asyncio.sleep(AGAIN_SECONDS)
            paid = await self.ask("pay at the stand-in", "POST", page, FORMS, data=CARD)
        back = self._house.url.removesuffix(PREFIX) + httpx.URL(paid.headers["location"]).raw_path.decode()
        await self.ask("come back", "GET", back, self._me)

    async def follow(self, order_id: str) -> None:
        """Until the script is there."""
        paid_at = time.perf_counter()
        while True:
            page = await self.ask("order page", "GET", f"{self._house.url}/orders/{order_id}", self._me)
            state = json.loads(page.body)["state"] if page.status == 200 else f"page {page.status}"
            if state == OrderState.DELIVERED:
                self._figures.took("paid to delivered", paid_at)
                self._figures.delivered[self.name] = order_id
                return
            if page.status != 200:
                self._figures.refused[state] += 1
            await asyncio.sleep(LOOK_SECONDS * random.uniform(0.8, 1.2))  # people are not in step

    async def ask(self, what: str, method: str, url: str, headers: dict[str, str], **given: object) -> Answer:
        began = time.perf_counter()
        try:
            async with self._http.request(method, url, headers=headers, allow_redirects=False, **given) as said:  # type: ignore[arg-type]
                answer = Answer(said.status, said.headers, await said.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            self._figures.refused[f"{what}: {type(error).__name__}"] += 1
            return Answer(599, {}, b"")
        self._figures.took(what, began)
        return answer


async def crowd(house: LoadedHouse, customers: int, window_seconds: float) -> Figures:
    """Everybody, until everybody has a script; who waits longer than ten minutes has none."""
    figures = Figures()
    # a line that was idle for 5 s is closed by the api: it is not used again so late
    lines, patience = aiohttp.TCPConnector(limit=0, keepalive_timeout=2.0), aiohttp.ClientTimeout(PATIENCE_SECONDS)
    async with aiohttp.ClientSession(connector=lines, timeout=patience) as http:
        began = time.perf_counter()
        people = [Customer(number, house, http, figures) for number in range(customers)]
        lives = [person.live(window_seconds * place / customers) for place, person in enumerate(people)]
        try:
            await asyncio.wait_for(asyncio.gather(*lives), PATIENCE_SECONDS)
        except TimeoutError:
            figures.refused["gave up waiting"] += customers - len(figures.delivered)
        figures.all_seconds = time.perf_counter() - began
        await quiet(house)
    await often(house, figures)
    await quiet(house)
    figures.seconds["webhook"] = webhook_seconds(await asyncio.to_thread(metrics, house))
    return figures


async def often(house: LoadedHouse, figures: Figures) -> None:
    """One more customer pays, and Stripe reports it many times at the same instant: how long each report takes."""
    house.stripe.hold()
    lines = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=lines) as http:
        person = Customer(LATE, house, http, figures)
        order = await person.create()
        await person.pay(str(order["checkout_url"]))
        told = await asyncio.to_thread(house.stripe.client().v1.events.list, {"type": COMPLETED, "limit": 1})
        body = json.dumps(told.data[0].to_dict())
        stamp = {
            "stripe-signature": stripe.WebhookSignature.generate_signature_header(body, house.stripe.webhook_secret)
        }
        url = f"{house.url}/stripe/webhook"
        await asyncio.gather(*(person.ask("connect", "GET", f"{house.url}/health", {}) for _ in range(TIMES)))
        reports = (person.ask(f"one report {TIMES} times", "POST", url, stamp, data=body) for _ in range(TIMES))
        answers = await asyncio.gather(*reports)
        figures.refused.update(f"report {each.status}" for each in answers if each.status != 200)
        await asyncio.to_thread(house.stripe.release)
        await person.follow(str(order["id"]))


async def quiet(house: LoadedHouse) -> None:
    """Until every report of Stripe's was delivered and acted on."""
    store, until = build_store(house.settings), time.monotonic() + 60
    while time.monotonic() < until:
        with store.read() as work:
            is_idle = work.inbox.waiting() == 0
        deliveries = await asyncio.to_thread(house.stripe.deliveries)
        if is_idle and all(each["state"] == "delivered" for each in deliveries):
            break
        await asyncio.sleep(0.5)
    store.close()


def metrics(house: LoadedHouse) -> str:
    """The api's own numbers."""
    reader = {"authorization": f"Bearer {READER_TOKEN}"}
    answer = httpx.get(f"{house.url}/metrics", headers=reader, timeout=60, trust_env=False)
    return answer.raise_for_status().text


def webhook_seconds(page: str) -> list[float]:
    """The time of each webhook by the histogram of the api: no more than its bucket's upper end."""
    row = r'tng_request_seconds_bucket\{le="([^"]+)",[^}]*route="[^"]*webhook",status="200"\} ([\d.e+]+)'
    rows = re.findall(row, page)
    seconds: list[float] = []
    for bound, count in rows:
        seconds += [float(bound)] * (int(float(count)) - len(seconds))
    return seconds


def books_of(stripe: StripeStandIn) -> Books:
    """The stand-in's own books."""
    return Books(
        tuple(
            Entry(payment, line["order_id"], line["captured"], line["refunded"], currency=line["currency"])
            for payment, line in stripe.ledger().items()
        )
    )


def wrong(house: LoadedHouse, figures: Figures, customers: int) -> list[str]:
    """What was lost or doubled, a sentence each: by the database and by Stripe's books, not by what was answered."""
    store = build_store(house.settings)
    acknowledged = {each["event"] for each in house.stripe.deliveries() if each["state"] == "delivered"}
    books = books_of(house.stripe)
    faults = broken(World(store, books, frozenset(acknowledged), house.log.read_text("utf-8"), (house.stripe.key,)))
    with store.read() as work:
        delivered = work.orders.count(OrderState.DELIVERED)
        all_orders = work.orders.count(*OrderState)
    store.close()
    counts = {"delivered": delivered, "orders": all_orders, "payments at Stripe": len(books.entries)}
    counts["customers with a script"] = len(figures.delivered)
    everybody = customers + 1  # the late one
    odd = {what: count for what, count in counts.items() if count != everybody}
    return faults + [f"{count} {what} for {everybody} customers" for what, count in odd.items()]


def too_slow(figures: Figures) -> list[str]:
    """The promises that were not kept."""
    measured = {
        "create p95": figures.quantile("create", 0.95),
        "order page p95": figures.quantile("order page", 0.95),
        "all delivered": figures.all_seconds,
        f"one report {TIMES} times p99": figures.quantile(f"one report {TIMES} times", 0.99),
    }
    return [f"{name}: {s:.2f} s, promised {PROMISED_SECONDS[name]} s" for name, s in measured.items()
            if s > PROMISED_SECONDS[name]]  # fmt: skip


def told(figures: Figures) -> Iterator[str]:
    """The figures, a line each."""
    for what, seconds in figures.seconds.items():
        p50, p95, p99 = (figures.quantile(what, share) for share in (0.5, 0.95, 0.99))
        yield f"{what:22} p50 {p50:7.3f} s   p95 {p95:7.3f} s   p99 {p99:7.3f} s   ({len(seconds)} times)"
    yield f"{'all delivered':22} {figures.all_seconds:11.1f} s"
    yield "refused, and asked again: " + (", ".join(f"{n} × {what}" for what, n in figures.refused.items()) or "none")


@contextmanager
def database(name: str) -> Iterator[str]:
    """The address of a fresh one; "" is SQLite in the house's own folder."""
    if name == "sqlite":
        yield ""
        return
    with databases() as made, made.fresh() as url:
        yield url


async def measured(folder: Path, database_url: str, customers: int, window_seconds: float) -> tuple[Figures, list[str]]:
    """One run, and what went wrong in it."""
    async with TheHub() as hub:
        with loaded_house(folder, hub.port, database_url, workers=WORKERS) as house:
            figures = await crowd(house, customers, window_seconds)
            return figures, wrong(house, figures, customers)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. The exit status: 1 where something is lost, doubled, or slower than promised."""
    options = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.load", description="Customers who order at once."
    )
    options.add_argument("--customers", type=int, default=CUSTOMERS, help="how many (default: %(default)s)")
    options.add_argument(
        "--window", type=float, nargs="+", default=[WINDOW_SECONDS], metavar="SECONDS", help="arrive within"
    )
    options.add_argument("--database", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    given = options.parse_args(arguments)
    status = 0
    print(f"machine: {machine()}")
    for name in given.database:
        if name == "postgresql" and (reason := why_not()):
            print(f"{name}: not measured, {reason}", file=sys.stderr)
            continue
        for window_seconds in given.window:
            print(f"\n{name}, {given.customers} customers who arrive within {window_seconds:g} s")
            with tempfile.TemporaryDirectory(prefix="tng-load-") as folder, database(name) as url:
                figures, faults = asyncio.run(measured(Path(folder), url, given.customers, window_seconds))
            slow = too_slow(figures)
            print("\n".join([*told(figures), f"lost or doubled: {'; '.join(faults[:5]) or 'none'}", *slow]))
            status = int(bool(status or faults or slow))
    return status


if __name__ == "__main__":
    sys.exit(main())
