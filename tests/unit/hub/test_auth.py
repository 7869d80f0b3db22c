"""Everybody may sign in, with a verified address only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from oauthenticator.google import GoogleOAuthenticator
from tornado.web import HTTPError
from traitlets.config import Config

from hub.auth import OPERATORS, POWER_USERS, UNVERIFIED, VerifiedGoogle
from tests.unit.hub.conftest import DEMO, GOOGLE, PRODUCTION

Configured = Callable[..., Config]


def _saying(kind: type[GoogleOAuthenticator], person: dict[str, Any], c: Config) -> GoogleOAuthenticator:
    """An authenticator to whom Google has just said this about a person."""

    class Told(kind):  # type: ignore[misc, valid-type]
        async def authenticate(self, handler: Any, data: Any = None, **kwargs: Any) -> dict[str, Any]:
            model = {"name": person["email"].lower(), "admin": None, "auth_state": {"google_user": person}}
            return dict(await self._apply_managed_groups(model))

    c.Told = c.VerifiedGoogle
    return Told(config=c)


@pytest.fixture
def c(configured: Configured) -> Config:
    return configured(power_users="Grace@Example.com", admins="root@example.com")


@pytest.mark.parametrize(
    "person",
    [
        pytest.param({"email": "una@example.com", "verified_email": False}, id="not-verified"),
        pytest.param({"email": "una@example.com"}, id="google-does-not-say"),
        pytest.param({"email": "una@example.com", "verified_email": "true"}, id="a-word-instead-of-true"),
        pytest.param({"email": "grace@example.com", "verified_email": False}, id="a-power-user-not-verified"),
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
    c.VerifiedGoogle.blocked_users = {"ben@example.com"}
    person = {"email": "ben@example.com", "verified_email": True}
    assert await _saying(VerifiedGoogle, person, c).get_authenticated_user(None, None) is None


@pytest.mark.parametrize(
    ("email", "groups", "admin"),
    [
        pytest.param("ada@example.com", [], False, id="customer"),
        pytest.param("GRACE@example.com", [POWER_USERS], False, id="power-user"),
        pytest.param("root@example.com", [OPERATORS], True, id="operator"),
    ],
)
async def test_groups_are_told_by_address(email: str, groups: list[str], admin: bool, c: Config) -> None:
    person = {"email": email, "verified_email": True}
    model = await _saying(VerifiedGoogle, person, c).get_authenticated_user(None, None)
    assert model["groups"] == groups
    assert model["admin"] is admin


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
    assert (google.client_id, google.client_secret) == ("an-id.apps.example", "a-google-secret")
    assert google.oauth_callback_url == "https://shop.example/hub/oauth_callback"
    assert google.enable_pkce
    assert google.login_service == "Google"


def test_nobody_is_let_in_by_being_known(configured: Configured) -> None:
    google = VerifiedGoogle(config=configured())
    assert not google.allow_existing_users
    assert not google.enable_auth_state
