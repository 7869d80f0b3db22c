"""What a receipt says of an order: plain values, as they are printed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tng.errors import IllegalMove
from tng.orders import Order, OrderState
from tng.payments import Price

NOT_PAID = "There is a receipt once the order is paid."

REFUNDS = {OrderState.REFUNDING: "being refunded", OrderState.REFUNDED: "refunded"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """``price`` is what was asked for and ``paid`` what was charged, "2.99 USD"; all times are aware UTC.

    ``refund`` is "", "being refunded" or "refunded". ``reference`` is Stripe's id of the payment, "" where a code
    paid for all of it. ``livemode_hint`` says that no real money moved.
    """

    product: str
    order_id: str
    title: str
    placed_at: datetime
    paid_at: datetime
    price: str
    paid: str
    refund: str
    refunded_at: datetime | None
    reference: str
    livemode_hint: bool


def receipt_of(order: Order, *, title: str, product: str, is_play_money: bool) -> Receipt:
    """The receipt of an order. Raises IllegalMove where it was never paid."""
    if order.paid_at is None:
        raise IllegalMove(f"order {order.id} is {order.state}: no receipt", user_message=NOT_PAID)
    paid_cents = order.amount_cents if order.paid_cents is None else order.paid_cents
    is_back = order.state is OrderState.REFUNDED
    return Receipt(
        product=product,
        order_id=order.id,
        title=title,
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        price=str(Price(order.amount_cents, order.currency)),
        paid=str(Price(paid_cents, order.currency)),
        refund=REFUNDS.get(order.state, ""),
        refunded_at=order.ended_at if is_back else None,
        reference=order.payment_intent_id or "",
        livemode_hint=is_play_money,
    )
