"""What happens in a shop's Stripe account: sessions are opened and expire, buyers pay, debits clear.

Every verb here is called inside one transaction of the store and awaits nothing, so it happens whole or not at
all; the webhooks that it owes are rows of the same transaction. It knows no HTTP. Money that goes back is in
``refunds`` and ``disputes``, codes in ``promotions``, events in ``news``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from hub.sandbox.stripe import cards, objects, rules
from hub.sandbox.stripe.disputes import Disputes
from hub.sandbox.stripe.news import News, Webhook
from hub.sandbox.stripe.objects import Attempt
from hub.sandbox.stripe.promotions import Promotions
from hub.sandbox.stripe.refunds import Refunds
from hub.sandbox.stripe.store import Query, Store
from hub.sandbox.stripe.wire import Refusal, Thing, invalid

CLEAR_SECONDS = 20.0


class Verdict(StrEnum):
    """What became of an attempt to pay."""

    PAID = "paid"  # or, by a bank debit, on its way
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
        self,
        store: Store,
        *,
        page_base: str,
        clock: Callable[[], float],
        webhook: Webhook | None = None,
        clear_seconds: float = CLEAR_SECONDS,
    ) -> None:
        self.store = store
        self.clock = clock
        self.news = News(store, clock, webhook)
        self.refunds = Refunds(store, clock, self.news, clear_seconds)
        self.disputes = Disputes(store, clock, self.news)
        self.promotions = Promotions(store, clock)
        self._page_base = page_base
        self._clear_seconds = clear_seconds

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
        self.news.announce("checkout.session.expired", session)
        return session

    # a buyer

    def pay(self, session_id: str, attempt: Attempt, *, authenticated: bool | None = None) -> Outcome:
        """Try a card or a bank account, or take what costs nothing.

        ``authenticated`` is the buyer's answer to 3-D Secure, None before the bank has asked.
        """
        session = self.store.get("checkout.session", session_id)
        if session["status"] != "open" or session["expires_at"] <= self.clock():
            return Outcome(Verdict.CLOSED)
        if session["amount_total"] == 0:
            return self._complete(session, attempt, "no_payment_required")
        if isinstance(attempt.means, cards.BankAccount):
            return self._debit(session, attempt)
        code = attempt.means.decline_code
        if attempt.means.asks_3ds:
            if authenticated is None:
                return Outcome(Verdict.ASKS_3DS)
            code = None if authenticated else "authentication_failed"
        charge, intent = self._charge(session, replace(attempt, decline_code=code))
        if not charge["paid"]:
            self._announce_failure(charge, intent)
            return Outcome(Verdict.DECLINED, message=charge["failure_message"])
        self._announce_success(charge, intent)
        outcome = self._complete(session, attempt, "paid")
        if attempt.means.complaint is not None:
            self.disputes.open(charge, attempt.means.complaint)
        return outcome

    def pay_directly(self, params: Thing) -> Thing:
        """A payment that nobody makes on a page: with one of Stripe's named test cards, confirmed at once."""
        rules.direct_payment(params)
        name = params["payment_method"]
        if name not in cards.METHODS:
            raise Refusal(404, f"No such PaymentMethod: '{name}'", code="resource_missing", param="payment_method")
        card = cards.CARDS[cards.METHODS[name]]
        intent = objects.direct_intent(params, self.clock())
        charge, intent = self._capture(intent, Attempt(card, "", "", card.decline_code))
        if not charge["paid"]:
            refusal = Refusal(402, charge["failure_message"], code=charge["failure_code"], kind="card_error")
            refusal.error["decline_code"] = card.decline_code or ""
            raise refusal
        self._announce_success(charge, intent)
        if card.complaint is not None:
            self.disputes.open(charge, card.complaint)
        return intent

    def _charge(self, session: Thing, attempt: Attempt) -> tuple[Thing, Thing]:
        known = session["payment_intent"]
        intent = (
            self.store.get("payment_intent", known) if known else objects.payment_intent(session, self.clock())
        ) | {"amount": session["amount_total"]}
        session["payment_intent"] = intent["id"]
        self.store.put(session)
        return self._capture(intent, attempt)

    def _capture(self, intent: Thing, attempt: Attempt) -> tuple[Thing, Thing]:
        charge = objects.charge(intent, attempt, self.clock())
        status = {"succeeded": "succeeded", "pending": "processing", "failed": "requires_payment_method"}
        intent |= {
            "amount_received": charge["amount_captured"],
            "last_payment_error": objects.charge_error(charge) if charge["status"] == "failed" else None,
            "latest_charge": charge["id"],
            "status": status[charge["status"]],
        }
        return self.store.put(charge), self.store.put(intent)

    def _complete(self, session: Thing, attempt: Attempt, payment_status: str) -> Outcome:
        session |= {
            "customer_details": attempt.details | {"tax_exempt": "none", "tax_ids": []},
            "payment_status": payment_status,
            "status": "complete",
            "url": None,
        }
        self.store.put(session)
        self.promotions.redeemed(session)
        event = self.news.announce("checkout.session.completed", session)
        return Outcome(Verdict.PAID, event_id=event["id"])

    def _announce_success(self, charge: Thing, intent: Thing) -> None:
        self.news.announce("charge.succeeded", charge)
        self.news.announce("payment_intent.succeeded", intent)

    def _announce_failure(self, charge: Thing, intent: Thing) -> None:
        self.news.announce("charge.failed", charge)
        self.news.announce("payment_intent.payment_failed", intent)

    # what takes its time

    def _debit(self, session: Thing, attempt: Attempt) -> Outcome:
        charge, intent = self._charge(session, attempt)
        session["_due_at"] = self.clock() + self._clear_seconds
        self.news.announce("charge.pending", charge)
        self.news.announce("payment_intent.processing", intent)
        return self._complete(session, attempt, "unpaid")

    def clear(self, thing_id: str) -> Thing:
        """Have the bank decide now about a session's debit, or about a refund. Raises Refusal: nothing is due."""
        kind = "refund" if thing_id.startswith("re_") else "checkout.session"
        thing = self.store.get(kind, thing_id)
        if thing.get("_due_at") is None:
            raise invalid("id", f"Nothing is on its way for {thing_id}.")
        return self._decide(thing)

    def clear_due(self) -> int:
        """Have the bank decide about everything whose time has come; returns how many there were."""
        due = self.store.due(self.clock())
        for thing in due:
            self._decide(thing)
        return len(due)

    def _decide(self, thing: Thing) -> Thing:
        return self.refunds.settle(thing) if thing["object"] == "refund" else self._cleared(thing)

    def _cleared(self, session: Thing) -> Thing:
        intent = self.store.get("payment_intent", session["payment_intent"])
        charge = objects.decided(self.store.get("charge", intent["latest_charge"]))
        paid = charge["paid"]
        intent |= {
            "amount_received": charge["amount_captured"],
            "last_payment_error": None if paid else objects.charge_error(charge),
            "status": "succeeded" if paid else "requires_payment_method",
        }
        session |= {"_due_at": None, "payment_status": "paid" if paid else "unpaid"}
        for thing in (charge, intent, session):
            self.store.put(thing)
        if paid:
            self._announce_success(charge, intent)
        else:
            self._announce_failure(charge, intent)
        self.news.announce(f"checkout.session.async_payment_{'succeeded' if paid else 'failed'}", session)
        return session

    # the books

    def ledger(self) -> list[Thing]:
        """Per payment intent: cents captured, given back, and taken by a bank in a dispute that is not won."""
        charges = self.store.all("charge")
        return [self._account_of(intent, charges) for intent in self.store.all("payment_intent")]

    def _account_of(self, intent: Thing, charges: list[Thing]) -> Thing:
        own = [charge for charge in charges if charge["payment_intent"] == intent["id"]]
        session, _ = self.store.page(Query("checkout.session", equals={"payment_intent": intent["id"]}))
        return {
            "payment_intent": intent["id"],
            "session": session[0]["id"] if session else None,
            "order_id": (intent["metadata"] or {}).get("order_id"),
            "currency": intent["currency"],
            "captured": sum(charge["amount_captured"] for charge in own),
            "refunded": sum(charge["amount_refunded"] for charge in own),
            "disputed": sum(charge["amount_captured"] for charge in own if charge.get("_charged_back")),
        }
