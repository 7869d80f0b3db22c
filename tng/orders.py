"""An order and its life: what may follow what, as one table, and who moved it why. No database, no money, no clock.

PLACED → PAID → WRITING → DELIVERED
   ↘ EXPIRED   ↘ REFUNDING → REFUNDED        DISPUTED freezes whatever was paid
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tng.errors import IllegalMove
from tng.script import Premise


class LeftOut(str):
    """Stands for a text that is there and was not read, because a list needs none. Saving it changes nothing."""

    __slots__ = ()


class OrderState(StrEnum):
    """Where an order is in its life."""

    PLACED = "placed"
    PAID = "paid"
    WRITING = "writing"
    DELIVERED = "delivered"
    EXPIRED = "expired"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    DISPUTED = "disputed"


MOVES: dict[OrderState, frozenset[OrderState]] = {
    OrderState.PLACED: frozenset({OrderState.PAID, OrderState.EXPIRED}),
    # money may arrive for a checkout that we had already given up: it counts; and a customer may ask for a new page
    OrderState.EXPIRED: frozenset({OrderState.PAID, OrderState.PLACED}),
    OrderState.PAID: frozenset({OrderState.WRITING, OrderState.REFUNDING, OrderState.REFUNDED, OrderState.DISPUTED}),
    OrderState.WRITING: frozenset(
        {OrderState.DELIVERED, OrderState.REFUNDING, OrderState.REFUNDED, OrderState.DISPUTED}
    ),
    OrderState.DELIVERED: frozenset({OrderState.REFUNDING, OrderState.REFUNDED, OrderState.DISPUTED}),
    OrderState.REFUNDING: frozenset({OrderState.REFUNDED, OrderState.DISPUTED}),
    # a bank may send a refund back days later: the money is owed again
    OrderState.REFUNDED: frozenset({OrderState.REFUNDING}),
    # won: back to where it was, and written anew where it was being written; lost: the bank gave the money back
    OrderState.DISPUTED: frozenset({OrderState.PAID, OrderState.DELIVERED, OrderState.REFUNDING, OrderState.REFUNDED}),
}
"""Which states may follow a state. Everything that is not here is an IllegalMove."""

ENDS = frozenset({OrderState.DELIVERED, OrderState.EXPIRED, OrderState.REFUNDED})
"""States in which nothing is owed to anybody."""

PAYABLE = frozenset({OrderState.PLACED, OrderState.EXPIRED})
"""States in which money may still arrive for an order."""


CUSTOMER = "customer"
"""Who moves an order in the audit, where it is the one who placed it."""


@dataclass(frozen=True, slots=True)
class Move:
    """A row of the audit: an order went from one state to another. ``before`` is None where it was placed.

    ``actor`` is a plain word, with a name where there is one: ``customer``, ``stripe``, ``reconciler``,
    ``worker host:pid``, ``operator name``, ``clock``. ``why`` holds no word of a premise, and no address.
    """

    at: datetime
    actor: str
    why: str
    before: OrderState | None
    after: OrderState


Mark = tuple[int, int]
"""How far the story of an order has come: its last move, and the last that a run of it said. 0 where there is none."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer wants, at what price, and how far it is.

    ``customer`` is the hub's user name. ``request_key`` is the page's own name for the request, so that a
    double click places one order. ``amount_cents`` and ``currency`` are the price of the day it was placed;
    ``paid_cents`` is what arrived, which a promotion code makes less.
    ``provenance`` is what the writer says of how the script came about, as plain JSON: it holds no word of the script.
    ``refund_attempt`` counts the refunds that were begun; ``before_dispute`` is where a won dispute leads back to.
    ``is_part`` says that the customer stopped the writing: ``script_text`` is what stood then.
    ``trouble`` is a sentence for the operator, who must act; None where nobody need.
    ``ended_at`` is when it came to its present end; ``erased_at`` when its private words were taken away.
    ``moves`` are those that the store has not written down yet. All times are aware UTC.
    """

    id: str
    customer: str
    request_key: str
    premise: Premise
    amount_cents: int
    currency: str
    placed_at: datetime
    state: OrderState = OrderState.PLACED
    checkout_attempt: int = 0
    checkout_session_id: str | None = None
    checkout_url: str | None = None
    checkout_expires_at: datetime | None = None
    payment_intent_id: str | None = None
    paid_at: datetime | None = None
    paid_cents: int | None = None
    delivered_at: datetime | None = None
    release_id: str | None = None
    script_text: str | None = None
    is_part: bool = False
    run_sha256: str | None = None
    provenance: Mapping[str, Any] | None = None
    refund_attempt: int = 0
    before_dispute: OrderState | None = None
    trouble: str | None = None
    ended_at: datetime | None = None
    erased_at: datetime | None = None
    moves: tuple[Move, ...] = ()

    def moved(self, state: OrderState, *, by: str, why: str, at: datetime, **changes: object) -> Order:
        """The same order in another state, and who moved it why. Raises IllegalMove where there is no such edge."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"order {self.id}: {self.state} → {state} is not in the table of moves")
        moves = (*self.moves, Move(at, by, why, self.state, state))
        ended_at = at if state in ENDS else None
        return replace(self, state=state, moves=moves, ended_at=ended_at, **changes)  # type: ignore[arg-type]

    @property
    def is_readable(self) -> bool:
        """Whether its customer may read and take along what is written: delivered, or the part of a stopped one."""
        if self.script_text is None:
            return False
        kept = self.is_part and self.state in (OrderState.REFUNDING, OrderState.REFUNDED)
        return kept or self.state is OrderState.DELIVERED


def follows(stored: OrderState, order: Order) -> bool:
    """Whether the moves that an order carries lead from the stored state to its own; none are needed to stay."""
    at = stored
    for move in order.moves:
        if move.before is not at:
            return False
        at = move.after
    return at is order.state
