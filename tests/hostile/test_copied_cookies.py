"""Somebody with copies of all cookies of a browser: what they opened is closed at its sign-out, and nothing opens anew.

The people here are not Ada and Ben: those stay signed in for the other tests of this folder.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI
from websockets.sync.client import ClientConnection

from tests.hostile.attacks import answers
from tests.hostile.people import API, Person
from tests.hostile.tab import channels, cookies_for, socket_to, status_of, xsrf
from tests.open_house import OpenHouse, arrive, server_path, sign_in, visitor
from tests.processes import environment_of, words_of

THIEF = "a stranger"
OLA, PIA = "ola@example.com", "pia@example.com"
SOON_SECONDS = 10.0
PATIENCE_SECONDS = 20.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@contextmanager
def robbed(person: Person) -> Iterator[httpx.Client]:
    """A browser with the cookies of somebody else's."""
    with visitor(person.house) as thief:
        for cookie in person.client.cookies.jar:
            thief.cookies.jar.set_cookie(cookie)
        yield thief


@pytest.fixture
def ola(house: OpenHouse) -> Iterator[Person]:
    """Somebody at a dashboard."""
    person = Person.of(house, OLA)
    yield person
    person.client.close()


@pytest.fixture
def pia(house: OpenHouse) -> Iterator[httpx.Client]:
    """Somebody at a workbench."""
    with visitor(house) as client:
        sign_in(client, PIA)
        arrive(client, "/hub/user-redirect/")
        yield client


def until_closed(socket: ClientConnection) -> None:
    """Listen until the socket is closed."""
    with pytest.raises(ConnectionClosed):  # noqa: PT012 - whatever is said before
        while True:
            socket.recv(timeout=PATIENCE_SECONDS)


@answers(
    "goes on with copies of a customer's cookies after the customer has signed out",
    "a sign-out makes every cookie of the person worthless, and stops the dashboard with all that was open to it",
    who=THIEF,
)
def test_copied_cookies_are_worthless_after_the_sign_out(house: OpenHouse, ola: Person) -> None:
    path = channels(arrive(ola.client, "/hub/user-redirect/"))
    with robbed(ola) as thief, socket_to(house, path, cookies_for(thief, path)) as socket:
        assert thief.get("/hub/home").url.path == "/hub/home", "the control: before, they are good"
        assert thief.get(f"{API}/me").status_code == 200
        began = time.monotonic()
        assert ola.client.get("/hub/logout").url.path == "/hub/login"
        until_closed(socket)
        assert time.monotonic() - began < SOON_SECONDS
        assert thief.get("/hub/home").url.path == "/hub/login"
        assert thief.get(ola.base).url.path == "/hub/login"
        while thief.get(f"{API}/me", headers={"accept": "application/json"}).status_code != 401:
            assert time.monotonic() - began < SOON_SECONDS  # the api believes a cookie for a second
            time.sleep(0.1)
        with pytest.raises((InvalidStatus, InvalidURI)), socket_to(house, path, cookies_for(thief, path)):
            pass


@answers(
    "follows the live events of an order with copied cookies, and goes on after the sign-out",
    "the api asks the hub every two seconds about whoever follows",
    who=THIEF,
)
def test_live_events_end_with_the_sign_out(ola: Person) -> None:
    order = ola.place()
    begun, ended = Event(), Event()

    def follow() -> None:
        with robbed(ola) as thief, thief.stream("GET", f"{API}/orders/{order['id']}/events") as stream:
            for _line in stream.iter_lines():
                begun.set()
        ended.set()

    following = Thread(target=follow, daemon=True)
    following.start()
    assert begun.wait(PATIENCE_SECONDS), "the control: before, they are told"
    assert not ended.is_set()
    began = time.monotonic()
    ola.client.get("/hub/logout")
    assert ended.wait(PATIENCE_SECONDS)
    assert time.monotonic() - began < SOON_SECONDS


@answers(
    "keeps a workbench's sockets open, with copied cookies, after its owner has signed out",
    "the workbench goes on, and asks the hub every two seconds about whoever holds a socket; nothing opens anew",
    who=THIEF,
)
def test_nobody_stays_at_a_workbench_whose_owner_has_signed_out(house: OpenHouse, pia: httpx.Client) -> None:
    base = server_path(PIA)
    kernel = pia.post(f"{base}api/kernels", headers=xsrf(pia, base)).json()["id"]
    paths = f"{base}api/kernels/{kernel}/channels", f"{base}api/events/subscribe"
    cookies = [cookies_for(pia, path) for path in paths]
    with socket_to(house, paths[0], cookies[0]) as one, socket_to(house, paths[1], cookies[1]) as other:
        began = time.monotonic()
        pia.get("/hub/logout")
        until_closed(one)
        until_closed(other)
        assert time.monotonic() - began < SOON_SECONDS
    for path, cookie in zip(paths, cookies, strict=True):
        assert status_of(house, path, cookie) != 101
    answer = httpx.get(f"{house.url}{base}api/kernels", headers={"Cookie": cookies[0]})
    assert answer.status_code in (302, 401, 403)


@answers(
    "keeps the token of a dashboard's kernel, and uses it after the sign-out",
    "the token ends with the server that it was made for",
    who=THIEF,
)
def test_a_servers_token_ends_with_the_server(house: OpenHouse, ola: Person) -> None:
    arrive(ola.client, "/hub/user-redirect/")
    servers = [environment_of(p) for p in house.belongings() if "hub.voila_server" in words_of(p)]
    token = next(env["JUPYTERHUB_API_TOKEN"] for env in servers if env.get("JUPYTERHUB_USER") == ola.name)
    asking = {"Authorization": f"token {token}"}
    assert httpx.get(f"{house.url}/hub/api/user", headers=asking).status_code == 200, "the control: before, it is good"
    ola.client.get("/hub/logout")
    assert httpx.get(f"{house.url}/hub/api/user", headers=asking).status_code == 403
    until = time.monotonic() + PATIENCE_SECONDS
    while httpx.get(f"{house.url}{API}/me", headers=asking).status_code != 401:  # the api believes it for seconds
        assert time.monotonic() < until
        time.sleep(0.2)


@answers(
    "has a page of another site sign a visitor out",
    "a sign-out that another site asks for leads to the house, and signs nobody out",
    who=THIEF,
)
def test_another_site_signs_nobody_out(house: OpenHouse) -> None:
    with visitor(house) as browser:
        sign_in(browser, OLA, to="/hub/home")
        page = browser.get("/hub/logout", headers={"Sec-Fetch-Site": "cross-site"})
        assert page.url.path == "/hub/home"
        assert "Sign out" in page.text
