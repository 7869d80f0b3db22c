"""A server that nobody uses is stopped, though its page stays open; one that works is not."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.hostile.notebook import notebook_of
from tests.hostile.tab import tab_of
from tests.open_house import NOTHING_WRITTEN, OpenHouse, arrive, opened, server_path, sign_in, visitor
from tests.processes import words_of

pytestmark = pytest.mark.slow

ADA, BEN, PIA = "ada@example.com", "ben@example.com", "pia@example.com"
IDLE_SECONDS = 24
PATIENCE_SECONDS = 3 * IDLE_SECONDS


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A house with two places for dashboards, and little patience."""
    told = {"TNG_IDLE_MINUTES": str(IDLE_SECONDS / 60), "TNG_KERNELS_IN_ALL": "2", "TNG_KERNELS_PER_CUSTOMER": "2"}
    with opened(tmp_path_factory.mktemp("small") / "var", **told, **NOTHING_WRITTEN) as house:
        yield house


@pytest.fixture
def person(small: OpenHouse) -> Iterator[Callable[[str], httpx.Client]]:
    """Browsers of people who are signed in."""
    clients: list[httpx.Client] = []

    def come(address: str) -> httpx.Client:
        client = visitor(small)
        clients.append(client)
        sign_in(client, address, to="/hub/home")
        return client

    yield come
    for client in clients:
        client.close()


def runs(house: OpenHouse, module: str) -> bool:
    """Whether a person's server of that kind is running."""
    return any(module in words_of(process) for process in house.belongings())


def until(true: Callable[[], Any], *, within_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + within_seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.5)


def test_where_every_place_is_taken_no_server_is_started(
    small: OpenHouse, person: Callable[[str], httpx.Client]
) -> None:
    ada, ben = person(ADA), person(BEN)
    with tab_of(small, ada), tab_of(small, ada):
        page = ben.get("/hub/user-redirect/")
        if "/spawn-pending/" in page.url.path:  # on a busy machine the hub shows a page that waits before it is refused
            until(lambda: "So many people are here" in small.log)
            page = ben.get("/hub/user-redirect/")
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "So many people are here" in page.text
        assert len([p for p in small.belongings() if "hub.voila_server" in words_of(p)]) == 1
    assert arrive(ben, "/hub/user-redirect/").url.path == server_path(BEN)


def test_a_dashboard_that_is_left_open_does_not_keep_its_server(
    small: OpenHouse, person: Callable[[str], httpx.Client]
) -> None:
    ada = person(ADA)
    with tab_of(small, ada) as tab:
        tab.wait_until_filled()
        until(lambda: not runs(small, "hub.voila_server"))
        assert ada.get(server_path(ADA)).status_code in (424, 200)
    assert "Culling server" in small.log


def test_a_workbench_that_works_is_kept_and_one_that_is_left_open_is_not(
    small: OpenHouse, person: Callable[[str], httpx.Client]
) -> None:
    pia = person(PIA)
    arrive(pia, "/hub/user-redirect/")
    with notebook_of(small, pia, server_path(PIA)) as cell:
        assert cell(f"import time; time.sleep({1.5 * IDLE_SECONDS}); print('trained')") == "trained"
        assert runs(small, "hub.lab_server")

        def polls_like_an_open_tab() -> bool:
            pia.get(f"{server_path(PIA)}api/kernels")
            return not runs(small, "hub.lab_server")

        until(polls_like_an_open_tab)
