"""What the page says of an order, in whole sentences: one for each state, and for how it came to it. No widgets."""

from __future__ import annotations

from typing import Final

from tng.dashboard.client import OrderCard, QueuePlace
from tng.dashboard.compose_words import time_in_words
from tng.orders import OrderState
from tng.payments import ON_THE_STATEMENT

SENTENCES: Final = {
    OrderState.PLACED: "This order waits for its payment. If you have just paid, we are confirming it with Stripe: "
    "this page goes on by itself.",
    OrderState.EXPIRED: "This order was not paid in time, and nothing was charged. You can still pay for it.",
    OrderState.PAID: "Paid. Thank you. Your script is next.",
    OrderState.WRITING: "Your script is being written. You can read along below.",
    OrderState.DELIVERED: "Your script is ready.",
    OrderState.REFUNDING: "We could not write this script. Your money is on its way back, without asking.",
    OrderState.REFUNDED: "We could not deliver this script, and your money was refunded in full.",
    OrderState.DISPUTED: "The payment of this order is disputed at the bank, and the script is held until that is "
    "settled. If the dispute is a mistake, please tell your bank: once it is taken back, everything is here again.",
}
TAKEN_BACK: Final = {
    OrderState.EXPIRED: "You cancelled this order, and nothing was charged. You can still pay for it.",
    OrderState.REFUNDING: "You cancelled this order. The whole price is on its way back to you.",
    OrderState.REFUNDED: "You cancelled this order, and your money was refunded in full.",
}
PARTS: Final = {
    OrderState.DELIVERED: "You stopped the writing. What was written until then is yours, and stands below.",
    OrderState.REFUNDING: "You stopped the writing. The whole price is on its way back to you, "
    "and what was written until then is yours to keep.",
    OrderState.REFUNDED: "You stopped the writing, and your money was refunded in full. "
    "What was written until then is yours to keep.",
}
GIVEN_BACK: Final = {
    OrderState.REFUNDING: "The whole price of this script is on its way back to you, and the script is closed.",
    OrderState.REFUNDED: "The whole price of this script was given back to you, and the script is closed.",
}
"""Of a script that was delivered; see docs/orders.md."""
CANCELLED: Final = "Nothing was charged. The order is kept: pay for it whenever you like."
"""For whoever turned back at Stripe."""

CONFIRMING: Final = (
    "Confirming your payment… Stripe mostly tells us within seconds, and this page goes on by itself. "
    "There is no need to pay again."
)
"""For whoever comes back from Stripe sooner than the news of it."""

GOES_ON: Final = "You can close this page: writing goes on, and it will be in My scripts on any device."
KEPT: Final = "You can close this page: the order is in My scripts, on any device."
WRITES: Final = "We write to you when it is ready."
"""Where customers get mails."""

NUMBERS: Final = (
    *("no", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)


def sentence_of(order: OrderCard, *, turned_back: bool = False, is_confirming: bool = False) -> str:
    """Where the order is, and what that means for its customer."""
    if is_confirming and order.state is OrderState.PLACED:
        return CONFIRMING
    if turned_back and order.state is OrderState.PLACED:
        return CANCELLED
    if order.state is OrderState.PAID and order.queue is not None:
        return f"Paid. Thank you. {turn_in_words(order.queue)}"
    if order.is_part and order.state in PARTS:
        return PARTS[order.state]
    if order.cancelled and order.state in TAKEN_BACK:
        return TAKEN_BACK[order.state]
    if order.delivered and order.state in GIVEN_BACK:
        return GIVEN_BACK[order.state]
    return SENTENCES[order.state]


def promise_of(order: OrderCard, *, mails: bool, is_confirming: bool = False) -> str:
    """What happens without the customer, now; nothing where nothing does. ``mails``: we write when it is ready."""
    match order.state:
        case OrderState.PAID | OrderState.WRITING:
            return f"{GOES_ON} {WRITES}" if mails else GOES_ON
        case OrderState.PLACED if is_confirming:
            return f"{KEPT} {WRITES}" if mails else KEPT
        case OrderState.REFUNDING | OrderState.REFUNDED:
            return ON_THE_STATEMENT
        case _:
            return ""


def turn_in_words(queue: QueuePlace) -> str:
    """How long it will be, and why: “About 2 minutes; two orders before yours.” Nobody knows: it says so."""
    before = before_in_words(queue)
    if queue.estimate_seconds is None:
        return f"{_capital(before)}. How long that takes we cannot say yet."
    return f"{_capital(time_in_words(round(queue.estimate_seconds)))}; {before}."


def before_in_words(queue: QueuePlace) -> str:
    """How many come first: “two orders before yours”."""
    before = queue.place - 1
    if before <= 0:
        return "yours is next"
    return f"{number_in_words(before)} {'order' if before == 1 else 'orders'} before yours"


def number_in_words(number: int) -> str:
    """Up to twelve as a word, beyond that in digits."""
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else f"{number:,}"


def stop_rule(written: int, planned: int) -> str:
    """What stopping now would mean by ``tng.money.cancelling``: the server decides, by what it has then."""
    if not written:
        return "Nothing is written yet: you get your money back."
    verb, them = ("is", "it") if written == 1 else ("are", "them")
    noun = "scene" if max(written, planned) == 1 else "scenes"
    scenes = f"{written} of {planned} {noun} {verb} written" if planned else f"{written} {noun} {verb} written"
    if 2 * written < planned or not planned:
        return f"{scenes}: you get your money back and keep {them}."
    return f"{scenes}, which is half or more: you keep {them}, and there is no money back."


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
