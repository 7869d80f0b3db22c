"""TLS that ends at the house's own proxy: one certificate, and everything behind it knows."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.certificates import Certificate, make_certificate
from tests.credentials import CLIENT_SECRET, LIVE_KEY, PRODUCTION, WEBHOOK_SECRET
from tests.open_house import NOTHING_WRITTEN, OpenHouse, arrive, free_block, opened, sign_in
from tests.processes import words_of
from tng.headers import HSTS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory, certificate: Certificate) -> Iterator[OpenHouse]:
    """A demo house at https. That it says it is ready shows that it has found its own door."""
    tls = {"TNG_TLS_CERTIFICATE": str(certificate.chain), "TNG_TLS_KEY": str(certificate.key)}
    with opened(tmp_path_factory.mktemp("house") / "var", **tls, **NOTHING_WRITTEN) as house:
        yield house


@pytest.fixture
def client(secure: OpenHouse, certificate: Certificate) -> Iterator[httpx.Client]:
    """A browser that trusts the certificate."""
    trusting = ssl.create_default_context(cafile=str(certificate.chain))
    headers = {"accept": "text/html"}
    with httpx.Client(base_url=secure.url, verify=trusting, follow_redirects=True, timeout=60, headers=headers) as one:
        yield one


def test_the_door_is_at_https_and_the_browser_is_told_to_stay_there(client: httpx.Client) -> None:
    page = client.get("/hub/login")
    assert page.status_code == 200
    assert page.url.scheme == "https"
    assert page.headers["Strict-Transport-Security"] == HSTS


def test_a_browser_that_does_not_know_the_certificate_is_not_let_go_on(secure: OpenHouse) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{secure.url}/hub/login")


def test_plain_http_gets_nothing(secure: OpenHouse) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(secure.url.replace("https://", "http://") + "/hub/login")


def test_the_whole_way_to_the_desk_is_at_https_and_every_cookie_is_for_https_only(client: httpx.Client) -> None:
    sign_in(client, "ada@example.com")
    page = arrive(client, "/hub/user-redirect/")
    api = client.get("/services/api/me")
    assert api.status_code == 200
    for answer in (page, api):
        assert answer.headers["Strict-Transport-Security"] == HSTS
        assert {urlsplit(str(step.url)).scheme for step in (*answer.history, answer)} == {"https"}
    cookies = list(client.cookies.jar)
    assert len(cookies) > 3
    assert not [cookie.name for cookie in cookies if not cookie.secure]


def test_what_is_behind_the_door_listens_on_this_machine_only(secure: OpenHouse) -> None:
    listening = {
        connection.laddr.ip
        for process in secure.belongings()
        for connection in process.net_connections("tcp")
        if connection.status == "LISTEN"
    }
    assert listening == {"127.0.0.1"}


def test_a_house_with_all_that_production_needs_opens_and_sends_people_to_google(
    tmp_path: Path, certificate: Certificate
) -> None:
    port = free_block()
    public_url = f"https://tng.localhost:{port}"
    told = PRODUCTION | {"TNG_PUBLIC_URL": public_url, "TNG_POWER_USERS": "pia@example.com", "TNG_TRUSTED_USERS": "1"}
    tls = {"TNG_TLS_CERTIFICATE": str(certificate.chain), "TNG_TLS_KEY": str(certificate.key)}
    house = OpenHouse(tmp_path / "var", port, **told, **tls)
    try:
        house.wait_until_ready()
        trusting = ssl.create_default_context(cafile=str(certificate.chain))
        headers = {"host": urlsplit(public_url).netloc}
        answer = httpx.get(f"{house.url}/hub/oauth_login", verify=trusting, headers=headers)
        target = urlsplit(answer.headers["location"])
        assert target.netloc == "accounts.google.com"
        assert parse_qs(target.query)["redirect_uri"] == [f"{public_url}/hub/oauth_callback"]
        assert not [
            secret for secret in (LIVE_KEY, CLIENT_SECRET, WEBHOOK_SECRET) if secret in house.log + str(house.says)
        ]
        assert "sandbox" not in str([words_of(process) for process in house.belongings()])
        assert house.stop() == 0
    finally:
        house.end()
