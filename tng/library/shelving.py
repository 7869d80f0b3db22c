"""What a customer does with an order that they have: calls it something, throws it away, lets others read it.

Nothing here moves an order, asks Stripe or writes a script.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256

from tng.errors import IllegalMove, OrderNotFound
from tng.library.shelf import ORDINARY, Share, Shelved, can_be_shared
from tng.log import told
from tng.orders import ENDS, Order, OrderState
from tng.ports import Clock, Store, Work
from tng.script import checked_title

logger = logging.getLogger(__name__)

TOKEN_BYTES = 24
"""192 bits: nobody finds a link by trying."""

CANCEL_FIRST = "This order is not at its end yet. Please cancel it, or wait until it is done; then you can delete it."
HELD = "The payment of this order is disputed at the bank: until that is settled, it cannot be deleted."
ERASED = "The words of this order were erased, so there is nothing left to name."
NOT_TO_BE_SHARED = "Only a script that is ready can be shared."


class Shelving:
    """Use it from any thread. Whoever is named as a customer must be known to be that customer."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    def listed(self, customer: str, *, binned: bool = False) -> Sequence[tuple[Order, Shelved]]:
        """The customer's orders, the newest first: those in the bin whose words are still there, or all others."""
        with self._store.read() as work:
            noted = work.shelf.of(customer)
            pairs = [(order, noted.get(order.id, ORDINARY)) for order in work.orders.of(customer)]
        if binned:
            return [(order, shelved) for order, shelved in pairs if shelved.hides(order) and order.erased_at is None]
        return [(order, shelved) for order, shelved in pairs if not shelved.hides(order)]

    def kept(self, order_id: str, customer: str) -> tuple[Order, Shelved]:
        """An order that is not in the bin. Raises OrderNotFound, also where it is, and for a stranger's."""
        with self._store.read() as work:
            order = work.orders.get(order_id, customer)
            shelved = work.shelf.get(order_id)
        if shelved.hides(order):
            raise OrderNotFound(f"order {order_id} is in the bin")
        return order, shelved

    def rename(self, order_id: str, customer: str, title: object) -> Order:
        """Call it something else; what was asked for keeps its own title. Its own title again takes the name away.

        Raises PremiseError, OrderNotFound, IllegalMove where it was erased, StoreBusy.
        """
        name = checked_title(title)

        def renamed(work: Work, order: Order, shelved: Shelved) -> None:
            if order.erased_at is not None:
                raise IllegalMove(f"order {order.id} is erased: it has no name", user_message=ERASED)
            work.shelf.save(order.id, replace(shelved, title=None if name == order.premise.title else name))

        return self._change(order_id, customer, renamed)

    def bin(self, order_id: str, customer: str) -> Order:
        """Throw it away: it can be had back for BIN_KEPT. Any number of times; the first one counts.

        Raises OrderNotFound, IllegalMove where it is not at its end, StoreBusy.
        """

        def binned(work: Work, order: Order, shelved: Shelved) -> None:
            if order.state not in ENDS:
                words = HELD if order.state is OrderState.DISPUTED else CANCEL_FIRST
                raise IllegalMove(f"order {order.id} is {order.state}: it is not thrown away", user_message=words)
            if not shelved.hides(order):
                now = max(self._clock.now(), order.ended_at or self._clock.now())  # another machine's clock ended it
                work.shelf.save(order.id, replace(shelved, binned_at=now))

        return self._change(order_id, customer, binned)

    def unbin(self, order_id: str, customer: str) -> Order:
        """Have it back; one that is not in the bin stays where it is. Raises OrderNotFound, StoreBusy."""

        def back(work: Work, order: Order, shelved: Shelved) -> None:
            work.shelf.save(order.id, replace(shelved, binned_at=None))

        return self._change(order_id, customer, back)

    def share(self, order_id: str, customer: str) -> str:
        """A new link's token, told once; the link before ends. Raises OrderNotFound, IllegalMove, StoreBusy."""
        token = secrets.token_urlsafe(TOKEN_BYTES)

        def shared(work: Work, order: Order, shelved: Shelved) -> None:
            if shelved.hides(order):
                raise OrderNotFound(f"order {order_id} is in the bin")
            if not can_be_shared(order):
                raise IllegalMove(f"order {order.id} is {order.state}: not shared", user_message=NOT_TO_BE_SHARED)
            work.shelf.share(Share(order.id, _hash(token), self._clock.now()))

        self._change(order_id, customer, shared)
        logger.info("shared by a link", extra=told(order=order_id))
        return token

    def unshare(self, order_id: str, customer: str) -> Order:
        """End the link at once; none is fine. Raises OrderNotFound, StoreBusy."""
        return self._change(
            order_id, customer, lambda work, order, _shelved: work.shelf.unshare(order.id, self._clock.now())
        )

    def shared(self, token: str) -> tuple[Order, Shelved]:
        """What this link leads to. Raises OrderNotFound where it leads nowhere, whatever the reason is."""
        with self._store.read() as work:
            order_id = work.shelf.shared(_hash(token))
            if order_id is None:
                raise OrderNotFound("no link has this token")
            order, shelved = work.orders.get(order_id), work.shelf.get(order_id)
        if shelved.hides(order) or not can_be_shared(order):
            raise OrderNotFound(f"order {order_id} cannot be read by its link now")
        return order, shelved

    def _change(self, order_id: str, customer: str, change: Callable[[Work, Order, Shelved], None]) -> Order:
        """One commit, with the order's row held."""
        with self._store.begin() as work:
            order = work.orders.get(order_id, customer)
            change(work, order, work.shelf.get(order_id))
            work.commit()
        return order


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
