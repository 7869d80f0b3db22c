"""The application: routes under the hub's prefix, a shield, and loops. It builds no shop and reads no environment."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, RedirectResponse

from tng.api.auth import HubAuth
from tng.api.background import repeating
from tng.api.documentation import documentation_page
from tng.api.downloads import download_routes
from tng.api.events import event_routes
from tng.api.followers import LOOK_SECONDS, Followers
from tng.api.metrics import Measured, Metrics, metrics_routes
from tng.api.operator import operator_routes
from tng.api.orders import order_routes
from tng.api.payments import payment_routes
from tng.api.refusals import install_refusals
from tng.api.rework import rework_routes
from tng.api.shared import TheCaller, ThePrefix, TheSettings
from tng.api.shared_scripts import shared_routes
from tng.api.shelf import shelf_routes
from tng.api.shield import Shield
from tng.api.stripe_room import StripeRoom
from tng.api.views import HealthView
from tng.bell import Bell
from tng.log import FaultCounter
from tng.lookout import REPORT_SECONDS, Lookout, hand_over
from tng.operations import Operations
from tng.settings import Settings
from tng.shop import Shop
from tng.shows import Show

ERRAND_SECONDS = 1.0
INBOX_SECONDS = 0.5
REPORTS_AT_ONCE = 50
ERRANDS_AT_ONCE = 20

ROBOTS = "User-agent: *\nAllow: /$\nAllow: /hub/login$\nDisallow: /\n"
"""For the whole house, at its root: the front may be found, and nothing behind it is anybody's to walk through."""


def make_api(
    shop: Shop,
    show: Show,
    auth: HubAuth,
    settings: Settings,
    *,
    lookout: Lookout,
    operations: Operations,
    faults: FaultCounter | None = None,
    bells: Mapping[str, Bell] | None = None,
) -> FastAPI:
    """The service for this shop and its show. Its loops run while the application does.

    ``lookout`` is what an operator sees of the house, and ``operations`` what they see of releases and retrainings,
    and do about them; what ``faults`` has counted is handed to the lookout every few seconds. ``bells`` wake the loops
    of their names: "inbox" and "errands"; and "events" the streams.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        loops: dict[str, tuple[Callable[[], object], float]] = {
            "reconcile": (shop.reconcile, settings.reconcile_seconds),
            "inbox": (lambda: shop.run_inbox(REPORTS_AT_ONCE), INBOX_SECONDS),
            "errands": (lambda: shop.run_errands(ERRANDS_AT_ONCE), ERRAND_SECONDS),
        }
        if "events" in wakes:
            loops["events"] = (followers.look, LOOK_SECONDS)
        if faults is not None:
            loops["faults"] = (partial(hand_over, faults, lookout), REPORT_SECONDS)
        async with repeating(loops, wakes):
            yield
        await auth.close()

    prefix, wakes = auth.door.prefix, bells or {}
    followers = Followers(shop.marks, woken="events" in wakes)
    app = FastAPI(
        title=show.product,
        description=f"Order a teleplay of {show.title}, pay for it, watch it being written, take it along.",
        openapi_url=f"{prefix}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.shop, app.state.show, app.state.auth, app.state.settings = shop, show, auth, settings
    streams, app.state.followers = Counter[str](), followers
    app.state.streams = streams
    app.state.lookout, app.state.operations = lookout, operations
    app.state.stripe_room = StripeRoom()
    app.state.metrics = Metrics(lookout, operations, streams.total)
    app.add_middleware(Shield, public_url=settings.public)
    app.add_middleware(Measured, metrics=app.state.metrics, prefix=prefix)
    install_refusals(app)
    shop_routes = (door_routes(), order_routes(), download_routes(), event_routes(), payment_routes())
    kept_routes = (shelf_routes(), shared_routes(), rework_routes())
    for routes in (*shop_routes, *kept_routes, metrics_routes(), operator_routes()):
        app.include_router(routes, prefix=prefix)
    app.add_api_route("/robots.txt", robots, methods=["GET"], response_class=PlainTextResponse, include_in_schema=False)
    return app


def door_routes() -> APIRouter:
    """The front door, health, the sign-in's way back, and the documentation."""
    router = APIRouter(tags=["service"])
    router.add_api_route("/", home, methods=["GET"], response_class=RedirectResponse, include_in_schema=False)
    router.add_api_route("/health", health, methods=["GET"])
    router.add_api_route("/oauth_callback", oauth_callback, methods=["GET"], include_in_schema=False)
    router.add_api_route("/open", sign_in, methods=["GET"], include_in_schema=False)
    router.add_api_route("/docs", docs, methods=["GET"], response_class=HTMLResponse, include_in_schema=False)
    return router


async def home(settings: TheSettings) -> RedirectResponse:
    """There is nothing to see here: to the house."""
    return RedirectResponse(f"{settings.public}/hub/", 302)


async def health() -> HealthView:
    """Whether the service is up."""
    return HealthView()


async def oauth_callback(
    request: Request,
    code: Annotated[str, Query(max_length=512)] = "",
    state: Annotated[str, Query(max_length=64)] = "",
) -> RedirectResponse:
    """Where the hub sends a browser after sign-in."""
    auth: HubAuth = request.app.state.auth
    return await auth.finish_login(request, code, state)


async def sign_in(
    _caller: TheCaller, request: Request, to: Annotated[str, Query(max_length=512)] = ""
) -> RedirectResponse:
    """Sign a browser in on its way to a page of this service, whether there is one or not."""
    auth: HubAuth = request.app.state.auth
    return RedirectResponse(auth.own_path(to), 302)


async def robots() -> PlainTextResponse:
    """What is asked of robots. One that does not care finds doors that ask it to sign in, and starts nothing."""
    return PlainTextResponse(ROBOTS, headers={"Cache-Control": "max-age=86400"})


async def docs(request: Request, prefix: ThePrefix) -> HTMLResponse:
    """The operations of the api, for people."""
    return documentation_page(request.app, f"{prefix}/openapi.json")
