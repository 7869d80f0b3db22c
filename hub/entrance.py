"""The door to the street: the address on which the proxy listens, and the TLS that ends there, where it does."""

from __future__ import annotations

import http
import http.client
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from hub.front import stand_ins
from tng.credentials import read_private
from tng.errors import SettingsError
from tng.settings import Mode, Settings

ANSWER_SECONDS = 5.0


def entrance_faults(settings: Settings) -> Iterator[str]:
    """What is wrong with where the proxy is to listen, one sentence each."""
    try:
        loopback = ip_address(settings.bind).is_loopback
    except ValueError:
        yield f"TNG_BIND {settings.bind} is no address of this machine; write 127.0.0.1, 0.0.0.0, or one of its own"
        return
    if not loopback and stand_ins(settings):
        yield (
            f"TNG_BIND {settings.bind} can be reached by others, and the stand-ins for Google and Stripe let anybody "
            "in; set the keys of Google and Stripe, or leave it out"
        )
    elif not loopback and not settings.tls_certificate and settings.mode is not Mode.PRODUCTION:
        yield (
            f"TNG_BIND {settings.bind} would carry sign-ins in the clear; "
            "set TNG_TLS_CERTIFICATE and TNG_TLS_KEY, or leave it out"
        )
    if settings.tls_certificate and settings.tls_key:
        yield from _certificate_faults(settings.tls_certificate, settings.tls_key)


def listening_url(settings: Settings) -> str:
    """Where the proxy listens."""
    scheme = "https" if settings.tls_certificate else "http"
    return f"{scheme}://{_in_url(settings.bind)}:{settings.port}"


def answers(settings: Settings, path: str) -> bool:
    """Whether the house serves this page, asked as a neighbour on this machine would."""
    connection = _connection(settings)
    try:
        connection.request("GET", path, headers={"Host": urlsplit(settings.public).netloc})
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _connection(settings: Settings) -> http.client.HTTPConnection:
    listening = ip_address(settings.bind)
    everywhere = "127.0.0.1" if listening.version == 4 else "::1"
    host = everywhere if listening.is_unspecified else settings.bind
    if not settings.tls_certificate:
        return http.client.HTTPConnection(host, settings.port, timeout=ANSWER_SECONDS)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the certificate is for the public name; this door is our own
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return http.client.HTTPSConnection(host, settings.port, timeout=ANSWER_SECONDS, context=trusting)


def _certificate_faults(certificate: Path, key: Path) -> Iterator[str]:
    try:
        read_private(key)
    except SettingsError as error:
        yield f"TNG_TLS_KEY: {error}"
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except FileNotFoundError:
        yield f"TNG_TLS_CERTIFICATE: {certificate} is missing; name the file with the chain of the certificate"
    except (OSError, ValueError):  # ssl.SSLError is an OSError; its text is about libraries, not about files
        yield (
            f"TNG_TLS_CERTIFICATE {certificate} and TNG_TLS_KEY {key} do not fit: both must be PEM files, "
            "the key without a password and of this certificate"
        )


def _no_password() -> str:
    """A key with a password would ask for it on the terminal, and wait."""
    raise ValueError("the key has a password")


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
