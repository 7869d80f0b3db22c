"""The live events of an order as server-sent events that resume. The database is the queue; a stream sleeps in between.

Kinds on the wire: the run's own (``started``, ``plan``, ``progress``, ``scene``, ``retry`` …) with the id of their row,
which a browser sends back as Last-Event-ID; ``restart`` before the first event of another attempt: forget the rest;
``state`` with the order whenever that changed; ``queue`` with its place while it waits for a worker, whenever that
changed; ``end`` when nothing more will come.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Request
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from tng.api.followers import POLL_SECONDS, Doze, Followers
from tng.api.shared import REFUSALS, Answers, TheCaller, ThePrefix, TheShop, refuses
from tng.api.views import OrderView, order_view
from tng.errors import ApiError, OrderNotFound, StoreBusy
from tng.jobs import Job, JobEvent
from tng.orders import Order, OrderState
from tng.standing import Standing

logger = logging.getLogger(__name__)

BUSY_SECONDS = 0.2
"""After so long a database that was busy is asked again."""

PING_SECONDS = 15
STREAM_SECONDS = 600.0
"""After this a stream ends without ``end``: the page comes back, and starts anew."""

QUEUE_SECONDS = 2.0
"""How often a place in the queue is looked up."""

STILL_SECONDS = 2.0
"""How often the hub is asked whether whoever follows is still signed in; a stream ends without ``end`` if not."""

STREAMS_EACH = 12
"""How many streams one customer may have open."""

OVER = frozenset({OrderState.DELIVERED, OrderState.EXPIRED, OrderState.REFUNDED, OrderState.DISPUTED})

Heard = tuple[Order, Job | None, Sequence[JobEvent]]
Listen = Callable[[int], Heard]
Stands = Callable[[Order], Standing]
IsStill = Callable[[], Awaitable[bool]]


def event_routes() -> APIRouter:
    """The stream."""
    router = APIRouter(tags=["events"])
    stream: Answers = {200: {"content": {"text/event-stream": {}}, "description": "the events"}}
    router.add_api_route(
        "/orders/{order_id}/events",
        events,
        methods=["GET"],
        response_class=EventSourceResponse,
        responses=refuses(REFUSALS | {429: "open too often"}) | stream,
    )
    return router


async def events(
    request: Request,
    order_id: str,
    caller: TheCaller,
    shop: TheShop,
    prefix: ThePrefix,
    last_event_id: Annotated[str, Header()] = "",
) -> EventSourceResponse:
    """Follow an order from the event after Last-Event-ID on, or from the first."""
    after = int(last_event_id) if last_event_id.isdecimal() and len(last_event_id) < 19 else 0

    def listen(since: int) -> Heard:
        return shop.events(order_id, caller.name, since)

    await run_in_threadpool(shop.order, order_id, caller.name)
    streams: Counter[str] = request.app.state.streams
    if streams[caller.name] >= STREAMS_EACH:
        raise ApiError("too many streams of one customer", status=429, user_message="This page is open too often.")
    is_still = partial(request.app.state.auth.is_still, caller, request)
    teller = Teller(shop.standing, prefix)
    followers: Followers = request.app.state.followers

    async def stream() -> AsyncIterator[ServerSentEvent]:
        with _one_more(streams, caller.name), followers.following(order_id) as doze:
            poll_seconds = followers.look_seconds
            async for event in follow(listen, after, teller, is_still=is_still, doze=doze, poll_seconds=poll_seconds):
                yield event

    return EventSourceResponse(
        stream(), ping=PING_SECONDS, headers={"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
    )


@contextmanager
def _one_more(streams: Counter[str], name: str) -> Iterator[None]:
    streams[name] += 1
    try:
        yield
    finally:
        streams[name] -= 1
        if not streams[name]:
            del streams[name]


async def _always() -> bool:
    return True


class Teller:
    """Says what changed of an order beside its events: its state, and its place in the queue."""

    def __init__(self, stands: Stands = lambda _order: Standing(), prefix: str = "") -> None:
        self._stands, self._prefix = stands, prefix
        self._order: Order | None = None
        self._shown: OrderView | None = None
        self._looked_at = 0.0

    def tell(self, order: Order) -> list[ServerSentEvent]:
        """What is to be said of it now: nothing where it is as it was. Raises StoreBusy."""
        now = time.monotonic()
        is_new = order != self._order
        waits = order.state is OrderState.PAID and now - self._looked_at >= QUEUE_SECONDS
        if not (is_new or waits):
            return []
        view = order_view(order, self._prefix, self._stands(order))
        self._order, self._looked_at = order, now
        before, self._shown = self._shown, view
        if before is None or before.model_copy(update={"queue": view.queue}) != view:
            return [ServerSentEvent(view.model_dump_json(), event="state")]
        if before.queue != view.queue and view.queue is not None:
            return [ServerSentEvent(view.queue.model_dump_json(), event="queue")]
        return []


async def follow(
    listen: Listen,
    after: int,
    teller: Teller,
    *,
    is_still: IsStill = _always,
    doze: Doze = asyncio.sleep,
    poll_seconds: float = POLL_SECONDS,
    most_seconds: float = STREAM_SECONDS,
) -> AsyncIterator[ServerSentEvent]:
    """The events of one order after the one with id ``after``, until the order is over, or ``most_seconds``.

    It looks every ``poll_seconds``, and sooner where ``doze`` ends sooner. It ends within seconds where ``is_still``
    says no: whoever follows has signed out.
    """
    loop = asyncio.get_running_loop()
    until, ask_at = loop.time() + most_seconds, loop.time() + STILL_SECONDS
    attempt = None
    while loop.time() < until:
        if loop.time() >= ask_at:
            if not await is_still():
                return
            ask_at = loop.time() + STILL_SECONDS
        try:
            if attempt is None:
                after, attempt = await run_in_threadpool(_resume, listen, after)
            order, _job, heard = await run_in_threadpool(listen, after)
            said = await run_in_threadpool(teller.tell, order)
        except StoreBusy:
            await asyncio.sleep(min(poll_seconds, BUSY_SECONDS))
            continue
        except OrderNotFound:
            return
        for news in said:
            yield news
        for event in heard:
            if event.attempt != attempt:
                attempt = event.attempt
                yield ServerSentEvent(json.dumps({"attempt": attempt}), event="restart")
            after = event.id
            yield ServerSentEvent(json.dumps(event.body), event=event.kind.value, id=str(event.id))
        if not heard and order.state in OVER:
            yield ServerSentEvent(json.dumps({"state": order.state.value}), event="end")
            return
        if not heard:
            await doze(min(poll_seconds, max(ask_at - loop.time(), 0)))


def _resume(listen: Listen, after: int) -> tuple[int, int]:
    """Where a stream goes on: (id, attempt) of the last event seen, or the beginning where it is none of this order's.

    Without the attempt a page that comes back in the middle of one would be told to forget it.
    """
    if not after:
        return 0, 0
    _order, _job, heard = listen(after - 1)
    last = heard[0] if heard else None
    return (last.id, last.attempt) if last is not None and last.id == after else (0, 0)
