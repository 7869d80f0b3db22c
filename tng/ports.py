"""The four seams of the product, and nothing else: Store, PaymentGateway, NotebookRunner, Clock.

Each has one real side (``tng.adapters``), one fake (``tests/fakes.py``) and one contract suite (``tests/contract``)
that runs over both.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tng.house_ports import Counts, Gpus, Promotions, Retrainings, Schedules, Watch
from tng.jobs import WRITING, Errand, EventKind, Job, JobEvent, JobKind
from tng.orders import Order, OrderState
from tng.payments import Checkout, Payment, PaymentEvent

Event = tuple[EventKind, dict[str, Any]]


class Clock(Protocol):
    """Asked by every use case for the time, so that tests can set it."""

    def now(self) -> datetime:
        """The time now, aware UTC."""
        ...


class Orders(Protocol):
    """The orders of one unit of work. A stranger's order is OrderNotFound, as is one that does not exist."""

    def add(self, order: Order) -> None:
        """Store a new order."""
        ...

    def get(self, order_id: str, customer: str | None = None) -> Order:
        """The order, of this customer where one is named. Raises OrderNotFound."""
        ...

    def find(self, *, request: tuple[str, str] | None = None, session_id: str | None = None) -> Order | None:
        """The order of a (customer, request key) or of a checkout session, or None."""
        ...

    def of(self, customer: str) -> Sequence[Order]:
        """The customer's orders, the newest first."""
        ...

    def having(self, *states: OrderState) -> Sequence[Order]:
        """The orders in these states, the oldest first."""
        ...

    def save(self, order: Order) -> None:
        """Store what changed. Raises OrderNotFound."""
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
        """Take the oldest job of these kinds that is due, or whose lease is over: RUNNING, attempt + 1, or None."""
        ...

    def overdrawn(self, now: datetime, kinds: Collection[JobKind] = WRITING) -> Sequence[Job]:
        """Jobs of these kinds whose lease is over and whose attempts are used up: the caller buries them."""
        ...

    def update(self, token: tuple[int, int], **changes: Any) -> None:
        """Change fields of the running job of this token. Raises LeaseLost where it is not this run's any more."""
        ...

    def say(self, token: tuple[int, int], events: Sequence[Event], now: datetime) -> None:
        """Add events of this run, in order."""
        ...

    def heard(self, job_id: int, after: int = 0) -> Sequence[JobEvent]:
        """The job's events with a greater id, in order, at most 500."""
        ...


class Outbox(Protocol):
    """Effects on the outside world that are owed. Written with the state that owes them, in one commit."""

    def add(self, errand: Errand, now: datetime) -> None:
        """Owe it; the same key twice is owed once."""
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


class Inbox(Protocol):
    """Webhooks that were seen. An event counts as handled only when that was committed with its effect."""

    def handled(self, event_id: str) -> bool:
        """Whether this event was handled before."""
        ...

    def record(self, event: PaymentEvent, now: datetime) -> None:
        """Mark the event as handled; marking twice is fine."""
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

    Called by ``tng.shop`` and ``tng.till`` only, and never inside a unit of work.
    """

    livemode: bool

    def open_checkout(self, order: Order, *, return_url: str, cancel_url: str) -> Checkout:
        """A page on which ``order`` can be paid; the same (order, attempt) gives the same page again."""
        ...

    def read_payment(self, session_id: str) -> Payment:
        """Ask again what became of a checkout."""
        ...

    def close_checkout(self, session_id: str) -> None:
        """Make sure that it cannot be paid any more; one that is closed already is fine."""
        ...

    def refund(self, payment_intent_id: str, *, order_id: str, key: str) -> None:
        """Give the money back; the same key twice, or a charge already refunded, is fine."""
        ...

    def read_event(self, payload: bytes, signature: str | None, now: datetime) -> PaymentEvent:
        """Verify a webhook against ``now`` (±300 s). Raises SignatureInvalid."""
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
