"""``house`` is the running house, ``visitor`` makes people with browsers, ``launched`` is the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import WHY_SKIPPED, Visitor, browser, chromium
from tests.open_house import OpenHouse, opened

MakeVisitor = Callable[..., Visitor]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in item.nodeid.replace("\\", "/"):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(240))
            if chromium() is None:
                item.add_marker(pytest.mark.skip(reason=WHY_SKIPPED))


@pytest.fixture(scope="session")
def launched() -> Iterator[Browser]:
    with browser() as chrome:
        yield chrome


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    with opened(tmp_path_factory.mktemp("house") / "var", TNG_POWER_USERS="pia@example.com") as started:
        yield started


@pytest.fixture
def visitor(launched: Browser, house: OpenHouse) -> Iterator[MakeVisitor]:
    """Make a person: ``visitor()``, or with a telephone, ``visitor(phone=True)``."""
    people: list[Visitor] = []

    def make(*, phone: bool = False) -> Visitor:
        people.append(Visitor(launched, house, phone=phone))
        return people[-1]

    yield make
    for person in people:
        person.close()
