"""One life after the other, each killed somewhere else; and what stands in the end.

``python -m tests.chaos`` is the long form, ``tests/integration/test_killed_at_every_step.py`` the short one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from tests.chaos.life import Life, Scenario
from tests.chaos.world import Asked, World
from tests.invariants import World as Seen
from tests.invariants import assert_invariants
from tng.adapters.database.engine import connect
from tng.adapters.database.store import SqlStore

MOST_LIVES = 12
RECOVERY_SECONDS = 60.0

FreshDatabase = Callable[[], AbstractContextManager[str]]
"""Gives the address of an empty database with all tables, for as long as the ``with``."""


@dataclass
class Tally:
    """What came of a scenario: its steps, how often a process was killed, what ended wrong, how long a job lay."""

    scenario: str
    steps: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    wrong: list[str] = field(default_factory=list)
    longest_recovery_seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{self.scenario:32} {len(self.steps):4} named {self.steps.total():5} steps {self.kills:6} kills"
            f" {len(self.wrong):3} wrong   longest recovery {self.longest_recovery_seconds:4.0f} s"
        )


def kill_at_every_step(
    scenario: Scenario, fresh: FreshDatabase, *, but: Collection[str] = (), careless: bool = False
) -> Tally:
    """Once undisturbed, to learn the steps; then once for each step, killed there.

    Where names are given (``but``), only the first step of each other name is one to be killed at.
    """
    tally = Tally(scenario.name)
    steps = lived(tally, scenario, fresh, (), careless=careless)
    tally.steps.update(steps)
    for fatal, name in enumerate(steps, start=1):
        if not but or (name not in but and name not in steps[: fatal - 1]):
            lived(tally, scenario, fresh, (fatal,), careless=careless)
        if careless and tally.wrong:
            break  # it is caught
    return tally


def lived(
    tally: Tally, scenario: Scenario, fresh: FreshDatabase, fatal: Sequence[int], *, careless: bool = False
) -> list[str]:
    """One life whose first processes die at these boundaries, counted from their own beginning; what was passed."""
    world = World()
    with fresh() as url:
        for number in range(MOST_LIVES):
            point = fatal[number] if number < len(fatal) else 0

            def main(asked: Asked, point: int = point) -> None:
                Life(asked, url, "ada", scenario, fatal=point, careless=careless).live()

            if world.process(main):
                break
        tally.kills += len(world.deaths)
        try:
            assert_right_end(world, url, scenario)
        except AssertionError as error:
            tally.wrong.append(f"{scenario.name}, killed at {[d.point for d in world.deaths]}: {error}")
    longest = max(world.recovered_seconds, default=0.0)
    tally.longest_recovery_seconds = max(tally.longest_recovery_seconds, longest)
    return world.points


def assert_right_end(world: World, url: str, scenario: Scenario) -> None:
    """One order at its right end, ten invariants, and no job that lay for more than a minute."""
    store = SqlStore(connect(url))
    try:
        assert_invariants(Seen(store, world.books(), frozenset(world.answered)))
        with store.read() as work:
            orders = work.orders.listed()
    finally:
        store.close()
    assert len(orders) == 1, f"{len(orders)} orders"
    assert orders[0].state in scenario.ends, f"it is {orders[0].state}"
    assert orders[0].is_part == scenario.is_part, f"is_part is {orders[0].is_part}"
    late = [seconds for seconds in world.recovered_seconds if seconds > RECOVERY_SECONDS]
    assert not late, f"a job lay for {late} s"
