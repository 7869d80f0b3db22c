"""Stripe's test cards and bank accounts, and what each of them does. There are no others here.

Sources: docs.stripe.com/testing (cards, refunds, disputes) and /payments/ach-direct-debit (test account numbers).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

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

ROUTING_NUMBER = "110000000"


class Refund(StrEnum):
    """The course that a refund takes."""

    AT_ONCE = "succeeds at once"
    LATER = "is pending, then succeeds"
    FAILS = "looks good, then fails"


@dataclass(frozen=True)
class Complaint:
    """How a bank disputes a charge. An inquiry only asks: it takes no money."""

    reason: str = "fraudulent"
    inquiry: bool = False


@dataclass(frozen=True)
class Card:
    """A test card: what the bank will say to it."""

    number: str
    meaning: str
    decline_code: str | None = None
    asks_3ds: bool = False
    complaint: Complaint | None = None
    refund: Refund = Refund.AT_ONCE

    @property
    def brand(self) -> str:
        """The network, as Stripe spells it."""
        return "mastercard" if self.number.startswith("5") else "visa"

    @property
    def spaced(self) -> str:
        """The number in groups of four, to be read by people."""
        return " ".join(re.findall("....", self.number))


@dataclass(frozen=True)
class BankAccount:
    """A test account at a bank of the United States: what a debit meets there, days after the purchase."""

    number: str
    meaning: str
    failure_code: str | None = None
    failure_message: str = ""

    @property
    def spaced(self) -> str:
        """The number, to be read by people."""
        return self.number


SHOWN = (
    Card("4242424242424242", "pays"),
    Card("4000000000000002", "is declined", "generic_decline"),
    Card("4000000000009995", "has insufficient funds", "insufficient_funds"),
    Card("4000002500003155", "asks for 3-D Secure", asks_3ds=True),
    Card("4000000000000259", "pays, then is disputed", complaint=Complaint()),
    Card("4000000000005126", "pays; a refund fails later", refund=Refund.FAILS),
)
"""The cards that the page explains."""

OTHERS = (
    Card("5555555555554444", "pays"),
    Card("4000002760003184", "asks for 3-D Secure", asks_3ds=True),
    Card("4000000000009987", "is reported lost", "lost_card"),
    Card("4000000000000069", "has expired", "expired_card"),
    Card("4000000000000127", "has another security code", "incorrect_cvc"),
    Card("4000000000000119", "meets an error at the bank", "processing_error"),
    Card("4000000000002685", "pays; then nothing came", complaint=Complaint("product_not_received")),
    Card("4000000000001976", "pays; then the bank asks", complaint=Complaint(inquiry=True)),
    Card("4000000000007726", "pays; a refund takes long", refund=Refund.LATER),
)

CARDS = {card.number: card for card in (*SHOWN, *OTHERS)}

ACCOUNTS = (
    BankAccount("000123456789", "pays"),
    BankAccount("000222222227", "has insufficient funds", "insufficient_funds", "The account has too little money."),
    BankAccount("000111111113", "is closed", "account_closed", "The bank account has been closed."),
)

METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
"""Stripe's names for its test cards, for payments that nobody makes on a page."""


def find(number: str) -> Card | None:
    """The test card of this number, written with or without spaces; None for every other, a real one too."""
    return CARDS.get(re.sub(r"[\s-]", "", number))


def find_account(number: str) -> BankAccount | None:
    """The test account of this number, or None."""
    bare = re.sub(r"[\s-]", "", number)
    return next((account for account in ACCOUNTS if account.number == bare), None)


def decline_message(decline_code: str) -> str:
    """What a buyer is told."""
    return MESSAGES.get(decline_code, DECLINED)


def error_code(decline_code: str) -> str:
    """The ``code`` of Stripe's card error for a decline."""
    return decline_code if decline_code in OWN_CODES else "card_declined"
