"""The routes of an order: what there is to order, placing, reading, and the script as a file. Money is elsewhere.

Each call names its caller to the shop; a stranger's order is not found, and neither is one that does not exist.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Response

from tng.api.shared import REFUSALS, Answers, TheCaller, ThePrefix, TheSettings, TheShop, refuses
from tng.api.views import (
    CallerView,
    OfferView,
    OrdersView,
    OrderView,
    PremiseRequest,
    WholeOrderView,
    offer_view,
    order_view,
    whole_order_view,
)
from tng.errors import IllegalMove
from tng.export.fountain import render_fountain
from tng.export.text import render_text
from tng.orders import Order, OrderState
from tng.script import Premise, Script, parse
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
    """Offer, caller, orders and scripts."""
    router, known = APIRouter(tags=["orders"]), refuses(REFUSALS)
    router.add_api_route("/offer", offer, methods=["GET"])
    router.add_api_route("/me", me, methods=["GET"], responses=known)
    router.add_api_route("/orders", orders, methods=["GET"], responses=known)
    invalid = refuses(REFUSALS | {402: "Stripe said no", 422: "the premise cannot be used: which field, and why"})
    router.add_api_route("/orders", place, methods=["POST"], status_code=201, responses=invalid)
    router.add_api_route("/orders/{order_id}", order, methods=["GET"], responses=known)
    early = refuses(REFUSALS | {409: "the script is not delivered"})
    file: Answers = {200: {"content": {"text/plain": {}}, "description": "the script"}}
    for ending, read in (("txt", script_as_text), ("fountain", script_as_fountain)):
        router.add_api_route(
            f"/orders/{{order_id}}/script.{ending}",
            read,
            methods=["GET"],
            response_class=Response,
            responses=file | early,
        )
    return router


def offer(settings: TheSettings) -> OfferView:
    """What can be ordered, and for how much."""
    return offer_view(settings.price, demo=settings.mode is Mode.DEMO)


async def me(caller: TheCaller) -> CallerView:
    """Who is calling."""
    return CallerView(name=caller.name, csrf=caller.csrf)


def orders(caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> OrdersView:
    """The caller's orders, the newest first."""
    return OrdersView(orders=[order_view(order, prefix) for order in shop.orders(caller.name)])


def place(
    caller: TheCaller, shop: TheShop, prefix: ThePrefix, request_key: RequestKey, wish: PremiseRequest
) -> OrderView:
    """Order a script. The answer says where to pay; the price is the shop's of today."""
    placed = shop.place_order(caller.name, Premise.checked(wish.model_dump()), request_key)
    if placed.state is OrderState.PLACED:
        placed = shop.open_checkout(placed.id, caller.name)
    return order_view(placed, prefix)


def order(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> WholeOrderView:
    """One order, and its script once it is delivered."""
    return whole_order_view(shop.order(order_id, caller.name), prefix)


def script_as_text(order_id: str, caller: TheCaller, shop: TheShop) -> Response:
    """The script as plain text, laid out like the printed page."""
    owned, script = _delivered(shop.order(order_id, caller.name))
    return _attachment(render_text(script), owned.premise.title, "txt")


def script_as_fountain(order_id: str, caller: TheCaller, shop: TheShop) -> Response:
    """The script as Fountain."""
    owned, script = _delivered(shop.order(order_id, caller.name))
    return _attachment(render_fountain(script), owned.premise.title, "fountain")


def _delivered(owned: Order) -> tuple[Order, Script]:
    if owned.state is not OrderState.DELIVERED or owned.script_text is None:
        raise IllegalMove(
            f"order {owned.id} is {owned.state}: there is no script to download",
            user_message="The script can be downloaded once it is ready.",
        )
    return owned, parse(owned.script_text)


def _attachment(body: str, title: str, ending: str) -> Response:
    return Response(
        body,
        media_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": content_disposition(title, ending)},
    )


def content_disposition(title: str, ending: str) -> str:
    """An attachment's name by RFC 6266: plain ASCII for every browser, and UTF-8 for those that read it.

    The name has no path, no quote and no control character, whatever the title has, and at most 80 characters.
    """
    composed = unicodedata.normalize("NFC", title)
    kept = "".join(c if c.isalnum() or c in " -_" or unicodedata.category(c)[0] == "M" else " " for c in composed)
    name = " ".join(kept.split())[:80].strip() or "script"
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    bare = re.sub(r" +", " ", bare).strip() or "script"
    return f"attachment; filename=\"{bare}.{ending}\"; filename*=UTF-8''{quote(f'{name}.{ending}', safe='')}"
