"""The operator's routes. To everybody else they do not exist: the same answer as any address that is none.

They show numbers and ids of everybody's orders, and no word of anybody's.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.exceptions import HTTPException

from tng.api.auth import Caller
from tng.errors import ApiError
from tng.lookout import Lookout
from tng.overview import OPERATORS, Overview

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def operator_routes() -> APIRouter:
    """The overview. Nothing of this is in the documentation, which anybody may read."""
    router = APIRouter(prefix="/operator", include_in_schema=False)
    router.add_api_route("/overview", overview, methods=["GET"])
    router.add_api_route("/{anything:path}", nothing, methods=METHODS)
    return router


async def the_operator(request: Request) -> Caller:
    """The operator who calls. Raises HTTPException 404 for anybody else; ApiError 503 where the hub is away."""
    try:
        caller: Caller = await request.app.state.auth.caller(request)
    except ApiError as error:
        if error.status == 503:
            raise
        raise HTTPException(404) from None
    if OPERATORS not in caller.groups:
        raise HTTPException(404)
    return caller


TheOperator = Annotated[Caller, Depends(the_operator)]


def overview(_operator: TheOperator, request: Request) -> Overview:
    """The house at this moment."""
    lookout: Lookout = request.app.state.lookout
    return lookout.look_around()


async def nothing() -> None:
    """Whatever else is asked for here, and however: it is not there."""
    raise HTTPException(404)
