"""Where the proxy listens, with which certificate, and how the house finds out that it is open."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from hub.entrance import answers, entrance_faults, listening_url
from tests.certificates import Certificate, make_certificate
from tests.unit.hub.conftest import PRODUCTION
from tng.settings import Settings

MakeSettings = Callable[..., Settings]


class Door(BaseHTTPRequestHandler):
    """Answers 200 to /open and 404 to the rest."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/open" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"])
def house(request: pytest.FixtureRequest, certificate: Certificate, settings: MakeSettings) -> Iterator[Settings]:
    """A house of two pages."""
    with HTTPServer(("127.0.0.1", 0), Door) as server:
        tls = {}
        if request.param == "https":
            tls = {"tls_certificate": certificate.chain, "tls_key": certificate.key}
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.chain, certificate.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield settings(port=server.server_port, **tls)
        server.shutdown()
        thread.join()


def test_it_is_open_when_the_page_is_there(house: Settings) -> None:
    assert answers(house, "/open")


def test_it_is_not_open_while_the_proxy_knows_no_way(house: Settings) -> None:
    assert not answers(house, "/closed")


def test_it_is_not_open_while_nobody_listens(settings: MakeSettings) -> None:
    assert not answers(settings(port=1), "/open")


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"bind": "0.0.0.0", "port": 443}, "http://0.0.0.0:443"),  # noqa: S104
        ({"bind": "::1", "tls_certificate": "c", "tls_key": "k"}, "https://[::1]:8000"),
    ],
    ids=["default", "everywhere", "tls"],
)
def test_where_it_listens(settings: MakeSettings, changes: dict[str, object], url: str) -> None:
    assert listening_url(settings(**changes)) == url


def test_a_house_with_stand_ins_is_for_this_machine_only(settings: MakeSettings, certificate: Certificate) -> None:
    tls = {"tls_certificate": certificate.chain, "tls_key": certificate.key}
    assert "let anybody in" in _only(settings(bind="0.0.0.0", **tls))  # noqa: S104
    assert not list(entrance_faults(settings(**tls)))


def test_nobody_signs_in_over_the_street_in_the_clear(settings: MakeSettings, certificate: Certificate) -> None:
    earnest = {name: value for name, value in PRODUCTION.items() if name not in ("mode", "public_url")}
    earnest |= {"stripe_secret_key": "sk_test_of_ours", "bind": "192.0.2.7"}
    assert "in the clear" in _only(settings(**earnest))
    tls = {"tls_certificate": certificate.chain, "tls_key": certificate.key}
    assert not list(entrance_faults(settings(**earnest, **tls)))
    assert not list(entrance_faults(settings(**PRODUCTION, bind="192.0.2.7")))  # TLS ends at a proxy before it


def test_an_address_to_listen_on_is_a_number(settings: MakeSettings) -> None:
    assert "TNG_BIND shop.example is no address" in _only(settings(bind="shop.example"))


def test_a_key_that_others_can_read_is_refused(settings: MakeSettings, tmp_path: Path) -> None:
    made = make_certificate(tmp_path)
    made.key.chmod(0o644)
    assert "can be read by others (mode 0644)" in _only(settings(tls_certificate=made.chain, tls_key=made.key))


def test_a_key_of_another_certificate_is_refused(
    settings: MakeSettings, certificate: Certificate, tmp_path: Path
) -> None:
    other = make_certificate(tmp_path)
    assert "do not fit" in _only(settings(tls_certificate=certificate.chain, tls_key=other.key))


def test_a_key_with_a_password_asks_nobody(settings: MakeSettings, tmp_path: Path) -> None:
    made = make_certificate(tmp_path, password=b"a password")
    assert "without a password" in _only(settings(tls_certificate=made.chain, tls_key=made.key))


def test_a_certificate_that_is_missing_is_named(settings: MakeSettings, certificate: Certificate) -> None:
    absent = certificate.chain.with_name("absent.pem")
    assert "absent.pem is missing" in _only(settings(tls_certificate=absent, tls_key=certificate.key))


def _only(settings: Settings) -> str:
    (fault,) = entrance_faults(settings)
    return fault
