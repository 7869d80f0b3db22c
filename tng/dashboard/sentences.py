"""What the page says of an order, in whole sentences: one for each state, and for how it came to it. No widgets."""

from __future__ import annotations

from tng.dashboard.client import OrderCard, QueuePlace
from tng.dashboard.compose_words import time_in_words
from tng.orders import OrderState

SENTENCES = {
    OrderState.PLACED: "This order waits for its payment. If you have just paid, we are confirming it with Stripe: "
    "this page goes on by itself.",
    OrderState.EXPIRED: "This order was not paid in time, and nothing was charged. You can still pay for it.",
    OrderState.PAID: "Paid. Thank you. Your script is next.",
    OrderState.WRITING: "Your script is being written. You may close this page: it goes on, and waits for you here.",
    OrderState.DELIVERED: "Your script is ready.",
    OrderState.REFUNDING: "We could not write this script. Your money is on its way back, without asking.",
    OrderState.REFUNDED: "We could not deliver this script, and your money was refunded in full.",
    OrderState.DISPUTED: "The payment of this order is disputed at the bank, and the script is held until that is "
    "settled. If the dispute is a mistake, please tell your bank: once it is taken back, everything is here again.",
}
TAKEN_BACK = {
    OrderState.EXPIRED: "You cancelled this order, and nothing was charged. You can still pay for it.",
    OrderState.REFUNDING: "You cancelled this order. The whole price is on its way back to you.",
    OrderState.REFUNDED: "You cancelled this order, and your money was refunded in full.",
}
PARTS = {
    OrderState.DELIVERED: "You stopped the writing. What was written until then is yours, and stands below.",
    OrderState.REFUNDING: "You stopped the writing. The whole price is on its way back to you, "
    "and what was written until then is yours to keep.",
    OrderState.REFUNDED: "You stopped the writing, and your money was refunded in full. "
    "What was written until then is yours to keep.",
}
CANCELLED = "Nothing was charged. The order is kept: pay for it whenever you like."
"""For whoever turned back at Stripe."""


def sentence_of(order: OrderCard, *, turned_back: bool = False) -> str:
    """Where the order is, and what that means for its customer."""
    if turned_back and order.state is OrderState.PLACED:
        return CANCELLED
    if order.state is OrderState.PAID and order.queue is not None:
        return f"Paid. Thank you. {turn_in_words(order.queue)}"
    if order.is_part and order.state in PARTS:
        return PARTS[order.state]
    if order.cancelled and order.state in TAKEN_BACK:
        return TAKEN_BACK[order.state]
    return SENTENCES[order.state]


def turn_in_words(queue: QueuePlace) -> str:
    """The place of an order, and how long it will be: “You are number 3; about 2 minutes.”"""
    place = "Your script is next" if queue.place == 1 else f"You are number {queue.place:,}"
    about = "" if queue.estimate_seconds is None else f"; {time_in_words(round(queue.estimate_seconds))}"
    return f"{place}{about}."


def stop_rule(written: int, planned: int) -> str:
    """What stopping now would mean, by the rule of ``tng.cancelling``: the server decides, by what it has then."""
    if not written:
        return "Nothing is written yet: you get your money back."
    verb, them = ("is", "it") if written == 1 else ("are", "them")
    noun = "scene" if max(written, planned) == 1 else "scenes"
    scenes = f"{written} of {planned} {noun} {verb} written" if planned else f"{written} {noun} {verb} written"
    if 2 * written < planned or not planned:
        return f"{scenes}: you get your money back and keep {them}."
    return f"{scenes}, which is half or more: you keep {them}, and there is no money back."
