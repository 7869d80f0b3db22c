"""Who comes in, and where they land: over HTTP, through the proxy, with the stand-in for Google."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub.sandbox.people import by_address
from tests.open_house import OpenHouse, arrive, server_path, sign_in, visitor
from tests.processes import below, environment_of, is_kernel, words_of
from tests.shows import first_show

pytestmark = pytest.mark.slow

ADA = by_address("ada@example.com")
HERS = server_path(ADA.email)
FORBIDDEN = ("STRIPE", "DATABASE", "SECRET", "GOOGLE")


@pytest.fixture(scope="module")
def ada(house: OpenHouse) -> Iterator[httpx.Client]:
    """A customer whose dashboard is open."""
    with visitor(house) as client:
        sign_in(client, "ada@example.com")
        arrive(client, "/hub/user-redirect/")
        yield client


def test_the_front_door_says_who_we_are_and_that_it_is_a_demo(browser: httpx.Client) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert page.url.path == "/hub/login"
    assert first_show().product in page.text
    assert first_show().disclaimer in page.text
    assert "stand-in" in page.text
    assert "Sign in with" in page.text


@pytest.mark.parametrize("path", ["/hub/login", "/hub/no-such-page", "/no-such-service/"])
def test_no_page_of_ours_asks_a_third_party(house: OpenHouse, browser: httpx.Client, path: str) -> None:
    page = browser.get(path).text
    targets = re.findall(r"""(?:src|href|action)=["']([^"']+)""", page)
    assert targets
    assert {urlsplit(target).netloc for target in targets} <= {"", urlsplit(house.url).netloc}


def test_a_customer_lands_on_the_dashboard_with_the_query_she_came_with(ada: httpx.Client) -> None:
    page = arrive(ada, "/hub/user-redirect/?order=ord_1&paid=yes")
    assert page.url.path == HERS
    assert dict(page.url.params) == {"order": "ord_1", "paid": "yes"}
    assert "voila" in page.text.lower()
    assert f"<title>{first_show().product}</title>" in page.text


def test_the_dashboard_is_found_without_the_last_slash_of_its_address(ada: httpx.Client) -> None:
    landed = ada.get("/")
    found = ada.get(str(landed.url.copy_with(query=None)).rstrip("/"))
    assert found.status_code == 200
    assert found.url.path == landed.url.path


def test_the_query_survives_the_sign_in(house: OpenHouse, browser: httpx.Client, ada: httpx.Client) -> None:
    first = browser.get("/hub/user-redirect/?order=ord_2")
    assert first.url.path == "/hub/login"
    sign_in(browser, "ada@example.com", to=first.url.params["next"])
    page = arrive(browser, first.url.params["next"])
    assert page.url.path == HERS
    assert page.url.params["order"] == "ord_2"


def test_a_power_user_lands_in_jupyterlab(house: OpenHouse, browser: httpx.Client) -> None:
    sign_in(browser, "pia@example.com")
    assert arrive(browser, "/hub/user-redirect/").url.path == server_path("pia@example.com") + "lab/tree/workbench"
    assert (house.home / "homes" / by_address("pia@example.com").id).stat().st_mode & 0o777 == 0o700


def test_an_unverified_address_is_refused_with_a_sentence(browser: httpx.Client) -> None:
    page = sign_in(browser, "una@example.com")
    assert page.status_code == 403
    assert "has not verified this e-mail address" in page.text
    assert browser.get("/hub/home").url.path == "/hub/login"


@pytest.mark.parametrize("path", [HERS, f"{HERS}api/kernels/x/channels"])
def test_another_customer_cannot_open_her_dashboard(browser: httpx.Client, ada: httpx.Client, path: str) -> None:
    sign_in(browser, "ben@example.com", to="/hub/home")
    assert browser.get(path).status_code in (403, 404)


def test_a_stranger_is_asked_to_sign_in(browser: httpx.Client, ada: httpx.Client) -> None:
    assert browser.get(HERS).url.path == "/hub/login"


def test_her_server_is_no_jupyter_server(ada: httpx.Client) -> None:
    for path in ("lab", "api/contents", "api/sessions", "api/terminals", "tree"):
        answer = ada.get(f"{HERS}{path}")
        assert answer.status_code in (403, 404, 405), (path, answer.status_code)
    assert ada.post(f"{HERS}api/kernels").status_code in (403, 404, 405)


def test_nobody_mints_tokens(ada: httpx.Client) -> None:
    token = ada.cookies.get("_xsrf", path="/hub/")
    answer = ada.post(f"/hub/api/users/{ADA.id}/tokens", headers={"X-XSRFToken": str(token)}, json={})
    assert answer.status_code == 403


def test_her_server_and_its_kernels_know_no_secret(house: OpenHouse, ada: httpx.Client) -> None:
    server = house.service("hub.voila_server")
    processes = [server, *below(server)]
    assert any(is_kernel(process) for process in processes)
    for process in processes:
        if not (environment := environment_of(process)):
            continue  # a kernel that has just ended
        assert not [name for name in environment if any(word in name for word in FORBIDDEN)]
        assert environment["TNG_API_URL"] == f"http://127.0.0.1:{house.port + 3}/services/api"


def test_her_kernels_are_reached_by_sockets_in_a_folder_of_her_own(house: OpenHouse, ada: httpx.Client) -> None:
    words = [word for kernel in house.service("hub.voila_server").children() for word in words_of(kernel)]
    connections = [Path(word) for word in words if word.endswith(".json")]
    assert connections
    for connection in connections:
        assert json.loads(connection.read_text())["transport"] == "ipc"
        assert connection.parent.stat().st_mode & 0o777 == 0o700


def test_the_api_is_the_only_one_that_knows_the_key_of_stripe(house: OpenHouse) -> None:
    holders = {
        next(iter(word for word in words_of(process) if word.startswith(("tng.", "hub."))), "?")
        for process in house.belongings()
        if "STRIPE_SECRET_KEY" in environment_of(process)
    }
    assert holders <= {"tng.api", "hub.keeper"}
    assert "tng.api" in holders


def test_pkce_is_enforced_by_the_running_stand_in(house: OpenHouse, browser: httpx.Client) -> None:
    def trade(verifier: str) -> int:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(b"right" * 10).digest()).rstrip(b"=").decode()
        asking = {
            "client_id": "tng-demo",
            "redirect_uri": f"{house.url}/hub/oauth_callback",
            "response_type": "code",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        chosen = browser.post(
            "/services/google/authorize", params=asking, data={"email": "ada@example.com"}, follow_redirects=False
        )
        form = {
            "client_id": "tng-demo",
            "client_secret": (house.home / "keys" / "google-stand-in").read_text().strip(),
            "redirect_uri": asking["redirect_uri"],
            "code": parse_qs(urlsplit(chosen.headers["location"]).query)["code"][0],
            "code_verifier": verifier,
        }
        return browser.post("/services/google/token", data=form).status_code

    assert trade("wrong" * 10) == 400
    assert trade("right" * 10) == 200


def test_all_that_is_kept_is_for_its_owner_alone(house: OpenHouse, ada: httpx.Client) -> None:
    assert house.home.stat().st_mode & 0o777 == 0o700
    for path in house.home.iterdir():
        assert not path.stat().st_mode & 0o077, path


def test_the_log_names_nobody(house: OpenHouse, ada: httpx.Client) -> None:
    assert "person-" in house.log
    assert "@example.com" not in house.log
    assert "%40example.com" not in house.log
    assert ADA.id not in house.log


def test_the_console_stays_readable(house: OpenHouse) -> None:
    assert len(house.says) <= 12
    assert any("demo" in line for line in house.says)
    assert any(house.url in line for line in house.says)
