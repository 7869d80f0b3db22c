"""Stripe's test cards, and what each of them does. Source: docs.stripe.com/testing. There are no others here."""

from __future__ import annotations

import re
from dataclasses import dataclass

DECLINED = "Your card was declined."
MESSAGES = {
    "insufficient_funds": "Your card has insufficient funds.",
    "expired_card": "Your card has expired.",
    "incorrect_cvc": "Your card's security code is incorrect.",
    "processing_error": "An error occurred while processing your card. Try again in a little bit.",
    "authentication_failed": "The bank could not confirm that it was you. Please try again or use another card.",
}
OWN_CODES = frozenset({"expired_card", "incorrect_cvc", "processing_error"})
"""Declines that Stripe reports under a code of their own; the others are all ``card_declined``."""


@dataclass(frozen=True)
class Card:
    """A test card: what the bank will say to it."""

    number: str
    meaning: str
    decline_code: str | None = None
    asks_3ds: bool = False
    disputed: bool = False

    @property
    def brand(self) -> str:
        """The network, as Stripe spells it."""
        return "mastercard" if self.number.startswith("5") else "visa"

    @property
    def spaced(self) -> str:
        """The number in groups of four, to be read by people."""
        return " ".join(re.findall("....", self.number))


SHOWN = (
    Card("4242424242424242", "pays"),
    Card("4000000000000002", "is declined", "generic_decline"),
    Card("4000000000009995", "has insufficient funds", "insufficient_funds"),
    Card("4000002500003155", "asks for 3-D Secure", asks_3ds=True),
    Card("4000000000000259", "pays, then is disputed", disputed=True),
)
"""The cards that the page explains."""

OTHERS = (
    Card("5555555555554444", "pays"),
    Card("4000002760003184", "asks for 3-D Secure", asks_3ds=True),
    Card("4000000000009987", "is reported lost", "lost_card"),
    Card("4000000000000069", "has expired", "expired_card"),
    Card("4000000000000127", "has another security code", "incorrect_cvc"),
    Card("4000000000000119", "meets an error at the bank", "processing_error"),
)

CARDS = {card.number: card for card in (*SHOWN, *OTHERS)}


def find(number: str) -> Card | None:
    """The test card of this number, written with or without spaces; None for every other, a real one too."""
    return CARDS.get(re.sub(r"[\s-]", "", number))


def decline_message(decline_code: str) -> str:
    """What a buyer is told."""
    return MESSAGES.get(decline_code, DECLINED)


def error_code(decline_code: str) -> str:
    """The ``code`` of Stripe's card error for a decline."""
    return decline_code if decline_code in OWN_CODES else "card_declined"
