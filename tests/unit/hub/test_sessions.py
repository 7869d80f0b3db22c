"""A server of a person's lets in who is signed in, and closes the websockets of those who are not any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from jupyterhub.services.auth import HubOAuth
from jupyterhub.singleuser.extension import JupyterHubIdentityProvider
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect

from hub.sessions import BELIEVED_SECONDS, SessionIdentity

SCOPE = "access:servers!server=7/"
SESSION = "session-1"
PATIENCE_SECONDS = 5.0


class ToldAuth(HubOAuth):  # type: ignore[misc]
    """JupyterHub's own client, to which the hub is a dict: who holds which token."""

    people: dict[str, dict[str, Any]]
    asked: asyncio.Event
    away: bool

    async def _api_request(self, method: str, url: str, /, **request: Any) -> dict[str, Any] | None:
        self.asked.set()
        if self.away:
            raise HTTPError(502, "the hub does not answer")
        return self.people.get(request["headers"]["Authorization"].removeprefix("token "))


class Page(RequestHandler):
    """What only the owner may see."""

    async def prepare(self) -> None:
        if await self.settings["identity"].get_user(self) is None:
            raise HTTPError(403)

    def get(self) -> None:
        self.write("hers")


class Socket(WebSocketHandler):
    """A channel that says back what it hears, and remembers it."""

    heard: list[str] = []  # noqa: RUF012 - one server a test

    async def prepare(self) -> None:
        if await self.settings["identity"].get_user(self) is None:
            raise HTTPError(403)

    def on_message(self, message: str | bytes) -> None:
        self.heard.append(str(message))
        self.write_message(message)


class Server:
    """A server with one page and one channel, behind an identity provider of the hub."""

    def __init__(self, kind: type[JupyterHubIdentityProvider]) -> None:
        self.hub = ToldAuth(api_token="t", oauth_client_id="c", access_scopes={SCOPE}, cache_max_age=BELIEVED_SECONDS)
        self.hub.people, self.hub.asked, self.hub.away = {}, asyncio.Event(), False
        self.identity = kind(hub_auth=self.hub)
        if isinstance(self.identity, SessionIdentity):
            self.identity.watch_seconds = 0.05
        routes = [("/", Page), ("/channel", Socket)]
        self._http = HTTPServer(Application(routes, identity=self.identity))
        socket, self.port = bind_unused_port()
        self._http.add_socket(socket)
        Socket.heard = []

    def admit(self, token: str, *, session: str | None = SESSION, scopes: tuple[str, ...] = (SCOPE,)) -> None:
        self.hub.people[token] = {"kind": "user", "name": "7", "scopes": list(scopes), "session_id": session}

    def sign_out(self, token: str) -> None:
        del self.hub.people[token]

    async def status(self, token: str, session: str = SESSION) -> int:
        answer = await AsyncHTTPClient().fetch(self._request("http", "/", token, session), raise_error=False)
        return answer.code

    async def channel(self, token: str, session: str = SESSION) -> WebSocketClientConnection:
        return await websocket_connect(self._request("ws", "/channel", token, session))

    async def close(self) -> None:
        self._http.stop()
        await self._http.close_all_connections()

    def _request(self, scheme: str, path: str, token: str, session: str) -> HTTPRequest:
        headers = {"Authorization": f"token {token}", "Cookie": f"jupyterhub-session-id={session}"}
        return HTTPRequest(f"{scheme}://127.0.0.1:{self.port}{path}", headers=headers)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = Server(SessionIdentity)
    one.admit("hers")
    yield one
    await one.close()


@pytest.fixture
async def stock() -> AsyncIterator[Server]:
    """The same behind JupyterHub's own provider."""
    one = Server(JupyterHubIdentityProvider)
    one.admit("hers")
    yield one
    await one.close()


async def closed(channel: WebSocketClientConnection) -> bool:
    """Whether a channel is closed before our patience ends."""
    try:
        return await asyncio.wait_for(channel.read_message(), PATIENCE_SECONDS) is None
    except TimeoutError:
        return False


async def test_whoever_signs_out_loses_every_open_channel(server: Server) -> None:
    channels = [await server.channel("hers"), await server.channel("hers")]
    server.sign_out("hers")
    assert [await closed(channel) for channel in channels] == [True, True]


async def test_behind_the_hubs_own_provider_a_channel_would_stay_open(
    stock: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.unit.hub.test_sessions.PATIENCE_SECONDS", 1.0)
    channel = await stock.channel("hers")
    stock.sign_out("hers")
    assert not await closed(channel)


async def test_a_browser_that_ignores_the_closing_is_not_heard_any_more(server: Server) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(
        b"GET /channel HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Authorization: token hers\r\nCookie: jupyterhub-session-id=session-1\r\n\r\n"
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    writer.write(text_frame(b"before"))
    assert await reader.readexactly(8) == b"\x81\x06before"
    server.sign_out("hers")
    await reader.readexactly(2)  # it is being closed; whoever means ill goes on, as if nothing had been said
    writer.write(text_frame(b"after"))
    with suppress(ConnectionError):
        await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
    writer.close()
    assert Socket.heard == ["before"]


def text_frame(text: bytes) -> bytes:
    """A frame as browsers send it, masked with nothing."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text


async def test_others_keep_their_channel(server: Server) -> None:
    server.admit("another", session="session-2")
    hers, another = await server.channel("hers"), await server.channel("another", "session-2")
    server.sign_out("hers")
    assert await closed(hers)
    await another.write_message("still here")
    assert await another.read_message() == "still here"


async def test_a_hub_that_is_away_has_signed_nobody_out(server: Server) -> None:
    channel = await server.channel("hers")
    server.hub.away = True
    for _ in range(3):
        server.hub.asked.clear()
        await server.hub.asked.wait()
    await channel.write_message("still here")
    assert await channel.read_message() == "still here"
    server.hub.away = False
    server.sign_out("hers")
    assert await closed(channel)


async def test_where_asking_is_broken_nobody_stays(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = await server.channel("hers")

    def broken(self: HubOAuth, *_: Any, **__: Any) -> bool:
        raise ValueError("an answer that cannot be read")

    monkeypatch.setattr(ToldAuth, "user_for_token", broken)
    assert await closed(channel)
    watching = server.identity._watching
    assert watching is not None
    assert isinstance(watching.exception(), ValueError), "and it is said"


async def test_whoever_may_not_enter_any_more_loses_the_channel(server: Server) -> None:
    channel = await server.channel("hers")
    server.admit("hers", scopes=())
    assert await closed(channel)


async def test_the_hub_is_not_asked_once_the_last_channel_is_closed(server: Server) -> None:
    channel = await server.channel("hers")
    channel.close()
    assert server.identity._watching is not None
    await asyncio.wait_for(server.identity._watching, PATIENCE_SECONDS)
    again = await server.channel("hers")
    server.sign_out("hers")
    assert await closed(again), "and it is asked again for the next"


@pytest.mark.parametrize("session", ["", "session-2"], ids=["none", "another"])
async def test_a_token_without_its_session_opens_nothing(server: Server, stock: Server, session: str) -> None:
    assert await server.status("hers") == 200
    assert await server.status("hers", session) == 403
    assert await stock.status("hers", session) == 200, "the hub's own provider would let it in"


async def test_a_servers_own_token_belongs_to_no_session(server: Server) -> None:
    server.admit("the-kernels", session=None)
    assert await server.status("the-kernels", "") == 200


async def test_a_token_is_believed_for_a_second_and_no_longer(server: Server) -> None:
    assert await server.status("hers") == 200
    server.sign_out("hers")
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE_SECONDS
    while await server.status("hers") == 200:
        assert loop.time() < until
        await asyncio.sleep(0.05)
    assert HubOAuth(api_token="t", oauth_client_id="c").cache_max_age == 300, "the hub's own client: five minutes"
    assert SessionIdentity(parent=None).hub_auth.cache_max_age == BELIEVED_SECONDS
