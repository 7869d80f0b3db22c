"""The stand-in put together: routes, the courier, and the clock that closes sessions whose time is over."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from hub.sandbox.stripe.account import Account
from hub.sandbox.stripe.api import Api, refused
from hub.sandbox.stripe.config import Config
from hub.sandbox.stripe.control import Control
from hub.sandbox.stripe.faults import Faults
from hub.sandbox.stripe.page import Page
from hub.sandbox.stripe.store import Store
from hub.sandbox.stripe.webhooks import FAULT_SECONDS, Courier
from hub.sandbox.stripe.wire import Refusal

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0


def create_app(
    config: Config,
    store: Store,
    *,
    clock: Callable[[], float] = time.time,
    transport: httpx.AsyncBaseTransport | None = None,
    cut: Callable[[Request], None] = lambda _: None,
) -> Starlette:
    """Build the application. ``transport`` carries the webhooks; a test may put its own receiver there.

    ``cut`` ends the connection on which a request came, which only the server can do.
    """
    url, secret = config.webhook_url, config.webhook_secret
    webhook = (url, secret, config.webhook_events) if url else None
    account = Account(
        store, page_base=config.page_base, clock=clock, webhook=webhook, clear_seconds=config.clear_seconds
    )
    http = httpx.AsyncClient(transport=transport, trust_env=False)
    courier = Courier(account, http, config.retries)
    faults = Faults(cut)
    api = Api(account, courier, faults, config.key)
    routes: list[BaseRoute] = [
        Route("/", health, methods=["GET"]),
        *api.routes(),
        *Control(account, courier, faults, api, config.key).routes(),
        *Page(account, courier, config.hold_seconds).routes(),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        courier.take_up()
        with store.transaction():
            account.promotions.seed()
        tasks = [asyncio.create_task(kept_up(work)) for work in (courier.run, lambda: sweep(account, courier))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await http.aclose()

    return Starlette(
        routes=[Mount(config.prefix, routes=routes)] if config.prefix else routes,
        lifespan=lifespan,
        exception_handlers={Exception: failed},
    )


async def health(_: Request) -> Response:
    """Whether it runs: for the hub, and for whoever waits for a start."""
    return JSONResponse({"stand_in": "stripe", "livemode": False})


async def failed(request: Request, _: Exception) -> Response:
    """A fault of our own, in Stripe's shape; the server logs it. Nothing was kept: the same request may come again."""
    return refused(request, Refusal(500, "The stand-in failed. Its log says why.", kind="api_error"))


async def kept_up(work: Callable[[], Awaitable[None]]) -> None:
    """Do something that never ends, and after a fault (a full disk, say) begin again: api and page go on meanwhile."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("a fault behind the api; it begins again in %s s", FAULT_SECONDS)
            await asyncio.sleep(FAULT_SECONDS)


async def sweep(account: Account, courier: Courier, seconds: float = SWEEP_SECONDS) -> None:
    """Close sessions whose time is over, and let banks decide what is due, until cancelled."""
    while True:
        with account.store.transaction():
            changed = account.expire_overdue() + account.clear_due()
        if changed:
            courier.wake()
        await asyncio.sleep(seconds)
