"""The routes of money: to Stripe, back from Stripe, and what Stripe reports. None of them believes what it is told.

The return page, the webhook and the reconciler all call the shop's ``confirm_payment``, which asks Stripe again.
"""

from __future__ import annotations

import logging
import re
import threading
from functools import partial
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from tng.api.metrics import Metrics
from tng.api.shared import REFUSALS, Answers, TheCaller, ThePrefix, TheSettings, TheShop, refuses
from tng.api.stripe_room import StripeRoom, TheStripeRoom
from tng.api.views import HealthView, OrderView, order_view
from tng.errors import SignatureInvalid, TngError
from tng.log import kind_of, told
from tng.orders import PAYABLE, Order, OrderState
from tng.settings import Settings
from tng.shop import Shop

logger = logging.getLogger(__name__)

_ROOM = threading.Semaphore(2)
"""Reports are acted on by so many threads at once: while Stripe is slow, the others answer customers."""

SESSION_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
ORDER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def payment_routes() -> APIRouter:
    """Checkout, the two ways back, and the webhook."""
    router = APIRouter(tags=["payments"])
    unpaid = refuses(REFUSALS | {402: "Stripe said no", 409: "the order cannot be paid any more"})
    router.add_api_route("/orders/{order_id}/checkout", checkout, methods=["POST"], responses=unpaid)
    back: Answers = {303: {"description": "to the dashboard"}}
    signed_in = back | refuses({status: reason for status, reason in REFUSALS.items() if status != 404})
    for path, way, known in (("/pay/return", pay_return, signed_in), ("/pay/cancel", pay_cancel, back)):
        router.add_api_route(
            path, way, methods=["GET"], status_code=303, response_class=RedirectResponse, responses=known
        )
    forged = refuses({400: "not signed by Stripe", 413: "too large", 503: "busy: send it again"})
    router.add_api_route("/stripe/webhook", webhook, methods=["POST"], responses=forged)
    return router


async def checkout(
    order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix, room: TheStripeRoom
) -> OrderView:
    """Open the page on which the order can be paid, or give the one that is open."""

    def opened() -> OrderView:
        order = shop.open_checkout(order_id, caller.name)
        return order_view(order, prefix, shop.standing(order))

    return await room.ask(opened)


async def pay_return(
    caller: TheCaller,
    shop: TheShop,
    settings: TheSettings,
    room: TheStripeRoom,
    session_id: Annotated[str, Query(max_length=300)] = "",
) -> RedirectResponse:
    """Where Stripe sends a customer who paid. Stripe is asked at once; where it is away, the page says so and waits.

    Where a webhook was quicker, Stripe is not asked.
    """
    order = await _own_order(shop, room, caller.name, session_id) if SESSION_ID.fullmatch(session_id) else None
    if order is None:
        return _to_dashboard(settings, {})
    unconfirmed = {"returned": "1"} if order.state is OrderState.PLACED else {}
    return _to_dashboard(settings, {"order": order.id, **unconfirmed})


def pay_cancel(settings: TheSettings, order: Annotated[str, Query(max_length=100)] = "") -> RedirectResponse:
    """Where Stripe sends a customer who turned back. Nothing changes: the order can still be paid."""
    known = ORDER_ID.fullmatch(order)
    return _to_dashboard(settings, {"order": order, "cancelled": "1"} if known else {"cancelled": "1"})


async def webhook(
    request: Request,
    shop: TheShop,
    afterwards: BackgroundTasks,
    stripe_signature: Annotated[str | None, Header()] = None,
) -> HealthView:
    """Stripe's reports. 200: it is kept, and acted on after the answer; 400: not from Stripe; 503: send it again."""
    payload = await request.body()
    metrics: Metrics = request.app.state.metrics
    try:
        event = await run_in_threadpool(shop.receive_event, payload, stripe_signature)
    except SignatureInvalid as error:
        # one line, without a word of the sender's: where every webhook is refused, the secret is another endpoint's
        words = "a webhook was refused: its signature does not fit STRIPE_WEBHOOK_SECRET, or is too old"
        logger.warning(words, extra=told(fault=kind_of(error)))
        metrics.webhook("", "refused")
        raise
    except TngError:
        metrics.webhook("", "asked for again")
        raise
    metrics.webhook(event.type, "kept")
    afterwards.add_task(_act, shop)
    return HealthView()


def _act(shop: Shop) -> None:
    """Act on what was reported, at once where there is room; what is left over, a loop of the service takes up."""
    if not _ROOM.acquire(blocking=False):
        return
    try:
        shop.run_inbox()
    except TngError as error:
        logger.warning("reports wait: %s", error, extra=told(fault=kind_of(error)))
    finally:
        _ROOM.release()


async def _own_order(shop: Shop, room: StripeRoom, customer: str, session_id: str) -> Order | None:
    """The caller's order of this checkout, confirmed where it was not and Stripe is quick; a stranger's is none."""
    order: Order | None = None
    try:
        order = await run_in_threadpool(shop.order_of, session_id)
        if order is None or (order.state in PAYABLE and order.customer == customer):
            order = await room.ask(partial(shop.confirm_payment, session_id, waited_for=True))
    except TngError as error:
        kind = kind_of(error)
        words = "a return from checkout could not be confirmed yet: %s: %s"
        logger.warning(words, kind, error, extra=told(session=session_id, fault=kind))
    return order if order is not None and order.customer == customer else None


def _to_dashboard(settings: Settings, query: dict[str, str]) -> RedirectResponse:
    """To the customer's own server, at an address that we made: nothing of the request but a checked id is in it."""
    ending = f"?{urlencode(query)}" if query else ""
    return RedirectResponse(f"{settings.public}/hub/user-redirect/{ending}", 303)
