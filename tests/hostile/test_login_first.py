"""Login first: whoever walks through the house without an account starts nothing. Nor does a browser's guess."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.hostile.attacks import answers
from tests.open_house import OpenHouse, arrive, opened, server_path, sign_in, visitor
from tests.processes import words_of

pytestmark = pytest.mark.slow

ADA = "ada@example.com"
HERS = server_path(ADA)
PEOPLES = ("hub.voila_server", "hub.lab_server", "ipykernel_launcher")

ADDRESSES = [
    "/",
    "/robots.txt",
    "/favicon.ico",
    "/index.html",
    "/sitemap.xml",
    "/.well-known/security.txt",
    "/wp-login.php",
    "/hub",
    "/hub/",
    "/hub/login",
    "/hub/login?next=%2Fhub%2Fspawn",
    "/hub/home",
    "/hub/spawn",
    f"/hub/spawn/{HERS.split('/')[2]}",
    f"/hub/spawn-pending/{HERS.split('/')[2]}",
    "/hub/user-redirect/",
    "/hub/user-redirect/lab",
    "/hub/user-redirect/?order=ord_1",
    f"/hub{HERS}",
    "/hub/token",
    "/hub/admin",
    "/hub/logout",
    "/hub/oauth_login",
    "/hub/api",
    "/hub/api/user",
    "/hub/api/users",
    "/hub/api/users/1/server",
    "/hub/health",
    "/hub/metrics",
    "/hub/error/404",
    HERS,
    HERS.rstrip("/"),
    f"{HERS}lab",
    f"{HERS}bridge",
    f"{HERS}voila/static/voila.js",
    f"{HERS}api/kernels",
    f"{HERS}api/kernels/00000000-0000-0000-0000-000000000000/channels",
    "/user/nobody/",
    "/user/",
    "/services/",
    "/services/api/",
    "/services/api/offer",
    "/services/api/orders",
    "/services/api/docs",
    "/services/google/",
    "/services/stripe/",
    "/_chp_healthz",
]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A house in which nobody is: in one that is shared, the kernels of others come and go by themselves."""
    with opened(tmp_path_factory.mktemp("empty") / "var") as ready:
        yield ready


@pytest.fixture
def browser(house: OpenHouse) -> Iterator[httpx.Client]:
    """A browser in front of the door."""
    with visitor(house) as client:
        yield client


def started(house: OpenHouse) -> set[int]:
    """The processes that were started for people."""
    return {process.pid for process in house.belongings() if any(word in PEOPLES for word in words_of(process))}


@answers(
    "walks through every address of the house, so that servers and kernels start",
    "nothing is started for anybody who has not signed in, nor for a look ahead",
    who="a stranger",
)
def test_a_robot_that_walks_through_the_house_starts_nothing(house: OpenHouse) -> None:
    before = started(house)
    answered = 0
    for method, headers in (("GET", {}), ("HEAD", {}), ("GET", {"Sec-Purpose": "prefetch;prerender"})):
        for address in ADDRESSES:
            with visitor(house) as robot:
                answer = robot.request(method, address, headers=headers, follow_redirects=False)
            assert answer.status_code < 500, (method, address)
            answered += 1
    assert answered == 3 * len(ADDRESSES) > 100
    assert started(house) == before


def test_a_robot_that_follows_every_redirect_ends_at_the_front_door(house: OpenHouse, browser: httpx.Client) -> None:
    before = started(house)
    for address in ("/hub/user-redirect/?order=ord_1", "/hub/spawn", HERS):
        page = browser.get(address)
        assert page.url.path == "/hub/login"
        assert page.status_code == 200
    assert started(house) == before


def test_the_landing_page_has_no_kernel_and_needs_no_script(browser: httpx.Client) -> None:
    page = browser.get("/").text
    assert "kernelId" not in page
    assert 'id="sign-in"' in page


def test_robots_are_asked_to_stay_at_the_front(browser: httpx.Client) -> None:
    answer = browser.get("/robots.txt", follow_redirects=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "Disallow: /\n" in answer.text


def test_a_signed_in_browser_that_guesses_starts_no_server(house: OpenHouse) -> None:
    with visitor(house) as ola:
        sign_in(ola, "ola@example.com", to="/hub/home")
        before = started(house)
        for path in ("/hub/spawn", "/hub/user-redirect/"):
            assert ola.get(path, headers={"Sec-Purpose": "prefetch;prerender"}).status_code == 503
            assert ola.head(path).status_code == 405
        assert started(house) == before


def test_control_whoever_signs_in_starts_a_server_and_a_kernel(house: OpenHouse) -> None:
    with visitor(house) as ola:
        before = started(house)
        sign_in(ola, "ola@example.com")
        arrive(ola, "/hub/user-redirect/")
        assert len(started(house) - before) >= 2
