"""The five steps of an order, and how far each of them is. Pure: what they look like is the page's to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tng.dashboard.sentences import before_in_words
from tng.dashboard.story import Story
from tng.orders import OrderState


class StepState(StrEnum):
    """How far a step is."""

    DONE = "done"
    NOW = "now"
    LATER = "later"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Step:
    """One of the steps of an order; ``note`` is what is to be said of it now."""

    name: str
    state: StepState
    note: str = ""


NAMES = ("Placed", "Paid", "In the queue", "Being written", "Ready")
GIVEN_BACK = "Refunded"
"""What stands in the place of the last step where no script is to come."""

_DONE, _NOW, _LATER, _FAILED = StepState.DONE, StepState.NOW, StepState.LATER, StepState.FAILED
_STATES = {
    OrderState.PLACED: (_DONE, _NOW, _LATER, _LATER, _LATER),
    OrderState.EXPIRED: (_DONE, _FAILED, _LATER, _LATER, _LATER),
    OrderState.PAID: (_DONE, _DONE, _NOW, _LATER, _LATER),
    OrderState.WRITING: (_DONE, _DONE, _DONE, _NOW, _LATER),
    OrderState.DELIVERED: (_DONE, _DONE, _DONE, _DONE, _DONE),
    OrderState.REFUNDING: (_DONE, _DONE, _DONE, _FAILED, _NOW),
    OrderState.REFUNDED: (_DONE, _DONE, _DONE, _FAILED, _DONE),
    OrderState.DISPUTED: (_DONE, _FAILED, _LATER, _LATER, _LATER),
}


def steps_of(story: Story) -> tuple[Step, ...]:
    """Placed, paid, in the queue, being written, ready: where the order is."""
    notes = _notes(story)
    names = list(NAMES)
    if story.order.state in (OrderState.REFUNDING, OrderState.REFUNDED):
        names[-1] = GIVEN_BACK
    states: tuple[StepState, ...] = _STATES[story.order.state]
    if story.order.delivered:
        states = (*_STATES[OrderState.DELIVERED][:-1], states[-1])
    return tuple(Step(name, states[i], notes.get(i, "")) for i, name in enumerate(names))


def _notes(story: Story) -> dict[int, str]:
    """What is said of the steps of which something is to be said, by their number from 0."""
    order, ended = story.order, _ended(story)
    undone = "" if order.delivered else "did not work out"
    match order.state:
        case OrderState.PLACED:
            return {1: "confirming your payment…" if story.is_confirming else "waiting for the payment"}
        case OrderState.EXPIRED:
            return {1: ended or "not paid in time"}
        case OrderState.PAID:
            return {2: before_in_words(order.queue) if order.queue else "waiting for the writer"}
        case OrderState.WRITING:
            return {3: _writing(story)}
        case OrderState.DELIVERED:
            return {3: ended}
        case OrderState.REFUNDING:
            return {3: ended or undone, 4: "your money is on its way back"}
        case OrderState.REFUNDED:
            return {3: ended or undone, 4: "in full"}
        case OrderState.DISPUTED:
            return {1: "the payment is disputed"}


def _writing(story: Story) -> str:
    """“scene 4 of 12”; while there is no plan yet, that it is being made."""
    again = f", {ordinal_in_words(story.attempt)} attempt" if story.attempt > 1 else ""
    return f"scene {story.scene} of {story.planned}{again}" if story.planned else f"planning{again}"


def _ended(story: Story) -> str:
    """Why a step did not go on to its end, where its customer wished that."""
    if story.order.is_part:
        return "stopped by you"
    return "cancelled by you" if story.order.cancelled else ""


def ordinal_in_words(number: int) -> str:
    """The third; of what is beyond the ninth, the 10th."""
    words = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
    return words[number - 1] if 1 <= number <= len(words) else f"{number}th"
