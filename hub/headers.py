"""The security headers of every page of the house: what a browser may do with an answer. Plain data, no I/O.

The house's pages load everything from the house itself, stand in nobody's frame, and send no address elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders
from tornado.web import OutputTransform

from tng.headers import security_headers as security_headers


def hub_headers(public_url: str, *, own_hosts: bool = False) -> dict[str, str]:
    """The headers of the hub's own pages, policy included; ``own_hosts`` where people's servers are on others.

    The hub's templates hold scripts and styles of their own, which name this person's sign-in: no list can know them.
    """
    elsewhere = f" {_below(public_url)}" if own_hosts else ""
    policy = {
        "default-src": "'none'",
        "script-src": "'self' 'unsafe-inline'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": f"'self'{elsewhere}",  # a form may end, by way of the hub, at a person's server
        "base-uri": "'none'",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
    }
    return security_headers(public_url) | {"Content-Security-Policy": written(policy)}


def workbench_headers(public_url: str) -> dict[str, str]:
    """The headers of JupyterLab, which shows files of its own in frames and runs what its owner writes."""
    policy = "base-uri 'self'; object-src 'self'; frame-ancestors 'self'"
    return security_headers(public_url) | {"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": policy}


def sign_in_headers(public_url: str) -> dict[str, str]:
    """The headers of the stand-in for Google: one form and its style.

    No form-action: Chromium holds it against the redirects after the form, too, and those lead through the house.
    """
    policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
    return security_headers(public_url) | {"Content-Security-Policy": policy}


def secure_cookies(public_url: str) -> dict[str, Any]:
    """What tornado is told of cookies: with TLS they travel by it alone, whatever the proxy that ends it tells us."""
    kinds = ("cookie_options", "xsrf_cookie_kwargs") if public_url.startswith("https://") else ()
    return {kind: {"secure": True} for kind in kinds}  # one each: the hub adds a path to the second


def written(policy: Mapping[str, str]) -> str:
    """A Content-Security-Policy as the header has it."""
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


def on_every_answer(headers: Mapping[str, str]) -> type[OutputTransform]:
    """What tornado passes every answer through: static files and errors too, which know no headers of ours otherwise.

    An answer keeps what it says itself. The same headers give the same class.
    """
    return _transform(tuple(headers.items()))


@cache
def _transform(headers: tuple[tuple[str, str], ...]) -> type[OutputTransform]:
    class EveryAnswer(OutputTransform):
        def transform_first_chunk(
            self, status_code: int, answered: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            for name, value in headers:
                answered.setdefault(name, value)
            return status_code, answered, chunk

    return EveryAnswer


def _below(public_url: str) -> str:
    """Every host one step below the house's, as a policy names it."""
    address = urlsplit(public_url)
    return f"{address.scheme}://*.{address.netloc}"
