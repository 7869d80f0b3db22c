"""The only place that talks to Stripe: the same code for api.stripe.com and for the local stand-in.

Nothing here comes from a browser, and no answer is believed that was not asked for. The API version is the SDK's
own pin. What the SDK does not do, and we do: retries, time limits, and webhooks from the future are refused.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stripe

from tng.errors import GatewayUnavailable, PaymentRefused, SettingsError, SignatureInvalid
from tng.log import told
from tng.orders import Order
from tng.payments import EVENT_TYPES, LIVE_KEYS, Checkout, CheckoutStatus, Dispute, Payment, PaymentEvent

logger = logging.getLogger(__name__)

TOLERANCE_SECONDS = 300
"""How far a webhook's time may be from ours, either way (docs.stripe.com/webhooks: five minutes)."""

FAILED_REFUNDS = frozenset({"failed", "canceled"})
"""A refund in these states moved no money (docs.stripe.com/api/refunds/object, ``status``)."""

ENDED_DISPUTES = {"won": Dispute.WON, "lost": Dispute.LOST, "prevented": Dispute.LOST}
"""How a dispute ends, in Stripe's words (the SDK's ``Dispute.status``). A prevented one was settled before it became
one, by giving the money back; everything else, an appeal too, is still open."""

_SESSION_ID = re.compile(r"cs_[A-Za-z0-9_]{1,250}")
_CONNECT_SECONDS, _ANSWER_SECONDS = 5, 30  # the SDK's own limit is 80 s
_RETRIES = 2  # the SDK's default is 0
_WAITED_CONNECT_SECONDS, _WAITED_ANSWER_SECONDS = 1.5, 3.5
"""While a person looks on, 5 s together and no second try: a click repeats the call under the same key."""


class StripeGateway:
    """See :class:`tng.ports.PaymentGateway`.

    ``product`` stands on the page at Stripe before the title; ``statement`` is what a card's statement adds to the
    seller's name, and "" adds nothing. ``promotion_codes`` gives the page a field for them. ``api_base`` is the address
    of a stand-in, without a slash at its end; "" is Stripe itself. Raises SettingsError for an empty key or webhook
    secret: with an empty secret everybody could sign.
    """

    def __init__(
        self,
        secret_key: str,
        webhook_secret: str,
        *,
        product: str,
        statement: str = "",
        promotion_codes: bool = False,
        api_base: str = "",
    ) -> None:
        if not secret_key.strip() or not webhook_secret.strip():
            raise SettingsError("STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET must both be set to take payments")
        self.livemode = secret_key.startswith(LIVE_KEYS)
        if self.livemode and api_base:
            raise SettingsError("a live key goes to Stripe alone: unset STRIPE_API_BASE")
        self._webhook_secret = webhook_secret
        self._product = product
        self._statement = {"statement_descriptor_suffix": statement} if statement else {}
        self._page: Any = {"allow_promotion_codes": True} if promotion_codes else {}
        self._client = _client(secret_key, api_base, (_CONNECT_SECONDS, _ANSWER_SECONDS), _RETRIES)
        self._waited_for = _client(secret_key, api_base, (_WAITED_CONNECT_SECONDS, _WAITED_ANSWER_SECONDS), 0)

    def open_checkout(self, order: Order, *, return_url: str, cancel_url: str) -> Checkout:
        """A Checkout Session on Stripe's hosted page; the same (order, attempt) gives the same one.

        Its end is ``order.checkout_expires_at``: 30 minutes to 24 hours from now, and the same at every repetition.
        """
        if order.checkout_expires_at is None:
            raise ValueError(f"order {order.id}: the end of its checkout must be set before it is opened")
        # reaches charge, refund and dispute, so that their webhooks can be told to an order
        payment: Any = {"metadata": {"order_id": order.id}} | self._statement
        with _stripes_errors(f"order {order.id}: open_checkout"):
            session = self._waited_for.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": order.currency,
                                "unit_amount": order.amount_cents,
                                "product_data": {"name": f"{self._product}: {order.premise.title}"},
                            },
                        }
                    ],
                    "client_reference_id": order.id,
                    "metadata": {"order_id": order.id},
                    "payment_intent_data": payment,
                    "expires_at": int(order.checkout_expires_at.timestamp()),
                    "success_url": return_url,
                    "cancel_url": cancel_url,
                }
                | self._page,
                {"idempotency_key": f"order-{order.id}-checkout-{order.checkout_attempt}"},
            )
        if not session.url:
            raise PaymentRefused(f"order {order.id}: checkout {session.id} is {session.status} and has no page")
        return Checkout(session.id, session.url, datetime.fromtimestamp(session.expires_at, UTC))

    def read_payment(self, session_id: str, *, waited_for: bool = False) -> Payment:
        """Ask for the session, its payment and the payment's charge in one call."""
        if not _SESSION_ID.fullmatch(session_id):  # it may come from an address bar
            raise PaymentRefused("that is not the id of a checkout session")
        client = self._for(waited_for)
        with _stripes_errors(f"checkout {session_id}: read_payment"):
            session = client.v1.checkout.sessions.retrieve(session_id, {"expand": ["payment_intent.latest_charge"]})
        intent = session.payment_intent
        charge = None if intent is None or isinstance(intent, str) else intent.latest_charge
        known = None if charge is None or isinstance(charge, str) else charge
        return Payment(
            session_id=session.id,
            order_id=_order_id(session.metadata) or session.client_reference_id,
            status=CheckoutStatus(session.status or CheckoutStatus.OPEN),
            paid=session.payment_status != "unpaid",
            amount_cents=session.amount_total or 0,
            currency=session.currency or "",
            livemode=session.livemode,
            payment_intent_id=intent if intent is None or isinstance(intent, str) else intent.id,
            refunded=known is not None and self._is_refunded(known, client),
            subtotal_cents=session.amount_subtotal,
            dispute=self._dispute_of(known, client) if known is not None and known.disputed else None,
        )

    def session_of(self, payment_intent_id: str) -> str | None:
        """The checkout session that a payment belongs to."""
        with _stripes_errors(f"payment {payment_intent_id}: session_of"):
            sessions = self._client.v1.checkout.sessions.list({"payment_intent": payment_intent_id, "limit": 1})
        return sessions.data[0].id if sessions.data else None

    def _for(self, waited_for: bool) -> stripe.StripeClient:
        return self._waited_for if waited_for else self._client

    def _dispute_of(self, charge: Any, client: stripe.StripeClient) -> Dispute | None:
        """The last dispute about a charge, as it stands."""
        with _stripes_errors(f"charge {charge.id}: disputes"):
            disputes = client.v1.disputes.list({"charge": charge.id, "limit": 1})
        if not disputes.data:
            return None
        status = disputes.data[0].status
        return Dispute.INQUIRY if status.startswith("warning_") else ENDED_DISPUTES.get(status, Dispute.OPEN)

    def close_checkout(self, session_id: str, *, waited_for: bool = False) -> None:
        """Expire the session; one that is paid or expired already cannot be paid any more either."""
        try:
            with _stripes_errors(f"checkout {session_id}: close_checkout"):
                self._for(waited_for).v1.checkout.sessions.expire(session_id)
        except PaymentRefused:
            if self.read_payment(session_id, waited_for=waited_for).status is CheckoutStatus.OPEN:
                raise

    def refund(self, payment_intent_id: str, *, order_id: str, key: str, look_first: bool = False) -> None:
        """Refund the payment in full, once. A refund that Stripe took and that failed is PaymentRefused too."""
        if look_first and self._was_refunded(payment_intent_id, order_id):
            logger.info("the payment had been refunded already", extra=told(order=order_id))
            return
        try:
            with _stripes_errors(f"order {order_id}: refund"):
                first = self._client.v1.refunds.create(
                    {
                        "payment_intent": payment_intent_id,
                        "reason": "requested_by_customer",
                        "metadata": {"order_id": order_id},
                    },
                    {"idempotency_key": key},
                )
                # asked for again, Stripe says what it said the first time: what became of it since, only a look shows
                refund = self._client.v1.refunds.retrieve(first.id)
        except PaymentRefused as error:
            if getattr(error.__cause__, "code", None) != "charge_already_refunded":
                raise
            logger.info("the payment had been refunded already", extra=told(order=order_id))
            return
        if refund.status in FAILED_REFUNDS:
            raise PaymentRefused(f"order {order_id}: refund {refund.id} is {refund.status}, nothing was given back")

    def _was_refunded(self, payment_intent_id: str, order_id: str) -> bool:
        with _stripes_errors(f"order {order_id}: payment"):
            intent = self._client.v1.payment_intents.retrieve(payment_intent_id, {"expand": ["latest_charge"]})
        charge = intent.latest_charge
        return charge is not None and not isinstance(charge, str) and self._is_refunded(charge, self._client)

    def _is_refunded(self, charge: Any, client: stripe.StripeClient) -> bool:
        """In full, by refunds that did not fail: Stripe does not promise what a charge says after one that did."""
        if not charge.refunded:
            return False
        with _stripes_errors(f"charge {charge.id}: refunds"):
            refunds = client.v1.refunds.list({"charge": charge.id, "limit": 100})
        given = sum(refund.amount for refund in refunds.data if refund.status not in FAILED_REFUNDS)
        return bool(given >= charge.amount)

    def recent_events(self, since: datetime) -> Iterable[PaymentEvent]:
        """Stripe's own list, which it keeps for 30 days."""
        wanted: Any = {"types": sorted(EVENT_TYPES), "created": {"gte": int(since.timestamp())}, "limit": 100}
        with _stripes_errors("recent_events"):
            # hint by hint: a month of Stripe's own objects would not fit into the memory of a small machine
            events = [_event_of(event.to_dict()) for event in self._client.v1.events.list(wanted).auto_paging_iter()]
        return events[::-1]

    def read_event(self, payload: bytes, signature: str | None, now: datetime) -> PaymentEvent:
        """Verify the signature over the raw body, and that it is of ``now``: the SDK would take one of next year."""
        try:
            # tolerance 0 turns the SDK's own look at the clock off: ours is below, and looks both ways
            event = self._client.construct_event(payload, signature, self._webhook_secret, tolerance=0)
            stamp = _stamp(signature or "")
            parts = event.to_dict()
            told_of = _event_of(parts)
        except (stripe.SignatureVerificationError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SignatureInvalid(f"webhook refused: {type(error).__name__}") from error
        if abs(now.timestamp() - stamp) > TOLERANCE_SECONDS:
            raise SignatureInvalid(f"webhook {told_of.id} refused: signed {now.timestamp() - stamp:.0f} s ago")
        if parts.get("account") or bool(parts.get("livemode")) != self.livemode:
            raise SignatureInvalid(f"webhook {told_of.id} refused: of another account, or another kind of money")
        return told_of


def _client(key: str, api_base: str, timeout_seconds: tuple[float, float], retries: int) -> stripe.StripeClient:
    """The SDK's client; the limits are for the connection and for the answer."""
    return stripe.StripeClient(
        key,
        base_addresses={"api": api_base.rstrip("/")} if api_base else None,
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout_seconds),
    )


def _event_of(parts: dict[str, Any]) -> PaymentEvent:
    """What an event of Stripe's hints at. Raises LookupError, TypeError, AttributeError where it is none."""
    kind, thing = str(parts["type"]), parts["data"]["object"]
    created = parts.get("created")
    return PaymentEvent(
        id=str(parts["id"]),
        type=kind,
        session_id=thing.get("id") if kind.startswith("checkout.session.") else None,
        payment_intent_id=thing.get("payment_intent"),
        order_id=(thing.get("metadata") or {}).get("order_id"),
        created_at=datetime.fromtimestamp(created, UTC) if isinstance(created, int) else None,
    )


def _stamp(signature: str) -> int:
    """The one time in a signature. The SDK verifies the first: a second one, of now, would make an old webhook new."""
    (stamp,) = (part[2:] for part in signature.split(",") if part.startswith("t="))
    return int(stamp)


@contextmanager
def _stripes_errors(what: str) -> Iterator[None]:
    """Stripe's errors as ours. The request id is what Stripe's support asks for; its texts may name a person's card."""
    try:
        yield
    except (stripe.InvalidRequestError, stripe.IdempotencyError, stripe.CardError) as error:
        raise PaymentRefused(f"{what} was refused ({_facts(error)})") from error
    except (stripe.AuthenticationError, stripe.PermissionError) as error:
        raise GatewayUnavailable(f"{what}: our key was refused ({_facts(error)}); check STRIPE_SECRET_KEY") from error
    except stripe.StripeError as error:
        raise GatewayUnavailable(f"{what} had no answer ({_facts(error)})") from error


def _facts(error: stripe.StripeError) -> str:
    facts = {
        "error": type(error).__name__,
        "status": error.http_status,
        "code": error.code,
        "param": getattr(error, "param", None),
        "request": error.request_id,
    }
    return json.dumps({name: value for name, value in facts.items() if value is not None})


def _order_id(metadata: Any) -> str | None:
    order_id = None if metadata is None else getattr(metadata, "order_id", None)
    return order_id if isinstance(order_id, str) else None
