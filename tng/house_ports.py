"""The parts of a unit of work that the house itself needs: what an operator sees, GPUs, releases and retrainings.

They belong to the Store, one of the four seams of ``tng.ports``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tng.faults import Fault
from tng.gpus.rules import Claim, ClaimKind, Use, Wish
from tng.jobs import Job
from tng.orders import OrderState
from tng.overview import Presence
from tng.promotion.promotions import Evaluation, Promotion, Written
from tng.training.retrainings import Retraining
from tng.training.schedules import Schedule


class Counts(Protocol):
    """What an operator may see of everybody's orders and jobs: numbers, times and ids. Nothing is locked for it."""

    def orders(self) -> Mapping[OrderState, int]:
        """How many orders are in each state; a state without any is left out."""
        ...

    def waiting(self) -> tuple[int, datetime | None]:
        """How many scripts nobody has begun to write, and when the oldest of their orders was paid."""
        ...

    def written(self, promotion_id: int, limit: int) -> Sequence[Written]:
        """The first scripts that ended, well or not, of those begun under this row of the ledger."""
        ...

    def running(self) -> Sequence[Job]:
        """Jobs that a worker owns, at most 100, those first whose lease ends first."""
        ...

    def run_seconds(self) -> float | None:
        """How long the last runs took from their start to their delivery, in the mean; None where there was none."""
        ...

    def errands(self, *kinds: str) -> int:
        """How many errands of these kinds are owed; of any kind where none is named."""
        ...


class Promotions(Protocol):
    """The ledger of releases: rows are added and never changed. ``tng.promotion.ledger`` decides; this remembers.

    In a unit that writes, nobody else can read the ledger to decide upon it until it ends.
    """

    def current(self) -> Promotion | None:
        """The last row."""
        ...

    def at(self, moment: datetime) -> Promotion | None:
        """The last row that is not later than ``moment``."""
        ...

    def history(self, limit: int = 1000) -> Sequence[Promotion]:
        """The rows, the newest first."""
        ...

    def add(self, promotion: Promotion) -> Promotion:
        """Append; the id that it has now is one more than the last. Raises StoreBusy where another was quicker."""
        ...

    def keep(self, evaluation: Evaluation) -> Evaluation:
        """Store a new evaluation; its id is given here."""
        ...

    def evaluation(self, evaluation_id: int) -> Evaluation | None:
        """The evaluation of this id."""
        ...

    def evaluations(self, limit: int = 100) -> Sequence[Evaluation]:
        """The evaluations, the newest first."""
        ...


class Schedules(Protocol):
    """The schedules, by name. In a unit that writes, what was read is nobody else's to change until it ends."""

    def all(self) -> Sequence[Schedule]:
        """Every schedule, by name."""
        ...

    def get(self, name: str) -> Schedule:
        """The schedule of this name. Raises ScheduleError."""
        ...

    def put(self, schedule: Schedule) -> None:
        """Store a new one, or what changed."""
        ...

    def remove(self, name: str) -> None:
        """Forget it. Raises ScheduleError where there is none."""
        ...


class Retrainings(Protocol):
    """The retrainings. At most one is open, whoever begins one: the table sees to it."""

    def add(self, retraining: Retraining) -> None:
        """Store a new one. Raises StoreBusy where another is open, or has this slot of its schedule."""
        ...

    def get(self, retraining_id: str) -> Retraining:
        """The one of this id. Raises RetrainingError."""
        ...

    def save(self, retraining: Retraining) -> None:
        """Store what changed. Raises RetrainingError where there is none of its id."""
        ...

    def open(self) -> Retraining | None:
        """The one that is not at its end."""
        ...

    def latest(self, limit: int = 50) -> Sequence[Retraining]:
        """The last ones, the newest first."""
        ...


class Watch(Protocol):
    """Which workers are there, and what went wrong: bounded, however long the house stands."""

    def report(self, presence: Presence) -> None:
        """This worker is there. Those not seen for a day are forgotten."""
        ...

    def leave(self, name: str) -> None:
        """This worker has ended."""
        ...

    def workers(self) -> Sequence[Presence]:
        """Everybody who reported and has not left, by name."""
        ...

    def note(self, faults: Sequence[Fault]) -> None:
        """Add these to what was counted before. Beyond 100 kinds of a part a new one is counted as "Other"."""
        ...

    def faults(self) -> Sequence[Fault]:
        """Every kind of failure, the last one seen first."""
        ...


class Gpus(Protocol):
    """GPUs that are held, places in the queue, and hours that were used. ``tng.gpus.ledger`` decides; this remembers.

    In a unit that writes, nobody else can read the claims to decide upon them until it ends.
    """

    def claims(self) -> Sequence[Claim]:
        """Every claim, those that have lapsed too."""
        ...

    def wishes(self) -> Sequence[Wish]:
        """Every place in the queue, those that have lapsed too."""
        ...

    def hold(self, claim: Claim, now: datetime) -> None:
        """Store or renew a claim. Raises StoreBusy where another living claim has one of its GPUs."""
        ...

    def drop(self, holder: str, kind: ClaimKind, host: str) -> None:
        """Forget what the holder holds there; nothing is fine."""
        ...

    def wait(self, wish: Wish) -> None:
        """Store or renew a place in the queue: one a holder."""
        ...

    def leave(self, holder: str, kind: ClaimKind) -> None:
        """Forget the holder's place in the queue; none is fine."""
        ...

    def begin_use(self, use: Use) -> None:
        """A workbench has GPUs from now on."""
        ...

    def go_on(self, holder: str, now: datetime) -> bool:
        """The latest use of this holder lasts until now at least; whether there is one."""
        ...

    def uses(self, holder: str, since_at: datetime) -> Sequence[Use]:
        """The uses that ended after ``since_at``, the earliest first."""
        ...

    def forget(self, before: datetime, holder: str | None = None) -> int:
        """Take away what was over before then: uses, and claims and places that lapsed; of this holder alone, where
        one is named. How much.
        """
        ...
