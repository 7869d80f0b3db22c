"""The line to the hub, over real sockets: an answer, and each way of having none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.stand_ins import free_port
from tng.api.hub_line import HubAnswer, HubLine
from tng.errors import ApiError

TOKEN = {"Authorization": "token a"}


@asynccontextmanager
async def hub_saying(answer: bytes, heard: list[bytes] | None = None) -> AsyncIterator[str]:
    """A server that says this to whatever it is asked, and hangs up; nothing said is silence."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.read(65536)
        if heard is not None:
            heard.append(asked)
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/user"


@pytest.fixture
async def line() -> AsyncIterator[HubLine]:
    ours = HubLine()
    yield ours
    await ours.close()


async def test_an_answer_is_brought_as_it_is(line: HubLine) -> None:
    heard: list[bytes] = []
    async with hub_saying(b'HTTP/1.1 403 No\r\nContent-Length: 8\r\n\r\n{"a": 1}', heard) as url:
        answer = await line.ask("POST", url, TOKEN, {"code": "a b"})
    assert (answer.status, answer.json()) == (403, {"a": 1})
    assert b"authorization: token a" in heard[0].lower()
    assert heard[0].endswith(b"code=a+b")


async def test_it_goes_where_it_was_sent_and_no_further(line: HubLine) -> None:
    async with hub_saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n") as url:
        assert (await line.ask("GET", url, TOKEN)).status == 302


async def test_a_cookie_of_one_person_is_not_sent_for_the_next(line: HubLine) -> None:
    heard: list[bytes] = []
    async with hub_saying(b"HTTP/1.1 200 OK\r\nSet-Cookie: who=ada\r\nContent-Length: 2\r\n\r\n{}", heard) as url:
        await line.ask("GET", url, TOKEN)
        await line.ask("GET", url, TOKEN)
    assert b"ada" not in heard[1]


async def test_silence_and_nobody_there_are_told_as_a_hub_that_is_away(line: HubLine) -> None:
    async with hub_saying(b"") as url:
        with pytest.raises(ApiError) as silent:
            await line.ask("GET", url, TOKEN)
    with pytest.raises(ApiError) as nobody:
        await line.ask("GET", f"http://127.0.0.1:{free_port()}/user", TOKEN)
    assert {silent.value.status, nobody.value.status} == {503}


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff"])
def test_what_is_no_object_is_told_as_a_hub_that_is_away(body: bytes) -> None:
    with pytest.raises(ApiError) as away:
        HubAnswer(200, body).json()
    assert away.value.status == 503
