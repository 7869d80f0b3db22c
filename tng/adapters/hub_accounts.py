"""The hub, asked for the address of one of its people. It knows JupyterHub's HTTP interface only.

The process that asks needs the scopes ``read:users:name`` and ``admin:auth_state``; what it hears is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx

from tng.errors import NoticeUndelivered, SettingsError
from tng.notice_settings import is_address

ASK_SECONDS: Final = 10.0
ACCOUNT: Final = "google_user"
"""Where the hub's authenticator keeps what Google said of a person."""


class HubAccounts:
    """``api_url`` is the hub's, ``api_token`` that of a service of it."""

    def __init__(self, api_url: str, api_token: str, *, timeout_seconds: float = ASK_SECONDS) -> None:
        self._api_url, self._api_token = api_url.rstrip("/"), api_token
        self._timeout_seconds = timeout_seconds

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> HubAccounts:
        """As the hub tells a service that it starts. Raises SettingsError where something is missing."""
        try:
            return cls(environ["JUPYTERHUB_API_URL"], environ["JUPYTERHUB_API_TOKEN"])
        except KeyError as error:
            raise SettingsError(
                f"TNG_MAIL_CUSTOMERS needs {error.args[0]}, which the hub sets; let the hub start the scheduler"
            ) from None

    def address_of(self, name: str) -> str | None:
        """The verified address of a person; a name that is an address already is its own. None where there is none.

        Raises NoticeUndelivered where the hub does not say.
        """
        if is_address(name):
            return name
        try:
            answer = httpx.get(
                f"{self._api_url}/users/{quote(name, safe='')}",
                headers={"Authorization": f"token {self._api_token}"},
                timeout=self._timeout_seconds,
                trust_env=False,
            )
            person = answer.json() if answer.status_code == 200 else {}
        except (httpx.HTTPError, ValueError) as error:  # their words name the person
            raise NoticeUndelivered(f"the hub did not say an address ({type(error).__name__})") from None
        if answer.status_code == 404:
            return None  # the account is gone: nobody is written to
        if answer.status_code != 200 or "auth_state" not in person:
            raise NoticeUndelivered(f"the hub did not say an address (status {answer.status_code})")
        return _verified(person["auth_state"])


def _verified(auth_state: Any) -> str | None:
    kept = auth_state.get(ACCOUNT) if isinstance(auth_state, dict) else None
    if not isinstance(kept, dict) or kept.get("verified_email") is not True:
        return None
    address = kept.get("email")
    return address if isinstance(address, str) and is_address(address) else None
