"""The routes of an order: what there is to order, placing, and reading. Money and files are elsewhere.

Each call names its caller to the shop; a stranger's order is not found, and neither is one that does not exist.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header

from tng.api.offer import OfferView, offer_view
from tng.api.shared import REFUSALS, TheCaller, ThePrefix, TheSettings, TheShop, TheShow, refuses
from tng.api.views import (
    CallerView,
    OrdersView,
    OrderView,
    PremiseRequest,
    WholeOrderView,
    order_view,
    whole_order_view,
)
from tng.orders import OrderState
from tng.script import Premise
from tng.settings import Mode

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


def order_routes() -> APIRouter:
    """Offer, caller and orders."""
    router, known = APIRouter(tags=["orders"]), refuses(REFUSALS)
    router.add_api_route("/offer", offer, methods=["GET"])
    router.add_api_route("/me", me, methods=["GET"], responses=known)
    router.add_api_route("/orders", orders, methods=["GET"], responses=known)
    invalid = refuses(REFUSALS | {402: "Stripe said no", 422: "the premise cannot be used: which field, and why"})
    router.add_api_route("/orders", place, methods=["POST"], status_code=201, responses=invalid)
    router.add_api_route("/orders/{order_id}", order, methods=["GET"], responses=known)
    return router


def offer(show: TheShow, shop: TheShop, settings: TheSettings) -> OfferView:
    """What can be ordered, and for how much."""
    return offer_view(show, shop.price, demo=settings.mode is Mode.DEMO)


async def me(caller: TheCaller) -> CallerView:
    """Who is calling."""
    return CallerView(name=caller.name, csrf=caller.csrf)


def orders(caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> OrdersView:
    """The caller's orders, the newest first."""
    return OrdersView(orders=[order_view(order, prefix) for order in shop.orders(caller.name)])


def place(
    caller: TheCaller, show: TheShow, shop: TheShop, prefix: ThePrefix, request_key: RequestKey, wish: PremiseRequest
) -> OrderView:
    """Order a script. The answer says where to pay; the price is the shop's of today."""
    placed = shop.place_order(caller.name, Premise.checked(wish.model_dump(), show.cues), request_key)
    if placed.state is OrderState.PLACED:
        placed = shop.open_checkout(placed.id, caller.name)
    return order_view(placed, prefix)


def order(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> WholeOrderView:
    """One order, and its script once it is delivered."""
    return whole_order_view(shop.order(order_id, caller.name), prefix)
