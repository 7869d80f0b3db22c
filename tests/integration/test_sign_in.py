"""What a sign-in gives a person, and what is left of it when the settings have changed.

Attacks on the front door stand in tests/hostile/test_stranger.py.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hub.sandbox.people import by_address
from tests.open_house import OpenHouse, arrive, free_block, sign_in, visitor

pytestmark = pytest.mark.slow

ADA, BEN, OLA = "ada@example.com", "ben@example.com", "ola@example.com"
HERE = "127.0.0.1"
PATIENCE_SECONDS = 30.0


def test_the_request_to_google_carries_a_state_and_a_challenge(browser: httpx.Client) -> None:
    query = parse_qs(urlsplit(str(browser.get("/hub/oauth_login").url)).query)
    assert query["code_challenge_method"] == ["S256"]
    assert len(query["code_challenge"][0]) == 43
    assert len(query["state"][0]) >= 32


def test_an_operator_sees_who_is_here_and_is_no_administrator(house: OpenHouse, browser: httpx.Client) -> None:
    sign_in(browser, OLA, to="/hub/home")
    xsrf = {"X-XSRFToken": str(browser.cookies.get("_xsrf", path="/hub/"))}
    assert browser.get("/hub/admin").status_code == 403
    me = browser.get("/hub/api/user", headers=xsrf).json()
    assert me["groups"] == ["operators"]
    assert not me["admin"]
    ada = by_address(ADA)
    with visitor(house) as hers:
        sign_in(hers, ADA, to="/hub/home")
    known = browser.get(f"/hub/api/users/{ada.id}", headers=xsrf)
    assert known.status_code == 200
    assert ADA not in known.text
    assert "auth_state" not in known.json()
    assert browser.post(f"/hub/api/users/{ada.id}/server", headers=xsrf).status_code in (403, 404)
    assert browser.post(f"/hub/api/users/{ada.id}/tokens", headers=xsrf, json={}).status_code in (403, 404)
    assert browser.delete(f"/hub/api/users/{ada.id}", headers=xsrf).status_code in (403, 404)
    assert browser.post("/hub/api/users/1234", headers=xsrf).status_code in (403, 404)


def test_every_sign_in_begins_a_session_of_its_own(house: OpenHouse, browser: httpx.Client) -> None:
    browser.cookies.set("jupyterhub-session-id", "planted", domain=HERE, path="/")
    seen = {"planted"}
    for _ in range(2):
        sign_in(browser, BEN, to="/hub/home")
        assert browser.get("/hub/home").url.path == "/hub/home"
        sessions = {str(cookie.value) for cookie in browser.cookies.jar if cookie.name == "jupyterhub-session-id"}
        assert len(sessions) == 1
        assert not sessions & seen
        seen |= sessions


def test_what_is_taken_from_the_settings_is_taken_from_a_person_who_is_still_signed_in(tmp_path: Path) -> None:
    home, port, ben = tmp_path / "var", free_block(), by_address(BEN)
    before = OpenHouse(home, port, TNG_KEEP_SERVERS="1", TNG_POWER_USERS=BEN, TNG_ADMINS=BEN)
    try:
        before.wait_until_ready()
        with visitor(before) as browser:
            sign_in(browser, BEN, to="/hub/home")
            assert set(groups(browser)) == {"power-users", "operators"}
            assert arrive(browser, "/hub/user-redirect/").url.path == f"/user/{ben.id}/lab/tree/workbench"
            workbench = before.service("hub.lab_server")
            before.stop()
            assert workbench.is_running(), "a server that goes on while the hub does not"
            with sqlite3.connect(home / "hub.sqlite") as database:  # as an earlier house could have left it
                database.execute("UPDATE users SET admin = 1 WHERE name = ?", [ben.id])
            after = OpenHouse(home, port, TNG_KEEP_SERVERS="1")
            after.wait_until_ready()
            assert browser.get("/hub/home").url.path == "/hub/home", "still signed in"
            assert groups(browser) == []
            assert browser.get("/hub/admin").status_code == 403
            workbench.wait(timeout=PATIENCE_SECONDS)
            assert arrive(browser, "/hub/user-redirect/").url.path == f"/user/{ben.id}/"
            assert browser.get(f"/user/{ben.id}/lab").status_code in (403, 404)
            after.stop()
    finally:
        before.end()


def groups(browser: httpx.Client) -> list[str]:
    """The groups of whoever is signed in, as the hub says."""
    browser.get("/hub/home")
    xsrf = {"X-XSRFToken": str(browser.cookies.get("_xsrf", path="/hub/"))}
    me = browser.get("/hub/api/user", headers=xsrf).json()
    assert me["admin"] is False
    return list(me["groups"])
