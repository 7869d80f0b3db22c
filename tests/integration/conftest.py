"""One open house for all tests that only visit it, and what a command leaves behind taken back."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import httpx
import pytest

from tests.integration.live_api import LiveApi, live_api
from tests.open_house import OpenHouse, opened, visitor
from tests.page_host import voila


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A demo house that is ready."""
    with opened(tmp_path_factory.mktemp("house") / "var") as ready:
        yield ready


@pytest.fixture
def browser(house: OpenHouse) -> Iterator[httpx.Client]:
    """A browser in front of its door."""
    with visitor(house) as client:
        yield client


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database once; "" is SQLite in the house's own folder."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """A command configures logging, which pytest must not keep."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture(scope="module")
def api() -> Iterator[LiveApi]:
    """An api that a page can ask."""
    with live_api() as running:
        yield running


@pytest.fixture(scope="module")
def address(api: LiveApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where Ada's page is."""
    with voila(api, tmp_path_factory.mktemp("voila")) as url:
        yield url
