"""Everybody may sign in, with a verified address only, and is known by Google's number of the account."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from jupyterhub.crypto import CryptKeeper
from oauthenticator.google import GoogleOAuthenticator
from tornado.web import HTTPError
from traitlets.config import Config

from hub.auth import ACCOUNT, OPERATORS, POWER_USERS, UNNUMBERED, UNVERIFIED, VerifiedGoogle, account
from hub.sandbox.people import by_address
from tests.unit.hub.conftest import DEMO, GOOGLE, PRODUCTION
from tests.unit.tng.api_support import WISH, make_house, visiting

Configured = Callable[..., Config]

NUMBER = "104512345678901234567"
TOKEN = {"access_token": "a-token-of-google", "refresh_token": "another", "id_token": "a-third"}


def _saying(kind: type[GoogleOAuthenticator], person: dict[str, Any], c: Config) -> GoogleOAuthenticator:
    """An authenticator to whom Google has just said this about a person."""

    class Told(kind):  # type: ignore[misc, valid-type]
        async def get_token_info(self, handler: Any, params: Any) -> dict[str, Any]:
            return TOKEN

        def build_access_tokens_request_params(self, handler: Any, data: Any = None) -> dict[str, Any]:
            return {}

        async def token_to_user(self, token_info: Any) -> dict[str, Any]:
            return {"id": NUMBER} | person

    c.Told = c.VerifiedGoogle
    return Told(config=c)


async def _sign_in(person: dict[str, Any], c: Config) -> dict[str, Any]:
    """What the hub is told of a person who signs in."""
    return dict(await _saying(VerifiedGoogle, person, c).get_authenticated_user(None, None))


class KnownUser:
    """A user of the hub, as far as an authenticator asks: what was kept is encrypted as the hub does it."""

    def __init__(self, name: str, kept: dict[str, Any] | None) -> None:
        self.name = name
        self.spawners: dict[str, Any] = {}
        self.encrypted_auth_state = None if kept is None else CryptKeeper.instance()._encrypt(kept)

    async def get_auth_state(self) -> dict[str, Any] | None:
        sealed = self.encrypted_auth_state
        return None if sealed is None else dict(CryptKeeper.instance()._decrypt(sealed))


@pytest.fixture
def c(configured: Configured) -> Iterator[Config]:
    built = configured(power_users="Grace@Example.com", admins="root@example.com")
    CryptKeeper.clear_instance()
    CryptKeeper.instance(config=built)
    yield built
    CryptKeeper.clear_instance()


@pytest.mark.parametrize(
    "person",
    [
        pytest.param({"email": "una@example.com", "verified_email": False}, id="not-verified"),
        pytest.param({"email": "una@example.com", "email_verified": False}, id="not-verified-in-the-third-form"),
        pytest.param({"email": "una@example.com"}, id="google-does-not-say"),
        pytest.param({"email": "una@example.com", "verified_email": "true"}, id="a-word-instead-of-true"),
        pytest.param({"email": "una@example.com", "email_verified": 1}, id="a-number-instead-of-true"),
        pytest.param(
            {"email": "una@example.com", "verified_email": True, "email_verified": False}, id="two-that-differ"
        ),
        pytest.param({"verified_email": True}, id="no-address"),
        pytest.param({"email": "", "verified_email": True}, id="an-empty-address"),
        pytest.param({"email": ["una@example.com"], "verified_email": True}, id="a-list"),
        pytest.param({"email": "grace@example.com", "verified_email": False}, id="a-power-user-not-verified"),
        pytest.param({"email": "root@example.com", "email_verified": False}, id="an-operator-not-verified"),
    ],
)
async def test_an_unverified_address_is_refused_although_everybody_may_come(person: dict[str, Any], c: Config) -> None:
    authenticator = _saying(VerifiedGoogle, person, c)
    assert authenticator.allow_all
    with pytest.raises(HTTPError) as refused:
        await authenticator.get_authenticated_user(None, None)
    assert refused.value.status_code == 403
    assert refused.value.log_message == UNVERIFIED


async def test_without_our_check_the_same_person_would_come_in(c: Config) -> None:
    person = {"email": "una@example.com", "verified_email": False}
    c.VerifiedGoogle.pop("power_users")
    c.VerifiedGoogle.pop("operators")
    c.VerifiedGoogle.auth_state_groups_key = lambda state: set()
    assert await _saying(GoogleOAuthenticator, person, c).get_authenticated_user(None, None)


async def test_a_blocked_person_is_refused(c: Config) -> None:
    c.VerifiedGoogle.blocked_users = {NUMBER}
    person = {"email": "ben@example.com", "verified_email": True}
    assert await _saying(VerifiedGoogle, person, c).get_authenticated_user(None, None) is None


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"id": NUMBER, "verified_email": True}, id="first-userinfo"),
        pytest.param({"id": None, "sub": NUMBER, "email_verified": True}, id="third-userinfo"),
        pytest.param({"id": NUMBER, "sub": NUMBER, "verified_email": True, "email_verified": True}, id="both"),
    ],
)
async def test_a_person_is_known_by_googles_number(claims: dict[str, Any], c: Config) -> None:
    model = await _sign_in({"email": "Ada@Example.com", "name": "Ada Wren"} | claims, c)
    assert model["name"] == NUMBER


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"id": None}, id="none"),
        pytest.param({"id": ""}, id="empty"),
        pytest.param({"id": "1", "sub": "2"}, id="two"),
        pytest.param({"id": "ada@example.com"}, id="an-address"),
        pytest.param({"id": "../1"}, id="a-path"),
        pytest.param({"id": "1" * 65}, id="too-long"),
        pytest.param({"id": "١٢٣"}, id="digits-of-another-script"),
    ],
)
async def test_nobody_comes_in_without_a_number_of_googles(claims: dict[str, Any], c: Config) -> None:
    with pytest.raises(HTTPError) as refused:
        await _sign_in({"email": "ada@example.com", "verified_email": True} | claims, c)
    assert (refused.value.status_code, refused.value.log_message) == (403, UNNUMBERED)


def test_a_name_can_be_a_host_a_folder_and_a_path() -> None:
    assert re.fullmatch(r"[a-z0-9]{1,63}", by_address("ada@example.com").id)


async def test_another_address_is_the_same_customer_and_the_same_address_another_one(c: Config) -> None:
    ada = by_address("ada@example.com").userinfo
    moved = await _sign_in(ada | {"email": "ada.wren@example.com"}, c)
    heir = await _sign_in(ada | {"id": "100000000000000000099"}, c)
    assert moved["name"] == (await _sign_in(ada, c))["name"]
    assert heir["name"] != moved["name"]


async def test_whoever_is_given_an_address_anew_is_not_given_its_orders(c: Config) -> None:
    ada = by_address("ada@example.com").userinfo
    first, heir = await _sign_in(ada, c), await _sign_in(ada | {"id": "100000000000000000099"}, c)
    moved = await _sign_in(ada | {"email": "ada.wren@example.com"}, c)
    house = make_house()
    for token, model in (("first", first), ("heir", heir), ("moved", moved)):
        house.hub.admit(model["name"], token)
    async with visiting(house, "first") as client:
        order = (await client.post("/orders", json=WISH, headers={"Idempotency-Key": "1"})).json()
    async with visiting(house, "heir") as client:
        assert (await client.get(f"/orders/{order['id']}")).status_code == 404
        assert (await client.get("/orders")).json()["orders"] == []
    async with visiting(house, "moved") as client:
        assert (await client.get(f"/orders/{order['id']}")).status_code == 200


@pytest.mark.parametrize(
    ("email", "groups"),
    [
        pytest.param("ada@example.com", [], id="customer"),
        pytest.param("GRACE@example.com", [POWER_USERS], id="power-user"),
        pytest.param("root@example.com", [OPERATORS], id="operator"),
    ],
)
async def test_groups_are_told_by_address_and_nobody_is_an_administrator(
    email: str, groups: list[str], c: Config
) -> None:
    model = await _sign_in({"email": email, "verified_email": True}, c)
    assert model["groups"] == groups
    assert model["admin"] is False


async def test_what_is_kept_of_a_person_holds_no_token_of_googles(c: Config) -> None:
    model = await _sign_in({"email": "Ada@example.com", "verified_email": True, "name": "Ada", "picture": "p"}, c)
    ada = {"email": "ada@example.com", "name": "Ada", "hd": "", "verified_email": True}
    assert model["auth_state"] == {"google_user": ada}
    assert not [token for token in TOKEN.values() if token in repr(model)]


async def test_a_person_taken_from_the_settings_has_lost_the_group_before_the_next_sign_in(
    configured: Configured, c: Config
) -> None:
    model = await _sign_in({"email": "grace@example.com", "verified_email": True}, c)
    user = KnownUser(model["name"], model["auth_state"])
    same = await VerifiedGoogle(config=c).refresh_user(user)
    assert isinstance(same, dict)
    assert (same["groups"], same["auth_state"]) == ([POWER_USERS], model["auth_state"])
    after = await VerifiedGoogle(config=configured(power_users="")).refresh_user(user)
    assert isinstance(after, dict)
    assert (after["groups"], after["admin"]) == ([], False)


@pytest.mark.parametrize(
    ("changes", "stopped"),
    [
        pytest.param({}, True, id="a-workbench-of-somebody-who-left"),
        pytest.param({"may_stay": lambda groups: True}, False, id="a-dashboard"),
        pytest.param({"active": False}, False, id="not-running"),
        pytest.param({"pending": "stop"}, False, id="on-its-way-out"),
    ],
)
async def test_a_server_that_went_on_without_the_hub_ends_where_its_owner_may_not_have_it(
    c: Config, changes: dict[str, Any], stopped: bool
) -> None:
    ended: list[str] = []

    class Handler:
        async def stop_single_user(self, user: Any, name: str) -> None:
            ended.append(name)

    server = {"active": True, "pending": None, "may_stay": lambda groups: POWER_USERS in groups} | changes
    user = KnownUser(NUMBER, {"google_user": {"email": "ada@example.com"}})
    user.spawners = {"hers": SimpleNamespace(**server)}
    await VerifiedGoogle(config=c).refresh_user(user, Handler())
    assert ended == (["hers"] if stopped else [])


@pytest.mark.parametrize("kept", [None, {}, {"google_user": {}}], ids=["nothing", "empty", "no-address"])
async def test_whoever_cannot_be_counted_again_signs_in_again(kept: dict[str, Any] | None, c: Config) -> None:
    assert await VerifiedGoogle(config=c).refresh_user(KnownUser(NUMBER, kept)) is False


async def test_a_server_is_told_its_owners_address_and_no_other_server_is(c: Config) -> None:
    kept = {"google_user": {"email": "ada@example.com"}}
    shared = {"TNG_PRODUCT": "x"}
    hers, another = SimpleNamespace(environment=shared), SimpleNamespace(environment=shared)
    await VerifiedGoogle(config=c).pre_spawn_start(KnownUser(NUMBER, kept), hers)
    assert hers.environment == {"TNG_PRODUCT": "x", ACCOUNT: "ada@example.com"}
    assert another.environment == {"TNG_PRODUCT": "x"}


def test_a_page_of_the_hub_shows_the_address_and_the_number_where_that_is_lost(c: Config) -> None:
    user = KnownUser(NUMBER, {"google_user": {"email": "ada@example.com"}})
    assert account(user) == "ada@example.com"
    assert account(KnownUser(NUMBER, None)) == NUMBER
    user.encrypted_auth_state = b"of another key"
    assert account(user) == NUMBER
    assert account(None) == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(DEMO, {"pia@example.com"}, id="demo"),
        pytest.param({"power_users": "x@example.com"}, {"pia@example.com", "x@example.com"}, id="demo-and-another"),
        pytest.param(GOOGLE, set(), id="google"),
        pytest.param({**PRODUCTION, "power_users": "x@example.com"}, {"x@example.com"}, id="production"),
    ],
)
def test_the_power_user_of_the_demo_is_one_in_the_demo_only(
    configured: Configured, changes: dict[str, Any], expected: set[str]
) -> None:
    assert configured(**changes).VerifiedGoogle.power_users == expected


def test_the_stand_in_takes_the_place_of_all_three_addresses(configured: Configured) -> None:
    google = configured().VerifiedGoogle
    assert google.authorize_url == "http://127.0.0.1:8000/services/google/authorize"
    assert google.token_url == "http://127.0.0.1:8004/services/google/token"
    assert google.userdata_url == "http://127.0.0.1:8004/services/google/userinfo"
    assert google.client_id == "tng-demo"


def test_with_keys_the_addresses_are_those_of_google(configured: Configured) -> None:
    google = VerifiedGoogle(config=configured(**PRODUCTION))
    assert google.authorize_url.startswith("https://accounts.google.com/")
    assert google.token_url.startswith("https://www.googleapis.com/")
    assert google.userdata_url.startswith("https://www.googleapis.com/")
    assert (google.client_id, google.client_secret) == tuple(GOOGLE.values())
    assert google.oauth_callback_url == "https://shop.example/hub/oauth_callback"
    assert google.enable_pkce
    assert google.login_service == "Google"


def test_nobody_is_let_in_by_being_known(configured: Configured) -> None:
    google = VerifiedGoogle(config=configured())
    assert not google.allow_existing_users
    assert not google.admin_users
    assert not google.admin_groups


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(DEMO, {"ola@example.com"}, id="demo"),
        pytest.param({**PRODUCTION, "admins": "x@example.com"}, {"x@example.com"}, id="production"),
    ],
)
def test_the_operator_of_the_demo_is_one_in_the_demo_only(
    configured: Configured, changes: dict[str, Any], expected: set[str]
) -> None:
    assert configured(**changes).VerifiedGoogle.operators == expected
