"""The four seams of the product, and nothing else: Store, PaymentGateway, NotebookRunner, Clock.

Each has one real side (``tng.adapters``), one fake (``tests/fakes.py``) and one contract suite (``tests/contract``)
that runs over both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tng.customer_ports import Editions, Shelf
from tng.house_ports import Counts, Gpus, Promotions, Retrainings, Schedules, Watch
from tng.jobs import WRITING, Errand, EventKind, Job, JobEvent, JobKind
from tng.orders import Mark, Move, Order, OrderState
from tng.payments import Checkout, Payment, PaymentEvent

Event = tuple[EventKind, dict[str, Any]]


class Clock(Protocol):
    """Asked by every use case for the time, so that tests can set it."""

    def now(self) -> datetime:
        """The time now, aware UTC."""
        ...


class Orders(Protocol):
    """The orders of one unit of work. A stranger's order is OrderNotFound, as is one that does not exist."""

    def add(self, order: Order) -> Order:
        """Store a new order, and its moves in the audit: the order without them."""
        ...

    def get(self, order_id: str, customer: str | None = None) -> Order:
        """The order, of this customer where one is named. Raises OrderNotFound."""
        ...

    def find(
        self,
        *,
        request: tuple[str, str] | None = None,
        session_id: str | None = None,
        payment_intent_id: str | None = None,
    ) -> Order | None:
        """The order of a (customer, request key), of a checkout session or of a payment, or None."""
        ...

    def of(self, customer: str) -> Sequence[Order]:
        """The customer's orders, the newest first. A script is ``LeftOut``: it is there, and was not read."""
        ...

    def having(self, *states: OrderState) -> Sequence[Order]:
        """The orders in these states, the oldest first."""
        ...

    def count(self, *states: OrderState, customer: str | None = None) -> int:
        """How many orders are in these states; of one customer alone, where one is named."""
        ...

    def save(self, order: Order) -> Order:
        """Store what changed, and its moves in the audit: the order without them.

        Raises OrderNotFound; IllegalMove where no move leads from the stored state to the order's.
        """
        ...

    def history(self, order_id: str) -> Sequence[Move]:
        """How the order came to its state, the first move first; empty where there is none."""
        ...

    def marks(self, order_ids: Collection[str]) -> Mapping[str, Mark]:
        """How far the story of each of these orders has come: another mark where it moved or a run spoke."""
        ...

    def listed(self, *states: OrderState, customer: str | None = None, troubled: bool = False) -> Sequence[Order]:
        """The orders in these states, or in any, the oldest first; of one customer, or those with trouble, alone.

        A script is ``LeftOut``.
        """
        ...

    def ended_before(self, moment: datetime, *states: OrderState, limit: int = 100) -> Sequence[Order]:
        """Orders at an end since before ``moment`` whose private words are still there, the oldest first.

        Only of these states, where some are named.
        """
        ...


class Jobs(Protocol):
    """The jobs of one unit of work. Every write of a run names its token and raises LeaseLost when it is stale."""

    def add(self, job: Job) -> Job:
        """Store a new job (its id is given here); the same key twice gives the job that is there."""
        ...

    def get(self, key: str) -> Job | None:
        """The job of this key, or None."""
        ...

    def claim(
        self, worker: str, now: datetime, lease_until: datetime, kinds: Collection[JobKind] = WRITING
    ) -> Job | None:
        """Take a job of these kinds that is due, or whose lease is over: RUNNING, attempt + 1, or None.

        The lowest priority first, then what was begun before, then the oldest: a repeated attempt keeps its place.
        """
        ...

    def overdrawn(self, now: datetime, kinds: Collection[JobKind] = WRITING) -> Sequence[Job]:
        """Jobs of these kinds whose lease is over and whose attempts are used up: the caller buries them."""
        ...

    def update(self, token: tuple[int, int], **changes: Any) -> None:
        """Change fields of the running job of this token. Raises LeaseLost where it is not this run's any more."""
        ...

    def cancel(self, key: str, now: datetime) -> None:
        """Nobody owes it any more: CANCELLED, with an event that says so; one that has ended, or is none, stays so."""
        ...

    def revive(self, key: str, now: datetime) -> None:
        """A cancelled one is owed again, and due at once; the attempt that was cut short is not held against it."""
        ...

    def hurry(self, key: str, priority: int) -> None:
        """Give it another priority; none of this key is fine."""
        ...

    def place(self, key: str) -> int | None:
        """How many are taken before it, running ones not counted; None where it does not wait."""
        ...

    def of(self, order_id: str) -> Sequence[Job]:
        """The jobs of an order, the oldest first."""
        ...

    def forget(self, order_id: str) -> Sequence[Job]:
        """Take away what the jobs of an order were told and what their runs said; the jobs, as they are then."""
        ...

    def say(self, token: tuple[int, int], events: Sequence[Event], now: datetime) -> None:
        """Add events of this run, in order."""
        ...

    def heard(self, job_id: int, after: int = 0) -> Sequence[JobEvent]:
        """The job's events with a greater id, in order, at most 500."""
        ...

    def find(self, job_id: int) -> Job | None:
        """The job of this id, or None."""
        ...

    def hush(self, before: datetime) -> int:
        """Take away what runs of scripts that have ended said before, but for when they began and ended; how much."""
        ...


class Outbox(Protocol):
    """Effects on the outside world that are owed. Written with the state that owes them, in one commit."""

    def add(self, errand: Errand, now: datetime) -> None:
        """Owe it; the same key twice is owed once."""
        ...

    def is_due(self, now: datetime, *kinds: str) -> bool:
        """Whether there is something to take: a look that locks nothing."""
        ...

    def take(self, now: datetime, again_at: datetime, *kinds: str) -> Errand | None:
        """The oldest errand that is due, or None; it comes back at ``again_at`` unless it is done by then.

        Only errands of these kinds; of any kind where none is named.
        """
        ...

    def put_off(self, key: str, due_at: datetime) -> None:
        """It could not be done, and comes back at ``due_at``; one that is done stays so."""
        ...

    def finish(self, key: str) -> None:
        """It is done, and never comes back."""
        ...

    def of(self, order_id: str) -> Sequence[Errand]:
        """What is owed to the customer of an order, and what was: the oldest first."""
        ...


class Inbox(Protocol):
    """What Stripe reported. A report counts as processed only when that was committed, after it was acted on."""

    def receive(self, event: PaymentEvent, now: datetime) -> bool:
        """Keep it, due at once; whether it is new. The same event twice is kept once."""
        ...

    def knows(self, event_id: str) -> bool:
        """Whether this event was received, processed or not."""
        ...

    def is_due(self, now: datetime) -> bool:
        """Whether there is something to take: a look that locks nothing."""
        ...

    def take(self, now: datetime, again_at: datetime) -> PaymentEvent | None:
        """The oldest one that is due and not processed, or None; it comes back at ``again_at``."""
        ...

    def put_off(self, event_id: str, due_at: datetime) -> None:
        """It could not be acted on, and comes back at ``due_at``; one that is processed stays so."""
        ...

    def finish(self, event_id: str, now: datetime) -> None:
        """It was acted on, and never comes back."""
        ...

    def processed(self, event_id: str) -> bool:
        """Whether this event was acted on."""
        ...

    def waiting(self) -> int:
        """How many are not processed."""
        ...

    def forget(self, before: datetime) -> int:
        """Take away those that were processed before; how many."""
        ...

    def listed_until(self) -> datetime | None:
        """Until when Stripe's own list was read, and everything in it received; None where it never was."""
        ...

    def list_until(self, at: datetime) -> None:
        """It was read until then."""
        ...


class Work(Protocol):
    """One unit of work: everything in it is saved together by ``commit``, or not at all."""

    orders: Orders
    jobs: Jobs
    outbox: Outbox
    inbox: Inbox
    gpus: Gpus
    counts: Counts
    watch: Watch
    promotions: Promotions
    schedules: Schedules
    retrainings: Retrainings
    shelf: Shelf
    editions: Editions

    def commit(self) -> None:
        """Save. Leaving without it forgets everything."""
        ...


class Store(Protocol):
    """The orders database. Raises StoreBusy where it stays locked."""

    def begin(self) -> AbstractContextManager[Work]:
        """A unit of work that may write: one at a time on SQLite."""
        ...

    def read(self) -> AbstractContextManager[Work]:
        """A unit of work that only reads, and waits for nobody."""
        ...


class PaymentGateway(Protocol):
    """Stripe. Raises GatewayUnavailable where there is no answer, PaymentRefused where the answer is no.

    Never called inside a unit of work. ``waited_for``: a person looks on, and is told within about five seconds that
    Stripe does not answer, as whoever opens a page always is; everybody else has the patience of a loop.
    """

    livemode: bool

    def open_checkout(self, order: Order, *, return_url: str, cancel_url: str) -> Checkout:
        """A page on which ``order`` can be paid; the same (order, attempt) gives the same page again."""
        ...

    def read_payment(self, session_id: str, *, waited_for: bool = False) -> Payment:
        """Ask again what became of a checkout."""
        ...

    def close_checkout(self, session_id: str, *, waited_for: bool = False) -> None:
        """Make sure that it cannot be paid any more; one that is closed already is fine."""
        ...

    def session_of(self, payment_intent_id: str) -> str | None:
        """The checkout session that a payment belongs to, or None."""
        ...

    def refund(self, payment_intent_id: str, *, order_id: str, key: str, look_first: bool = False) -> None:
        """Give the money back; the same key twice, or a charge already refunded, is fine.

        ``look_first`` where the key may be too old to be known: then a refund that was made before is found.
        """
        ...

    def recent_events(self, since: datetime) -> Iterable[PaymentEvent]:
        """What happened since, the oldest first, of the kinds that are acted on: what webhooks may have missed."""
        ...

    def read_event(self, payload: bytes, signature: str | None, now: datetime) -> PaymentEvent:
        """Verify a webhook against ``now`` (±300 s).

        Raises SignatureInvalid, also for one of another account, or of test money where money is real.
        """
        ...


class RunGuard(Protocol):
    """Held by the worker while a notebook runs; told when there is a kernel, asked whether the run may go on."""

    def started(self, kernel_pid: int, alive_file: Path) -> None:
        """A kernel has the notebook now: kill ``kernel_pid`` to stop it, touch ``alive_file`` to keep it."""
        ...

    def say(self, kind: EventKind, body: dict[str, Any]) -> None:
        """The notebook displayed an event."""
        ...


class NotebookRunner(Protocol):
    """Runs a notebook of ``notebooks/runs`` in a kernel of its own, once."""

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        """The result that the notebook displayed. The executed notebook is ``run_folder/notebook.ipynb``.

        Raises UnknownParameter, RunFailed (with the class of the cell's error), RunTimedOut, KernelDied.
        """
        ...

    def close(self) -> None:
        """End the spare kernels."""
        ...
