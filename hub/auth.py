"""Who may come in: everybody whose address Google has verified. Sign-in itself is oauthenticator's.

A person's name in the hub is Google's number of the account, which never changes and is never given to anybody else; an
address can be both. The address says which groups a person belongs to, and is shown to its owner. It is no key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from jupyterhub.crypto import CryptKeeper, InvalidToken
from oauthenticator.google import GoogleOAuthenticator
from oauthenticator.oauth2 import OAuthCallbackHandler
from tornado.web import HTTPError
from traitlets import Set, Unicode
from traitlets.config import Config

from hub.keys import own_secret
from hub.logout import HouseLogout
from hub.sandbox.people import PEOPLE
from tng.overview import OPERATORS
from tng.settings import Settings

POWER_USERS = "power-users"
"""The group whose members get JupyterLab."""

ACCOUNT = "TNG_ACCOUNT"
"""Where a person's server finds the address of its owner: to show it, and for nothing else."""

REFRESH_SECONDS = 60
"""How long the hub goes on with the groups of a person before it counts them again."""

UNVERIFIED = (
    "Google has not verified this e-mail address, so we cannot be sure that it is yours. "
    "Please verify it in your Google account, or choose another account."
)
UNNUMBERED = "Google did not say which account this is. Please try again, or choose another account."
NOT_ADMITTED = "This account may not sign in here."

NUMBER = re.compile(r"[0-9]{1,64}")
"""Google's number of an account. Digits alone: a folder, a host name and a path can be named so."""


class NewSession(OAuthCallbackHandler):  # type: ignore[misc]
    """Where Google sends people back to. A sign-in begins a session of its own, whatever cookie was planted before."""

    def set_login_cookie(self, user: Any) -> None:
        """A new session id, then the cookies that go with it."""
        self.set_session_cookie()
        super().set_login_cookie(user)


class VerifiedGoogle(GoogleOAuthenticator):  # type: ignore[misc]
    """Google sign-in that everybody may use, with a verified address only.

    oauthenticator looks at ``verified_email`` in ``check_allowed``, which JupyterHub skips when everybody is allowed.
    ``check_blocked_users`` is always asked. Groups are counted anew at every sign-in and every minute, from the
    settings of this start, so that a removal counts; nobody is the hub's administrator, whatever its database says.
    """

    callback_handler = NewSession
    logout_handler = HouseLogout
    power_users = Set(Unicode(), config=True, help="addresses that get JupyterLab, lower case")
    operators = Set(Unicode(), config=True, help="addresses of operators, lower case")

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Google's number: ``id`` in its first userinfo, ``sub`` in its third. Raises HTTPError 403 for none or two."""
        numbers = {str(user_info[claim]) for claim in ("id", "sub") if user_info.get(claim)}
        number = numbers.pop() if len(numbers) == 1 else ""
        if not NUMBER.fullmatch(number):
            raise HTTPError(403, UNNUMBERED)
        return number

    def build_auth_state_dict(self, token_info: dict[str, Any], user_info: dict[str, Any]) -> dict[str, Any]:
        """What the hub keeps of a person, encrypted: no token of Google's, and no more than the house uses."""
        kept = {"email": address_in(user_info), "name": str(user_info.get("name") or ""), "hd": user_info.get("hd", "")}
        return {self.user_auth_state_key: kept | {"verified_email": is_verified(user_info)}}

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """Nobody is an administrator: the flag is taken from whoever had it."""
        return auth_model | {"admin": False}

    def check_blocked_users(self, username: str, authentication: dict[str, Any] | None) -> bool:
        """Whether this person passes. Raises HTTPError 403, with a sentence, for an address that is not verified."""
        person = ((authentication or {}).get("auth_state") or {}).get(self.user_auth_state_key) or {}
        if person.get("verified_email") is not True or not person.get("email"):
            raise HTTPError(403, UNVERIFIED)
        return bool(super().check_blocked_users(username, authentication))

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """The groups of the house that this person belongs to, by address."""
        address = auth_state[self.user_auth_state_key]["email"]
        members = {POWER_USERS: self.power_users, OPERATORS: self.operators}
        return {group for group, addresses in members.items() if address in addresses}

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> bool | dict[str, Any]:
        """The groups counted again from what was kept. False, and so a new sign-in, where that cannot be read."""
        kept = await user.get_auth_state()
        if not kept or not (kept.get(self.user_auth_state_key) or {}).get("email"):
            return False
        groups = sorted(await self.get_user_groups(kept))
        await end_what_may_not_stay(user, groups, handler)
        return {"name": user.name, "admin": False, "auth_state": kept, "groups": groups}

    async def pre_spawn_start(self, user: Any, spawner: Any) -> None:
        """Tell a person's server whose it is, in words: the number alone would say nothing to its owner."""
        kept = (await user.get_auth_state() or {}).get(self.user_auth_state_key) or {}
        spawner.environment = {**spawner.environment, ACCOUNT: kept.get("email", "")}


async def end_what_may_not_stay(user: Any, groups: Collection[str], handler: Any) -> None:
    """Stop the servers that a person may not have any more: they can have gone on while the hub was started again."""
    for name, spawner in list(user.spawners.items()):
        if spawner.active and not spawner.pending and not spawner.may_stay(groups):
            await handler.stop_single_user(user, name)


def address_in(user_info: dict[str, Any]) -> str:
    """The address that Google names, lower case; nothing where it names none."""
    address = user_info.get("email")
    return address.lower() if isinstance(address, str) else ""


def is_verified(user_info: dict[str, Any]) -> bool:
    """Whether Google says that it has verified the address, in the word of its first userinfo or of its third."""
    said = [user_info[claim] for claim in ("verified_email", "email_verified") if claim in user_info]
    return bool(said) and all(word is True for word in said)


def account(user: Any) -> str:
    """What the pages of the hub call a person: the address, or the number where that cannot be read."""
    if user is None:
        return ""
    keeper = CryptKeeper.instance()
    try:
        kept = json.loads(keeper.fernet.decrypt(user.encrypted_auth_state))
        return str(kept[VerifiedGoogle.user_auth_state_key]["email"])
    except (InvalidToken, AttributeError, TypeError, KeyError, ValueError):
        return str(user.name)


def configure_sign_in(c: Config, settings: Settings) -> None:
    """Google, or the local stand-in for it."""
    c.JupyterHub.authenticator_class = VerifiedGoogle
    c.CryptKeeper.keys = [bytes.fromhex(own_secret(settings.home.resolve(), "account"))]
    google = c.VerifiedGoogle
    google.allow_all = True
    google.manage_groups = True
    google.operators = set(operators(settings))
    google.power_users = set(power_users(settings))
    google.enable_auth_state = True
    google.auth_refresh_age = REFRESH_SECONDS
    google.auth_refresh_strict = True
    google.refresh_pre_spawn = True
    google.custom_403_message = NOT_ADMITTED
    google.oauth_callback_url = callback_url(settings)
    google.extra_authorize_params = {"prompt": "select_account"}
    google.client_id, google.client_secret = google_client(settings)
    if settings.google_stand_in:
        google.login_service = "a demo account"
        google.authorize_url = f"{settings.public}/services/google/authorize"
        google.token_url = f"{settings.internal_url('google')}/services/google/token"
        google.userdata_url = f"{settings.internal_url('google')}/services/google/userinfo"
    else:
        google.login_service = "Google"


def callback_url(settings: Settings) -> str:
    """Where Google sends people back to; it is registered there, letter by letter."""
    return f"{settings.public}/hub/oauth_callback"


def google_client(settings: Settings) -> tuple[str, str]:
    """The client id and secret, of Google's console or of the stand-in."""
    if settings.google_stand_in:
        return "tng-demo", own_secret(settings.home.resolve(), "google-stand-in")
    return settings.google_client_id, settings.google_client_secret.get_secret_value()


def power_users(settings: Settings) -> frozenset[str]:
    """The addresses that get JupyterLab; with the stand-in, one of its people too."""
    if not settings.google_stand_in:
        return settings.power_users
    return settings.power_users | {person.email for person in PEOPLE if person.power}


def operators(settings: Settings) -> frozenset[str]:
    """The addresses of operators; with the stand-in, one of its people too."""
    if not settings.google_stand_in:
        return settings.admins
    return settings.admins | {person.email for person in PEOPLE if person.operator}
