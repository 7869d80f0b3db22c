"""What a test and an operator need and a real account has no api for: cut the wire, mend it, send again, look."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.sandbox.stripe.account import Account
from hub.sandbox.stripe.api import Api, authorise, body_of, refused, replied
from hub.sandbox.stripe.faults import Faults
from hub.sandbox.stripe.webhooks import Courier
from hub.sandbox.stripe.wire import Refusal, Thing, invalid

RESEND_SECONDS = 10.0
MOST_COPIES = 100


class Control:
    """The routes under ``/_sandbox``; the secret key opens them, and nothing else."""

    def __init__(self, account: Account, courier: Courier, faults: Faults, api: Api, key: str) -> None:
        self._account, self._courier, self._faults, self._api, self._key = account, courier, faults, api, key

    def routes(self) -> list[Route]:
        """The wire (pause, hold, release, double, resend), the bank (clear), bad days (faults), and what to look at."""
        return [
            self._route("POST", "/_sandbox/pause", self._pause),
            self._route("POST", "/_sandbox/hold", self._pause),
            self._route("POST", "/_sandbox/resume", self._resume),
            self._route("POST", "/_sandbox/release", self._release),
            self._route("POST", "/_sandbox/double", self._double),
            self._route("POST", "/_sandbox/resend/{event_id}", self._resend),
            self._route("POST", "/_sandbox/clear/{thing_id}", self._clear),
            self._route("POST", "/_sandbox/faults", self._add_fault),
            self._route("DELETE", "/_sandbox/faults", self._mend),
            self._route("GET", "/_sandbox/deliveries", self._deliveries),
            self._route("GET", "/_sandbox/ledger", self._ledger),
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

    async def _release(self, request: Request) -> Thing:
        """Send what is held back, one after the other in the order of the list: ids, or types of events."""
        wanted = (await _read(request)).get("events", [])
        if not isinstance(wanted, list) or not all(isinstance(each, str) for each in wanted):
            raise invalid("events", "What is released is a list of ids and types of events.")
        return {"paused": self._courier.paused, "released": await self._courier.release(wanted)}

    async def _double(self, request: Request) -> Thing:
        """From now on every event is sent so many times at once; 1 is as usual."""
        times = (await _read(request)).get("times", 2)
        if not isinstance(times, int) or not 1 <= times <= MOST_COPIES:
            raise invalid("times", f"An event is sent from 1 to {MOST_COPIES} times.")
        self._courier.copies = times
        return {"times": times}

    async def _resend(self, request: Request) -> Thing:
        event_id = str(request.path_params["event_id"])
        with self._account.store.transaction():
            self._account.news.resend(event_id)
        await self._courier.first_attempt(event_id, RESEND_SECONDS)
        return {"deliveries": [each for each in self._log() if each["event"] == event_id]}

    async def _clear(self, request: Request) -> Thing:
        """The bank's word about a debit (a session's id) or a refund (its id): now, not later."""
        with self._account.store.transaction():
            thing = self._account.clear(str(request.path_params["thing_id"]))
        self._courier.wake()
        return {name: thing[name] for name in ("id", "object", "status")}

    async def _add_fault(self, request: Request) -> Thing:
        wish = await _read(request)
        self._faults.add(wish, self._api.calls)
        return wish

    async def _mend(self, _: Request) -> Thing:
        self._faults.clear()
        return {"faults": []}

    async def _ledger(self, _: Request) -> Thing:
        return {"payments": self._account.ledger()}

    async def _deliveries(self, _: Request) -> Thing:
        return {"paused": self._courier.paused, "deliveries": self._log()}

    def _log(self) -> list[Thing]:
        urls = {endpoint["id"]: endpoint["url"] for endpoint in self._account.news.endpoints()}
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


async def _read(request: Request) -> Thing:
    """A request's JSON object. Raises Refusal for anything else."""
    try:
        wish = json.loads(await body_of(request) or "{}")
    except ValueError:
        wish = None
    if not isinstance(wish, dict):
        raise Refusal(400, "The control surface reads a JSON object.")
    return wish
