"""Every answer of a house carries the security headers, whoever gives it, and its pages work under their policies."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import ConsoleMessage

from hub.headers import hub_headers, security_headers
from tests import browser as screen
from tests.open_house import OpenHouse, arrive, server_path, sign_in, visitor

pytestmark = pytest.mark.slow

BROKEN = "Content Security Policy"
"""What every complaint of Chromium's about a broken policy says."""

ADA, PIA = "ada@example.com", "pia@example.com"

STRANGER = [
    "/",
    "/nothing",
    "/favicon.ico",
    "/robots.txt",
    "/hub/",
    "/hub/login",
    "/hub/logo",
    "/hub/health",
    "/hub/metrics",
    "/hub/nothing",
    "/hub/oauth_login",
    "/hub/oauth_callback",
    "/hub/logout",
    "/hub/home",
    "/hub/spawn",
    "/hub/token",
    "/hub/error/404",
    "/hub/static/css/style.min.css",
    "/hub/static/nothing.css",
    "/hub/api/",
    "/hub/api/users",
    "/hub/api/nothing",
    "/user/nobody/",
    "/services/nothing/",
    "/services/api/",
    "/services/api/health",
    "/services/api/offer",
    "/services/api/docs",
    "/services/api/orders",
    "/services/api/nothing",
    "/services/google/",
    "/services/google/authorize",
    "/services/google/nothing",
    "/services/stripe/",
    "/services/stripe/c/page.css",
    "/services/stripe/nothing",
]
CUSTOMER = ["", "nothing", "voila/static/voila.js", "voila/static/nothing", "voila/files/nothing", "api/kernels"]
POWER_USER = ["", "lab", "lab/api/settings", "api/contents", "files/nothing", "static/favicon.ico", "static/nothing.js"]


@pytest.fixture(scope="module")
def ada(house: OpenHouse) -> Iterator[httpx.Client]:
    """A customer whose dashboard is open."""
    with visitor(house) as client:
        sign_in(client, ADA)
        arrive(client, "/hub/user-redirect/")
        yield client


@pytest.fixture(scope="module")
def pia(house: OpenHouse) -> Iterator[httpx.Client]:
    """A power user whose workbench is open."""
    with visitor(house) as client:
        sign_in(client, PIA)
        arrive(client, "/hub/user-redirect/lab")
        yield client


def _missing(answer: httpx.Response) -> list[str]:
    wanted = [*security_headers("http://"), "Content-Security-Policy"]
    return [name for name in wanted if name not in answer.headers]


@pytest.mark.parametrize("path", STRANGER)
def test_an_answer_to_a_stranger_has_them(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path, follow_redirects=False)
    assert not _missing(answer), (answer.status_code, answer.headers)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers  # plain http, on this machine


@pytest.mark.parametrize("path", [*(server_path(ADA) + path for path in CUSTOMER), "/hub/home", "/hub/token"])
def test_an_answer_to_a_customer_has_them(ada: httpx.Client, path: str) -> None:
    answer = ada.get(path, follow_redirects=False)
    assert not _missing(answer), (answer.status_code, answer.headers)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", POWER_USER)
def test_an_answer_to_a_power_user_has_them_and_stands_in_its_own_frames_only(pia: httpx.Client, path: str) -> None:
    answer = pia.get(server_path(PIA) + path, follow_redirects=False)
    assert not _missing(answer), (answer.status_code, answer.headers)
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]


def test_the_pages_of_the_hub_load_nothing_from_elsewhere(browser: httpx.Client) -> None:
    policy = browser.get("/hub/login").headers["Content-Security-Policy"]
    assert policy == hub_headers("http://")["Content-Security-Policy"]
    assert "http:" not in policy
    assert "https:" not in policy


@pytest.mark.skipif(screen.chromium() is None, reason=screen.WHY_SKIPPED)
def test_no_page_on_the_way_of_a_customer_or_power_user_breaks_its_own_policy(house: OpenHouse) -> None:
    with screen.browser() as launched:
        una = screen.Visitor(launched, house)
        said: list[str] = []
        _listen(una, said)
        una.come_in()
        una.choose("una@example.com")
        una.page.get_by_text("has not verified").wait_for()
        una.close()
        ben = screen.Visitor(launched, house)
        _listen(ben, said)
        ben.sign_in("ben@example.com")
        ben.compose("The Open Door")
        ben.order()
        for path in ("/hub/home", "/hub/token", "/hub/nothing", "/services/api/docs"):
            ben.page.goto(house.url + path)
        ben.close()
        pia = screen.Visitor(launched, house)
        _listen(pia, said)
        pia.come_in()
        pia.choose(PIA)
        pia.page.goto(f"{house.url}/hub/spawn?opt-door=workbench")
        pia.page.goto(f"{house.url}/hub/user-redirect/lab")
        pia.page.wait_for_selector("#jp-main-dock-panel")
        pia.close()
    assert not said


@pytest.mark.skipif(screen.chromium() is None, reason=screen.WHY_SKIPPED)
def test_a_page_that_breaks_its_policy_would_be_seen(house: OpenHouse) -> None:
    with screen.browser() as launched:
        ada = screen.Visitor(launched, house)
        said: list[str] = []
        _listen(ada, said)
        ada.page.goto(f"{house.url}/hub/login")
        with ada.page.expect_console_message(lambda message: BROKEN in message.text):
            ada.page.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://192.0.2.1/'}))")
        ada.close()
    assert said


def _listen(visitor: screen.Visitor, said: list[str]) -> None:
    """Note in ``said`` what the browser says of broken policies."""

    def note(message: ConsoleMessage) -> None:
        if BROKEN in message.text:
            said.append(message.text)

    visitor.context.on("console", note)
