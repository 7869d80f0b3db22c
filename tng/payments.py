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


@dataclass(frozen=True, slots=True)
class Payment:
    """What Stripe says of a checkout when asked again: the only source of truth about money."""

    session_id: str
    order_id: str | None
    status: CheckoutStatus
    paid: bool
    amount_cents: int
    currency: str
    livemode: bool
    payment_intent_id: str | None = None
    refunded: bool = False
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class PaymentEvent:
    """A verified webhook: a hint that something happened, never a fact about it."""

    id: str
    type: str
    session_id: str | None
    payment_intent_id: str | None
    order_id: str | None


def check_payment(order: Order, payment: Payment, *, livemode: bool) -> None:
    """Raise PaymentMismatch unless this payment is for this order, in full, in its currency and kind of money."""
    facts = [
        ("session", payment.session_id, order.checkout_session_id),
        ("order", payment.order_id, order.id),
        ("amount_cents", payment.amount_cents, order.amount_cents),
        ("currency", payment.currency.lower(), order.currency.lower()),
        ("livemode", payment.livemode, livemode),
    ]
    wrong = [f"{name} {got!r}, not {wanted!r}" for name, got, wanted in facts if got != wanted]
    if wrong:
        raise PaymentMismatch(f"order {order.id}: payment differs in {'; '.join(wrong)}. Nothing was changed.")
