"""A buyer's bank wants a charge back, or asks why it should not. Source: docs.stripe.com/testing#disputes.

The evidence decides, as in Stripe's test mode: ``winning_evidence`` wins, ``losing_evidence`` loses, and an inquiry
becomes a dispute by ``escalate_inquiry_evidence``; every other evidence is under review for ever.
"""

from __future__ import annotations

from collections.abc import Callable

from hub.sandbox.stripe import cards, objects, rules
from hub.sandbox.stripe.news import News
from hub.sandbox.stripe.store import Store
from hub.sandbox.stripe.wire import Refusal, Thing

ENDED = frozenset({"won", "lost", "warning_closed"})


class Disputes:
    """The disputes of the account."""

    def __init__(self, store: Store, clock: Callable[[], float], news: News) -> None:
        self._store, self._clock, self._news = store, clock, news

    def open(self, charge: Thing, complaint: cards.Complaint) -> None:
        """The bank complains about a charge; unless it only inquires, the money is gone from now on."""
        dispute = objects.dispute(charge, complaint, self._clock())
        inquiry = complaint.inquiry
        self._store.put(charge | {"disputed": True, "_charged_back": not inquiry})
        self._store.put(dispute)
        self._news.announce("charge.dispute.created", dispute)
        if not inquiry:
            self._news.announce("charge.dispute.funds_withdrawn", dispute)

    def update(self, params: Thing, dispute_id: str) -> Thing:
        """Take evidence; submitted (the default), it decides. Raises Refusal when the dispute is over."""
        rules.only(params, rules.DISPUTE_PARAMETERS)
        dispute = self._open_one(dispute_id)
        dispute["evidence"] |= params.get("evidence") or {}
        dispute["metadata"] |= params.get("metadata") or {}
        submitted = bool(params.get("evidence")) and params.get("submit", True)
        if not submitted:
            return self._changed(dispute)
        dispute["evidence_details"]["submission_count"] += 1
        inquiry = dispute["status"].startswith("warning_")
        match dispute["evidence"].get("uncategorized_text"):
            case "winning_evidence":
                return self._ended(dispute, "warning_closed" if inquiry else "won")
            case "losing_evidence":
                return self._ended(dispute, "warning_closed" if inquiry else "lost")
            case "escalate_inquiry_evidence" if inquiry:
                return self._escalated(dispute)
        return self._changed(dispute | {"status": "warning_under_review" if inquiry else "under_review"})

    def close(self, dispute_id: str) -> Thing:
        """Accept the dispute: it is lost. Raises Refusal when it is over."""
        dispute = self._open_one(dispute_id)
        return self._ended(dispute, "warning_closed" if dispute["status"].startswith("warning_") else "lost")

    def _open_one(self, dispute_id: str) -> Thing:
        dispute = self._store.get("dispute", dispute_id)
        if dispute["status"] in ENDED:
            raise Refusal(400, "This dispute is already closed.")
        return dispute

    def _changed(self, dispute: Thing) -> Thing:
        self._store.put(dispute)
        self._news.announce("charge.dispute.updated", dispute)
        return dispute

    def _escalated(self, dispute: Thing) -> Thing:
        self._mark(dispute, charged_back=True)
        dispute = self._changed(dispute | {"status": "needs_response", "is_charge_refundable": False})
        self._news.announce("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def _ended(self, dispute: Thing, status: str) -> Thing:
        dispute = self._changed(dispute | {"status": status})
        if status == "won":
            self._mark(dispute, charged_back=False)
            self._news.announce("charge.dispute.funds_reinstated", dispute)
        self._news.announce("charge.dispute.closed", dispute)
        return dispute

    def _mark(self, dispute: Thing, *, charged_back: bool) -> None:
        charge = self._store.get("charge", dispute["charge"])
        self._store.put(charge | {"_charged_back": charged_back})  # ``disputed`` stays true, whatever the end
