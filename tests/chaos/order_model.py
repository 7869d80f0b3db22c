"""What may become of an order, told by someone who knows no database, no job and no lease: only what happened to it.

The model hears what a customer, a bank, a worker and an operator did, and says in which states the order may end. It
knows nothing of the order in which a house heard of it, for that must not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tng.orders import Order, OrderState

DELIVERED, EXPIRED, REFUNDED = OrderState.DELIVERED, OrderState.EXPIRED, OrderState.REFUNDED


@dataclass
class OrderModel:
    """The facts of one order.

    ``cancelled`` is an answer that its customer was given; ``may_have_cancelled`` a click whose answer was lost.
    ``delivered`` is when a script was taken, ``may_be_delivered`` where the worker did not hear so; ``lost_pages`` are
    those whose money a bank gave back: where it is not the page that the order counts, its own money is still there.
    """

    paid: bool = False
    cancelled: bool = False
    may_have_cancelled: bool = False
    failures: int = 0
    crashes: int = 0
    delivered: bool = False
    may_be_delivered: bool = False
    lost_pages: set[str] = field(default_factory=set)
    disputed: bool = False

    def ends(self, page: str | None = None) -> set[OrderState]:
        """Where it may be when everything is over, if it counts the money of this page."""
        if not self.paid:
            return {EXPIRED}
        if page in self.lost_pages:
            return {REFUNDED}
        if self.delivered:
            return {DELIVERED}
        if self.cancelled and not self.may_be_delivered:
            return {DELIVERED, REFUNDED}  # from the half on, what is written is kept and paid
        ends = {DELIVERED}
        if self.may_have_cancelled or self.cancelled or self.gives_up():
            ends.add(REFUNDED)
        return ends

    def gives_up(self) -> bool:
        """Whether its job may have been buried: three failures, or six attempts whose worker died."""
        return self.failures >= 3 or self.crashes + self.failures >= 6

    def check(self, order: Order) -> None:
        """Raise AssertionError where the order is somewhere that nothing that happened leads to."""
        ends = self.ends(order.checkout_session_id)
        assert order.state in ends, f"{order.state}, not in {sorted(ends)}: {self}"
        if order.state is DELIVERED and not (self.cancelled or self.may_have_cancelled):
            assert not order.is_part, f"nobody stopped it, and it is a part: {self}"
        if order.state is EXPIRED:
            assert order.script_text is None
