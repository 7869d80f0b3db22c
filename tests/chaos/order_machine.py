"""Anything in any order: customers, banks, workers, crashes and the clock, chosen by hypothesis; against the model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.chaos.order_model import OrderModel
from tests.fakes import FakeStore
from tests.house import COMPLETED, House
from tests.integration.test_crash_points import Boundaries, Crash, MortalStore, mortal
from tests.invariants import LOOKS, World, assert_invariants, books_of
from tests.samples import PREMISE
from tng.errors import GatewayUnavailable, IllegalMove, LeaseError, RunFailed
from tng.jobs import EventKind, Job
from tng.orders import Order, OrderState
from tng.payments import CheckoutStatus, Dispute
from tng.ports import Store

CALLS = ("open_checkout", "read_payment", "close_checkout", "session_of", "refund", "recent_events")
KINDS = (
    COMPLETED,
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.closed",
)
PLAN = {"acts": [{"name": "TEASER", "scenes": [{}] * 4}]}
RESULT: dict[str, Any] = {"script_text": "Title: X\n", "release_id": "tng-test", "run_sha256": "a" * 64}
ALWAYS = [name for name in LOOKS if name.startswith(("I1", "I4", "I6", "I9"))]
"""Those that hold at every moment; the others, at the quiet end."""

which = st.integers(0, 2)
death = st.sampled_from((0, 0, 0, 1, 2, 3, 4, 5, 6))
"""At which boundary of a step the process dies; mostly at none."""


class OrderMachine(RuleBasedStateMachine):
    """Up to three orders. A step may be the last of a process: it dies at a boundary, and another begins."""

    careless = False

    def __init__(self) -> None:
        super().__init__()
        self.boundaries = Boundaries(0)
        self.kept: Store = self.make_store()
        self.house = House(MortalStore(self.kept, self.boundaries, careless=self.careless))  # type: ignore[arg-type]
        for name in CALLS:
            setattr(self.house.gateway, name, mortal(getattr(self.house.gateway, name), self.boundaries))
        self.models: dict[str, OrderModel] = {}
        self.run: Job | None = None
        self.scenes = 0
        self.answered: list[str] = []

    def make_store(self) -> Store:
        """An empty one."""
        return FakeStore()

    # --- the process ---

    def step(self, act: Callable[[], Any], dies: int = 0) -> Any:
        """One thing that the house does; None where it died of it, or Stripe was away.

        It dies at this boundary of the step, where it comes so far; 0: not of this one.
        """
        if dies:
            self.boundaries.fatal = self.boundaries.passed + dies
        try:
            return act()
        except Crash:
            self.boundaries.fatal = 0
            self.house.shop = self.house.new_shop()
            self.crash()
            return None
        except GatewayUnavailable:
            return None

    def crash(self) -> None:
        """The worker is gone with it, and its lease runs out."""
        if self.run is not None:
            self.models[str(self.run.order_id)].crashes += 1
            self.run = None
        self.house.clock.advance(seconds=11)

    @rule(steps=st.integers(1, 12))
    def dies_soon(self, steps: int) -> None:
        """The process will die at the n-th boundary from here."""
        self.boundaries.fatal = self.boundaries.passed + steps

    @rule()
    def is_killed(self) -> None:
        """It dies between two steps."""
        self.house.shop = self.house.new_shop()
        self.crash()

    @rule(down=st.booleans())
    def stripe(self, down: bool) -> None:
        """Stripe is away, or there again."""
        self.house.gateway.down = down

    @rule(seconds=st.sampled_from((5, 130, 700)))
    def time_goes_by(self, seconds: int) -> None:
        """A lease may run out, and what was put off comes back."""
        self.house.clock.advance(seconds=seconds)

    # --- the customer ---

    @rule(number=which)
    def orders(self, number: int) -> None:
        """Click, once or again."""
        order = self.step(lambda: self.house.shop.place_order("ada", PREMISE, f"key-{number}"))
        if order is not None:
            self.models.setdefault(order.id, OrderModel())

    def order(self, number: int) -> Order | None:
        """One of those that are there."""
        with self.kept.read() as work:
            there = sorted(work.orders.listed(), key=lambda order: order.request_key)  # ids are random
        for order in there:
            self.models.setdefault(order.id, OrderModel())
        return there[number % len(there)] if there else None

    @rule(number=which)
    def opens_page(self, number: int) -> None:
        """Go to Stripe."""
        if (order := self.order(number)) is not None:
            self.step(lambda: self.house.shop.open_checkout(order.id, "ada"))

    @rule(number=which)
    def pays(self, number: int) -> None:
        """On the newest page that is open."""
        if (order := self.order(number)) is None:
            return
        open_ = [
            p for p in self.house.gateway.payments.values()
            if p.order_id == order.id and p.status is CheckoutStatus.OPEN
        ]  # fmt: skip
        if open_:
            self.house.gateway.pay(open_[-1].session_id)
            self.models[order.id].paid = True

    @rule(number=which)
    def cancels(self, number: int) -> None:
        """Cancel, or stop."""
        if (order := self.order(number)) is None:
            return
        model = self.models[order.id]
        before = order.state
        try:
            answer = self.step(lambda: self.house.shop.cancel(order.id, "ada"))
        except IllegalMove:
            return
        model.may_have_cancelled = True
        if answer is not None and before is not OrderState.DELIVERED and answer.state is not OrderState.EXPIRED:
            model.cancelled = True

    # --- the bank, and Stripe's reports ---

    def paid_on(self, number: int) -> str | None:
        """The page that an order was paid on."""
        order = self.order(number)
        paid = [p for p in self.house.gateway.payments.values() if order and p.order_id == order.id and p.paid]
        return paid[0].session_id if paid else None

    @rule(number=which, outcome=st.sampled_from(Dispute))
    def disputes(self, number: int, outcome: Dispute) -> None:
        """A bank asks, takes or decides, where the money is not back already."""
        session_id = self.paid_on(number)
        if session_id is None:
            return
        payment = self.house.gateway.payments[session_id]
        over = payment.dispute in (Dispute.WON, Dispute.LOST)
        if payment.refunded or over or (outcome is Dispute.INQUIRY and payment.dispute is Dispute.OPEN):
            return
        if outcome in (Dispute.WON, Dispute.LOST) and payment.dispute is not Dispute.OPEN:
            return
        self.house.gateway.change(session_id, dispute=outcome)
        model = self.models[str(payment.order_id)]
        model.disputed = True
        if outcome is Dispute.LOST:
            model.lost_pages.add(session_id)

    @rule(number=which, kind=st.sampled_from(KINDS))
    def reports(self, number: int, kind: str) -> None:
        """A webhook, late, early, or for the second time."""
        order = self.order(number)
        if order is None or order.checkout_session_id is None:
            return
        if kind.startswith("charge.") and not self.house.gateway.payments[order.checkout_session_id].paid:
            return  # there is no charge yet
        hook = self.house.gateway.webhook(kind, order.checkout_session_id)
        event = self.step(lambda: self.house.shop.receive_event(*hook))
        if event is not None:
            self.answered.append(event.id)

    @rule(number=which, dies=death)
    def pays_and_it_is_reported(self, number: int, dies: int) -> None:
        """As it goes nearly always: the page, the money and the webhook, one after the other."""
        self.orders(number)
        self.opens_page(number)
        self.pays(number)
        self.reports(number, COMPLETED)
        self.acts_on_reports(dies)

    @rule(number=which, outcome=st.sampled_from((Dispute.OPEN, Dispute.WON, Dispute.LOST)), dies=death)
    def disputes_and_it_is_reported(self, number: int, outcome: Dispute, dies: int) -> None:
        """A bank acts, and the shop hears of it."""
        self.disputes(number, outcome)
        self.reports(number, KINDS[-2] if outcome is Dispute.OPEN else KINDS[-1])
        self.acts_on_reports(dies)

    @rule(dies=death)
    def acts_on_reports(self, dies: int) -> None:
        """The loop of the api."""
        self.step(self.house.shop.run_inbox, dies)

    @rule(dies=death)
    def gives_money_back(self, dies: int) -> None:
        """The other loop."""
        self.step(self.house.shop.run_errands, dies)

    @rule()
    def reconciles(self) -> None:
        """The third."""
        self.step(self.house.shop.reconcile)

    # --- the worker ---

    @precondition(lambda self: self.run is None)
    @rule(dies=death)
    def claims(self, dies: int) -> None:
        """Take a job."""
        before = self.house.clock.now()
        self.run, self.scenes = self.step(lambda: self.house.fulfilment.claim("host:1"), dies), 0
        if self.house.clock.now() != before:  # it died of it, and nobody knows with which job
            for model in self.models.values():
                model.crashes += 1
        if self.run is not None:
            self.works(lambda job: self.house.fulfilment.heartbeat(job, [(EventKind.PLAN, PLAN)]))

    def works(self, act: Callable[[Job], Any], dies: int = 0, *, ends: bool = False) -> bool:
        """A write of the run in hand; whether it counted. A run that lost its job is over."""
        job = self.run
        assert job is not None
        try:
            died = self.step(lambda: (act(job), True), dies) is None
        except LeaseError:
            self.run = None
            return False
        if ends:
            self.run = None
        return not died

    @precondition(lambda self: self.run is not None)
    @rule()
    def writes_a_scene(self) -> None:
        """One more."""
        self.scenes += 1
        body = {"number": self.scenes, "act": "TEASER", "text": f"# INT. ROOM {self.scenes}\nA clock stops."}
        self.works(lambda job: self.house.fulfilment.heartbeat(job, [(EventKind.SCENE, body)]))

    @precondition(lambda self: self.run is not None)
    @rule(dies=death)
    def delivers(self, dies: int) -> None:
        """The whole script."""
        model = self.models[str(self.run.order_id)]  # type: ignore[union-attr]
        model.may_be_delivered = True
        if self.works(lambda job: self.house.fulfilment.deliver(job, **RESULT), dies, ends=True):
            model.delivered = True

    @precondition(lambda self: self.run is not None)
    @rule(dies=death)
    def fails(self, dies: int) -> None:
        """The notebook raises."""
        self.models[str(self.run.order_id)].failures += 1  # type: ignore[union-attr]
        self.works(lambda job: self.house.fulfilment.fail(job, RunFailed("a cell raised", cause="E")), dies, ends=True)

    # --- what must hold ---

    @invariant()
    def always(self) -> None:
        """At every moment."""
        world = World(self.kept, books_of(self.house.gateway))
        with self.kept.read() as work:
            orders = work.orders.listed()
            found = [sentence for name in ALWAYS for sentence in LOOKS[name](world, work, orders)]
        assert not found, found

    def teardown(self) -> None:
        """Everybody does what is left to do; then everything must hold, and the model agree."""
        self.boundaries.fatal = 0
        self.house.gateway.down = False
        self.run = None
        for session_id, payment in list(self.house.gateway.payments.items()):
            if payment.dispute is Dispute.OPEN and not payment.refunded:
                self.house.gateway.change(session_id, dispute=Dispute.WON)
            if payment.paid:  # what Stripe's own list holds
                self.house.gateway.report(COMPLETED, session_id)
        for _ in range(12):
            self.house.clock.advance(minutes=65)
            self.house.shop.reconcile()
            self.house.shop.run_inbox()
            while (job := self.house.fulfilment.claim("host:2")) is not None:
                with suppress(LeaseError):
                    self.house.fulfilment.deliver(job, **RESULT)
            self.house.shop.run_errands()
        seen = World(self.kept, books_of(self.house.gateway), frozenset(self.answered))
        assert_invariants(seen)
        with self.kept.read() as work:
            for order in work.orders.listed():
                self.models.setdefault(order.id, OrderModel()).check(order)
