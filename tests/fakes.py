"""The fake side of each seam: a store in memory, a till that takes play money, a clock that stands still, a runner.

They keep the promises of ``tng.ports`` that the contract suites check, and they can be told to fail:
``FakeGateway.down`` (Stripe does not answer), ``FakeStore.busy`` (the database stays locked).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.fake_store import FakeStore
from tng.errors import GatewayUnavailable, NoticeUndelivered, PaymentRefused, SignatureInvalid
from tng.notices import Notice
from tng.orders import Order
from tng.payments import Checkout, CheckoutStatus, Payment, PaymentEvent
from tng.ports import Event, RunGuard

__all__ = ["START", "FakeClock", "FakeGateway", "FakeMessenger", "FakeRunner", "FakeStore"]

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class FakeClock:
    """Stands still until it is told to go."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        """The time it shows."""
        return self._now

    def advance(self, **parts: float) -> datetime:
        """Go on by days, hours, minutes, seconds."""
        self._now += timedelta(**parts)
        return self._now


# --- the gateway ----------------------------------------------------------------------------------------------------


class FakeGateway:
    """Stripe with play money. ``pay``, ``expire``, ``dispute`` are what a customer, time and a bank do.

    While it is ``slow`` it answers too late for whoever is waited for, and in time for everybody else.
    """

    def __init__(self, clock: FakeClock, *, livemode: bool = False, secret: str = "whsec_fake") -> None:
        self.livemode = livemode
        self.secret = secret
        self.down = False
        self.slow = False
        self.refusing = False
        self.payments: dict[str, Payment] = {}
        self.refunds: dict[str, str] = {}
        self.calls: list[str] = []
        self.reports: list[PaymentEvent] = []
        self._clock = clock
        self._pages: dict[str, Checkout] = {}
        self._lock = threading.Lock()

    def open_checkout(self, order: Order, *, return_url: str, cancel_url: str) -> Checkout:
        """A page; the same (order, attempt) gives the same one."""
        self._answer("open_checkout", waited_for=True)
        with self._lock:
            key = f"order-{order.id}-checkout-{order.checkout_attempt}"
            if key not in self._pages:
                session_id = f"cs_test_{len(self._pages) + 1:04}"
                expires_at = order.checkout_expires_at or self._clock.now() + timedelta(hours=1)
                self._pages[key] = Checkout(session_id, f"https://pay.example/{session_id}", expires_at)
                self.payments[session_id] = Payment(
                    session_id=session_id,
                    order_id=order.id,
                    status=CheckoutStatus.OPEN,
                    paid=False,
                    amount_cents=order.amount_cents,
                    currency=order.currency,
                    livemode=self.livemode,
                )
            return self._pages[key]

    def read_payment(self, session_id: str, *, waited_for: bool = False) -> Payment:
        """What became of it."""
        self._answer("read_payment", waited_for=waited_for)
        if session_id not in self.payments:
            raise PaymentRefused(f"no such checkout {session_id!r}")
        return self.payments[session_id]

    def close_checkout(self, session_id: str, *, waited_for: bool = False) -> None:
        """Nobody can pay on it any more."""
        self._answer("close_checkout", waited_for=waited_for)
        if self.read_payment(session_id, waited_for=waited_for).status is CheckoutStatus.OPEN:
            self.change(session_id, status=CheckoutStatus.EXPIRED)

    def session_of(self, payment_intent_id: str) -> str | None:
        """The page that a payment was made on."""
        self._answer("session_of")
        paid = [p.session_id for p in self.payments.values() if p.payment_intent_id == payment_intent_id]
        return paid[0] if paid else None

    def recent_events(self, since: datetime) -> Sequence[PaymentEvent]:
        """What was sent or would have been: see ``report``."""
        self._answer("recent_events")
        return [event for event in self.reports if event.created_at is not None and event.created_at >= since]

    def report(self, kind: str, session_id: str) -> PaymentEvent:
        """Something stands in Stripe's own list, whether a webhook brings it or not."""
        payload, signature = self.webhook(kind, session_id)
        event = self.read_event(payload, signature, self._clock.now())
        self.reports.append(event)
        return event

    def refund(self, payment_intent_id: str, *, order_id: str, key: str, look_first: bool = False) -> None:
        """Give it back, once."""
        self._answer("refund")
        with self._lock:
            paid = [p for p in self.payments.values() if p.payment_intent_id == payment_intent_id]
            if key not in self.refunds and any(payment.refunded for payment in paid):
                return  # Stripe refuses a second one, and that is a success
            if look_first and payment_intent_id in self.refunds.values():
                return
            self.refunds.setdefault(key, payment_intent_id)
        for session_id, payment in list(self.payments.items()):
            if payment.payment_intent_id == payment_intent_id:
                self.change(session_id, refunded=True)

    def read_event(self, payload: bytes, signature: str | None, now: datetime) -> PaymentEvent:
        """Verify it as Stripe's scheme says: HMAC-SHA256 over ``timestamp.body``."""
        parts = dict(part.split("=", 1) for part in (signature or "").split(",") if "=" in part)
        expected = self._signature(payload, parts.get("t", ""))
        if not hmac.compare_digest(parts.get("v1", "").encode(), expected.encode()):
            raise SignatureInvalid("the webhook's signature does not fit")
        if abs(now.timestamp() - int(parts["t"])) > 300:
            raise SignatureInvalid("the webhook is not of now")
        try:
            body = json.loads(payload)
            thing = body["data"]["object"]
        except (ValueError, KeyError, TypeError) as error:
            raise SignatureInvalid("the webhook is no event") from error
        return PaymentEvent(
            id=body["id"],
            type=body["type"],
            session_id=thing["id"] if body["type"].startswith("checkout.session.") else None,
            payment_intent_id=thing.get("payment_intent"),
            order_id=(thing.get("metadata") or {}).get("order_id"),
            created_at=datetime.fromtimestamp(body["created"], UTC) if "created" in body else None,
        )

    # --- what happens at Stripe ---

    def pay(self, session_id: str) -> Payment:
        """The customer pays on an open page."""
        if self.payments[session_id].status is not CheckoutStatus.OPEN:
            raise ValueError(f"{session_id} is not open")
        return self.change(session_id, status=CheckoutStatus.COMPLETE, paid=True, payment_intent_id=f"pi_{session_id}")

    def expire(self, session_id: str) -> Payment:
        """Time runs out."""
        return self.change(session_id, status=CheckoutStatus.EXPIRED)

    def change(self, session_id: str, **changes: Any) -> Payment:
        """Anything else that can become of a payment."""
        with self._lock:
            self.payments[session_id] = replace(self.payments[session_id], **changes)
            return self.payments[session_id]

    def webhook(
        self,
        kind: str,
        session_id: str,
        *,
        event_id: str = "",
        at: datetime | None = None,
        order_id: str | None = None,
    ) -> tuple[bytes, str]:
        """(payload, signature) as Stripe would send them about a checkout, a charge, a refund or a dispute.

        A dispute names no order: ``order_id`` "" says so.
        """
        payment = self.payments.get(session_id)
        thing = {
            "id": session_id if kind.startswith("checkout.") else f"ch_{session_id}",
            "payment_intent": payment.payment_intent_id if payment else None,
            "metadata": {"order_id": payment.order_id} if payment else {},
        }
        if order_id is not None:
            thing["metadata"] = {"order_id": order_id} if order_id else {}
        body = {"id": event_id or f"evt_{kind}_{session_id}", "type": kind, "data": {"object": thing}}
        body["created"] = int(self._clock.now().timestamp())
        payload = json.dumps(body).encode()
        return payload, self.sign(payload, at or self._clock.now())

    def sign(self, payload: bytes, at: datetime) -> str:
        """The Stripe-Signature header of a body."""
        stamp = str(int(at.timestamp()))
        return f"t={stamp},v1={self._signature(payload, stamp)}"

    def _signature(self, payload: bytes, stamp: str) -> str:
        return hmac.new(self.secret.encode(), stamp.encode() + b"." + payload, hashlib.sha256).hexdigest()

    def _answer(self, call: str, *, waited_for: bool = False) -> None:
        self.calls.append(call)
        if self.down or (self.slow and waited_for):
            raise GatewayUnavailable("Stripe does not answer")
        if self.refusing:
            raise PaymentRefused("Stripe says no")


# --- the messenger --------------------------------------------------------------------------------------------------


class FakeMessenger:
    """Keeps what it is to send, (key, notice); takes nothing while it is ``down``."""

    def __init__(self) -> None:
        self.down = False
        self.sent: list[tuple[str, Notice]] = []

    def send(self, key: str, notice: Notice) -> None:
        """Keep it. Raises NoticeUndelivered."""
        if self.down:
            raise NoticeUndelivered("nobody takes it")
        self.sent.append((key, notice))


# --- the runner -----------------------------------------------------------------------------------------------------


class FakeRunner:
    """Runs nothing: says ``events``, then returns ``result`` or raises ``error``."""

    def __init__(
        self, result: dict[str, Any] | None = None, *, events: Sequence[Event] = (), error: Exception | None = None
    ) -> None:
        self.result = result or {}
        self.events = list(events)
        self.error = error
        self.runs: list[tuple[str, dict[str, Any]]] = []
        self.closed = False

    def run(self, notebook: str, parameters: dict[str, Any], *, run_folder: Path, guard: RunGuard) -> dict[str, Any]:
        """The result that it was given."""
        self.runs.append((notebook, dict(parameters)))
        run_folder.mkdir(parents=True, exist_ok=True)
        (run_folder / "notebook.ipynb").write_text("{}", encoding="utf-8")
        for kind, body in self.events:
            guard.say(kind, body)
        if self.error is not None:
            raise self.error
        return dict(self.result)

    def close(self) -> None:
        """There are no kernels to end."""
        self.closed = True
