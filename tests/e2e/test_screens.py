"""Every screen by day, by night, on a tablet and on a phone: nothing keeps anybody out, nothing stands out at the side.

The pictures are in ``tests/e2e/screenshots``, for people to look at.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import Browser, expect

from tests.browser import Visitor
from tests.e2e.conftest import MakeVisitor
from tests.open_house import OpenHouse, opened, server_path
from tests.screens import barriers

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

ADA, OLA, PIA = "ada@example.com", "ola@example.com", "pia@example.com"
DASHBOARD = "hub.voila_server"
TITLE = "The Lantern at the Window"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A house of its own: who has been in it before sees other screens."""
    with opened(tmp_path_factory.mktemp("house") / "var", TNG_POWER_USERS=PIA) as started:
        yield started


def hold_the_first(house: OpenHouse, command: str, *, patience_seconds: float = 60.0) -> psutil.Process:
    """Wait for a process of the house, and let it stand still as soon as it is there: it must be let go on."""
    until = time.monotonic() + patience_seconds
    while time.monotonic() < until:
        with suppress(AssertionError, psutil.NoSuchProcess):
            process = house.service(command)
            process.suspend()
            return process
        time.sleep(0.02)
    raise AssertionError(f"nothing runs {command}")


@pytest.fixture(scope="module")
def ada(launched: Browser, house: OpenHouse) -> Iterator[Visitor]:
    """A customer at her desk."""
    person = Visitor(launched, house)
    person.sign_in(ADA)
    yield person
    person.close()


@pytest.fixture(scope="module")
def order_id(ada: Visitor) -> str:
    """An order of hers that was written."""
    written = paid(ada, TITLE)
    ada.expect_sentence("ready", patience_ms=120_000)
    return written


def at(person: Visitor, query: str, email: str = ADA) -> str:
    """The address of a view of somebody's page."""
    return f"{person.house.url}{server_path(email)}{query}"


def paid(person: Visitor, title: str, length: str = "Teaser") -> str:
    """Order and pay, and come back; the id of the order."""
    person.page.goto(at(person, "?view=new"))
    person.wait_until_usable()
    person.compose(title, length=length)
    person.order()
    person.pay()
    return person.come_back()


def write(person: Visitor, method: str, path: str) -> dict[str, str]:
    """Ask the api to change something, as a page of the house would."""
    csrf = person.ask("/me").json()["csrf"]
    url = f"{person.house.url}/services/api{path}"
    answer = person.context.request.fetch(url, method=method, headers={"X-CSRF-Token": csrf})
    assert answer.ok, (answer.status, answer.text())
    return dict(answer.json())


def test_the_way_in(visitor: MakeVisitor, house: OpenHouse) -> None:
    una = visitor()
    una.page.goto(house.url)
    found = barriers(una.page, "landing")
    una.come_in()
    found += barriers(una.page, "sign-in")
    una.choose("una@example.com")
    una.page.locator("main.error").wait_for()
    found += barriers(una.page, "refused")
    una.page.goto(f"{house.url}/hub/no-such-page")
    found += barriers(una.page, "no-such-page")
    assert found == []


def test_the_control_of_that_finds_barriers(visitor: MakeVisitor, house: OpenHouse) -> None:
    una = visitor()
    una.page.goto(house.url)
    una.page.locator(".price").evaluate(
        "line => { line.style.color = 'grey'; line.style.background = 'dimgrey'; "
        "line.insertAdjacentHTML('afterend', '<button></button><hr style=\"width: 2000px\">') }"
    )
    found = "\n".join(barriers(una.page, "control"))
    assert all(rule in found for rule in ("color-contrast", "button-name", "wider than the screen"))


def test_a_desk_that_is_being_set_up(visitor: MakeVisitor, house: OpenHouse) -> None:
    ben = visitor()
    ben.come_in()
    with ThreadPoolExecutor(1) as watch:
        starting = watch.submit(hold_the_first, house, DASHBOARD)
        ben.choose("ben@example.com")
        server = starting.result()
    try:
        ben.page.wait_for_selector("#progress-bar")
        found = barriers(ben.page, "desk-pending")
    finally:
        server.resume()
    ben.wait_until_usable()
    assert found == []


def test_describing_an_episode(ada: Visitor) -> None:
    ada.page.goto(at(ada, "?view=new"))
    ada.wait_until_usable()
    found = barriers(ada.page, "compose-empty")
    ada.page.get_by_role("button", name="Order & pay").click()
    ada.page.locator(".tng-title-field .tng-fault").wait_for()
    found += barriers(ada.page, "compose-hint")
    ada.compose("The Patience of Lanterns", cast=("Picard", "Worf", "Guinan"))
    ada.page.locator(".tng-finer summary").click()
    found += barriers(ada.page, "compose-filled")
    ada.open_account()
    found += barriers(ada.page, "account-menu")
    assert found == []


def test_paying(ada: Visitor) -> None:
    ada.page.goto(at(ada, "?view=new"))
    ada.wait_until_usable()
    ada.compose("Second Thoughts")
    ada.order()
    found = barriers(ada.page, "payment")
    ada.pay("4000 0000 0000 0002")
    expect(ada.page.get_by_role("alert")).to_contain_text("declined")
    found += barriers(ada.page, "payment-declined")
    ada.page.get_by_text("Back without paying").click()
    unpaid = ada.come_back()
    ada.expect_sentence("Nothing was charged")
    found += barriers(ada.page, "order-unpaid")
    ada.page.goto(at(ada, f"?order={unpaid}&returned=1"))
    ada.expect_sentence("Confirming your payment")
    found += barriers(ada.page, "order-confirming")
    assert found == []


def test_watching_and_waiting(ada: Visitor) -> None:
    watched = paid(ada, "The Long Watch", length="Full episode")
    ada.wait_for_scenes(1)
    found = barriers(ada.page, "order-writing")
    paid(ada, "The Long Wait")
    ada.expect_sentence("order before yours")
    found += barriers(ada.page, "order-queued")
    ada.page.get_by_role("button", name="Cancel the order").click()
    ada.expect_sentence("You cancelled this order, and your money was refunded in full")
    found += barriers(ada.page, "order-cancelled")
    ada.page.goto(at(ada, f"?order={watched}"))
    ada.page.get_by_role("button", name="Stop writing").click()
    ada.page.locator(".tng-question").wait_for()
    found += barriers(ada.page, "order-stop")
    ada.page.get_by_role("button", name="Stop now").click()
    ada.expect_sentence("You stopped the writing")
    found += barriers(ada.page, "order-stopped")
    assert found == []


def test_reading(ada: Visitor, order_id: str) -> None:
    ada.page.goto(at(ada, f"?order={order_id}"))
    ada.page.get_by_text("THE END", exact=True).wait_for()
    assert barriers(ada.page, "order-ready") == []


def test_reworking(ada: Visitor, order_id: str) -> None:
    ada.page.goto(at(ada, f"?order={order_id}"))
    more = ada.page.get_by_role("button", name="Scene 2: more")
    more.click()
    found = barriers(ada.page, "rework-menu")
    ada.page.get_by_role("menuitem", name=re.compile("Write this scene again")).click()
    ada.page.get_by_role("group", name="Takes of scene 2").wait_for()
    found += barriers(ada.page, "rework-take")
    more.click()
    ada.page.get_by_role("menuitem", name="Edit its lines").click()
    ada.page.get_by_label("Heading of the scene").fill("INT. A LANTERN ROOM")
    ada.page.get_by_label("Heading of the scene").press("Enter")
    ada.page.get_by_text("Saved").wait_for()
    found += barriers(ada.page, "rework-lines")
    ada.page.get_by_role("button", name="Done").click()
    ada.page.get_by_text("Versions (3)").click()
    found += barriers(ada.page, "rework-versions")
    assert found == []


def test_an_order_that_is_not_there(ada: Visitor) -> None:
    ada.page.goto(at(ada, "?order=ord_nobodys"))
    ada.wait_until_usable()
    expect(ada.page.locator("body")).to_contain_text("no such order")
    assert barriers(ada.page, "order-unknown") == []


def test_the_library(ada: Visitor, order_id: str) -> None:
    ada.page.goto(at(ada, "?view=library"))
    row = ada.page.locator(".tng-library .tng-row", has_text=TITLE)
    row.wait_for()
    found = barriers(ada.page, "library")
    row.get_by_role("button", name=f"More for “{TITLE}”").click()
    row.get_by_role("button", name="Delete").wait_for()
    found += barriers(ada.page, "library-unfolded")
    assert found == []


def test_what_is_shared_and_what_was_paid(ada: Visitor, visitor: MakeVisitor, order_id: str) -> None:
    shared = write(ada, "POST", f"/orders/{order_id}/share")["url"]
    reader = visitor()
    reader.page.goto(shared)
    expect(reader.page.locator("h1")).to_have_text(TITLE)
    found = barriers(reader.page, "shared")
    write(ada, "DELETE", f"/orders/{order_id}/share")
    reader.page.goto(shared)
    expect(reader.page.locator("h1")).to_have_text("There is nothing here")
    found += barriers(reader.page, "shared-no-more")
    ada.page.goto(f"{ada.house.url}/services/api/orders/{order_id}/receipt")
    expect(ada.page.locator("h1")).to_have_text("Receipt")
    found += barriers(ada.page, "receipt")
    assert found == []


def test_the_bridge_and_a_library_while_it_is_empty(visitor: MakeVisitor, house: OpenHouse) -> None:
    ola = visitor()
    ola.sign_in(OLA)
    ola.turn_to("My scripts")
    found = barriers(ola.page, "library-empty")
    ola.page.goto(at(ola, "bridge", OLA))
    ola.page.wait_for_selector(".tng-tiles")
    found += barriers(ola.page, "bridge")
    for part in ("Releases", "Schedules"):
        ola.page.get_by_role("button", name=part, exact=True).click()
        ola.page.locator(".tng-opened", has_text=part).wait_for()
        found += barriers(ola.page, f"bridge-{part.lower()}")
    ola.page.goto(f"{house.url}/hub/home")
    found += barriers(ola.page, "home")
    ola.page.click("#stop")
    ola.page.wait_for_selector("#stop", state="hidden")
    ola.page.goto(at(ola, "?view=new", OLA))
    ola.page.wait_for_selector("h1:has-text('put away')")
    found += barriers(ola.page, "put-away")
    assert found == []


def test_the_doors_of_a_power_user(visitor: MakeVisitor) -> None:
    pia = visitor()
    pia.come_in()
    pia.choose(PIA)
    pia.page.get_by_role("radio", name="Workbench").wait_for()
    assert barriers(pia.page, "doors") == []
