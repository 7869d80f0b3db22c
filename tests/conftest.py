"""``launched`` is the browser of a module: its driver keeps an event loop, which no async test may find running."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser import WHY_SKIPPED, browser, chromium


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("browser") and chromium() is None:
            item.add_marker(pytest.mark.skip(reason=WHY_SKIPPED))


@pytest.fixture(autouse=True)
def _mask() -> Iterator[None]:
    """A command that a test calls here closes its files to others, and would close those of all later tests."""
    mask = os.umask(0o022)
    yield
    os.umask(mask)


@pytest.fixture(scope="module")
def launched() -> Iterator[Browser]:
    with browser() as chrome:
        yield chrome
