"""Who may come in: everybody whose address Google has verified. Sign-in itself is oauthenticator's."""

from __future__ import annotations

from typing import Any

from oauthenticator.google import GoogleOAuthenticator
from tornado.web import HTTPError
from traitlets import Set, Unicode
from traitlets.config import Config

from hub.keys import own_secret
from hub.sandbox.people import PEOPLE
from tng.settings import Settings

POWER_USERS = "power-users"
"""The group whose members get JupyterLab."""

OPERATORS = "operators"
"""The group whose members are administrators of the hub."""

UNVERIFIED = (
    "Google has not verified this e-mail address, so we cannot be sure that it is yours. "
    "Please verify it in your Google account, or choose another account."
)
NOT_ADMITTED = "This account may not sign in here."


class VerifiedGoogle(GoogleOAuthenticator):  # type: ignore[misc]
    """Google sign-in that everybody may use, with a verified address only: the address is the name of the account.

    oauthenticator looks at ``verified_email`` in ``check_allowed``, which JupyterHub skips when everybody is allowed.
    ``check_blocked_users`` is always asked. Groups are counted anew at every sign-in, so that a removal counts.
    """

    power_users = Set(Unicode(), config=True, help="addresses that get JupyterLab, lower case")
    operators = Set(Unicode(), config=True, help="addresses that administer the hub, lower case")

    def check_blocked_users(self, username: str, authentication: dict[str, Any] | None) -> bool:
        """Whether this person passes. Raises HTTPError 403, with a sentence, for an address that is not verified."""
        person = ((authentication or {}).get("auth_state") or {}).get(self.user_auth_state_key) or {}
        if person.get("verified_email") is not True:
            raise HTTPError(403, UNVERIFIED)
        return bool(super().check_blocked_users(username, authentication))

    async def get_user_groups(self, auth_state: dict[str, Any]) -> set[str]:
        """The groups of the house that this person belongs to, by address."""
        address = str(auth_state[self.user_auth_state_key]["email"]).lower()
        members = {POWER_USERS: self.power_users, OPERATORS: self.operators}
        return {group for group, addresses in members.items() if address in addresses}


def configure_sign_in(c: Config, settings: Settings) -> None:
    """Google, or the local stand-in for it."""
    c.JupyterHub.authenticator_class = VerifiedGoogle
    google = c.VerifiedGoogle
    google.allow_all = True
    google.manage_groups = True
    google.admin_groups = {OPERATORS}
    google.operators = set(settings.admins)
    google.power_users = set(power_users(settings))
    google.enable_auth_state = False
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
