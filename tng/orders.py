"""An order and its life: what may follow what, as one table. No database, no money, no clock.

PLACED → PAID → WRITING → DELIVERED
   ↘ EXPIRED   ↘ REFUNDING → REFUNDED
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from tng.errors import IllegalMove
from tng.script import Premise


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
    OrderState.REFUNDED: frozenset(),
    OrderState.DISPUTED: frozenset({OrderState.PAID, OrderState.WRITING, OrderState.DELIVERED, OrderState.REFUNDED}),
}
"""Which states may follow a state. Everything that is not here is an IllegalMove."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer wants, at what price, and how far it is.

    ``customer`` is the hub's user name. ``request_key`` is the page's own name for the request, so that a
    double click places one order. ``amount_cents`` and ``currency`` are the price of the day it was placed.
    ``provenance`` is what the writer says of how the script came about, as plain JSON: it holds no word of the script.
    All times are aware UTC.
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
    delivered_at: datetime | None = None
    release_id: str | None = None
    script_text: str | None = None
    run_sha256: str | None = None
    provenance: Mapping[str, Any] | None = None

    def moved(self, state: OrderState, **changes: object) -> Order:
        """The same order in another state. Raises IllegalMove where the table has no such edge."""
        if state not in MOVES[self.state]:
            raise IllegalMove(f"order {self.id}: {self.state} → {state} is not in the table of moves")
        return replace(self, state=state, **changes)  # type: ignore[arg-type]
