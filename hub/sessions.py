"""The hub's sign-in at a person's server, bound to the session in which it was given: what a sign-out ends, is ended.

JupyterHub believes a browser's token for five minutes after it was last asked about, with whatever session cookie comes
along, and never asks again about a websocket that is open. Here a token is believed for a second, together with the
session cookie it belongs to, and whoever holds a websocket is asked about for as long as it is open.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any
from weakref import WeakKeyDictionary

from jupyterhub.services.auth import HubOAuth
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider, JupyterHubUser
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler
from traitlets import Float, default

logger = logging.getLogger(__name__)

BELIEVED_SECONDS = 1
"""How long an answer of the hub about a token is good."""

SIGNED_OUT = 4401
"""The code with which a websocket is closed whose owner has signed out."""

Key = tuple[str, str]
"""A token and the session cookie that came with it."""


class SessionIdentity(JupyterHubIdentityProvider):  # type: ignore[misc]
    """Lets the owner of the server in, for as long as they are signed in."""

    watch_seconds = Float(2.0, config=True, help="how often the hub is asked about whoever holds a websocket")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._open: WeakKeyDictionary[WebSocketHandler, Key] = WeakKeyDictionary()
        self._watching: asyncio.Task[None] | None = None

    @default("hub_auth")
    def _hub_that_is_asked_often(self) -> HubOAuth:
        return HubOAuth(parent=self, cache_max_age=BELIEVED_SECONDS)

    async def get_user(self, handler: Any) -> JupyterHubUser | None:
        """Whoever is asking, if the hub says that they may enter, and if token and session belong together."""
        user = await super().get_user(handler)
        if user is None:
            return None
        session = self.hub_auth.get_session_id(handler)
        if not in_session(user.hub_user, session):
            handler._jupyterhub_user = None  # where the hub's own provider keeps it for the same request
            return None
        if isinstance(handler, WebSocketHandler):
            self._watch(handler, (self.hub_auth.get_token(handler), session))
        return user

    def _watch(self, handler: WebSocketHandler, key: Key) -> None:
        self._open[handler] = key
        if self._watching is None or self._watching.done():
            self._watching = asyncio.ensure_future(self._keep_asking())

    async def _keep_asking(self) -> None:
        """Ask about all who hold a websocket, and close theirs where the answer is no. Ends with the last of them.

        Where asking itself is broken, all are closed: nobody stays because nobody looks.
        """
        try:
            while self._open:
                await asyncio.sleep(self.watch_seconds)
                await self._ask_once()
        except Exception:
            for key in set(self._open.values()):
                self._close(key)
            raise

    async def _ask_once(self) -> None:
        for handler in [handler for handler in self._open if is_over(handler)]:
            del self._open[handler]
        for key in set(self._open.values()):
            if not await self._is_signed_in(key):
                self._close(key)

    async def _is_signed_in(self, key: Key) -> bool:
        """What the hub says now. A hub that does not answer has signed nobody out: its sign-out needs it, too."""
        token, session = key
        try:
            person = await self.hub_auth.user_for_token(token, use_cache=False, session_id=session, sync=False)
        except HTTPError:
            logger.warning("the hub did not say whether somebody is still signed in")
            return True
        allowed = person and self.hub_auth.check_scopes(self.hub_auth.access_scopes, person)
        return bool(allowed) and in_session(person, session)

    def _close(self, key: Key) -> None:
        self.hub_auth.cache.clear()
        for handler in [handler for handler, theirs in self._open.items() if theirs == key]:
            cut(handler)


def in_session(person: dict[str, Any], session: str) -> bool:
    """Whether a token that a browser was given comes with its session; a server's own token belongs to none."""
    return person.get("session_id") in (None, session)


def is_over(handler: WebSocketHandler) -> bool:
    """Whether a websocket was closed, or refused. One about to open has no connection either, but status 200."""
    return handler.ws_connection is None and handler.get_status() != HTTPStatus.OK


def cut(handler: WebSocketHandler) -> None:
    """Close a websocket without waiting for the other side, which could go on sending while it is waited for."""
    connection = handler.ws_connection
    if connection is not None:
        handler.close(SIGNED_OUT, "signed out")
        if connection.stream is not None:
            connection.stream.close()
