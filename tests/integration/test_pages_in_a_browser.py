"""Pages that are opened, loaded again and left in a real browser; and tabs that stay open while nobody is there."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response

from tests.browser import Visitor
from tests.open_house import NOTHING_WRITTEN, OpenHouse, opened
from tests.processes import words_of

pytestmark = pytest.mark.browser

IDLE_SECONDS = 45
HERE = "Your desk is open in two places already"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A house as it is given to people, with little patience."""
    told = {"TNG_IDLE_MINUTES": str(IDLE_SECONDS / 60), "TNG_KERNELS_PER_CUSTOMER": "2", **NOTHING_WRITTEN}
    with opened(tmp_path_factory.mktemp("small") / "var", **told) as house:
        yield house


@pytest.fixture
def ada(launched: Browser, small: OpenHouse) -> Iterator[Visitor]:
    """A customer at her desk."""
    person = Visitor(launched, small)
    person.sign_in("ada@example.com")
    yield person
    person.close()


def loaded(answer: Response | None) -> int:
    assert answer is not None
    return answer.status


def another(person: Visitor) -> Page:
    """The desk in one more tab."""
    tab = person.context.new_page()
    tab.goto(person.page.url)
    return tab


def servers(house: OpenHouse) -> set[str]:
    """The kinds of people's servers that run."""
    kinds = ("hub.voila_server", "hub.lab_server")
    return {kind for process in house.belongings() for kind in kinds if kind in words_of(process)}


def test_a_desk_can_be_loaded_again_and_again_while_every_place_is_taken(ada: Visitor) -> None:
    second = another(ada)
    second.wait_for_selector(".tng-price")
    for _ in range(2):
        assert loaded(second.reload()) == 200
    for _ in range(3):
        second.goto(ada.page.url, wait_until="commit")  # the widgets are not drawn yet when it is loaded again
    second.wait_for_selector(".tng-price")


def test_one_tab_too_many_says_so_and_opens_once_another_is_closed(ada: Visitor) -> None:
    second = another(ada)
    second.wait_for_selector(".tng-price")
    third = another(ada)
    assert third.locator("h1").inner_text() == HERE
    second.close(run_before_unload=True)
    third.wait_for_selector(".tng-price")  # it tries again by itself


def test_tabs_that_stay_open_keep_no_server(launched: Browser, ada: Visitor, small: OpenHouse) -> None:
    pia = Visitor(launched, small)
    pia.come_in()
    pia.choose("pia@example.com")
    pia.page.click("#spawn_form [type=submit]")
    pia.page.wait_for_selector(".jp-Launcher")
    assert servers(small) == {"hub.voila_server", "hub.lab_server"}
    end = time.monotonic() + 4 * IDLE_SECONDS
    while servers(small):
        assert time.monotonic() < end, servers(small)
        pia.page.wait_for_timeout(1000)  # both tabs go on with whatever they do by themselves
    assert "/lab" in pia.page.url
    pia.close()
