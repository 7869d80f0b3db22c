"""What every request passes on its way in and out: a limit of size, the security headers, and a last net.

Written as plain ASGI, because Starlette's middleware classes would buffer a stream of events.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tng.api.refusals import refusal
from tng.errors import TngError
from tng.headers import security_headers
from tng.log import kind_of, told

logger = logging.getLogger(__name__)

BODY_BYTES = 256 * 1024
"""The most that any request may carry; Stripe's events are far smaller."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What an answer for programs carries beside the headers of every answer of ours."""


class Shield:
    """Wraps the application. A route may set a header of its own; it is then left as it is."""

    def __init__(self, app: ASGIApp, *, public_url: str = "") -> None:
        self.app = app
        self.headers = security_headers(public_url) | HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        answer = _Answer(send, self.headers)
        try:
            if _too_large(scope):
                await refusal("HttpError", "The request is too large.", 413)(scope, receive, answer.send)
            else:
                await self.app(scope, _limited(receive), answer.send)
        except ClientDisconnect:
            logger.info("a caller left before the end of the request")
        except Exception as error:  # noqa: BLE001 - the last net: recorded without its words, and answered
            kind = kind_of(error)
            logger.error("unexpected %s\n%s", kind, where(error), extra=told(fault=kind))
            if answer.started:
                raise ConnectionAbortedError("the answer broke off") from None
            await refusal("TngError", TngError.user_message, 500)(scope, receive, answer.send)


class _Answer:
    """Adds the headers to an answer, and remembers whether it has begun."""

    def __init__(self, send: Send, headers: Mapping[str, str]) -> None:
        self._send, self._headers = send, headers
        self.started = False

    async def send(self, message: Message) -> None:
        """Pass a message on, the headers added to the first."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


def where(error: BaseException) -> str:
    """The places an error passed, without its message: that may hold a premise or an address."""
    return "".join(traceback.format_tb(error.__traceback__))


def _too_large(scope: Scope) -> bool:
    length = Headers(scope=scope).get("content-length", "0")
    return not length.isdigit() or int(length) > BODY_BYTES


def _limited(receive: Receive) -> Receive:
    """Count what arrives: a body sent in chunks says no length beforehand."""
    arrived = 0

    async def counting() -> Message:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > BODY_BYTES:
            raise HTTPException(413)
        return message

    return counting
