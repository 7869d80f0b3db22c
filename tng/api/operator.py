"""The operator's routes. To everybody else they do not exist: the same answer as any address that is none.

They show numbers and ids of everybody's orders, and no word of anybody's.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException

from tng.api.operator_door import TheOperator
from tng.api.operator_releases import release_routes
from tng.api.operator_retrainings import retraining_routes
from tng.lookout import Lookout
from tng.overview import Overview

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def operator_routes() -> APIRouter:
    """The house, its releases and its schedules. Nothing of this is in the documentation, which anybody may read."""
    router = APIRouter(prefix="/operator", include_in_schema=False)
    router.add_api_route("/overview", overview, methods=["GET"])
    router.include_router(release_routes())
    router.include_router(retraining_routes())
    for path in ("", "/{anything:path}"):  # without the first, a redirect to it would tell that there is something
        router.add_api_route(path, nothing, methods=METHODS)
    return router


def overview(_operator: TheOperator, request: Request) -> Overview:
    """The house at this moment."""
    lookout: Lookout = request.app.state.lookout
    return lookout.look_around()


async def nothing() -> None:
    """Whatever else is asked for here, and however: it is not there."""
    raise HTTPException(404)
