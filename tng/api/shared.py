"""What the routes share: the caller, the shop, its show and the settings, as FastAPI dependencies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from tng.api.auth import Caller
from tng.api.views import Refusal
from tng.settings import Settings
from tng.shop import Shop
from tng.shows import Show

Answers = dict[int | str, dict[str, Any]]

REFUSALS = {
    401: "not signed in",
    403: "not allowed to use this service",
    404: "no such order of this caller",
    503: "busy, or a part is away: try again",
}


def refuses(reasons: Mapping[int, str]) -> Answers:
    """Refusals by status, as they are shown in the documentation."""
    return {status: {"model": Refusal, "description": reason} for status, reason in reasons.items()}


async def _caller(
    request: Request,
    _shown_in_the_documentation: Annotated[
        HTTPAuthorizationCredentials | None,
        Security(HTTPBearer(auto_error=False, description="the hub's token; a browser is signed in by cookie")),
    ],
) -> Caller:
    caller: Caller = await request.app.state.auth.caller(request)
    return caller


def _shop(request: Request) -> Shop:
    shop: Shop = request.app.state.shop
    return shop


def _show(request: Request) -> Show:
    show: Show = request.app.state.show
    return show


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _prefix(request: Request) -> str:
    return str(request.app.state.auth.door.prefix)


TheCaller = Annotated[Caller, Depends(_caller)]
TheShop = Annotated[Shop, Depends(_shop)]
TheShow = Annotated[Show, Depends(_show)]
TheSettings = Annotated[Settings, Depends(_settings)]
ThePrefix = Annotated[str, Depends(_prefix)]
