"""The api believes the hub about who is calling, and nobody else."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import Request

from tests.unit.tng.api_support import ADA, BEN, PREFIX, SCOPE, WISH, House, make_house, visiting
from tng.api.auth import HubDoor
from tng.errors import SettingsError

PAGE = {"Accept": "text/html", "Sec-Fetch-Dest": "document"}
SESSION = "session-1"


@pytest.fixture
def house() -> House:
    return make_house()


async def sign_in(house: House, browser: httpx.AsyncClient, path: str = "/me", name: str = ADA) -> httpx.Response:
    """What a browser does: opens a page, is sent to the hub, comes back with a code, and is sent on."""
    browser.cookies.set("jupyterhub-session-id", SESSION)
    sent = await browser.get(path, headers=PAGE)
    assert sent.status_code == 302
    query = parse_qs(urlsplit(sent.headers["location"]).query)
    house.hub.codes["code-1"] = house.hub.admit(name, "browser-token", session=SESSION)
    return await browser.get("/oauth_callback", params={"code": "code-1", "state": query["state"][0]})


@pytest.mark.parametrize(
    ("header", "status"),
    [
        pytest.param("Bearer ada-token", 200, id="a kernel's token"),
        pytest.param("token ada-token", 200, id="the hub's own word"),
        pytest.param("Bearer nobody", 401, id="a token nobody has"),
        pytest.param("Bearer", 401, id="no token"),
        pytest.param("Basic ada-token", 401, id="another kind"),
        pytest.param("Bearer a b", 401, id="two tokens"),
        pytest.param("Bearer " + "x" * 600, 401, id="a long token"),
        pytest.param("", 401, id="nothing"),
    ],
)
async def test_a_token_is_the_hubs_or_nobodys(house: House, header: str, status: int) -> None:
    async with visiting(house, None) as client:
        answer = await client.get("/me", headers={"Authorization": header})
    assert answer.status_code == status
    if status == 200:
        assert answer.json() == {"name": ADA, "csrf": None}


@pytest.mark.parametrize(
    ("scopes", "status"),
    [
        pytest.param((SCOPE,), 200, id="this service"),
        pytest.param(("access:services",), 200, id="every service"),
        pytest.param(("access:services!service=other",), 403, id="another service"),
        pytest.param(("access:servers!user",), 403, id="servers only"),
        pytest.param((), 403, id="none"),
    ],
)
async def test_a_token_needs_the_scope_of_this_service(house: House, scopes: tuple[str, ...], status: int) -> None:
    house.hub.admit(ADA, "narrow", scopes=scopes)
    async with visiting(house, "narrow") as client:
        assert (await client.get("/me")).status_code == status


async def test_a_services_token_orders_nothing(house: House) -> None:
    house.hub.users["ada-token"]["kind"] = "service"
    async with visiting(house) as client:
        assert (await client.get("/orders")).status_code == 403


async def test_a_browser_signs_in_and_comes_back_to_where_it_was(house: House) -> None:
    async with visiting(house, None) as browser:
        back = await sign_in(house, browser, "/orders?x=1")
        assert back.headers["location"] == f"{PREFIX}/orders?x=1"
        me = (await browser.get("/me")).json()
    assert me["name"] == ADA
    assert me["csrf"]


async def test_the_sign_in_proves_itself_with_pkce(house: House) -> None:
    async with visiting(house, None) as browser:
        sent = await browser.get("/me", headers=PAGE)
        query = parse_qs(urlsplit(sent.headers["location"]).query)
        assert query["code_challenge_method"] == ["S256"]
        house.hub.codes["code-1"] = "browser-token"
        await browser.get("/oauth_callback", params={"code": "code-1", "state": query["state"][0]})
    _url, form = house.hub.asked[-1]
    assert len(form["code_verifier"]) >= 43
    assert form["code_verifier"] != query["code_challenge"][0]


async def test_cookies_are_http_only_lax_and_of_this_service_alone(house: House) -> None:
    async with visiting(house, None) as browser:
        back = await sign_in(house, browser)
    for cookie in back.headers.get_list("set-cookie"):
        assert f"Path={PREFIX}/" in cookie
    session = next(c for c in back.headers.get_list("set-cookie") if c.startswith("tng-api-session"))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session


@pytest.mark.parametrize("state", ["", "x", "another-state-of-another-browser"])
async def test_a_sign_in_that_this_browser_did_not_begin_is_refused(house: House, state: str) -> None:
    house.hub.codes["code-1"] = "ada-token"
    async with visiting(house, None) as browser:
        answer = await browser.get("/oauth_callback", params={"code": "code-1", "state": state})
    assert answer.status_code == 400
    assert not browser.cookies


async def test_a_refused_code_is_a_sentence(house: House) -> None:
    async with visiting(house, None) as browser:
        sent = await browser.get("/me", headers=PAGE)
        state = parse_qs(urlsplit(sent.headers["location"]).query)["state"][0]
        answer = await browser.get("/oauth_callback", params={"code": "spent", "state": state})
    assert answer.status_code == 400
    assert answer.json()["message"] == "The sign-in did not work. Please try again."


async def test_a_forged_cookie_is_nobodys(house: House) -> None:
    async with visiting(house, None) as browser:
        await sign_in(house, browser)
        sealed = browser.cookies["tng-api-session"]
        browser.cookies.set("tng-api-session", sealed[:-3] + "abc", domain="house.test", path=PREFIX + "/")
        assert (await browser.get("/me")).status_code == 401


async def test_leaving_the_hub_leaves_the_api_at_once(house: House) -> None:
    async with visiting(house, None) as browser:
        await sign_in(house, browser)
        assert (await browser.get("/me")).status_code == 200
        browser.cookies.delete("jupyterhub-session-id")
        assert (await browser.get("/me")).status_code == 401


async def test_a_session_of_another_hub_login_is_not_enough(house: House) -> None:
    async with visiting(house, None) as browser:
        await sign_in(house, browser)
        browser.cookies.set("jupyterhub-session-id", "session-2")
        assert (await browser.get("/me")).status_code == 401


async def test_a_copied_cookie_is_worthless_a_second_after_the_sign_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with visiting(house, None) as browser:
        await sign_in(house, browser)
        assert (await browser.get("/me")).status_code == 200
        del house.hub.users["browser-token"]
        now = time.monotonic()
        monkeypatch.setattr("tng.api.auth.time.monotonic", lambda: now + 1.1)
        assert (await browser.get("/me")).status_code == 401


async def test_a_browsers_token_is_good_in_its_cookie_alone(house: House) -> None:
    house.hub.admit(ADA, "browser-token", session=SESSION)
    async with visiting(house, "browser-token") as thief:
        thief.cookies.set("jupyterhub-session-id", SESSION)
        assert (await thief.get("/me")).status_code == 401


async def test_a_cookie_with_a_token_of_no_session_is_nobodys(house: House) -> None:
    async with visiting(house, None) as browser:
        await sign_in(house, browser)
        house.hub.admit(ADA, "browser-token", session=None)
        assert (await browser.get("/me")).status_code == 401


async def test_a_caller_has_the_groups_that_the_hub_says(house: House) -> None:
    house.hub.users["ada-token"]["groups"] = ["operators"]
    request = Request({"type": "http", "headers": [(b"authorization", b"Bearer ada-token")]})
    assert (await house.auth.caller(request)).groups == {"operators"}


@pytest.mark.parametrize(
    ("change", "still"),
    [
        pytest.param({}, True, id="as before"),
        pytest.param({"down": True}, True, id="the hub is away"),
        pytest.param({"users": {}}, False, id="signed out"),
        pytest.param({"users": {"ada-token": {"kind": "user", "name": BEN, "scopes": [SCOPE]}}}, False, id="another"),
        pytest.param({"users": {"ada-token": {"kind": "user", "name": ADA, "scopes": []}}}, False, id="not allowed"),
    ],
)
async def test_a_long_call_is_asked_about_again(house: House, change: dict[str, Any], still: bool) -> None:
    request = Request({"type": "http", "headers": [(b"authorization", b"Bearer ada-token")]})
    caller = await house.auth.caller(request)
    for name, value in change.items():
        setattr(house.hub, name, value)
    house.auth._known.clear()  # the seconds have passed for which an answer is believed
    assert await house.auth.is_still(caller, request) is still


async def test_a_browsers_write_needs_the_csrf_header_and_a_kernels_does_not(house: House) -> None:
    key = {"Idempotency-Key": "1"}
    async with visiting(house, None) as browser:
        await sign_in(house, browser)
        csrf = (await browser.get("/me")).json()["csrf"]
        for wrong in ({}, {"X-CSRF-Token": "x"}, {"X-CSRF-Token": house.auth.csrf_for("ben-token")}):
            refused = await browser.post("/orders", json=WISH, headers=key | wrong)
            assert refused.status_code == 403
        assert not house.store.tables.orders
        assert (await browser.post("/orders", json=WISH, headers=key | {"X-CSRF-Token": csrf})).status_code == 201
    async with visiting(house, "ben-token") as kernel:
        assert (await kernel.post("/orders", json=WISH, headers=key)).status_code == 201
    assert {order.customer for order in house.store.tables.orders.values()} == {ADA, BEN}


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Accept": "application/json"}, id="a program"),
        pytest.param({"Accept": "text/html", "Sec-Fetch-Dest": "image"}, id="an image"),
        pytest.param({"Accept": "text/html", "Sec-Fetch-Dest": "empty"}, id="a script"),
    ],
)
async def test_what_is_no_page_gets_401_and_no_redirect(house: House, headers: dict[str, str]) -> None:
    async with visiting(house, None) as client:
        answer = await client.get("/me", headers=headers)
    assert answer.status_code == 401
    assert answer.json() == {"error": "ApiError", "message": "Please sign in again."}


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        (f"{PREFIX}/orders?x=1", f"{PREFIX}/orders?x=1"),
        ("https://evil.test/", f"{PREFIX}/"),
        ("//evil.test/", f"{PREFIX}/"),
        ("/hub/logout", f"{PREFIX}/"),
        (f"{PREFIX}/\\evil.test", f"{PREFIX}/"),
        (f"{PREFIX}//evil.test", f"{PREFIX}/"),
        (f"{PREFIX}evil", f"{PREFIX}/"),
    ],
)
def test_nobody_is_sent_anywhere_but_here(house: House, path: str, leads_to: str) -> None:
    assert house.auth.own_path(path) == leads_to


async def test_the_hub_is_asked_once_for_a_token_until_it_may_have_changed(house: House) -> None:
    async with visiting(house) as client:
        for _ in range(5):
            await client.get("/me")
    assert len(house.hub.asked) == 1


async def test_a_hub_that_is_away_is_503_and_not_nobody(house: House) -> None:
    house.hub.down = True
    async with visiting(house) as client:
        answer = await client.get("/me")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


GIVEN = {
    "JUPYTERHUB_API_URL": "http://127.0.0.1:8001/hub/api",
    "JUPYTERHUB_API_TOKEN": "t",
    "JUPYTERHUB_CLIENT_ID": "service-api",
    "JUPYTERHUB_OAUTH_CALLBACK_URL": "/services/api/oauth_callback",
    "JUPYTERHUB_SERVICE_PREFIX": "/services/api/",
    "JUPYTERHUB_OAUTH_ACCESS_SCOPES": '["access:services!service=api"]',
    "TNG_COOKIE_SECRET": "s",
}


def test_the_door_is_read_from_what_the_hub_gives() -> None:
    door = HubDoor.from_environment(GIVEN, public_url="https://tng.example")
    assert door.prefix == PREFIX
    assert door.secure
    assert door.authorize_url == "/hub/api/oauth2/authorize"
    assert door.access_scopes == {SCOPE}


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_a_door_without_a_part_cannot_be_started(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        HubDoor.from_environment({k: v for k, v in GIVEN.items() if k != name}, public_url="http://x")
