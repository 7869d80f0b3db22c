"""Money: a price, a checkout, a payment, and the checks that a payment must pass. No Stripe in here.

A checkout is a page at Stripe; a payment is money that arrived. A checkout is not a payment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tng.errors import PaymentMismatch
from tng.orders import Order

LEAST_CENTS = 50
"""Stripe's minimum charge in US dollars (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""


LIVE_KEYS = ("sk_live_", "rk_live_")
"""How a key begins that moves real money (docs.stripe.com/keys)."""


ON_THE_STATEMENT = "Banks mostly show it within ten business days."
"""Of money that is given back to a card (support.stripe.com, "How long refunds take to process")."""


EVENT_TYPES = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "charge.refunded",
        "refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.closed",
    }
)
"""What is acted on; a webhook endpoint at Stripe needs these, and no others."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a script costs."""

    amount_cents: int
    currency: str = "usd"

    def __str__(self) -> str:
        return f"{self.amount_cents / 100:.2f} {self.currency.upper()}"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page at Stripe on which an order can be paid."""

    session_id: str
    url: str
    expires_at: datetime


class CheckoutStatus(StrEnum):
    """What Stripe says of a checkout."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class Dispute(StrEnum):
    """A bank asks for money back (docs.stripe.com/disputes). An inquiry moves no money yet."""

    INQUIRY = "inquiry"
    OPEN = "open"
    WON = "won"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe says of a checkout when asked again: the only source of truth about money.

    ``subtotal_cents`` is before a promotion code, ``amount_cents`` what is charged. ``paid`` is also true where a code
    left nothing to pay: there is no ``payment_intent_id`` then. ``refunded`` means in full; a refund that failed
    afterwards is none. ``dispute`` is the last one.
    """

    session_id: str
    order_id: str | None
    status: CheckoutStatus
    paid: bool
    amount_cents: int
    currency: str
    livemode: bool
    payment_intent_id: str | None = None
    subtotal_cents: int | None = None
    refunded: bool = False
    dispute: Dispute | None = None


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """Something that Stripe reports: a hint that something happened, never a fact about it.

    ``order_id`` is our own word in the object's metadata, None where it has none (a dispute). ``tries`` counts how
    often it was taken from the inbox.
    """

    id: str
    type: str
    session_id: str | None
    payment_intent_id: str | None
    order_id: str | None
    created_at: datetime | None = None
    tries: int = 0


def check_payment(order: Order, payment: Payment, *, livemode: bool) -> None:
    """Raise PaymentMismatch unless this payment is for this order, in full, in its currency and kind of money."""
    facts = [
        ("session", payment.session_id, order.checkout_session_id),
        ("order", payment.order_id, order.id),
        ("amount_cents", _before_codes(payment), order.amount_cents),
        ("currency", payment.currency.lower(), order.currency.lower()),
        ("livemode", payment.livemode, livemode),
    ]
    wrong = [f"{name} {got!r}, not {wanted!r}" for name, got, wanted in facts if got != wanted]
    if wrong:
        raise PaymentMismatch(f"order {order.id}: payment differs in {'; '.join(wrong)}. Nothing was changed.")


def _before_codes(payment: Payment) -> int:
    """What would have been charged without a promotion code; what is charged may be less, and never more."""
    full = payment.amount_cents if payment.subtotal_cents is None else payment.subtotal_cents
    return max(full, payment.amount_cents)


def job_key(order: Order) -> str:
    """The unique key of the job that an order owes."""
    return f"order:{order.id}"
