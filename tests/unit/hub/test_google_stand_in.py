"""The stand-in for Google: as strict as Google where our code could be wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import HTTPException

from hub.sandbox.google import CODE_SECONDS, TOKEN_SECONDS, Client, GoogleStandIn, build, s256
from hub.sandbox.people import PEOPLE

CLIENT = Client("tng-demo", "the-secret", "http://127.0.0.1:8000/hub/oauth_callback")
VERIFIER = "v" * 43
ASKING = {
    "client_id": CLIENT.client_id,
    "redirect_uri": CLIENT.callback,
    "response_type": "code",
    "code_challenge": s256(VERIFIER),
    "code_challenge_method": "S256",
    "state": "a state & more",
}
TRADING = {
    "client_id": CLIENT.client_id,
    "client_secret": CLIENT.client_secret,
    "redirect_uri": CLIENT.callback,
    "grant_type": "authorization_code",
    "code_verifier": VERIFIER,
}


class Time:
    """A clock that is set by hand."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def google(clock: Time) -> GoogleStandIn:
    return GoogleStandIn(CLIENT, clock)


@pytest.fixture
async def web() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(build(CLIENT, "/services/google"))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8004/services/google") as client:
        yield client


async def _code(web: httpx.AsyncClient, email: str = "ada@example.com") -> str:
    answer = await web.post("/authorize", params=ASKING, data={"email": email})
    assert answer.status_code == 303
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def test_the_whole_way_ends_with_the_shape_of_googles_userinfo(web: httpx.AsyncClient) -> None:
    token = (await web.post("/token", data=TRADING | {"code": await _code(web)})).json()
    assert token["token_type"] == "Bearer"
    person = (await web.get("/userinfo", headers={"Authorization": f"Bearer {token['access_token']}"})).json()
    assert person["email"] == "ada@example.com"
    assert person["verified_email"] is True
    assert person["id"].isdigit()
    assert person["name"]


async def test_the_page_says_that_it_is_not_google_and_asks_nobody_else(web: httpx.AsyncClient) -> None:
    page = (await web.get("/authorize", params=ASKING)).text
    assert "not Google" in page
    assert all(person.email in page and person.name in page for person in PEOPLE)
    assert "http://" not in page.replace("http%3A%2F%2F", "")
    assert "https://" not in page


async def test_the_state_comes_back_letter_by_letter(web: httpx.AsyncClient) -> None:
    answer = await web.post("/authorize", params=ASKING, data={"email": "ben@example.com"})
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == CLIENT.callback
    assert parse_qs(back.query)["state"] == [ASKING["state"]]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"client_id": "another"}, id="another-client"),
        pytest.param({"redirect_uri": CLIENT.callback + "/"}, id="callback-with-a-slash-more"),
        pytest.param({"redirect_uri": "http://evil.example/"}, id="callback-elsewhere"),
        pytest.param({"response_type": "token"}, id="another-flow"),
        pytest.param({"code_challenge": ""}, id="no-challenge"),
        pytest.param({"code_challenge_method": "plain"}, id="plain-challenge"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_authorization_that_is_not_ours_is_refused(
    web: httpx.AsyncClient, change: dict[str, str], method: str
) -> None:
    answer = await web.request(method, "/authorize", params=ASKING | change, data={"email": "ada@example.com"})
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_nobody_who_is_not_on_the_page_can_sign_in(web: httpx.AsyncClient) -> None:
    assert (await web.post("/authorize", params=ASKING, data={"email": "eve@example.com"})).status_code == 400


@pytest.mark.parametrize(
    ("change", "status"),
    [
        pytest.param({"code_verifier": "w" * 43}, 400, id="wrong-verifier"),
        pytest.param({"code_verifier": ""}, 400, id="no-verifier"),
        pytest.param({"redirect_uri": "http://evil.example/"}, 400, id="another-callback"),
        pytest.param({"client_secret": "guessed"}, 401, id="wrong-secret"),
        pytest.param({"client_id": "another"}, 401, id="another-client"),
        pytest.param({"code": "guessed"}, 400, id="wrong-code"),
    ],
)
async def test_a_trade_that_does_not_fit_is_refused_and_uses_the_code_up(
    web: httpx.AsyncClient, change: dict[str, str], status: int
) -> None:
    code = await _code(web)
    assert (await web.post("/token", data=TRADING | {"code": code} | change)).status_code == status
    if "code" not in change:
        assert (await web.post("/token", data=TRADING | {"code": code})).status_code == 400


async def test_a_code_is_good_once(web: httpx.AsyncClient) -> None:
    trade = TRADING | {"code": await _code(web)}
    assert (await web.post("/token", data=trade)).status_code == 200
    assert (await web.post("/token", data=trade)).status_code == 400


@pytest.mark.parametrize(("seconds", "good"), [(CODE_SECONDS - 1, True), (CODE_SECONDS + 1, False)], ids=["in", "over"])
def test_a_code_is_good_for_a_minute(google: GoogleStandIn, clock: Time, seconds: float, good: bool) -> None:
    trade = TRADING | {"code": google.choose("ada@example.com", s256(VERIFIER))}
    clock.now += seconds
    if good:
        assert google.exchange(trade)
    else:
        with pytest.raises(HTTPException):
            google.exchange(trade)


@pytest.mark.parametrize(
    ("seconds", "good"), [(TOKEN_SECONDS - 1, True), (TOKEN_SECONDS + 1, False)], ids=["in", "over"]
)
def test_a_token_ends(google: GoogleStandIn, clock: Time, seconds: float, good: bool) -> None:
    token = google.exchange(TRADING | {"code": google.choose("una@example.com", s256(VERIFIER))})
    clock.now += seconds
    if good:
        assert google.userinfo(token)["verified_email"] is False
    else:
        with pytest.raises(HTTPException):
            google.userinfo(token)


def test_what_is_over_is_forgotten(google: GoogleStandIn, clock: Time) -> None:
    for _ in range(3):
        google.choose("ada@example.com", s256(VERIFIER))
    clock.now += CODE_SECONDS + 1
    google.choose("ben@example.com", s256(VERIFIER))
    assert len(google.grants) == 1


@pytest.mark.parametrize("header", ["", "Bearer ", "Bearer guessed", "Basic eA=="])
async def test_without_a_token_nobody_is_told_anything(web: httpx.AsyncClient, header: str) -> None:
    assert (await web.get("/userinfo", headers={"Authorization": header})).status_code == 401


async def test_a_flood_is_refused(web: httpx.AsyncClient) -> None:
    assert (await web.post("/token", content=b"x=" + b"y" * 20_000)).status_code == 413


def test_the_challenge_is_that_of_the_standard() -> None:
    assert s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_demo_has_everybody_whom_the_house_treats_differently() -> None:
    kinds = sorted((person.verified, person.power, person.operator) for person in PEOPLE)
    customer, operator, power = (True, False, False), (True, False, True), (True, True, False)
    assert kinds == [(False, False, False), customer, customer, operator, power]
    assert len({person.id for person in PEOPLE}) == len(PEOPLE)
    assert all(person.email.endswith("@example.com") for person in PEOPLE)
