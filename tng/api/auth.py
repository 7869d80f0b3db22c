"""Who is calling: the hub's token of a kernel (bearer) or of a browser (cookie, by the hub's OAuth with PKCE).

Every call is checked with the hub: who holds the token, and whether it may use this service. The owner of an order
is the hub's user name and nothing that the request says. It knows JupyterHub's HTTP interface only, and never
imports JupyterHub. Tokens and names never reach the log.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import RedirectResponse
from itsdangerous import BadData, URLSafeTimedSerializer

from tng.api.hub_line import HubAnswer, HubLine, hub_away
from tng.errors import ApiError, SettingsError

SESSION_COOKIE = "tng-api-session"
STATE_COOKIE = "tng-api-state-"
HUB_SESSION_COOKIE = "jupyterhub-session-id"
CSRF_HEADER = "x-csrf-token"
SESSION_SECONDS = 8 * 3600
STATE_SECONDS = 600
CACHE_SECONDS = 5.0
"""How long an answer of the hub about a kernel's token is believed; it is good as long as the kernel's server runs."""

COOKIE_CACHE_SECONDS = 1.0
"""The same about a browser's, which a sign-out ends."""

CACHE_SIZE = 4096
READS = frozenset({"GET", "HEAD"})

_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")


@dataclass(frozen=True, slots=True)
class Caller:
    """The hub's user behind a call. ``csrf`` is what the header of a browser's write must say; a kernel has none."""

    name: str
    csrf: str | None = None
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class HubDoor:
    """Where the hub is, and what it calls this service. ``prefix`` has no slash at its end."""

    api_url: str
    api_token: str
    client_id: str
    authorize_url: str
    callback_url: str
    prefix: str
    access_scopes: frozenset[str]
    cookie_secret: str
    secure: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], *, public_url: str) -> HubDoor:
        """Read what the hub gives to a service it starts. Raises SettingsError where something is missing."""
        try:
            base = environ.get("JUPYTERHUB_BASE_URL", "/").rstrip("/")
            return cls(
                api_url=environ["JUPYTERHUB_API_URL"].rstrip("/"),
                api_token=environ["JUPYTERHUB_API_TOKEN"],
                client_id=environ["JUPYTERHUB_CLIENT_ID"],
                authorize_url=environ.get("JUPYTERHUB_HOST", "") + base + "/hub/api/oauth2/authorize",
                callback_url=environ["JUPYTERHUB_OAUTH_CALLBACK_URL"],
                prefix=environ["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/"),
                access_scopes=frozenset(json.loads(environ["JUPYTERHUB_OAUTH_ACCESS_SCOPES"])),
                cookie_secret=environ["TNG_COOKIE_SECRET"],
                secure=public_url.startswith("https://"),
            )
        except (KeyError, ValueError) as error:
            missing = error.args[0] if isinstance(error, KeyError) else "JUPYTERHUB_OAUTH_ACCESS_SCOPES"
            raise SettingsError(f"{missing} is not set as the hub sets it; let the hub start the api") from None


class HubAuth:
    """Asks the hub who a token belongs to, and signs browsers in by its OAuth."""

    def __init__(self, door: HubDoor, *, line: HubLine | None = None) -> None:
        self.door = door
        self._line = line or HubLine()
        self._signer = URLSafeTimedSerializer(door.cookie_secret, salt="tng.api")
        self._known: dict[str, tuple[float, dict[str, Any]]] = {}

    async def caller(self, request: Request) -> Caller:
        """Whoever is calling. Raises ApiError: 401 nobody, 403 not allowed here, 503 the hub does not answer."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() in ("bearer", "token"):
            person = await self._person(token.strip(), session_id=None)
            return Caller(str(person["name"]), groups=_groups_of(person))
        token = self._token_of_cookie(request)
        person = await self._person(token, session_id=request.cookies.get(HUB_SESSION_COOKIE, ""))
        csrf = self.csrf_for(token)
        if request.method not in READS and not _same(request.headers.get(CSRF_HEADER, ""), csrf):
            raise ApiError(
                "a write by cookie without the csrf header",
                status=403,
                user_message="This page is out of date. Please reload it and try again.",
            )
        return Caller(str(person["name"]), csrf, _groups_of(person))

    async def is_still(self, caller: Caller, request: Request) -> bool:
        """Whether a call that goes on for long is still this caller's. A hub that is away has signed nobody out."""
        try:
            return (await self.caller(request)).name == caller.name
        except ApiError as error:
            return error.status not in (401, 403)

    async def service(self, request: Request) -> str:
        """The name of the service of the hub that calls with its own token. Raises ApiError, as ``caller`` does."""
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() not in ("bearer", "token"):
            raise _nobody("no token")
        model = await self._identify(token.strip(), None)
        if model.get("kind") != "service" or not _may_enter(self.door.access_scopes, model.get("scopes", ())):
            raise _not_allowed("the token is not that of a service which may enter")
        return str(model["name"])

    def csrf_for(self, token: str) -> str:
        """What a write by cookie must carry in the header X-CSRF-Token."""
        return hmac.new(self.door.cookie_secret.encode(), b"csrf:" + token.encode(), hashlib.sha256).hexdigest()

    def send_to_login(self, request: Request) -> RedirectResponse:
        """Send a browser to the hub, to come back to where it is now."""
        state, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": self.door.client_id,
            "redirect_uri": self.door.callback_url,
            "response_type": "code",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        response = RedirectResponse(f"{self.door.authorize_url}?{urlencode(query)}", 302)
        sealed = self._signer.dumps({"state": state, "verifier": verifier, "back": back})
        self._set_cookie(response, STATE_COOKIE + state[:8], str(sealed), STATE_SECONDS)
        return response

    async def finish_login(self, request: Request, code: str, state: str) -> RedirectResponse:
        """Take the hub's answer, set the session cookie, and send the browser back. Raises ApiError (400, 503)."""
        name = STATE_COOKIE + state[:8]
        kept = self._unsealed(request.cookies.get(name, ""), STATE_SECONDS)
        if not isinstance(kept, dict) or not code or not _same(str(kept["state"]), state):
            raise _sign_in_failed("the state of a sign-in does not match its cookie")
        token = await self._token_for(code, str(kept["verifier"]))
        response = RedirectResponse(self.own_path(str(kept["back"])), 302)
        response.delete_cookie(name, path=self.door.prefix + "/")
        self._set_cookie(response, SESSION_COOKIE, str(self._signer.dumps(token)), SESSION_SECONDS)
        return response

    def own_path(self, path: str) -> str:
        """The path if it is one of this service, its front door if not."""
        home = self.door.prefix + "/"
        return path if path.startswith(home) and "\\" not in path and "//" not in path.partition("?")[0] else home

    async def close(self) -> None:
        """Close the connections to the hub."""
        await self._line.close()

    # --- the hub ---------------------------------------------------------------------------------------------

    async def _person(self, token: str, *, session_id: str | None) -> dict[str, Any]:
        model = await self._identify(token, session_id)
        if model.get("session_id") != session_id:
            raise _nobody("the token and the session cookie do not belong together")
        if model.get("kind") != "user" or not model.get("name"):
            raise _not_allowed("the token does not belong to a person")
        if not _may_enter(self.door.access_scopes, model.get("scopes", ())):
            raise _not_allowed("the token lacks the scope of this service")
        return model

    async def _identify(self, token: str, session_id: str | None) -> dict[str, Any]:
        """The hub's model of the token's owner, as it was a few seconds ago at most, and in the same session."""
        if not _TOKEN.fullmatch(token):
            raise _nobody("the token is not one of the hub's")
        key = hashlib.sha256(f"{session_id}:{token}".encode()).hexdigest()
        until, model = self._known.get(key, (0.0, {}))
        if time.monotonic() < until:
            return model
        response = await self._ask("GET", "/user", token)
        if response.status in (401, 403, 404):
            self._known.pop(key, None)
            raise _nobody("the hub does not know the token")
        if response.status != 200:
            raise hub_away(f"the hub answered {response.status} to a token")
        model = response.json()
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        good_seconds = CACHE_SECONDS if session_id is None else COOKIE_CACHE_SECONDS
        self._known[key] = (time.monotonic() + good_seconds, model)
        return model

    async def _token_for(self, code: str, verifier: str) -> str:
        form = {
            "client_id": self.door.client_id,
            "client_secret": self.door.api_token,
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.door.callback_url,
            "code_verifier": verifier,
        }
        response = await self._ask("POST", "/oauth2/token", self.door.api_token, form)
        if response.status != 200:
            raise _sign_in_failed(f"the hub answered {response.status} to a sign-in code")
        return str(response.json()["access_token"])

    async def _ask(self, method: str, path: str, token: str, form: Mapping[str, str] | None = None) -> HubAnswer:
        return await self._line.ask(method, self.door.api_url + path, {"Authorization": f"token {token}"}, form)

    # --- cookies ---------------------------------------------------------------------------------------------

    def _token_of_cookie(self, request: Request) -> str:
        token = self._unsealed(request.cookies.get(SESSION_COOKIE, ""), SESSION_SECONDS)
        if not isinstance(token, str):
            raise _nobody("no token and no session")
        return token

    def _unsealed(self, sealed: str, most_seconds: int) -> object:
        try:
            return self._signer.loads(sealed, max_age=most_seconds)
        except BadData:
            return None

    def _set_cookie(self, response: RedirectResponse, name: str, value: str, most_seconds: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=most_seconds,
            path=self.door.prefix + "/",
            httponly=True,
            samesite="lax",
            secure=self.door.secure,
        )


def _groups_of(person: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(group) for group in person.get("groups") or ())


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _may_enter(wanted: frozenset[str], held: object) -> bool:
    """Whether a scope held is one wanted, or the same without its filter: ``access:services`` opens every service."""
    scopes = set(held) if isinstance(held, list | tuple) else set()
    return any(scope in scopes or scope.partition("!")[0] in scopes for scope in wanted)


def _nobody(why: str) -> ApiError:
    return ApiError(f"not signed in: {why}", status=401, user_message="Please sign in again.")


def _not_allowed(why: str) -> ApiError:
    return ApiError(f"not allowed: {why}", status=403, user_message="Your account may not use this service.")


def _sign_in_failed(why: str) -> ApiError:
    return ApiError(f"sign-in refused: {why}", status=400, user_message="The sign-in did not work. Please try again.")
