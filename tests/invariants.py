"""What must hold whatever happened, as one function: asked of the store, of Stripe's own books and of the log.

It is for the quiet end of a test: nobody works any more, everything that was due was done, and every deadline is over.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tests.fakes import FakeGateway
from tng.errors import OrderNotFound
from tng.jobs import ENDED, JobKind, JobState
from tng.library.editions import MOST_TAKES
from tng.orders import MOVES, Order, OrderState
from tng.payments import Dispute, job_key
from tng.ports import Store, Work

KEY = re.compile(r"order-(ord_\w+?)-(refund(-\d+)?|extra-\w+)")
ORDER_STATES = tuple(OrderState)


@dataclass(frozen=True)
class Entry:
    """A payment as Stripe has it. ``lost_cents`` is what a bank took back; ``is_frozen`` while it decides."""

    payment: str
    order_id: str | None
    captured_cents: int
    refunded_cents: int = 0
    lost_cents: int = 0
    currency: str = "usd"
    is_frozen: bool = False

    @property
    def kept_cents(self) -> int:
        """What the shop has of it."""
        return self.captured_cents - self.refunded_cents - self.lost_cents


@dataclass(frozen=True)
class Books:
    """Stripe's own books: what came in and went back, and under which keys refunds were asked for.

    ``given_twice`` are payments of which two refunds moved money, and neither came back.
    """

    entries: tuple[Entry, ...] = ()
    refund_keys: tuple[str, ...] = ()
    given_twice: tuple[str, ...] = ()

    def of(self, order: Order) -> Entry | None:
        """The payment that an order was paid with."""
        return next((entry for entry in self.entries if entry.payment == order.payment_intent_id), None)


@dataclass(frozen=True)
class World:
    """What there is to be asked. ``acknowledged`` are the reports that were answered with 2xx."""

    store: Store
    books: Books
    acknowledged: frozenset[str] = frozenset()
    log: str = ""
    secrets: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    """Processes, temporary files and the like that should be gone."""
    release_is_whole: Callable[[], bool] = field(default=lambda: True)


def books_of(gateway: FakeGateway, came_back: Iterable[str] = ()) -> Books:
    """The books of the fake Stripe; ``came_back`` are the keys of refunds that a bank sent back."""
    paid = [payment for payment in gateway.payments.values() if payment.paid and payment.payment_intent_id]
    entries = [
        Entry(
            payment=str(payment.payment_intent_id),
            order_id=payment.order_id,
            captured_cents=payment.amount_cents,
            refunded_cents=payment.amount_cents if payment.refunded else 0,
            lost_cents=payment.amount_cents if payment.dispute is Dispute.LOST and not payment.refunded else 0,
            currency=payment.currency,
            is_frozen=payment.dispute is Dispute.OPEN,
        )
        for payment in paid
    ]
    given = Counter(payment for key, payment in gateway.refunds.items() if key not in set(came_back))
    return Books(tuple(entries), tuple(gateway.refunds), tuple(p for p, times in given.items() if times > 1))


def broken(world: World) -> list[str]:
    """Every invariant that does not hold, a sentence each, its number first."""
    with world.store.read() as work:
        orders = work.orders.having(*ORDER_STATES)
        return [f"{name}: {fault}" for name, look in LOOKS.items() for fault in look(world, work, orders)]


def assert_invariants(world: World) -> None:
    """Raises AssertionError with every sentence of ``broken``."""
    faults = broken(world)
    assert not faults, "\n".join(faults)


def _paid_before_written(world: World, work: Work, orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:
        job = work.jobs.get(job_key(order))
        was_paid = any(move.after is OrderState.PAID for move in work.orders.history(order.id))
        entry = world.books.of(order)
        free = was_paid and order.paid_cents == 0
        if job is not None and not free and (not was_paid or entry is None or entry.captured_cents == 0):
            yield f"order {order.id} has a job, and Stripe knows of no money for it"
        takes = [one for one in work.jobs.of(order.id) if one.kind is JobKind.WRITE_SCENE]
        if takes and not any(move.after is OrderState.DELIVERED for move in work.orders.history(order.id)):
            yield f"order {order.id} has scenes written again, and was never delivered"


def _delivered_or_refunded(world: World, work: Work, orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:
        entry = world.books.of(order)
        for move in work.orders.history(order.id):
            by_itself = not move.actor.startswith(("operator", "stripe", "reconciler", "test"))
            if move.before is OrderState.DELIVERED and move.after is not OrderState.DISPUTED and by_itself:
                yield f"order {order.id} was delivered, and then {move.after} by {move.actor}"
        if entry is None or order.trouble is not None or entry.is_frozen:
            continue
        is_delivered = order.state is OrderState.DELIVERED and bool(order.script_text)
        is_back = entry.kept_cents == 0
        if is_delivered == is_back:
            yield f"order {order.id} is {order.state}, its script {'there' if order.script_text else 'missing'}, " + (
                f"and {entry.kept_cents} cents of it are ours"
            )


def _takes_are_given(_world: World, work: Work, orders: Iterable[Order]) -> Iterator[str]:
    """A take is chosen or kept, and no other than the one that was asked for; one that failed leaves nothing."""
    for order in orders:
        takes = work.editions.takes(order.id)
        done = [job for job in work.jobs.of(order.id) if job.kind is JobKind.WRITE_SCENE and job.state is JobState.DONE]
        if order.erased_at is None and len(takes) != len(done):
            yield f"order {order.id} has {len(takes)} takes, and {len(done)} were written"
        if takes and order.erased_at is not None:
            yield f"order {order.id} is erased, and its takes are not"
        numbers: dict[int, list[int]] = {}
        for take in takes:
            numbers.setdefault(take.scene, []).append(take.number)
        if any(given != list(range(1, len(given) + 1)) or len(given) > MOST_TAKES for given in numbers.values()):
            yield f"order {order.id} has takes {numbers}"


def _books_agree(world: World, _work: Work, orders: Iterable[Order]) -> Iterator[str]:
    """What we keep is what was delivered, per currency; what a bank still decides about, or an operator, is neither."""
    undecided = {order.payment_intent_id for order in orders if order.trouble is not None}
    kept, owed = Counter[str](), Counter[str]()
    for entry in world.books.entries:
        if not entry.is_frozen and entry.payment not in undecided:
            kept[entry.currency] += entry.kept_cents
    for order in orders:
        entry_of = world.books.of(order)
        if order.state is OrderState.DELIVERED and entry_of is not None and not entry_of.is_frozen:
            owed[order.currency] += order.paid_cents or 0
    for currency in kept | owed:
        if kept[currency] != owed[currency]:
            yield f"{kept[currency]} {currency} are kept at Stripe, and scripts for {owed[currency]} are delivered"


def _moves_are_edges(_world: World, work: Work, orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:
        at: OrderState | None = None
        for move in work.orders.history(order.id):
            is_edge = move.before is None if at is None else move.after in MOVES[at]
            if move.before is not at or not is_edge or not move.actor or not move.why:
                yield f"order {order.id}: {move.before} → {move.after} by {move.actor!r} does not follow {at}"
            at = move.after
        if at is not order.state:
            yield f"order {order.id} is {order.state}, and its audit ends with {at}"


def _acknowledged_is_processed(world: World, work: Work, _orders: Iterable[Order]) -> Iterator[str]:
    for event_id in sorted(world.acknowledged):
        if not work.inbox.processed(event_id):
            yield f"report {event_id} was answered with 2xx, and nobody acted on it"


def _strangers_find_nothing(_world: World, work: Work, orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:
        try:
            work.orders.get(order.id, f"not {order.customer}")
        except OrderNotFound:
            continue
        yield f"order {order.id} was shown to a stranger"


def _release_is_whole(world: World, _work: Work, _orders: Iterable[Order]) -> Iterator[str]:
    if not world.release_is_whole():
        yield "the release that writes is not as it was promoted"


def _nothing_is_left_over(world: World, work: Work, orders: Iterable[Order]) -> Iterator[str]:
    for order in orders:
        for job in (job for job in work.jobs.of(order.id) if job.state not in ENDED):
            yield f"job {job.key} is {job.state}, attempt {job.attempt}, and nobody works any more"
    yield from (f"{thing} is left over" for thing in world.left_over)


def _keys_are_derived(world: World, _work: Work, orders: Iterable[Order]) -> Iterator[str]:
    known = {order.id for order in orders}
    for key in world.books.refund_keys:
        match = KEY.fullmatch(key)
        if match is None or match[1] not in known:
            yield f"a refund was asked for under {key!r}, which no order and purpose give"
    yield from (f"payment {payment} was given back twice" for payment in world.books.given_twice)


def _log_keeps_secrets(world: World, _work: Work, _orders: Iterable[Order]) -> Iterator[str]:
    yield from (f"the log holds secret number {n}" for n, secret in enumerate(world.secrets) if secret in world.log)


LOOKS: dict[str, Callable[[World, Work, Iterable[Order]], Iterator[str]]] = {
    "I1 nothing is written before it is paid": _paid_before_written,
    "I2 paid is delivered or refunded, never both, never neither": _delivered_or_refunded,
    "I3 the money kept is the price of what was delivered": _books_agree,
    "I4 every move is an edge, with actor and cause": _moves_are_edges,
    "I5 2xx to a report only after its commit": _acknowledged_is_processed,
    "I6 a stranger learns nothing": _strangers_find_nothing,
    "I7 the release that writes is whole": _release_is_whole,
    "I8 nothing is left over": _nothing_is_left_over,
    "I9 calls that move money carry a derived key": _keys_are_derived,
    "I10 no secret stands in the log": _log_keeps_secrets,
    "I11 a take is what was asked for, once": _takes_are_given,
}
