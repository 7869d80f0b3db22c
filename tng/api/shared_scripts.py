"""The one page of the api's that asks nobody who they are: a script, by its link. It says nothing of its owner."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from tng.api.downloads import colophon_of
from tng.api.pages import PAGE_CSP, missing_page, shared_page
from tng.api.shared import Answers, TheSettings, TheShop, TheShow, refuses
from tng.errors import OrderNotFound
from tng.script import parse

PAGE_HEADERS = {
    "Content-Security-Policy": PAGE_CSP,
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store",
}
"""Of a page of the api's that a person reads: no script, and in no index."""

Token = Annotated[str, Path(description="as it stands in the link", max_length=512)]


def shared_routes() -> APIRouter:
    """The page of a link."""
    router = APIRouter(tags=["library"])
    page: Answers = {
        200: {"content": {"text/html": {}}, "description": "the script, to be read"},
        404: {"content": {"text/html": {}}, "description": "this link leads nowhere, or nowhere any more"},
    }
    busy = page | refuses({503: "busy: try again"})
    router.add_api_route("/shared/{token}", shared, methods=["GET"], response_class=HTMLResponse, responses=busy)
    return router


def shared(token: Token, shop: TheShop, show: TheShow, settings: TheSettings) -> HTMLResponse:
    """A script, for whoever has its link. Why a link leads nowhere is nobody's business but its owner's."""
    front_url = f"{settings.public}/"
    try:
        order, shelved = shop.shelving.shared(token)
    except OrderNotFound:
        return HTMLResponse(missing_page(show.product, front_url=front_url), 404, headers=PAGE_HEADERS)
    script = parse(str(shop.rework.text_of(order)))
    script = replace(script, title=shelved.title or script.title)
    page = shared_page(script, colophon_of(order, show), front_url=front_url)
    return HTMLResponse(page, headers=PAGE_HEADERS)
