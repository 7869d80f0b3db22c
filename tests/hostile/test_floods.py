"""A customer's browser that wants more than its share: pages, kernels, messages; and what is not meant for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from hub.channel import MOST_BYTES, TOO_MUCH, UNREADABLE
from tests.customer_server import (
    HERE,
    HOUSE,
    SOON_SECONDS,
    PersonsServer,
    browsing,
    channel,
    kernel_id_of,
    leave,
    open_page,
    places,
    refused,
    served,
    until,
)
from tests.hostile.attacks import answers
from tests.processes import environment_of
from tests.unit.hub.test_channel import message

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PersonsServer]:
    """The server of a customer whom the house sets no ceiling."""
    with served("ada", home=tmp_path_factory.mktemp("ada")) as (server,):
        yield server


@pytest.fixture
def browser(ada: PersonsServer) -> Iterator[httpx.Client]:
    """Her browser."""
    with browsing(ada) as client:
        yield client


@answers(
    "opens page after page of the dashboard, each with a kernel",
    "a person has two pages, and is told so; closed and vanished ones free their place",
    who="a customer's browser",
)
def test_the_third_page_of_a_person_says_so_and_offers_a_way_on(ada: PersonsServer, browser: httpx.Client) -> None:
    open_page(browser)
    open_page(browser)
    page = browser.get("?order=ord_1")
    assert refused(page) == HERE
    assert f'href="{ada.base}?order=ord_1">Try again' in page.text
    assert len(ada.kernels()) == 2


@answers(
    "fills the machine with kernels, with many accounts",
    "every kernel of the house has a locked file, and there are only so many; servers start only where one is free",
    who="a customer's browser",
)
def test_one_page_more_than_the_house_has_places_is_refused_in_words(tmp_path: Path) -> None:
    with (
        served("ada", "ben", home=tmp_path, slots=places(tmp_path, 3)) as (ada, ben),
        ada.browser() as hers,
        ben.browser() as his,
    ):
        first = open_page(hers)
        open_page(hers)
        open_page(his)
        page = his.get("")
        assert refused(page).startswith(HOUSE)
        assert "Your orders and scripts are safe" in page.text
        assert len(ada.kernels()) + len(ben.kernels()) == 3
        leave(hers, first)
        open_page(his)


@answers(
    "makes browsers fetch a page ahead, in a frame or by its head, so that kernels start unseen",
    "only a window that somebody opens starts a kernel",
    who="a customer's browser",
)
@pytest.mark.parametrize("headers", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_browser_that_guesses_starts_no_kernel(ada: PersonsServer, headers: dict[str, str]) -> None:
    with ada.browser() as client:
        until(lambda: len(ada.kernels()) == 1)
        before = [kernel.pid for kernel in ada.kernels()]
        assert client.get("", headers=headers).status_code == 503
        assert client.head("").status_code == 405
        assert client.get("", headers={"Sec-Fetch-Dest": "iframe"}).status_code == 403
        assert [kernel.pid for kernel in ada.kernels()] == before


def visit_key(ada: PersonsServer) -> str:
    """The secret that the kernels of this server know."""
    known = [environment_of(kernel) for kernel in ada.kernels()]
    return next(one["TNG_VISIT_KEY"] for one in known if "TNG_VISIT_KEY" in one)


def ask_for_the_address(ada: PersonsServer, kernel_id: str, **headers: str) -> int:
    address = f"{ada.url}voila/query/{quote(kernel_id)}".replace("http", "ws", 1)
    try:
        with connect(address, additional_headers=headers, proxy=None):
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


@answers(
    "asks the server, knowing a kernel's id, with which address its page was opened",
    "it tells the kernels of the server, on the machine itself and by a secret of theirs; nobody else",
    who="a customer's browser",
)
def test_the_address_of_a_page_is_told_to_its_kernel_alone(ada: PersonsServer, browser: httpx.Client) -> None:
    kernel_id = open_page(browser)
    until(lambda: len(ada.kernels()) == 2)
    key = f"Bearer {visit_key(ada)}"
    assert ask_for_the_address(ada, kernel_id) == 404
    assert ask_for_the_address(ada, kernel_id, Authorization="Bearer guessed") == 404
    assert ask_for_the_address(ada, kernel_id, Authorization="token ada-token") == 404
    assert ask_for_the_address(ada, kernel_id, Authorization=key, **{"X-Forwarded-For": "127.0.0.1"}) == 404
    assert ask_for_the_address(ada, kernel_id, Authorization=key) == 101


@answers(
    "enters the kernel that is kept warm before it has a page",
    "only the kernels of open pages have a channel",
    who="a customer's browser",
)
def test_the_kernel_that_is_kept_warm_is_nobodys_yet(ada: PersonsServer, browser: httpx.Client) -> None:
    until(lambda: len(ada.kernels()) == 1)
    spare = kernel_id_of(ada.kernels()[0])
    with pytest.raises(InvalidStatus) as refusal, channel(ada, spare):
        pass
    assert refusal.value.response.status_code == 404
    assert open_page(browser) == spare


def code_after(socket: ClientConnection, sent: list[bytes]) -> int:
    """With which code the server cuts a page that sends this."""
    try:
        for one in sent:
            socket.send(one)
        while True:
            socket.recv(timeout=SOON_SECONDS)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else 1006


@answers(
    "sends a message of many megabytes",
    "256 KiB are the most; more ends the connection, and nothing else",
    who="a customer's browser",
)
def test_a_message_that_is_too_large_ends_the_connection_and_not_the_server(
    ada: PersonsServer, browser: httpx.Client
) -> None:
    with channel(ada, open_page(browser)) as socket:
        assert code_after(socket, [b"x" * (MOST_BYTES + 1)]) in (1006, 1009)
    open_page(browser)


@answers(
    "floods the kernel's channel with messages",
    "a pace for each kernel, kept over connections; who exceeds it is cut off",
    who="a customer's browser",
)
def test_a_flood_of_messages_ends_the_connection_and_not_the_server(ada: PersonsServer, browser: httpx.Client) -> None:
    kernel_id = open_page(browser)
    before = psutil.Process(ada.process.pid).memory_info().rss
    flood = message("comm_msg")
    assert isinstance(flood, bytes)
    with channel(ada, kernel_id) as socket:
        assert code_after(socket, [flood] * 3000) == TOO_MUCH
    open_page(browser)
    assert psutil.Process(ada.process.pid).memory_info().rss - before < 50 * 2**20


@answers(
    "sends a message that claims to have 2^62 parts, to which the server would count",
    "such a message is none, and ends the connection",
    who="a customer's browser",
)
def test_a_number_of_parts_that_would_not_end_is_not_counted_to(ada: PersonsServer, browser: httpx.Client) -> None:
    with channel(ada, open_page(browser)) as socket:
        assert code_after(socket, [(2**62).to_bytes(8, "little") + b"x" * 64]) == UNREADABLE
    open_page(browser)


@answers(
    "posts a body of megabytes to the own server",
    "64 KiB are the most, and more is not read",
    who="a customer's browser",
)
def test_a_body_that_is_too_large_is_not_read(ada: PersonsServer, browser: httpx.Client) -> None:
    kernel_id = open_page(browser)
    with suppress(httpx.TransportError):  # the connection may be cut while the body is on its way
        assert browser.post(f"voila/api/shutdown/{kernel_id}", content=b"x" * 2**20).status_code in (400, 413)
    assert kernel_id in {kernel_id_of(kernel) for kernel in ada.kernels()}
