"""One open house for all tests that only visit it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.open_house import OpenHouse, opened, visitor


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
