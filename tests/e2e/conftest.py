"""``house`` is the running product, ``visitor`` makes people with browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import PATIENCE_MS, Visitor
from tests.open_house import OpenHouse, opened

MakeVisitor = Callable[..., Visitor]

expect.set_options(timeout=PATIENCE_MS)  # a whole house on a busy machine


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
