"""A stand-in for Google's sign-in: authorization code with PKCE, people of the demo to choose from. It is not Google.

The addresses and answers have the shape of Google's (authorize, token, v1 userinfo), as far as oauthenticator asks.
Whoever opens the page may be anybody on it; therefore it runs on loopback, and only without Google's keys.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.headers import sign_in_headers
from hub.sandbox.headed import Headed
from hub.sandbox.people import PEOPLE, Person

CODE_SECONDS = 60.0
TOKEN_SECONDS = 300.0
LONGEST_BODY = 8192


@dataclass(frozen=True, slots=True)
class Client:
    """The application that is registered here: one, with one address to come back to."""

    client_id: str
    client_secret: str
    callback: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A code that was given out: to whom, for which challenge, until when."""

    person: Person
    challenge: str
    until: float


@dataclass
class GoogleStandIn:
    """The rules, without HTTP. ``clock`` gives seconds that only grow."""

    client: Client
    clock: Callable[[], float] = time.monotonic
    people: Sequence[Person] = PEOPLE
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, tuple[Person, float]] = field(default_factory=dict)

    def check_request(self, query: dict[str, str]) -> None:
        """Raise HTTPException 400 for an authorization request that is not from our client, or comes without PKCE."""
        wanted = {
            "client_id": self.client.client_id,
            "redirect_uri": self.client.callback,
            "response_type": "code",
            "code_challenge_method": "S256",
        }
        for name, value in wanted.items():
            if query.get(name) != value:
                raise HTTPException(400, f"{name} is not what is registered here")
        if len(query.get("code_challenge", "")) != 43:
            raise HTTPException(400, "code_challenge is missing")

    def choose(self, email: str, challenge: str) -> str:
        """A code for this person, good once and for a minute. Raises HTTPException 400 for somebody unknown."""
        person = next((person for person in self.people if person.email == email), None)
        if person is None:
            raise HTTPException(400, "there is no such person")
        self._forget()
        code = secrets.token_urlsafe(24)
        self.grants[code] = Grant(person, challenge, self.clock() + CODE_SECONDS)
        return code

    def exchange(self, form: dict[str, str]) -> str:
        """An access token for a code, which is used up. Raises HTTPException 400 (grant) or 401 (client)."""
        grant = self.grants.pop(form.get("code", ""), None)
        known = secrets.compare_digest(form.get("client_id", "").encode(), self.client.client_id.encode())
        secret = secrets.compare_digest(form.get("client_secret", "").encode(), self.client.client_secret.encode())
        if not (known and secret):
            raise HTTPException(401, "invalid_client")
        if grant is None or self.clock() > grant.until or form.get("redirect_uri") != self.client.callback:
            raise HTTPException(400, "invalid_grant")
        if not secrets.compare_digest(s256(form.get("code_verifier", "")), grant.challenge):
            raise HTTPException(400, "invalid_grant")
        token = secrets.token_urlsafe(24)
        self.tokens[token] = (grant.person, self.clock() + TOKEN_SECONDS)
        return token

    def userinfo(self, token: str) -> dict[str, Any]:
        """Who a token stands for. Raises HTTPException 401."""
        person, until = self.tokens.get(token, (None, 0.0))
        if person is None or self.clock() > until:
            raise HTTPException(401, "invalid_token")
        return person.userinfo

    def _forget(self) -> None:
        now = self.clock()
        self.grants = {code: grant for code, grant in self.grants.items() if grant.until > now}
        self.tokens = {token: entry for token, entry in self.tokens.items() if entry[1] > now}


def s256(verifier: str) -> str:
    """The challenge of a PKCE verifier (RFC 7636)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def build(client: Client, prefix: str, people: Sequence[Person] = PEOPLE) -> FastAPI:
    """The service, below ``prefix`` (no slash at its end)."""
    google = GoogleStandIn(client, people=people)
    app = FastAPI(openapi_url=None)

    @app.get(f"{prefix}/")
    async def alive() -> dict[str, str]:
        return {"service": "a stand-in for Google's sign-in"}

    @app.get(f"{prefix}/authorize")
    async def ask(request: Request) -> HTMLResponse:
        google.check_request(dict(request.query_params))
        return HTMLResponse(page(request.url.query, people), headers={"Cache-Control": "no-store"})

    @app.post(f"{prefix}/authorize")
    async def answer(request: Request) -> RedirectResponse:
        query = dict(request.query_params)
        google.check_request(query)
        code = google.choose((await read_form(request)).get("email", ""), query["code_challenge"])
        back = urlencode({"code": code, "state": query.get("state", "")})
        return RedirectResponse(f"{client.callback}?{back}", 303)

    @app.post(f"{prefix}/token")
    async def token(request: Request) -> dict[str, Any]:
        access = google.exchange(await read_form(request))
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": int(TOKEN_SECONDS),
            "scope": "openid email",
        }

    @app.get(f"{prefix}/userinfo")
    async def userinfo(request: Request) -> dict[str, Any]:
        return google.userinfo(request.headers.get("authorization", "").removeprefix("Bearer "))

    return app


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form as browsers and OAuth clients send it. Raises HTTPException 413 for more than 8 KiB."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            raise HTTPException(413, "too long")
    return {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}


def page(query: str, people: Sequence[Person] = PEOPLE) -> str:
    """The page on which a person of the demo is chosen; the request goes on in the address of its form."""
    buttons = "\n".join(
        f'<button name="email" value="{html.escape(person.email)}"><b>{html.escape(person.name)}</b> '
        f"<span>{html.escape(person.email)}<br>{html.escape(person.role)}</span></button>"
        for person in people
    )
    return PAGE.replace("{action}", html.escape(f"?{query}")).replace("{buttons}", buttons)


def main() -> None:
    """Serve on the loopback address that the hub names."""
    import uvicorn

    address = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    client = Client(
        os.environ["GOOGLE_STAND_IN_CLIENT_ID"],
        os.environ["GOOGLE_STAND_IN_CLIENT_SECRET"],
        os.environ["GOOGLE_STAND_IN_CALLBACK"],
    )
    app = build(client, os.environ["JUPYTERHUB_SERVICE_PREFIX"].rstrip("/"))
    headed = Headed(app, sign_in_headers(client.callback))
    uvicorn.run(headed, host="127.0.0.1", port=address.port or 80, log_level="warning")


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Demo sign-in</title>
<style>
  :root { color-scheme: light dark }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 30rem; margin: 12vh auto; padding: 0 1rem }
  h1 { font-size: 1.4rem; font-weight: 600 }
  button { display: flex; justify-content: space-between; gap: 1rem; width: 100%; margin: .6rem 0; padding: .8rem 1rem;
    font: inherit; text-align: left; border: 1px solid #8888; border-radius: .5rem; background: none; color: inherit;
    cursor: pointer }
  button:hover, button:focus-visible { border-color: #36c; outline: 2px solid #36c4 }
  span { font-size: .85rem; opacity: .75; text-align: right }
</style>
</head>
<body>
<main>
<h1>Who are you today?</h1>
<p>This is a stand-in for Google's sign-in, for the demo on this machine. <strong>It is not Google</strong>: none of
these people is real, and no password is asked.</p>
<form method="post" action="{action}">
{buttons}
</form>
</main>
</body>
</html>
"""


if __name__ == "__main__":
    main()
