"""Pages and kernels have ceilings, of a person and of the house: real servers of customers, each with real kernels."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.customer_server import (
    HERE,
    HOUSE,
    PersonsServer,
    browsing,
    channel,
    kernel_id_of,
    leave,
    open_page,
    places,
    refused,
    served,
    until,
)
from tests.unit.hub.test_channel import message

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PersonsServer]:
    """The server of a customer whom the house sets no ceiling."""
    with served("ada", home=tmp_path_factory.mktemp("ada")) as (server,):
        yield server


@pytest.fixture
def browser(ada: PersonsServer) -> Iterator[httpx.Client]:
    """Her browser."""
    with browsing(ada) as client:
        yield client


# --- of a person ------------------------------------------------------------------------------------------------


def test_a_page_that_is_left_frees_its_place_at_once(ada: PersonsServer, browser: httpx.Client) -> None:
    open_page(browser)
    second = open_page(browser)
    leave(browser, second)
    open_page(browser)
    assert second not in {kernel_id_of(kernel) for kernel in ada.kernels()}


def test_a_page_that_is_loaded_again_does_not_count_twice(ada: PersonsServer, browser: httpx.Client) -> None:
    open_page(browser)
    second = open_page(browser)
    leaving = threading.Timer(0.7, leave, (browser, second))  # the word that it was left comes after the new request
    leaving.start()
    try:
        open_page(browser)
    finally:
        leaving.join()


def test_a_page_that_vanished_without_a_word_gives_way_to_its_owner(ada: PersonsServer, browser: httpx.Client) -> None:
    open_page(browser)
    second = open_page(browser)
    with channel(ada, second) as socket:
        assert refused(browser.get("")) == HERE
        socket.socket.close()
        open_page(browser)
    until(lambda: second not in {kernel_id_of(kernel) for kernel in ada.kernels()})


def ask_and_go_away(browser: httpx.Client) -> None:
    """Ask for a page, and be gone before its kernel is there. A slow machine may have one warm: then once more."""
    for _ in range(5):
        try:
            page = browser.get("", timeout=0.2)
        except httpx.ReadTimeout:
            return
        leave(browser, page.text.partition('"kernelId"')[2].split('"')[1])
    pytest.fail("every page was there at once")


def test_a_page_that_nobody_waits_for_any_more_takes_no_place(ada: PersonsServer, browser: httpx.Client) -> None:
    with channel(ada, open_page(browser)):  # else it gives way itself, after a while
        ask_and_go_away(browser)
        with channel(ada, open_page(browser)):
            assert refused(browser.get("")) == HERE
            assert len(ada.kernels()) == 2


def test_no_kernel_is_kept_warm_for_a_page_that_may_not_be_opened(ada: PersonsServer, browser: httpx.Client) -> None:
    open_page(browser)
    second = open_page(browser)
    for _ in range(25):
        assert len(ada.kernels()) <= 2
        time.sleep(0.1)
    leave(browser, second)
    until(lambda: len(ada.kernels()) == 2)


# --- of the house -----------------------------------------------------------------------------------------------


def test_where_there_is_one_place_the_second_page_is_refused(tmp_path: Path) -> None:
    with served("ada", home=tmp_path, slots=places(tmp_path, 1)) as (ada,), ada.browser() as hers:
        open_page(hers)
        assert refused(hers.get("")).startswith(HOUSE)


def test_control_without_places_to_count_the_second_page_opens(browser: httpx.Client) -> None:
    assert open_page(browser) != open_page(browser)


def test_a_kernel_that_is_kept_warm_gives_way_to_a_page_of_somebody_else(tmp_path: Path) -> None:
    house = places(tmp_path, 2)
    with served("ada", "ben", home=tmp_path, slots=house) as (ada, ben), ada.browser() as hers, ben.browser() as his:
        until(lambda: len(ada.kernels()) + len(ben.kernels()) == 2)
        open_page(hers)
        open_page(his)
        assert (len(ada.kernels()), len(ben.kernels())) == (1, 1)
        assert house.take() is None


def test_the_places_of_a_server_that_is_killed_are_free_at_once(tmp_path: Path) -> None:
    house = places(tmp_path, 2)
    with served("ada", home=tmp_path, slots=house) as (ada,), ada.browser() as hers:
        open_page(hers)
        open_page(hers)
        assert house.take() is None
        ada.process.kill()
        ada.process.wait(10)
        taken = [house.take(), house.take()]
        assert all(taken)


# --- who is answered --------------------------------------------------------------------------------------------

NOBODY_AND_OTHERS_GET = (
    "",
    "nothing",
    "api/kernels/{kernel}",
    "voila/tree",
    "lab",
    "api/contents",
    "voila/files/a.png",
)
STATIC = ("voila/static/voila.js", "voila/templates/base/static/voila.js")


@pytest.mark.parametrize("path", NOBODY_AND_OTHERS_GET)
def test_no_page_answers_anybody_but_its_owner(ada: PersonsServer, browser: httpx.Client, path: str) -> None:
    path = path.format(kernel=open_page(browser))
    with ada.browser("nobody") as stranger, ada.browser("ben") as ben:
        answer = stranger.get(path)
        assert answer.status_code in (302, 403)
        assert answer.status_code == 403 or "/hub/api/oauth2/authorize" in answer.headers["location"]
        assert ben.get(path).status_code == 403


@pytest.mark.parametrize("path", STATIC)
def test_static_files_are_for_everybody_and_carry_the_headers_too(ada: PersonsServer, path: str) -> None:
    with ada.browser("nobody") as stranger:
        answer = stranger.get(path)
        assert answer.status_code == 200
        assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("who", ["nobody", "ben"])
def test_nobody_else_ends_or_enters_a_page(ada: PersonsServer, browser: httpx.Client, who: str) -> None:
    kernel_id = open_page(browser)
    with ada.browser(who) as other:
        assert other.post(f"voila/api/shutdown/{kernel_id}").status_code == 403
        assert other.delete(f"api/kernels/{kernel_id}").status_code == 403
    with pytest.raises(InvalidStatus) as refusal, channel(ada, kernel_id, who):
        pass
    assert refusal.value.response.status_code == 403
    with channel(ada, kernel_id):
        pass


@pytest.mark.parametrize(
    "path", [*NOBODY_AND_OTHERS_GET[1:2], *NOBODY_AND_OTHERS_GET[3:], "api/kernels", "dashboard.ipynb"]
)
def test_even_the_owner_finds_nothing_else(browser: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        answer = browser.request(method, path)
        assert answer.status_code == 404
        assert "There is no such page" in answer.text


# --- what counts as use -----------------------------------------------------------------------------------------


def test_opening_a_page_and_acting_on_it_is_use_and_leaving_it_open_is_not(
    ada: PersonsServer, browser: httpx.Client
) -> None:
    told = ada.hub.told
    before = len(told)
    with channel(ada, open_page(browser)) as socket:
        until(lambda: len(told) > before)
        opened = len(told)
        question = message("kernel_info_request")
        socket.send(question)
        for _ in range(3):
            socket.ping().wait(5)
        time.sleep(2.5)  # two reports would have come by now
        assert len(told) == opened
        socket.send(message("comm_msg"))
        until(lambda: len(told) > opened)
