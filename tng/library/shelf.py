"""What a customer does to an order beside its story: their own name for it, the bin, and a link to read it by.

Nothing here moves an order, and what was paid for is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from tng.orders import ENDS, Order, OrderState

BIN_KEPT = timedelta(days=30)
"""How long what was thrown away can be had back; then its words are erased."""

SHARES_KEPT = 20
"""So many links of one order are remembered, the newest: whoever makes new ones all day fills nothing."""


@dataclass(frozen=True, slots=True)
class Shelved:
    """``title`` is the customer's own name for it, None where it is the premise's. All times are aware UTC.

    ``binned_at`` is when it was thrown away; ``shared_at`` when the link was made by which it can be read now.
    """

    title: str | None = None
    binned_at: datetime | None = None
    shared_at: datetime | None = None

    def title_of(self, order: Order) -> str:
        """What the order is called; one whose words were erased has lost this name, too."""
        return self.title or order.premise.title

    def hides(self, order: Order) -> bool:
        """Whether it lies in the bin: thrown away, and not moved since, as by money that came late."""
        if self.binned_at is None or order.ended_at is None or order.state not in ENDS:
            return False
        return self.binned_at >= order.ended_at


ORDINARY = Shelved()
"""Of an order to which nobody did anything."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link to read a script by. Its token is known to whoever has the link, and here by its hash alone."""

    order_id: str
    token_sha256: str
    made_at: datetime
    revoked_at: datetime | None = None


def can_be_shared(order: Order) -> bool:
    """Whether anybody may read it by a link: delivered, and neither held by a bank nor paid back."""
    return order.state is OrderState.DELIVERED and order.is_readable
