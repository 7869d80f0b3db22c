"""Anything may happen in any order, and no order is lost: hypothesis looks for a story that ends wrong.

``TNG_CHAOS_EXAMPLES`` makes it look longer.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.chaos.order_machine import OrderMachine
from tests.fakes import FakeStore
from tng.adapters.database.engine import connect
from tng.adapters.database.migrate import migrate
from tng.adapters.database.store import SqlStore
from tng.jobs import REFUND
from tng.ports import Store, Work

EXAMPLES = int(os.environ.get("TNG_CHAOS_EXAMPLES", "150"))


def looking(examples: int, *, shrinks: bool = True) -> settings:
    """How long it looks; and whether it tells the shortest story that it can find. Controls always look at the same."""
    phases = (Phase.generate, Phase.shrink) if shrinks else (Phase.generate,)
    return settings(
        max_examples=examples, stateful_step_count=50, deadline=None, database=None, phases=phases,
        suppress_health_check=list(HealthCheck), print_blob=False, derandomize=EXAMPLES == 150 or not shrinks,
    )  # fmt: skip


class Forgetful(FakeStore):
    """A store that saves an order without its job."""

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """A unit of work with that fault."""
        with super().begin() as work:
            work.jobs.add = lambda job: job  # type: ignore[method-assign]
            yield work


class RevivesNothing(FakeStore):
    """A store in which a job that was cancelled stays so, whatever becomes of its order."""

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """A unit of work with that fault."""
        with super().begin() as work:
            work.jobs.revive = lambda key, now: None  # type: ignore[method-assign]
            yield work


class LosesRefunds(FakeStore):
    """A store that saves an order without the money that it owes back."""

    @contextmanager
    def begin(self) -> Iterator[Work]:
        """A unit of work with that fault."""
        with super().begin() as work:
            add = work.outbox.add
            work.outbox.add = lambda errand, now: errand.kind != REFUND and add(errand, now)  # type: ignore[method-assign,func-returns-value]
            yield work


class OverForgetful(OrderMachine):
    """The same stories over a store without jobs."""

    def make_store(self) -> Store:
        """An empty one."""
        return Forgetful()


class OverRevivesNothing(OrderMachine):
    """Over one whose cancelled jobs stay cancelled."""

    def make_store(self) -> Store:
        """An empty one."""
        return RevivesNothing()


class OverLosesRefunds(OrderMachine):
    """Over one that owes nothing back."""

    def make_store(self) -> Store:
        """An empty one."""
        return LosesRefunds()


class Careless(OrderMachine):
    """The same stories in a house that commits PAID, and a moment later its job: a crash may fall between."""

    careless = True


class OverSqlite(OrderMachine):
    """Over a real database."""

    def make_store(self) -> Store:
        """A new file."""
        self.folder = tempfile.TemporaryDirectory()
        url = f"sqlite:///{Path(self.folder.name) / 'orders.sqlite'}"
        migrate(url)
        return SqlStore(connect(url))

    def teardown(self) -> None:
        """And the file is gone."""
        try:
            super().teardown()
        finally:
            self.kept.close()  # type: ignore[attr-defined]
            self.folder.cleanup()


@pytest.mark.slow
def test_no_story_ends_wrong() -> None:
    run_state_machine_as_test(OrderMachine, settings=looking(EXAMPLES))


@pytest.mark.slow
def test_no_story_ends_wrong_in_a_real_database() -> None:
    run_state_machine_as_test(OverSqlite, settings=looking(max(EXAMPLES // 30, 5)))


@pytest.mark.parametrize(
    "faulty", [OverForgetful, OverRevivesNothing, OverLosesRefunds, Careless], ids=lambda machine: machine.__name__
)
def test_a_fault_is_found(faulty: type[OrderMachine]) -> None:
    """The control: with each of these faults there is a story that ends wrong, and it is found."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(faulty, settings=looking(500, shrinks=False))
