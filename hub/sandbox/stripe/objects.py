"""What Stripe's objects look like. Every field that the SDK's class declares is there, null where we have none.

So reading an attribute fails here exactly when it would fail at Stripe. These functions build; they keep nothing.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

import stripe
from stripe._api_version import _ApiVersion

from hub.sandbox.stripe import cards
from hub.sandbox.stripe.wire import Thing

API_VERSION = str(_ApiVersion.CURRENT)
DEBIT = "us_bank_account"
EVIDENCE_SECONDS = 9 * 24 * 3600


@dataclass(frozen=True)
class Attempt:
    """One try of a buyer to pay: who, with what, and why the bank refuses, if it does."""

    means: cards.Card | cards.BankAccount
    email: str
    name: str
    decline_code: str | None = None

    @property
    def details(self) -> Thing:
        """Who the buyer is, in the shape that charges and sessions share."""
        return {"email": self.email, "name": self.name, "address": None, "phone": None}


def new_id(prefix: str) -> str:
    """An id that nobody can guess, in Stripe's form."""
    return f"{prefix}_{secrets.token_hex(12)}"


def blank(shape: type, kind: str, prefix: str, now: float, **fields: Any) -> Thing:
    """A new object of an SDK class, with every field that the class declares."""
    declared = (name for name in shape.__annotations__ if name.islower() and not name.startswith("_"))
    common = {"id": new_id(prefix), "object": kind, "created": int(now), "livemode": False}
    return dict.fromkeys(declared) | common | fields


def line_item(item: Thing, currency: str) -> Thing:
    """One line of a session, priced where it stands."""
    price, quantity = item["price_data"], item.get("quantity", 1)
    amount_cents = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount_cents,
        "amount_tax": 0,
        "amount_total": amount_cents,
        "currency": currency,
        "description": price["product_data"]["name"],
        "price": {"id": new_id("price"), "object": "price", "unit_amount": price["unit_amount"], "currency": currency},
        "quantity": quantity,
    }


def checkout_session(params: Thing, items: list[Thing], now: float, page_base: str) -> Thing:
    """An open Checkout Session. Its lines and the wishes for its payment are kept beside it, as on the real one."""
    total_cents = sum(item["amount_total"] for item in items)
    given = ("success_url", "cancel_url", "client_reference_id", "customer_email", "submit_type", "locale")
    session = blank(
        stripe.checkout.Session,
        "checkout.session",
        "cs_test",
        now,
        **{name: params.get(name) for name in given},
        allow_promotion_codes=params.get("allow_promotion_codes"),
        amount_subtotal=total_cents,
        amount_total=total_cents,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        currency=items[0]["currency"],
        custom_fields=[],
        custom_text={},
        discounts=[],
        expires_at=params["expires_at"],
        metadata=params.get("metadata") or {},
        mode="payment",
        payment_method_types=_methods(params, items[0]["currency"]),
        payment_status="unpaid",
        shipping_options=[],
        status="open",
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        ui_mode="hosted_page",
        _items=items,
        _intent=params.get("payment_intent_data") or {},
        _due_at=None,
    )
    return session | {"url": f"{page_base}/c/pay/{session['id']}"}


def _methods(params: Thing, currency: str) -> list[str]:
    """How a session can be paid: by card, and dollars by a debit from a bank account, too."""
    allowed = params.get("allowed_payment_method_types", ["card", DEBIT])
    return [each for each in ("card", DEBIT) if each in allowed and (each == "card" or currency == "usd")]


def payment_intent(session: Thing, now: float) -> Thing:
    """The intent of a session's payment, before anybody tried a card."""
    wishes = session["_intent"]
    return blank(
        stripe.PaymentIntent,
        "payment_intent",
        "pi",
        now,
        amount=session["amount_total"],
        amount_capturable=0,
        amount_received=0,
        capture_method="automatic_async",
        confirmation_method="automatic",
        currency=session["currency"],
        description=wishes.get("description"),
        metadata=wishes.get("metadata") or {},
        payment_method_types=session["payment_method_types"],
        receipt_email=wishes.get("receipt_email"),
        statement_descriptor_suffix=wishes.get("statement_descriptor_suffix"),
        status="requires_payment_method",
    )


def direct_intent(params: Thing, now: float) -> Thing:
    """The intent of a payment that nobody makes on a page."""
    wishes = {name: params[name] for name in ("metadata", "description") if name in params}
    session = {"_intent": wishes, "amount_total": params["amount"], "currency": params["currency"].lower()}
    return payment_intent(session | {"payment_method_types": ["card"]}, now)


def charge(intent: Thing, attempt: Attempt, now: float) -> Thing:
    """The charge that an attempt leaves: paid, failed, or by a bank debit pending."""
    code, means = attempt.decline_code, attempt.means
    pending = isinstance(means, cards.BankAccount)
    paid = code is None and not pending
    return blank(
        stripe.Charge,
        "charge",
        "py" if pending else "ch",
        now,
        amount=intent["amount"],
        amount_captured=intent["amount"] if paid else 0,
        amount_refunded=0,
        billing_details=attempt.details,
        captured=code is None,
        currency=intent["currency"],
        description=intent["description"],
        disputed=False,
        failure_code=None if code is None else cards.error_code(code),
        failure_message=None if code is None else cards.decline_message(code),
        metadata=intent["metadata"],
        outcome={
            "network_status": "approved_by_network" if code is None else "declined_by_network",
            "reason": code,
            "risk_level": "normal",
            "type": "authorized" if code is None else "issuer_declined",
        },
        paid=paid,
        payment_intent=intent["id"],
        payment_method_details=_means(means),
        receipt_email=intent["receipt_email"],
        refunded=False,
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
        status="pending" if pending else "succeeded" if paid else "failed",
        _refund=cards.Refund.AT_ONCE if isinstance(means, cards.BankAccount) else means.refund,
        _account=means.number if pending else None,
        _charged_back=False,
    )


def decided(pending: Thing) -> Thing:
    """A pending charge after the bank has said its word."""
    account = cards.find_account(pending["_account"])
    code = account.failure_code if account else None
    if code is None:
        return pending | {"status": "succeeded", "paid": True, "amount_captured": pending["amount"]}
    failure = {"failure_code": code, "failure_message": account.failure_message if account else ""}
    return pending | {"status": "failed", "paid": False} | failure


def _means(means: cards.Card | cards.BankAccount) -> Thing:
    if isinstance(means, cards.Card):
        return {"type": "card", "card": _card_details(means)}
    bank = {"bank_name": "STRIPE TEST BANK", "last4": means.number[-4:], "routing_number": cards.ROUTING_NUMBER}
    return {"type": DEBIT, DEBIT: bank}


def _card_details(card: cards.Card) -> Thing:
    return {
        "brand": card.brand,
        "country": "US",
        "funding": "credit",
        "last4": card.number[-4:],
        "three_d_secure": {"result": "authenticated", "version": "2.2.0"} if card.asks_3ds else None,
    }


def charge_error(failed: Thing) -> Thing:
    """The ``last_payment_error`` of an intent, from its failed charge."""
    return {
        "charge": failed["id"],
        "code": failed["failure_code"],
        "decline_code": failed["outcome"]["reason"],
        "message": failed["failure_message"],
        "type": "card_error",
    }


def refund(params: Thing, of: Thing, amount_cents: int, now: float) -> Thing:
    """Money on its way back from a charge."""
    return blank(
        stripe.Refund,
        "refund",
        "re",
        now,
        amount=amount_cents,
        charge=of["id"],
        currency=of["currency"],
        metadata=params.get("metadata") or {},
        payment_intent=of["payment_intent"],
        reason=params.get("reason"),
        status="succeeded",
    )


def dispute(of: Thing, complaint: cards.Complaint, now: float) -> Thing:
    """The buyer's bank wants a charge back, or inquires."""
    due = {"due_by": int(now) + EVIDENCE_SECONDS, "has_evidence": False, "past_due": False, "submission_count": 0}
    return blank(
        stripe.Dispute,
        "dispute",
        "dp",
        now,
        amount=of["amount"],
        balance_transactions=[],
        charge=of["id"],
        currency=of["currency"],
        evidence={},
        evidence_details=due,
        is_charge_refundable=complaint.inquiry,
        metadata={},
        payment_intent=of["payment_intent"],
        reason=complaint.reason,
        status="warning_needs_response" if complaint.inquiry else "needs_response",
    )


def coupon(params: Thing, now: float) -> Thing:
    """A discount."""
    percent = params.get("percent_off")
    given = ("amount_off", "currency", "max_redemptions", "name", "redeem_by")
    thing = blank(
        stripe.Coupon,
        "coupon",
        "coupon",
        now,
        **{name: params.get(name) for name in given},
        duration=params.get("duration", "once"),
        metadata=params.get("metadata") or {},
        percent_off=None if percent is None else float(percent),
        times_redeemed=0,
        valid=True,
    )
    return thing | ({"id": params["id"]} if "id" in params else {})


def promotion_code(params: Thing, now: float) -> Thing:
    """The word that a buyer enters for a coupon."""
    return blank(
        stripe.PromotionCode,
        "promotion_code",
        "promo",
        now,
        active=params.get("active", True),
        code=params["code"],
        expires_at=params.get("expires_at"),
        max_redemptions=params.get("max_redemptions"),
        metadata=params.get("metadata") or {},
        promotion={"type": "coupon", "coupon": params["promotion"]["coupon"]},
        restrictions={"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None},
        times_redeemed=0,
        _folded=params["code"].casefold(),
    )


def event(kind: str, thing: Thing, now: float) -> Thing:
    """Something happened to an object, which looked like this when it did."""
    return blank(
        stripe.Event,
        "event",
        "evt",
        now,
        api_version=API_VERSION,
        data={"object": thing},
        request={"id": None, "idempotency_key": None},
        type=kind,
    )


def webhook_endpoint(params: Thing, now: float) -> Thing:
    """An address that wants events, with its own signing secret (told once, when it is made)."""
    return blank(
        stripe.WebhookEndpoint,
        "webhook_endpoint",
        "we",
        now,
        api_version=params.get("api_version"),
        description=params.get("description"),
        enabled_events=params["enabled_events"],
        metadata=params.get("metadata") or {},
        status="enabled",
        url=params["url"],
        _secret="whsec_" + secrets.token_hex(16),
    )
