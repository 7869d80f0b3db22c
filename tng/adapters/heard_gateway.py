"""Stripe as it was heard last: passes every call on, and remembers whether it was answered. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from tng.errors import GatewayUnavailable, PaymentRefused
from tng.orders import Order
from tng.overview import Health, PartHealth
from tng.payments import Checkout, Payment, PaymentEvent
from tng.ports import Clock, PaymentGateway


class HeardGateway:
    """See :class:`tng.ports.PaymentGateway`. A no is an answer; a webhook is none."""

    def __init__(self, gateway: PaymentGateway, clock: Clock) -> None:
        self._gateway, self._clock = gateway, clock
        self.livemode = gateway.livemode
        self._answered_at: datetime | None = None
        self._silent_at: datetime | None = None

    def health(self) -> PartHealth:
        """How Stripe is, as far as it was asked."""
        if self._silent_at is not None:
            return PartHealth("Stripe", Health.UNWELL, f"did not answer at {self._silent_at:%H:%M:%S} UTC")
        if self._answered_at is None:
            return PartHealth("Stripe", Health.UNKNOWN, "was not asked yet")
        return PartHealth("Stripe", Health.WELL, f"answered at {self._answered_at:%H:%M:%S} UTC")

    def open_checkout(self, order: Order, *, return_url: str, cancel_url: str) -> Checkout:
        """A page on which ``order`` can be paid."""
        with self._heard():
            return self._gateway.open_checkout(order, return_url=return_url, cancel_url=cancel_url)

    def read_payment(self, session_id: str, *, waited_for: bool = False) -> Payment:
        """Ask again what became of a checkout."""
        with self._heard():
            return self._gateway.read_payment(session_id, waited_for=waited_for)

    def close_checkout(self, session_id: str, *, waited_for: bool = False) -> None:
        """Make sure that it cannot be paid any more."""
        with self._heard():
            self._gateway.close_checkout(session_id, waited_for=waited_for)

    def session_of(self, payment_intent_id: str) -> str | None:
        """The checkout session that a payment belongs to."""
        with self._heard():
            return self._gateway.session_of(payment_intent_id)

    def refund(self, payment_intent_id: str, *, order_id: str, key: str, look_first: bool = False) -> None:
        """Give the money back."""
        with self._heard():
            self._gateway.refund(payment_intent_id, order_id=order_id, key=key, look_first=look_first)

    def recent_events(self, since: datetime) -> Iterable[PaymentEvent]:
        """What happened since."""
        with self._heard():
            return self._gateway.recent_events(since)

    def read_event(self, payload: bytes, signature: str | None, now: datetime) -> PaymentEvent:
        """Verify a webhook: nothing is asked for it."""
        return self._gateway.read_event(payload, signature, now)

    @contextmanager
    def _heard(self) -> Iterator[None]:
        try:
            yield
        except GatewayUnavailable:
            self._silent_at = self._clock.now()
            raise
        except PaymentRefused:
            self._answered()
            raise
        self._answered()

    def _answered(self) -> None:
        self._answered_at, self._silent_at = self._clock.now(), None
