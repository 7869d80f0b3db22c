"""The one page of the api's that asks nobody who they are: a script, by its link. It says nothing of its owner."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, Response

from tng.api.downloads import colophon_of
from tng.api.pages import Sheet, missing_page, shared_page, sheet_of
from tng.api.shared import Answers, TheSettings, TheShop, TheShow, refuses
from tng.errors import OrderNotFound
from tng.script import parse

Token = Annotated[str, Path(description="as it stands in the link")]


def shared_routes() -> APIRouter:
    """The page of a link."""
    router = APIRouter(tags=["library"])
    page: Answers = {
        200: {"content": {"text/html": {}}, "description": "the script, to be read"},
        404: {"content": {"text/html": {}}, "description": "this link leads nowhere, or nowhere any more"},
    }
    busy = page | refuses({503: "busy: try again"})
    router.add_api_route("/shared/{token}", shared, methods=["GET"], response_class=Response, responses=busy)
    return router


def shared(token: Token, shop: TheShop, show: TheShow, settings: TheSettings) -> HTMLResponse:
    """A script, for whoever has its link. Why a link leads nowhere is nobody's business but its owner's."""
    sheet, front_url = sheet_of(show.look), f"{settings.public}/"
    try:
        order, shelved = shop.shelving.shared(token)
    except OrderNotFound:
        missing = missing_page(show.product, sheet=sheet, front_url=front_url)
        return HTMLResponse(missing, 404, headers=page_headers(sheet))
    script = parse(str(shop.rework.text_of(order)))
    script = replace(script, title=shelved.title or script.title)
    page = shared_page(script, colophon_of(order, show), sheet=sheet, front_url=front_url)
    return HTMLResponse(page, headers=page_headers(sheet))


def page_headers(sheet: Sheet) -> dict[str, str]:
    """Of a page of the api's that a person reads: no script, in no index, and kept by nobody."""
    return {
        "Content-Security-Policy": sheet.policy,
        "X-Robots-Tag": "noindex, nofollow, noarchive",
        "Cache-Control": "no-store",
    }
