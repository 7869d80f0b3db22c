"""The routes of what a customer does with an order that they have: its name, the bin, its link, its receipt."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response

from tng.api.pages import receipt_page, sheet_of
from tng.api.shared import REFUSALS, Answers, TheCaller, ThePrefix, TheSettings, TheShop, TheShow, refuses
from tng.api.shared_scripts import page_headers
from tng.api.views import OrderView, ShareView, TitleRequest, order_view
from tng.money.receipts import receipt_of
from tng.orders import Order
from tng.settings import Mode
from tng.shop import Shop


def shelf_routes() -> APIRouter:
    """Name, bin, link and receipt of an order."""
    router, one = APIRouter(tags=["library"]), "/orders/{order_id}"
    named = refuses(REFUSALS | {409: "its words were erased", 422: "the title cannot be used, and why"})
    router.add_api_route(f"{one}/title", rename, methods=["POST"], responses=named)
    early = refuses(REFUSALS | {409: "it is under way: cancel it first"})
    router.add_api_route(f"{one}/bin", throw_away, methods=["POST"], responses=early)
    router.add_api_route(f"{one}/bin", have_back, methods=["DELETE"], responses=refuses(REFUSALS))
    unready = refuses(REFUSALS | {409: "there is no script that could be shared"})
    router.add_api_route(f"{one}/share", share, methods=["POST"], status_code=201, responses=unready)
    router.add_api_route(f"{one}/share", unshare, methods=["DELETE"], responses=refuses(REFUSALS))
    page: Answers = {200: {"content": {"text/html": {}}, "description": "the receipt, to be printed"}}
    # a page, or a refusal: FastAPI would call both by the type of one class
    unpaid = page | refuses(REFUSALS | {409: "it was never paid"})
    router.add_api_route(f"{one}/receipt", receipt, methods=["GET"], response_class=Response, responses=unpaid)
    return router


def rename(order_id: str, wish: TitleRequest, caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> OrderView:
    """Call an order something else: in lists, on the title page and in the names of files."""
    return _seen(shop, prefix, shop.shelving.rename(order_id, caller.name, wish.title))


def throw_away(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> OrderView:
    """Throw an order away. It can be had back for 30 days; then its words are erased."""
    return _seen(shop, prefix, shop.shelving.bin(order_id, caller.name))


def have_back(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> OrderView:
    """Have an order back that was thrown away."""
    return _seen(shop, prefix, shop.shelving.unbin(order_id, caller.name))


def share(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix, settings: TheSettings) -> ShareView:
    """A new link by which anybody can read the script. The link before it ends."""
    token = shop.shelving.share(order_id, caller.name)
    return ShareView(url=f"{settings.public}{prefix}/shared/{token}")


def unshare(order_id: str, caller: TheCaller, shop: TheShop, prefix: ThePrefix) -> OrderView:
    """End the link at once."""
    return _seen(shop, prefix, shop.shelving.unshare(order_id, caller.name))


def receipt(order_id: str, caller: TheCaller, shop: TheShop, show: TheShow, settings: TheSettings) -> HTMLResponse:
    """The receipt of an order that was paid."""
    order = shop.order(order_id, caller.name)
    title = shop.standing(order).shelved.title_of(order)
    is_play_money = settings.mode is Mode.DEMO
    told = receipt_of(order, title=title, product=show.product, is_play_money=is_play_money)
    sheet = sheet_of(show.look)
    page = receipt_page(told, sheet=sheet, front_url=f"{settings.public}/")
    return HTMLResponse(page, headers=page_headers(sheet))


def _seen(shop: Shop, prefix: str, order: Order) -> OrderView:
    return order_view(order, prefix, shop.standing(order))
