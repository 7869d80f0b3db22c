"""One open house for the hostile tests, and two customers: Ada, who attacks, and Ben, who is attacked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.people import Person
from tests.open_house import OpenHouse, opened


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHouse]:
    """A demo house that is ready."""
    with opened(tmp_path_factory.mktemp("house") / "var", TNG_POWER_USERS="pia@example.com") as ready:
        yield ready


@pytest.fixture(scope="session")
def adas(house: OpenHouse) -> Iterator[Person]:
    """Ada's browser, for as long as the house is open."""
    person = Person.of(house, "ada@example.com")
    yield person
    person.client.close()


@pytest.fixture(scope="session")
def bens_own(house: OpenHouse) -> Iterator[Person]:
    """Ben's browser, for as long as the house is open."""
    person = Person.of(house, "ben@example.com")
    yield person
    person.client.close()


@pytest.fixture(scope="module")
def ada(adas: Person) -> Iterator[Person]:
    """A customer whose browser does what it likes. What she has not paid for is cancelled for those who come next."""
    yield adas
    adas.cancel_unpaid()


@pytest.fixture(scope="module")
def ben(bens_own: Person) -> Iterator[Person]:
    """Another customer, who only wants a script."""
    yield bens_own
    bens_own.cancel_unpaid()
