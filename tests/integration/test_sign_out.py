"""Signing out, for those who do it: everywhere at once, and nothing of theirs is lost.

What it means for somebody with copies of the cookies stands in tests/hostile/test_copied_cookies.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from tests.open_house import OpenHouse, arrive, server_path, sign_in, visitor
from tests.processes import environment_of, words_of

pytestmark = pytest.mark.slow

BEN, PIA = "ben@example.com", "pia@example.com"
SOON_SECONDS = 10.0


@contextmanager
def signed_in(house: OpenHouse, email: str) -> Iterator[httpx.Client]:
    """A browser in which somebody's server is open."""
    with visitor(house) as client:
        sign_in(client, email)
        arrive(client, "/hub/user-redirect/")
        yield client


def accounts(house: OpenHouse) -> set[str]:
    """Whose dashboards run."""
    servers = [process for process in house.belongings() if "hub.voila_server" in words_of(process)]
    return {environment_of(process)["TNG_ACCOUNT"] for process in servers}


def test_a_dashboard_is_put_away_and_is_there_again_after_the_next_sign_in(house: OpenHouse) -> None:
    with signed_in(house, BEN) as browser:
        assert BEN in accounts(house)
        page = browser.get("/hub/home")
        assert BEN in page.text
        assert browser.get("/hub/logout").url.path == "/hub/login"
        assert BEN not in accounts(house)
        sign_in(browser, BEN)
        assert arrive(browser, "/hub/user-redirect/").url.path == server_path(BEN)
        browser.get("/hub/logout")


def test_a_workbench_goes_on_and_is_found_as_it_was_left(house: OpenHouse) -> None:
    path = server_path(PIA)
    with signed_in(house, PIA) as browser:
        xsrf = {"X-XSRFToken": str(browser.cookies.get("_xsrf", path=path))}
        kernel = browser.post(f"{path}api/kernels", headers=xsrf).json()["id"]
        assert browser.get("/hub/logout").url.path == "/hub/login"
        until = time.monotonic() + SOON_SECONDS
        while browser.get(f"{path}lab").url.path != "/hub/login":  # the workbench believes a cookie for a second
            assert time.monotonic() < until
            time.sleep(0.1)
    with signed_in(house, PIA) as again:
        assert [entry["id"] for entry in again.get(f"{path}api/kernels").json()] == [kernel]


def test_every_browser_of_a_person_is_signed_out_and_nobody_elses(house: OpenHouse) -> None:
    with visitor(house) as one, visitor(house) as other, visitor(house) as pias:
        for browser, email in ((one, BEN), (other, BEN), (pias, PIA)):
            sign_in(browser, email, to="/hub/home")
            assert browser.get("/hub/home").url.path == "/hub/home"
        one.get("/hub/logout")
        assert other.get("/hub/home").url.path == "/hub/login"
        assert pias.get("/hub/home").url.path == "/hub/home"
