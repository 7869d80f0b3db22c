"""The routes of an order: what there is to order, placing, reading, cancelling. Money and files are elsewhere.

Each call names its caller to the shop; a stranger's order is not found, and neither is one that does not exist.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Query

from tng.api.offer import OfferView, offer_view
from tng.api.shared import REFUSALS, TheCaller, ThePrefix, TheSettings, TheShop, TheShow, refuses
from tng.api.stripe_room import TheStripeRoom
from tng.api.views import (
    CallerView,
    OrdersView,
    OrderView,
    PremiseRequest,
    WholeOrderView,
    order_view,
    whole_order_view,
)
from tng.library.shelf import Shelved
from tng.orders import Order, OrderState
from tng.script import Premise
from tng.settings import Mode
from tng.standing import Standing

RequestKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=80,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="the page's own name for this request: sent twice, it orders once",
    ),
]


Binned = Annotated[bool, Query(description="those in the bin, which can be had back for 30 days")]


def order_routes() -> APIRouter:
    """Offer, caller and orders."""
    router, known = APIRouter(tags=["orders"]), refuses(REFUSALS)
    router.add_api_route("/offer", offer, methods=["GET"])
    router.add_api_route("/me", me, methods=["GET"], responses=known)
    router.add_api_route("/orders", orders, methods=["GET"], responses=known)
    many = {402: "Stripe said no", 409: "too many of your orders wait to be paid"}
    invalid = refuses(REFUSALS | many | {422: "the premise cannot be used: which field, and why"})
    router.add_api_route("/orders", place, methods=["POST"], status_code=201, responses=invalid)
    router.add_api_route("/orders/{order_id}", order, methods=["GET"], responses=known)
    late = refuses(REFUSALS | {402: "Stripe said no", 409: "too late, or a bank moves money: the sentence says which"})
    router.add_api_route("/orders/{order_id}/cancel", cancel, methods=["POST"], responses=late)
    return router


def offer(show: TheShow, shop: TheShop, settings: TheSettings) -> OfferView:
    """What can be ordered, and for how much."""
    demo, mails = settings.mode is Mode.DEMO, settings.mail_customers
    return offer_view(show, shop.price, demo=demo, closed=shop.why_closed(), mails=mails)


async def me(caller: TheCaller) -> CallerView:
    """Who is calling."""
    return CallerView(name=caller.name, csrf=caller.csrf)


def orders(caller: TheCaller, shop: TheShop, prefix: ThePrefix, binned: Binned = False) -> OrdersView:
    """The caller's orders, the newest first: those in the bin, or all others."""

    def seen(order: Order, shelved: Shelved) -> OrderView:
        # who ended an order is told where it is opened: a list of hundreds asks for none of that
        waits = order.state is OrderState.PAID
        return order_view(order, prefix, shop.standing(order) if waits else Standing(shelved=shelved))

    return OrdersView(orders=[seen(*pair) for pair in shop.shelving.listed(caller.name, binned=binned)])


async def place(
    caller: TheCaller,
    show: TheShow,
    shop: TheShop,
    prefix: ThePrefix,
    room: TheStripeRoom,
    *,
    request_key: RequestKey,
    wish: PremiseRequest,
) -> OrderView:
    """Order a script. The answer says where to pay; the price is the shop's of today."""

    def placed() -> OrderView:
        order = shop.place_order(caller.name, Premise.checked(wish.model_dump(), show.cues), request_key)
        if order.state is OrderState.PLACED:
            order = shop.open_checkout(order.id, caller.name)
        return order_view(order, prefix, shop.standing(order))

    return await room.ask(placed)


def order(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> WholeOrderView:
    """One order, and its script once it is delivered; of a stopped one the part that is kept."""
    owned = shop.order(order_id, caller.name)
    return whole_order_view(owned, prefix, shop.standing(owned), shop.rework.chosen(owned))


async def cancel(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix, room: TheStripeRoom) -> OrderView:
    """Take an order back, or stop its writing; any number of times. What is written is kept.

    Before the writing the whole price goes back. Once it has begun: with fewer than half of the planned scenes written
    the whole price goes back, and from half on the part is delivered as it stands.
    """

    def cancelled() -> OrderView:
        order = shop.cancel(order_id, caller.name)
        return order_view(order, prefix, shop.standing(order))

    return await room.ask(cancelled)
