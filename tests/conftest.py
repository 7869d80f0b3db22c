"""``launched`` is the browser of a module: its driver keeps an event loop, which no async test may find running.

``postgres_url`` is a fresh PostgreSQL database with all tables, on a server that the tests bring along.

``trained`` holds real tiny releases, trained once a run. Where several workers run the tests, each takes whole files,
and the slowest ones first (``slow_files.txt``): else one worker would be busy with them long after the others.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser

from tests.architecture.sources import ROOT
from tests.browser import WHY_SKIPPED, browser, chromium
from tests.shared import made_once

if TYPE_CHECKING:
    from tests.postgres import Databases

SLOW_FILES = Path(__file__).with_name("slow_files.txt")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        places = {path: place for place, path in enumerate(SLOW_FILES.read_text("ascii").split())}
        items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))
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


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpora and releases of ``tests.unit.model.promotion.lab``: a minute of training. Nobody changes them."""
    return made_once(tmp_path_factory, "trained", _train)


def _train(folder: Path) -> None:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.unit.model.promotion.lab", str(folder)],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    from tests.postgres import databases  # not every run needs a database, and it takes a second to import

    with databases() as made:
        yield made


@pytest.fixture
def postgres_url(postgres: Databases) -> Iterator[str]:
    with postgres.fresh() as url:
        yield url
