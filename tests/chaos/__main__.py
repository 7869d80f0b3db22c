"""``make chaos``: the long form. Every step of every scenario is killed, then again with a second kill at random.

Prints a table and the wrong ends; its exit status says whether there was one. ``--seeds`` is how often each scenario is
lived with random kills, ``--database`` one of the two, ``--only`` a part of a scenario's name.
"""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path

from tests.chaos.killing import FreshDatabase, Tally, kill_at_every_step, lived
from tests.chaos.life import SCENARIOS, Scenario
from tests.postgres import databases
from tng.adapters.database.migrate import migrate

MEMORY = Path("/dev/shm")  # noqa: S108
"""Where files are fastest. What a killed process had written is there all the same."""


@contextmanager
def sqlite() -> Iterator[FreshDatabase]:
    """New SQLite files, each with all tables."""
    numbers = count()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        empty = Path(folder) / "empty.sqlite"
        migrate(f"sqlite:///{empty}")

        @contextmanager
        def fresh() -> Iterator[str]:
            path = Path(shutil.copy(empty, Path(folder) / f"{next(numbers)}.sqlite"))
            yield f"sqlite:///{path}"
            for part in path.parent.glob(f"{path.name}*"):
                part.unlink()

        yield fresh


@contextmanager
def postgresql() -> Iterator[FreshDatabase]:
    """New PostgreSQL databases, on a server of one's own."""
    with databases() as made:
        yield made.fresh


DATABASES: dict[str, Callable[[], AbstractContextManager[FreshDatabase]]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
}


def killed_at_random(scenario: Scenario, fresh: FreshDatabase, tally: Tally, chosen: random.Random) -> None:
    """Two or three processes, each killed somewhere on its way."""
    steps = tally.steps.total()
    lived(tally, scenario, fresh, [chosen.randint(1, steps) for _ in range(chosen.randint(2, 3))])


def main() -> int:
    """0 where nothing ended wrong."""
    asked = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    asked.add_argument("--seeds", type=int, default=20)
    asked.add_argument("--database", choices=list(DATABASES), action="append")
    asked.add_argument("--only", default="")
    given = asked.parse_args()
    logging.disable(logging.CRITICAL)
    wrong: list[str] = []
    for database in given.database or DATABASES:
        with DATABASES[database]() as fresh:
            for scenario in SCENARIOS:
                if given.only in scenario.name:
                    wrong += told(database, scenario, fresh, given.seeds).wrong
    sys.stdout.writelines(f"WRONG {sentence}\n" for sentence in wrong)
    return bool(wrong)


def told(database: str, scenario: Scenario, fresh: FreshDatabase, seeds: int) -> Tally:
    """One scenario, and its line of the table."""
    began = time.monotonic()
    tally = kill_at_every_step(scenario, fresh)
    for seed in range(seeds):
        killed_at_random(scenario, fresh, tally, random.Random(f"{scenario.name} {seed}"))
    sys.stdout.write(f"{database:11} {tally}   {time.monotonic() - began:5.0f} s\n")
    sys.stdout.flush()
    return tally


if __name__ == "__main__":
    sys.exit(main())
