"""Money back: at once, after a while, or not after all. Source: docs.stripe.com/testing#refunds and /refunds."""

from __future__ import annotations

from collections.abc import Callable

from hub.sandbox.stripe import cards, objects, rules
from hub.sandbox.stripe.contract import required
from hub.sandbox.stripe.news import News
from hub.sandbox.stripe.store import Store
from hub.sandbox.stripe.wire import Refusal, Thing, invalid

FAILED = "failed"


class Refunds:
    """The refunds of the account. ``later_seconds`` is how long the bank takes where it takes long."""

    def __init__(self, store: Store, clock: Callable[[], float], news: News, later_seconds: float) -> None:
        self._store, self._clock, self._news = store, clock, news
        self._later_seconds = later_seconds

    def create(self, params: Thing) -> Thing:
        """Refund a charge, whole or in part, never more than is left. Raises Refusal."""
        rules.only(params, rules.REFUND_PARAMETERS)
        rules.metadata(params.get("metadata"), "metadata")
        charge = self._charge_to_refund(params)
        amount_cents = _amount(params, charge)
        refund = objects.refund(params, charge, amount_cents, self._clock())
        course = charge.get("_refund", cards.Refund.AT_ONCE)
        if course != cards.Refund.AT_ONCE:
            refund["_due_at"] = self._clock() + self._later_seconds
        if course == cards.Refund.LATER:
            refund |= {"status": "pending", "pending_reason": "processing"}
        self._store.put(refund)
        self._give_back(charge, amount_cents)
        for kind, thing in (("refund.created", refund), ("charge.refunded", charge), ("refund.updated", refund)):
            self._news.announce(kind, thing)
        return refund

    def settle(self, refund: Thing) -> Thing:
        """What the bank says in the end: a pending refund arrives; one that looked good may fail."""
        charge = self._store.get("charge", refund["charge"])
        fails = charge.get("_refund") == cards.Refund.FAILS
        refund |= {"_due_at": None, "pending_reason": None}
        refund |= {"status": FAILED, "failure_reason": "unknown"} if fails else {"status": "succeeded"}
        self._store.put(refund)
        if fails:
            self._give_back(charge, -refund["amount"])
        for kind in ("charge.refund.updated", "refund.updated", *(["refund.failed"] if fails else [])):
            self._news.announce(kind, refund)
        return refund

    def _give_back(self, charge: Thing, amount_cents: int) -> None:
        charge["amount_refunded"] += amount_cents
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._store.put(charge)

    def _charge_to_refund(self, params: Thing) -> Thing:
        if "payment_intent" in params:
            intent = self._store.get("payment_intent", params["payment_intent"], "payment_intent")
            if intent["status"] != "succeeded":
                message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
                raise Refusal(400, message, param="payment_intent")
            charge = self._store.get("charge", intent["latest_charge"])
        elif "charge" in params:
            charge = self._store.get("charge", params["charge"], "charge")
        else:
            raise required("payment_intent")
        if charge.get("_charged_back"):
            message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
            raise Refusal(400, message, code="charge_disputed")
        if not charge["paid"]:
            raise Refusal(400, f"Charge {charge['id']} was not paid; it cannot be refunded.", param="charge")
        return charge


def _amount(params: Thing, charge: Thing) -> int:
    left_cents = charge["amount"] - charge["amount_refunded"]
    if left_cents == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise Refusal(400, message, code="charge_already_refunded")
    amount_cents = int(params.get("amount", left_cents))
    if amount_cents < 1:
        raise invalid("amount", "Invalid positive integer: amount")
    if amount_cents > left_cents:
        message = f"Refund amount ({amount_cents}) is greater than unrefunded amount on charge ({left_cents})."
        raise Refusal(400, message, param="amount")
    return amount_cents
