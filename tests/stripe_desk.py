"""The stand-in for Stripe inside the test's own process: a clock that the test turns, a receiver that it commands."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from hub.sandbox.stripe.app import create_app
from hub.sandbox.stripe.config import Config
from hub.sandbox.stripe.store import Store

KEY = "sk_test_of_the_desk_0001"
SECRET = "whsec_of_the_desk_0001"
START = 2_000_000_000.0
SHOP = "http://127.0.0.1:9/webhook"


def order(amount_cents: int = 299, **more: str) -> dict[str, str]:
    """The form of a Checkout Session for one script, as the SDK sends it."""
    line = "line_items[0]"
    return {
        "mode": "payment",
        "success_url": "http://shop.test/return?session_id={CHECKOUT_SESSION_ID}",
        f"{line}[quantity]": "1",
        f"{line}[price_data][currency]": "usd",
        f"{line}[price_data][unit_amount]": str(amount_cents),
        f"{line}[price_data][product_data][name]": "TNG script",
        **more,
    }


def buyer(card: str = "4242 4242 4242 4242", **more: str) -> dict[str, str]:
    """The form of the payment page, filled in."""
    return {"email": "jlp@example.org", "card": card, "exp": "12 / 34", "cvc": "123", "name": "J L P", **more}


@dataclass
class Receiver(httpx.AsyncBaseTransport):
    """The shop's webhook: answers as it is told to, remembers what it got."""

    answers: list[int] = field(default_factory=list)  # the next ones; 0: nobody is there; then 200 for ever
    requests: list[httpx.Request] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    def __post_init__(self) -> None:
        self.open.set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Take one event."""
        await self.open.wait()
        self.requests.append(request)
        async with self.came:
            self.came.notify_all()
        status = self.answers.pop(0) if self.answers else 200
        if status == 0:
            raise httpx.ConnectError("nobody is there")
        return httpx.Response(status)

    @property
    def types(self) -> list[str]:
        """The types of the events that came, in order."""
        return [json.loads(request.content)["type"] for request in self.requests]

    async def has(self, count: int) -> None:
        """Wait until so many requests came; fails after five seconds."""
        async with asyncio.timeout(5), self.came:
            await self.came.wait_for(lambda: len(self.requests) >= count)


@dataclass
class Desk:
    """A running stand-in, its receiver and its clock."""

    http: httpx.AsyncClient
    receiver: Receiver
    store: Store
    now: float

    async def post(self, path: str, form: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """Call the api with the secret key."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, data=form or {}, headers={"Authorization": f"Bearer {KEY}", **named})

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Ask the api with the secret key."""
        return await self.http.get(path, params=params, headers={"Authorization": f"Bearer {KEY}"})

    async def session(self, **more: str) -> dict[str, Any]:
        """Open a session."""
        answer = await self.post("/v1/checkout/sessions", order(**more))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def pay(self, session: dict[str, Any], **fields: str) -> httpx.Response:
        """Fill in the page and press the button."""
        return await self.http.post(f"/c/pay/{session['id']}", data=buyer(**fields))

    async def events(self, **params: Any) -> list[dict[str, Any]]:
        """The events, newest first."""
        return list((await self.get("/v1/events", **{"limit": 100, **params})).json()["data"])

    async def settled(self, count: int, state: str = "delivered") -> list[dict[str, Any]]:
        """Wait until so many deliveries are in a state; returns all deliveries."""
        async with asyncio.timeout(5):
            while True:
                found = list((await self.get("/_sandbox/deliveries")).json()["deliveries"])
                if sum(each["state"] == state for each in found) >= count:
                    return found
                await asyncio.sleep(0.005)


@asynccontextmanager
async def desk(
    *,
    db: str = ":memory:",
    webhook: bool = True,
    retries: tuple[float, ...] = (),
    hold_seconds: float = 5.0,
    now: float = START,
) -> AsyncIterator[Desk]:
    """Run a stand-in in this loop; without retries unless told."""
    config = Config(
        KEY, SECRET, db=db, webhook_url=SHOP if webhook else None, retries=retries, hold_seconds=hold_seconds
    )
    store, receiver = Store(db), Receiver()
    here = Desk(http=httpx.AsyncClient(), receiver=receiver, store=store, now=now)
    app = create_app(config, store, clock=lambda: here.now, transport=receiver)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://desk") as http:
        here.http = http
        yield here
    store.close()
