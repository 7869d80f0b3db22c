"""Stripe's rules that its types cannot say: least amounts, lengths, addresses. And what this stand-in leaves out.

A parameter that Stripe has and we have not is refused by name: better no answer than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from hub.sandbox.stripe.config import is_loopback_url
from hub.sandbox.stripe.contract import required
from hub.sandbox.stripe.wire import Refusal, Thing, invalid

MINIMUM = {"usd": 50, "eur": 50, "gbp": 30, "cad": 50, "aud": 50, "chf": 50, "jpy": 50}
"""The least that can be charged, by currency, in its smallest unit. Not all of them: 1 where there is none here.

Source: docs.stripe.com/currencies#minimum-and-maximum-charge-amounts."""

MOST_CENTS = 99_999_999
LEAST_OPEN_SECONDS, MOST_OPEN_SECONDS, SLACK_SECONDS = 30 * 60, 24 * 3600, 10
DESCRIPTOR = r"""(?=.*[A-Za-z])[^<>\\'"*]{1,22}"""
PRICE = "line_items[price_data]"
SESSION_PARAMETERS = frozenset(
    {
        *("mode", "ui_mode", "success_url", "cancel_url", "client_reference_id", "customer_email", "expires_at"),
        *("submit_type", "locale", "currency", "allowed_payment_method_types", "metadata", "expand"),
        "allow_promotion_codes",
        *("line_items", "line_items[quantity]", PRICE, f"{PRICE}[currency]", f"{PRICE}[unit_amount]"),
        *(f"{PRICE}[product_data]", f"{PRICE}[product_data][name]", f"{PRICE}[product_data][description]"),
        *("payment_intent_data", "payment_intent_data[metadata]", "payment_intent_data[description]"),
        *("payment_intent_data[receipt_email]", "payment_intent_data[statement_descriptor_suffix]"),
    }
)
REFUND_PARAMETERS = frozenset({"payment_intent", "charge", "amount", "reason", "metadata", "expand"})
DISPUTE_PARAMETERS = frozenset({"evidence", "evidence[uncategorized_text]", "metadata", "submit", "expand"})
COUPON_PARAMETERS = frozenset(
    {"id", "percent_off", "amount_off", "currency", "duration", "max_redemptions", "name", "metadata", "expand"}
)
PROMOTION_PARAMETERS = frozenset(
    {
        *("code", "promotion", "promotion[type]", "promotion[coupon]", "active", "expires_at", "max_redemptions"),
        *("metadata", "expand"),
    }
)
INTENT_PARAMETERS = frozenset(
    {
        *("amount", "currency", "payment_method", "confirm", "description", "metadata", "expand"),
        *("automatic_payment_methods", "automatic_payment_methods[enabled]"),
        "automatic_payment_methods[allow_redirects]",
    }
)
ENDPOINT_PARAMETERS = frozenset({"url", "enabled_events", "api_version", "description", "metadata", "expand"})


def only(params: Thing, known: frozenset[str]) -> None:
    """Refuse what Stripe would take and we do not understand."""
    for name in _names(params):
        if name not in known:
            message = f"The stand-in does not know the parameter {name}, though Stripe does."
            raise Refusal(400, message, code="parameter_unknown", param=name)


def _names(value: Any, path: str = "") -> Iterator[str]:
    """Every parameter's name, without the numbers of lists and the keys of metadata."""
    if isinstance(value, list):
        for item in value:
            yield from _names(item, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            name = f"{path}[{key}]" if path else key
            yield name
            if key != "metadata":
                yield from _names(inner, name)


def session(params: Thing, now: float) -> None:
    """What a Checkout Session must be. Fills in ``expires_at``. Raises Refusal."""
    only(params, SESSION_PARAMETERS)
    if params.get("mode") != "payment":
        raise invalid("mode", "The stand-in knows one mode: payment.")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid("ui_mode", "The stand-in knows one ui_mode: hosted_page.")
    if "success_url" not in params:
        raise required("success_url")
    for name in ("success_url", "cancel_url"):
        if name in params:
            web_address(params[name], name)
    if "card" not in params.get("allowed_payment_method_types", ["card"]):
        raise invalid("allowed_payment_method_types", "The stand-in takes cards.")
    length(params, "client_reference_id", 200)
    intent = params.get("payment_intent_data") or {}
    descriptor(intent.get("statement_descriptor_suffix"))
    metadata(params.get("metadata"), "metadata")
    metadata(intent.get("metadata"), "payment_intent_data[metadata]")
    _closing(params, now)


def _closing(params: Thing, now: float) -> None:
    params.setdefault("expires_at", int(now) + MOST_OPEN_SECONDS)
    earliest, latest = now + LEAST_OPEN_SECONDS - SLACK_SECONDS, now + MOST_OPEN_SECONDS + SLACK_SECONDS
    if not earliest <= params["expires_at"] <= latest:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation."
        raise invalid("expires_at", message)


def lines(params: Thing) -> str:
    """Check a session's lines, priced where they stand; returns their one currency. Raises Refusal."""
    items = params.get("line_items")
    if not items:
        raise required("line_items")
    currencies = {_line(item, f"line_items[{place}]") for place, item in enumerate(items)}
    if "currency" in params:
        currencies.add(params["currency"].lower())
    if len(currencies) > 1:
        raise invalid("line_items", "All prices of a Checkout Session must have the same currency.")
    return currencies.pop()


def _line(item: Thing, path: str) -> str:
    price = item.get("price_data")
    if price is None:
        raise required(f"{path}[price_data]")
    for name in ("unit_amount", "product_data"):
        if name not in price:
            raise required(f"{path}[price_data][{name}]")
    if not price["product_data"].get("name", "").strip():
        name = f"{path}[price_data][product_data][name]"
        raise Refusal(400, f"You passed an empty string for '{name}'.", code="parameter_invalid_empty", param=name)
    if not 0 <= price["unit_amount"] <= MOST_CENTS:
        raise invalid(f"{path}[price_data][unit_amount]", f"Invalid integer: it must be from 0 to {MOST_CENTS}.")
    if not 1 <= item.get("quantity", 1) <= 999_999:
        raise invalid(f"{path}[quantity]", "The quantity must be from 1 to 999999.")
    if not re.fullmatch("[a-z]{3}", price["currency"].lower()):
        raise invalid(f"{path}[price_data][currency]", f"Invalid currency: {price['currency'][:10]}.")
    return str(price["currency"]).lower()


def total(amount_cents: int, currency: str) -> None:
    """Refuse what is too little or too much to charge."""
    least = MINIMUM.get(currency, 1)
    if amount_cents < least:
        message = f"The Checkout Session's total amount must convert to at least {least} cents."
        raise Refusal(400, message, code="amount_too_small")
    if amount_cents > MOST_CENTS:
        raise Refusal(400, f"The total amount must be no more than {MOST_CENTS} cents.", code="amount_too_large")


def direct_payment(params: Thing) -> None:
    """What a payment without a page must be: of enough money, by a named test card, confirmed at once."""
    only(params, INTENT_PARAMETERS)
    if not params.get("confirm") or "payment_method" not in params:
        raise invalid("confirm", "The stand-in takes payments that are confirmed at once, with a payment_method.")
    total(params["amount"], params["currency"].lower())
    metadata(params.get("metadata"), "metadata")


def metadata(pairs: Any, name: str) -> None:
    """At most fifty keys of forty characters, with values of five hundred."""
    pairs = pairs or {}
    if len(pairs) > 50:
        raise invalid(name, "Metadata may have 50 keys at most.")
    for key, value in pairs.items():
        if len(key) > 40 or len(value) > 500:
            raise invalid(name, "Metadata keys may have 40 characters at most, and values 500.")


def descriptor(suffix: str | None) -> None:
    """What a card's statement may show after the shop's name."""
    if suffix is not None and not re.fullmatch(DESCRIPTOR, suffix):
        message = "A statement descriptor suffix has 22 characters at most, a letter, and none of < > \\ ' \" *."
        raise invalid("payment_intent_data[statement_descriptor_suffix]", message)


def length(params: Thing, name: str, most: int) -> None:
    """Refuse a text that is too long."""
    if len(params.get(name, "")) > most:
        raise invalid(name, f"Invalid string: {name} must be at most {most} characters.")


def web_address(url: str, name: str) -> None:
    """Refuse what a browser could not be sent to: anything but http and https, ``javascript:`` above all."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        good = False
    if not good or len(url) > 5_000 or not url.isprintable() or " " in url:
        raise Refusal(400, "Not a valid URL", code="url_invalid", param=name)


def webhook_endpoint(params: Thing) -> None:
    """What a webhook endpoint must be: on this machine, and wanting something."""
    only(params, ENDPOINT_PARAMETERS)
    if not is_loopback_url(params["url"]):
        raise Refusal(400, "The stand-in sends webhooks to this machine alone.", code="url_invalid", param="url")
    if not params["enabled_events"]:
        raise required("enabled_events")
    metadata(params.get("metadata"), "metadata")
