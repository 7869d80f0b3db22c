"""What a test and an operator need and a real account has no api for: cut the wire, mend it, send again, look."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.sandbox.stripe.account import Account
from hub.sandbox.stripe.api import authorise, refused, replied
from hub.sandbox.stripe.webhooks import Courier
from hub.sandbox.stripe.wire import Refusal, Thing

RESEND_SECONDS = 10.0


class Control:
    """The routes under ``/_sandbox``; the secret key opens them, and nothing else."""

    def __init__(self, account: Account, courier: Courier, key: str) -> None:
        self._account, self._courier, self._key = account, courier, key

    def routes(self) -> list[Route]:
        """Pause, resume, resend, deliveries."""
        return [
            self._route("POST", "/_sandbox/pause", self._pause),
            self._route("POST", "/_sandbox/resume", self._resume),
            self._route("POST", "/_sandbox/resend/{event_id}", self._resend),
            self._route("GET", "/_sandbox/deliveries", self._deliveries),
        ]

    def _route(self, method: str, path: str, act: Callable[[Request], Awaitable[Thing]]) -> Route:
        async def answer(request: Request) -> Response:
            try:
                authorise(request, self._key)
                return replied(request, 200, json.dumps(await act(request), indent=2))
            except Refusal as refusal:
                return refused(request, refusal)

        return Route(path, answer, methods=[method])

    async def _pause(self, _: Request) -> Thing:
        await self._courier.pause(True)
        return {"paused": True}

    async def _resume(self, _: Request) -> Thing:
        await self._courier.pause(False)
        return {"paused": False}

    async def _resend(self, request: Request) -> Thing:
        event_id = str(request.path_params["event_id"])
        with self._account.store.transaction():
            self._account.resend(event_id)
        await self._courier.first_attempt(event_id, RESEND_SECONDS)
        return {"deliveries": [each for each in self._log() if each["event"] == event_id]}

    async def _deliveries(self, _: Request) -> Thing:
        return {"paused": self._courier.paused, "deliveries": self._log()}

    def _log(self) -> list[Thing]:
        urls = {endpoint["id"]: endpoint["url"] for endpoint in self._account.endpoints()}
        return [
            {
                "event": row["event_id"],
                "type": row["type"],
                "url": urls.get(row["endpoint_id"]),
                "state": row["state"],
                "attempts": row["attempts"],
                "answer": row["answer"],
            }
            for row in self._account.store.deliveries()
        ]
