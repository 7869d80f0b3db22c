"""A whole life of an order, lived by a process that may be killed and by the next one, which knows nothing of it.

A scenario says what a customer and a bank do, each once, as soon as its time has come. The process of the house is the
api and the worker in one: it answers, acts on reports, writes, gives money back and reconciles, round by round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.mortal import Boundaries, MortalGateway, MortalStore, WorldClock
from tests.chaos.world import COMPLETED, Asked
from tests.samples import PREMISE
from tng.adapters.database.engine import connect
from tng.adapters.database.store import SqlStore
from tng.errors import IllegalMove, LeaseError, RunFailed
from tng.fulfilment import Fulfilment
from tng.jobs import EventKind, JobEvent
from tng.money.refunds import Refunds
from tng.orders import Order, OrderState
from tng.payments import Price, job_key
from tng.shop import Shop

SCENES = 6
PLAN = {"acts": [{"name": "TEASER", "scenes": [{}] * SCENES}]}
ROUND_SECONDS = 5
MOST_ROUNDS = 100
LEASE_SECONDS = 10.0
RELEASE = "tng-small-2"


@dataclass(frozen=True)
class Scenario:
    """``acts`` are what customer and bank do, in this order, each when it may; ``ends`` are the right ends.

    A worker writes well, or fails every time. ``is_part`` is whether a part is kept in the end.
    """

    name: str
    acts: tuple[tuple[str, Callable[[Life], bool]], ...]
    ends: tuple[OrderState, ...]
    writes_well: bool = True
    is_part: bool = False


class Life:
    """The house, as one process has it, and the order that it is about."""

    def __init__(
        self, world: Asked, url: str, customer: str, scenario: Scenario, *, fatal: int, careless: bool
    ) -> None:
        self.world, self.customer, self.scenario = world, customer, scenario
        boundaries = Boundaries(world, fatal)
        self.store = MortalStore(SqlStore(connect(url)), boundaries, careless=careless)
        clock = WorldClock(world)
        gateway = MortalGateway(world, boundaries)
        self.shop = Shop(
            self.store, gateway, clock, price=Price(299), public_url="https://tng.example", gate=lambda: None,
            checkout_minutes=60,
        )  # fmt: skip
        self.refunds = Refunds(self.store, clock)
        self.fulfilment = Fulfilment(self.store, clock, lease_seconds=LEASE_SECONDS, spread=lambda: 0.0)
        self.order: Order | None = None

    def live(self) -> None:
        """Round by round, until nothing happens any more."""
        for number in range(MOST_ROUNDS):
            self._others()
            self._write()
            self.shop.run_errands()
            if number % 3 == 2:
                self.shop.reconcile()
            if self._is_quiet():
                return
            self.world.advance(ROUND_SECONDS)

    def _others(self) -> None:
        """Customer, bank and Stripe: whatever may happen now."""
        self._act()
        for event_id, payload, signature in self.world.to_send():
            self.shop.receive_event(payload, signature)
            self.world.answer(event_id)
        if self.shop.run_inbox():
            self._act()

    def _act(self) -> None:
        self.look()
        for name, act in self.scenario.acts:
            key = f"{self.customer}:{name}"
            if self.world.is_done(key):
                continue
            if not act(self):
                break
            self.world.remember(key)
            self.look()

    def _write(self) -> None:
        """What the worker does with a job: a plan, six scenes, an end."""
        job = self.fulfilment.claim("host:1")
        if job is None:
            return
        self.world.writes(yes=True)
        try:
            self.fulfilment.heartbeat(job, [(EventKind.PLAN, PLAN)])
            if not self.scenario.writes_well:
                self.fulfilment.fail(job, RunFailed("the cell raised", cause="ValueError"))
                return
            for number in range(1, SCENES + 1):
                body = {"number": number, "act": "TEASER", "text": f"# INT. ROOM {number}\nA clock stops."}
                self.fulfilment.heartbeat(job, [(EventKind.SCENE, body)])
                self._others()
            self.fulfilment.deliver(job, script_text="Title: X\n", release_id=RELEASE, run_sha256="a" * 64)
        except LeaseError:
            return
        finally:
            self.world.writes(yes=False)

    def look(self) -> None:
        """See the order as it is now."""
        if self.order is not None:
            self.order = self.shop.order(self.order.id, self.customer)
        else:
            self.order = next(iter(self.shop.orders(self.customer)), None)

    def is_(self, *states: OrderState) -> bool:
        """Whether the order is there, in one of these states."""
        return self.order is not None and self.order.state in states

    @property
    def session_id(self) -> str:
        """The page of the order."""
        assert self.order is not None
        return str(self.order.checkout_session_id)

    def scenes(self) -> int:
        """How many scenes are there of the attempt in hand."""
        assert self.order is not None
        with self.store.read() as work:
            job = work.jobs.get(job_key(self.order))
            heard: list[JobEvent] = list(work.jobs.heard(job.id)) if job else []
        return sum(e.kind is EventKind.SCENE and job is not None and e.attempt == job.attempt for e in heard)

    def _is_quiet(self) -> bool:
        if self.order is None or not all(self.world.is_done(f"{self.customer}:{n}") for n, _ in self.scenario.acts):
            return False
        with self.store.read() as work:
            owed = [e for e in work.outbox.of(self.order.id) if e.kind == "refund" and not e.done]
            waits = work.inbox.waiting()
        self.look()
        return not owed and not waits and not self.world.to_send() and self.is_(*self.scenario.ends)


# --- what customers and banks do ------------------------------------------------------------------------------------


def orders(life: Life) -> bool:
    """Place the order; a click that was not answered is made again."""
    life.order = life.shop.place_order(life.customer, PREMISE, "key-1")
    return True


def opens_page(life: Life) -> bool:
    """Go to the page."""
    assert life.order is not None
    life.order = life.shop.open_checkout(life.order.id, life.customer)
    return life.order.checkout_session_id is not None


def opens_another_page(life: Life) -> bool:
    """Go to a second page, once the first is given up."""
    if life.order is None or (life.is_(OrderState.PLACED) and life.order.checkout_attempt < 2):
        return False
    return opens_page(life)


def happens(what: str, kind: str = "", *when: OrderState) -> Callable[[Life], bool]:
    """Something becomes of the payment, as soon as the order is in such a state."""

    def act(life: Life) -> bool:
        if when and not life.is_(*when):
            return False
        life.world.happens(f"{what}:{life.customer}", life.session_id, kind)
        return True

    return act


def late(what: str, kind: str, *when: OrderState) -> Callable[[Life], bool]:
    """Something becomes of the first page of the order, long after a second one was opened."""

    def act(life: Life) -> bool:
        if not life.is_(*when):
            return False
        life.world.happens(f"{what}:{life.customer}", life.world.first_page(life.order.id), kind)  # type: ignore[union-attr]
        return True

    return act


def cancels(*when: OrderState, scenes: int = 0) -> Callable[[Life], bool]:
    """Take the order back, or stop it, once so many scenes are written; a refusal is an answer."""

    def act(life: Life) -> bool:
        if life.order is None or not life.is_(*when) or (scenes and life.scenes() < scenes):
            return False
        try:
            life.shop.cancel(life.order.id, life.customer)
        except IllegalMove:
            return False
        return True

    return act


def operator_tries_again(life: Life) -> bool:
    """The operator was told of a refund that came back, and owes it once more."""
    if not life.is_(OrderState.REFUNDING) or life.order is None:
        return life.is_(OrderState.REFUNDED) and life.order is not None and life.order.refund_attempt > 1
    if life.order.trouble is None:
        return life.order.refund_attempt > 1
    life.refunds.refund(life.order.id, by="operator jlp", why="the bank sent it back")
    return True


PAYS = (("orders", orders), ("opens", opens_page), ("pays", happens("pay", COMPLETED)))
WRITING, PAID = OrderState.WRITING, OrderState.PAID
DELIVERED, REFUNDED, EXPIRED = OrderState.DELIVERED, OrderState.REFUNDED, OrderState.EXPIRED
DISPUTED = OrderState.DISPUTED

SCENARIOS = (
    Scenario("a good order", PAYS, (DELIVERED,)),
    Scenario("cannot be written", PAYS, (REFUNDED,), writes_well=False),
    Scenario(
        "cancelled before it is paid",
        (*PAYS[:2], ("cancels", cancels(OrderState.PLACED, EXPIRED))),
        (EXPIRED,),
    ),
    Scenario(
        "cancelled before it is written",
        (*PAYS, ("cancels", cancels(PAID, WRITING, OrderState.REFUNDING, REFUNDED))),
        (REFUNDED,),
    ),
    Scenario(
        "stopped before its half",
        (*PAYS, ("stops", cancels(WRITING, OrderState.REFUNDING, REFUNDED, scenes=2))),
        (REFUNDED,),
        is_part=True,
    ),
    Scenario(
        "stopped after its half",
        (*PAYS, ("stops", cancels(WRITING, DELIVERED, scenes=4))),
        (DELIVERED,),
        is_part=True,
    ),
    Scenario(
        "a dispute is won",
        (
            *PAYS,
            ("dispute", happens("dispute", "charge.dispute.created", WRITING)),
            ("won", happens("win", "charge.dispute.closed", DISPUTED)),
        ),
        (DELIVERED,),
    ),
    Scenario(
        "a dispute is lost",
        (
            *PAYS,
            ("dispute", happens("dispute", "charge.dispute.created", DELIVERED)),
            ("lost", happens("lose", "charge.dispute.closed", DISPUTED)),
        ),
        (REFUNDED,),
    ),
    Scenario(
        "a refund comes back",
        (
            *PAYS,
            ("sent back", happens("send_back", "refund.failed", REFUNDED)),
            ("operator", operator_tries_again),
        ),
        (REFUNDED,),
        writes_well=False,
    ),
    Scenario(
        "paid on two pages",
        (
            *PAYS[:2],
            ("debit", happens("debit", COMPLETED)),
            ("refused", happens("refuse", "checkout.session.async_payment_failed")),
            ("opens again", opens_another_page),
            ("pays", happens("pay", COMPLETED, OrderState.PLACED)),
            ("cleared late", late("clear", "checkout.session.async_payment_succeeded", DELIVERED)),
        ),
        (DELIVERED,),
    ),
)
