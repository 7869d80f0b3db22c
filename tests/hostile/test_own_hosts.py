"""A host name for each person's server: a page that one person writes can do nothing in the house in another's name."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests import browser as screen
from tests.certificates import make_certificate
from tests.hostile.attacks import answers
from tests.open_house import OpenHouse, free_block

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(screen.chromium() is None, reason=screen.WHY_SKIPPED),  # it finds every name below localhost
]

HOST = "tng.localhost"
READ_THE_API = "url => fetch(url, {credentials: 'include'}).then(answer => answer.status, () => 'refused')"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A house at https whose people have hosts of their own."""
    folder, port = tmp_path_factory.mktemp("house"), free_block()
    made = make_certificate(folder)
    opened = OpenHouse(
        folder / "var",
        port,
        TNG_PUBLIC_URL=f"https://{HOST}:{port}",
        TNG_SUBDOMAINS="true",
        TNG_TLS_CERTIFICATE=str(made.chain),
        TNG_TLS_KEY=str(made.key),
    )
    opened.url = f"https://{HOST}:{port}"
    try:
        opened.wait_until_ready()
        yield opened
    finally:
        opened.end()


@pytest.fixture(scope="module")
def launched() -> Iterator[Browser]:
    with screen.browser() as one:
        yield one


@pytest.fixture(scope="module")
def ada(house: OpenHouse, launched: Browser) -> Iterator[screen.Visitor]:
    """A customer at her desk."""
    visitor = screen.Visitor(launched, house, trusting=True)
    visitor.sign_in("ada@example.com")
    yield visitor
    visitor.close()


def test_a_customer_orders_and_comes_back_from_stripe_to_her_own_host(ada: screen.Visitor) -> None:
    host = urlsplit(ada.page.url).hostname or ""
    assert host.endswith(f".{HOST}")
    ada.compose("The Open Door")
    assert urlsplit(ada.order()).hostname == HOST
    ada.pay()
    assert ada.come_back().startswith("ord_")
    assert urlsplit(ada.page.url).hostname == host


@answers(
    "writes a page whose script calls the api with the cookies of whoever opens it",
    "a host name for each person's server: the browser lets no other host read the api",
    who="a power user",
)
def test_a_script_on_a_persons_host_cannot_read_the_api_with_the_cookies_of_the_house(
    house: OpenHouse, ada: screen.Visitor
) -> None:
    api = ada.context.new_page()
    api.goto(f"{house.url}/services/api/me")  # the browser is signed in to the api now
    assert '"csrf"' in api.inner_text("body")
    address = f"{house.url}/services/api/me"
    assert ada.page.evaluate(READ_THE_API, address) == "refused"
    api.goto(f"{house.url}/hub/home")
    assert api.evaluate(READ_THE_API, address) == 200  # the control: a page of the house's own may
    api.close()


@answers(
    "sets a cookie for the whole house that is taken for a sign-in",
    "sign-in cookies are named __Host-, which browsers let no other host set",
    who="a power user",
)
def test_no_host_can_set_a_cookie_that_another_takes_for_a_sign_in(ada: screen.Visitor) -> None:
    kinds = ("jupyterhub-hub-login", "jupyterhub-user-")
    signed = [cookie for cookie in ada.context.cookies() if any(kind in cookie["name"] for kind in kinds)]
    assert len(signed) == 2
    assert all(cookie["name"].startswith("__Host-") for cookie in signed)
    assert all(cookie["secure"] and cookie["httpOnly"] for cookie in signed)


def test_a_power_user_comes_to_a_workbench_on_a_host_of_their_own(
    house: OpenHouse, launched: Browser, ada: screen.Visitor
) -> None:
    pia = screen.Visitor(launched, house, trusting=True)
    pia.come_in()
    pia.choose("pia@example.com")
    pia.page.click("#spawn_form [type=submit]")
    pia.page.wait_for_selector("#jp-main-dock-panel")
    host = urlsplit(pia.page.url).hostname or ""
    assert host.endswith(f".{HOST}")
    assert host != urlsplit(ada.page.url).hostname
    pia.close()
