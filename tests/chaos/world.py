"""What outlives a process of the house: Stripe, the time, and what a customer remembers having clicked.

It lives in the test's own process. A process of the house is a fork that asks it over a pair of sockets, and is ended
by ``kill -9`` in the middle of anything: what it had asked of Stripe by then has happened.
"""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection, Pipe
from typing import Any

from tests.fakes import FakeClock, FakeGateway
from tests.invariants import Books, books_of
from tng.errors import TngError
from tng.payments import CheckoutStatus, Dispute

COMPLETED = "checkout.session.completed"
KILLED = -int(signal.SIGKILL)


@dataclass(frozen=True)
class Death:
    """A process was killed at a boundary, at this time of the world's clock."""

    at: datetime
    point: str
    in_writing: bool


class World:
    """Stripe with play money, and its webhooks, which come again until they are answered."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.gateway = FakeGateway(self.clock)
        self.done: set[str] = set()
        self.webhooks: dict[str, tuple[str, str]] = {}
        self.answered: list[str] = []
        self.came_back: list[str] = []
        self.points: list[str] = []
        self.in_writing = False
        self.deaths: list[Death] = []
        self.recovered_seconds: list[float] = []

    # --- what a process of the house asks ---

    def now(self) -> datetime:
        """The time."""
        return self.clock.now()

    def advance(self, seconds: float) -> None:
        """Time goes by."""
        self.clock.advance(seconds=seconds)

    def gateway_call(self, name: str, *given: Any, **named: Any) -> Any:
        """A call of Stripe."""
        return getattr(self.gateway, name)(*given, **named)

    def passes(self, point: str) -> None:
        """A process goes by a boundary; it may be its last word."""
        self.points.append(point)

    def writes(self, *, yes: bool) -> None:
        """A worker has a job in hand, or has ended it."""
        if yes and self.deaths and self.deaths[-1].in_writing:
            self.recovered_seconds.append((self.now() - self.deaths[-1].at).total_seconds())
        self.in_writing = yes

    def is_done(self, what: str) -> bool:
        """Whether a customer, or a bank, has done this already."""
        return what in self.done

    def remember(self, what: str) -> None:
        """They have."""
        self.done.add(what)

    def to_send(self) -> list[tuple[str, bytes, str]]:
        """The webhooks that were not answered: (event, payload, signature of now)."""
        unsent = []
        for event_id, (kind, session_id) in self.webhooks.items():
            if event_id not in self.answered:
                unsent.append((event_id, *self.gateway.webhook(kind, session_id, event_id=event_id)))
        return unsent

    def answer(self, event_id: str) -> None:
        """The house said 2xx."""
        self.answered.append(event_id)

    def first_page(self, order_id: str) -> str:
        """The first page that was ever opened for an order."""
        return next(p.session_id for p in self.gateway.payments.values() if p.order_id == order_id)

    # --- what happens at Stripe, once each ---

    def happens(self, what: str, session_id: str, kind: str = "") -> None:
        """``what`` becomes of a checkout, and an event of that kind is on its way."""
        if self.is_done(what):
            return
        getattr(self, f"_{what.split(':')[0]}")(session_id)
        if kind:
            self.webhooks[f"evt_{what}_{session_id}".replace(":", "_")] = (kind, session_id)
        self.remember(what)

    def _pay(self, session_id: str) -> None:
        self.gateway.pay(session_id)

    def _debit(self, session_id: str) -> None:
        self.gateway.change(session_id, status=CheckoutStatus.COMPLETE)

    def _refuse(self, session_id: str) -> None:
        """The bank says no; the page stays complete."""

    def _clear(self, session_id: str) -> None:
        self.gateway.change(session_id, paid=True, payment_intent_id=f"pi_{session_id}")

    def _dispute(self, session_id: str) -> None:
        self.gateway.change(session_id, dispute=Dispute.OPEN)

    def _win(self, session_id: str) -> None:
        self.gateway.change(session_id, dispute=Dispute.WON)

    def _lose(self, session_id: str) -> None:
        self.gateway.change(session_id, dispute=Dispute.LOST)

    def _again(self, session_id: str) -> None:
        """The same event is sent once more."""

    def _send_back(self, session_id: str) -> None:
        """A bank sends a refund back, days later."""
        payment = self.gateway.payments[session_id]
        self.came_back += [key for key, intent in self.gateway.refunds.items() if intent == payment.payment_intent_id]
        self.gateway.change(session_id, refunded=False)

    def books(self) -> Books:
        """Stripe's own."""
        return books_of(self.gateway, self.came_back)

    # --- processes ---

    def process(self, main: Callable[[Asked], None]) -> bool:
        """Run ``main`` in a process of its own; whether it ended by itself. Raises AssertionError where it raised."""
        ours, theirs = Pipe()
        pid = os.fork()
        if pid == 0:
            ours.close()
            _live(main, theirs)
        theirs.close()
        trouble = self._serve(ours)
        ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert not trouble, trouble
        assert ended in (0, KILLED), f"a process of the house ended with {ended}"
        if ended == KILLED:
            self.deaths.append(Death(self.now(), self.points[-1] if self.points else "?", self.in_writing))
            self.in_writing = False
        return ended == 0

    def _serve(self, line: Connection) -> str:
        while True:
            try:
                name, given, named = line.recv()
            except (EOFError, ConnectionResetError):
                return ""
            if name == "trouble":
                return str(given[0])
            try:
                answer = (True, getattr(self, name)(*given, **named))
            except TngError as error:
                answer = (False, (type(error), str(error)))
            try:
                line.send(answer)
            except BrokenPipeError:  # killed before it heard
                return ""


def _live(main: Callable[[Asked], None], line: Connection) -> None:
    """The life of a child: it never returns."""
    try:
        main(Asked(line))
    except BaseException:  # noqa: BLE001  whatever it is, the test must hear of it
        line.send(("trouble", (traceback.format_exc(),), {}))
        os._exit(1)
    os._exit(0)


class Asked:
    """The world, as a process of the house reaches it: every method of :class:`World`, over a socket."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*given: Any, **named: Any) -> Any:
            self._line.send((name, given, named))
            good, answer = self._line.recv()
            if good:
                return answer
            kind, sentence = answer
            raise kind(sentence)

        return ask
