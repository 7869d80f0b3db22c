"""What happens in a shop's Stripe account: sessions are opened and expire, buyers pay, money goes back.

Every verb here is called inside one transaction of the store and awaits nothing, so it happens whole or not at
all; the webhooks that it owes are rows of the same transaction. It knows no HTTP.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from hub.sandbox.stripe import objects, rules
from hub.sandbox.stripe.contract import required
from hub.sandbox.stripe.objects import Attempt
from hub.sandbox.stripe.store import Store
from hub.sandbox.stripe.wire import Refusal, Thing, invalid

OPERATORS_ENDPOINT = "we_operator"


class Verdict(StrEnum):
    """What became of an attempt to pay."""

    PAID = "paid"
    DECLINED = "declined"
    ASKS_3DS = "asks 3-D Secure"
    CLOSED = "closed"  # the session was complete or expired before


@dataclass(frozen=True)
class Outcome:
    """A verdict; for a decline what the buyer is told, for a payment the event that announces it."""

    verdict: Verdict
    message: str = ""
    event_id: str = ""


class Account:
    """The verbs of the account. ``clock`` says the time in seconds since 1970."""

    def __init__(
        self, store: Store, *, page_base: str, clock: Callable[[], float], webhook: tuple[str, str] | None = None
    ) -> None:
        self.store = store
        self.clock = clock
        self._page_base = page_base
        self._webhook = webhook  # (url, secret) of the operator's endpoint; kept in memory, never written down

    # sessions

    def open_session(self, params: Thing) -> Thing:
        """Open a Checkout Session. Raises Refusal."""
        now = self.clock()
        rules.session(params, now)
        currency = rules.lines(params)
        items = [objects.line_item(item, currency) for item in params["line_items"]]
        rules.total(sum(item["amount_total"] for item in items), currency)
        return self.store.put(objects.checkout_session(params, items, now, self._page_base))

    def expire_session(self, session_id: str) -> Thing:
        """Close an open session for good. Raises Refusal when it is not open."""
        session = self.store.get("checkout.session", session_id)
        if session["status"] != "open":
            raise Refusal(
                400,
                'Only Checkout Sessions with a status in ["open"] can be expired.'
                f" This Checkout Session has a status of `{session['status']}`.",
            )
        return self._expire(session)

    def expire_overdue(self) -> int:
        """Close every session whose time is over; returns how many there were."""
        overdue = self.store.overdue_sessions(self.clock())
        for session in overdue:
            self._expire(session)
        return len(overdue)

    def _expire(self, session: Thing) -> Thing:
        session = self.store.put(session | {"status": "expired", "url": None})
        self._announce("checkout.session.expired", session)
        return session

    # a buyer

    def pay(self, session_id: str, attempt: Attempt, *, authenticated: bool | None = None) -> Outcome:
        """Try a card. ``authenticated`` is the buyer's answer to 3-D Secure, None before the bank has asked."""
        session = self.store.get("checkout.session", session_id)
        if session["status"] != "open" or session["expires_at"] <= self.clock():
            return Outcome(Verdict.CLOSED)
        code = attempt.card.decline_code
        if attempt.card.asks_3ds:
            if authenticated is None:
                return Outcome(Verdict.ASKS_3DS)
            code = None if authenticated else "authentication_failed"
        charge, intent = self._charge(session, Attempt(attempt.card, attempt.email, attempt.name, code))
        if not charge["paid"]:
            self._announce("charge.failed", charge)
            self._announce("payment_intent.payment_failed", intent)
            return Outcome(Verdict.DECLINED, message=charge["failure_message"])
        return self._complete(session, charge, intent, attempt)

    def _charge(self, session: Thing, attempt: Attempt) -> tuple[Thing, Thing]:
        now = self.clock()
        intent = (
            self.store.get("payment_intent", session["payment_intent"])
            if session["payment_intent"]
            else objects.payment_intent(session, now)
        )
        charge = objects.charge(intent, attempt, now)
        intent |= {
            "amount_received": charge["amount_captured"],
            "last_payment_error": None if charge["paid"] else objects.card_error(charge),
            "latest_charge": charge["id"],
            "status": "succeeded" if charge["paid"] else "requires_payment_method",
        }
        session["payment_intent"] = intent["id"]
        for thing in (charge, intent, session):
            self.store.put(thing)
        return charge, intent

    def _complete(self, session: Thing, charge: Thing, intent: Thing, attempt: Attempt) -> Outcome:
        session |= {
            "customer_details": attempt.details | {"tax_exempt": "none", "tax_ids": []},
            "payment_status": "paid",
            "status": "complete",
            "url": None,
        }
        self.store.put(session)
        self._announce("charge.succeeded", charge)
        self._announce("payment_intent.succeeded", intent)
        event = self._announce("checkout.session.completed", session)
        if attempt.card.disputed:
            self._dispute(charge)
        return Outcome(Verdict.PAID, event_id=event["id"])

    def _dispute(self, charge: Thing) -> None:
        dispute = objects.dispute(charge, self.clock())
        self.store.put(charge | {"disputed": True})
        self.store.put(dispute)
        self._announce("charge.dispute.created", dispute)

    # money back

    def refund(self, params: Thing) -> Thing:
        """Refund a charge, whole or in part, never more than is left. Raises Refusal."""
        rules.only(params, rules.REFUND_PARAMETERS)
        rules.metadata(params.get("metadata"), "metadata")
        charge = self._charge_to_refund(params)
        left_cents = charge["amount"] - charge["amount_refunded"]
        if left_cents == 0:
            message = f"Charge {charge['id']} has already been refunded."
            raise Refusal(400, message, code="charge_already_refunded")
        amount_cents = params.get("amount", left_cents)
        if amount_cents < 1:
            raise invalid("amount", "Invalid positive integer: amount")
        if amount_cents > left_cents:
            message = f"Refund amount ({amount_cents}) is greater than unrefunded amount on charge ({left_cents})."
            raise Refusal(400, message, param="amount")
        refund = self.store.put(objects.refund(params, charge, amount_cents, self.clock()))
        charge["amount_refunded"] += amount_cents
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.store.put(charge)
        for kind, thing in (("refund.created", refund), ("charge.refunded", charge), ("refund.updated", refund)):
            self._announce(kind, thing)
        return refund

    def _charge_to_refund(self, params: Thing) -> Thing:
        if "payment_intent" in params:
            intent = self.store.get("payment_intent", params["payment_intent"], "payment_intent")
            if intent["status"] != "succeeded":
                message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
                raise Refusal(400, message, param="payment_intent")
            charge = self.store.get("charge", intent["latest_charge"])
        elif "charge" in params:
            charge = self.store.get("charge", params["charge"], "charge")
        else:
            raise required("payment_intent")
        if charge["disputed"]:
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise Refusal(400, message, code="charge_disputed")
        if not charge["paid"]:
            raise Refusal(400, f"Charge {charge['id']} was not paid; it cannot be refunded.", param="charge")
        return charge

    # events

    def add_endpoint(self, params: Thing) -> Thing:
        """Register an address that wants events; this once, the answer tells its secret."""
        rules.webhook_endpoint(params)
        endpoint = self.store.put(objects.webhook_endpoint(params, self.clock()))
        return endpoint | {"secret": endpoint["_secret"]}

    def endpoints(self) -> list[Thing]:
        """Everybody who wants events: the operator's endpoint, and those registered by the api."""
        operators = []
        if self._webhook is not None:
            url, secret = self._webhook
            operators = [{"id": OPERATORS_ENDPOINT, "url": url, "_secret": secret, "enabled_events": ["*"]}]
        return operators + self.store.all("webhook_endpoint")

    def resend(self, event_id: str) -> Thing:
        """Owe an event again to everybody who wants it. Raises Refusal when there is no such event."""
        event = self.store.get("event", event_id)
        self._owe(event)
        return event

    def _announce(self, kind: str, thing: Thing) -> Thing:
        public = {name: value for name, value in thing.items() if not name.startswith("_")}
        event = self.store.put(objects.event(kind, public, self.clock()))
        self._owe(event)
        return event

    def _owe(self, event: Thing) -> None:
        for endpoint in self.endpoints():
            if {"*", event["type"]} & set(endpoint["enabled_events"]):
                self.store.owe(event["id"], endpoint["id"], self.clock())
