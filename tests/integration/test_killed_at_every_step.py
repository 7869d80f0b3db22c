"""``kill -9`` at every step of an order, on both databases: whatever the step, the order comes to its right end.

A step is a commit or a call of Stripe, before it or after it; at each there is one kill here, and more by
``make chaos``. What is checked afterwards are the ten invariants of ``tests.invariants``.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chaos.killing import FreshDatabase, kill_at_every_step
from tests.chaos.life import SCENARIOS
from tng.adapters.database.migrate import migrate

if TYPE_CHECKING:
    from tests.postgres import Databases


FEWEST_NAMES = 50


@contextmanager
def copied(empty: Path, numbers: Iterator[int]) -> Iterator[str]:
    """The address of a copy of an empty database."""
    path = shutil.copy(empty, empty.with_name(f"{next(numbers)}.sqlite"))
    yield f"sqlite:///{path}"
    for part in empty.parent.glob(f"{path.name}*"):
        part.unlink()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An orders database with all tables and no rows: in memory, where there is such a place.

    What a killed process had written is there all the same; it is a power cut that would make a difference.
    """
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path_factory.getbasetemp()) as folder:
        path = Path(folder) / "empty.sqlite"
        migrate(f"sqlite:///{path}")
        yield path


@pytest.fixture
def sqlite(empty: Path) -> FreshDatabase:
    """A new SQLite file for each life."""
    return partial(copied, empty, count())


@pytest.fixture
def postgresql(postgres: Databases) -> FreshDatabase:
    """A new PostgreSQL database for each life."""
    return postgres.fresh


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_at_any_step_an_order_comes_to_its_right_end(request: pytest.FixtureRequest, database: str) -> None:
    fresh = request.getfixturevalue(database)
    killed: set[str] = {"nowhere yet"}
    for scenario in SCENARIOS:
        tally = kill_at_every_step(scenario, fresh, but=killed)
        assert tally.wrong == []
        assert tally.kills == len(tally.steps.keys() - killed)
        killed |= tally.steps.keys()
    assert len(killed) > FEWEST_NAMES


def test_a_store_that_saves_in_two_steps_is_caught(sqlite: FreshDatabase) -> None:
    """The control: an order that is committed apart from its job, its events and its errand ends wrong somewhere."""
    assert kill_at_every_step(SCENARIOS[1], sqlite, but={"nowhere yet"}, careless=True).wrong
