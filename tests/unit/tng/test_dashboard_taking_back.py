"""Cancelling and stopping on the page: when it is offered, what is asked before, and what is said afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.unit.tng.api_support import SCENES, SCRIPT
from tng.dashboard.client import OrderCard, StreamEvent
from tng.dashboard.sentences import stop_rule
from tng.dashboard.story import STOPPED_HERE, Story
from tng.dashboard.taking_back import WORDS, TakingBack
from tng.orders import OrderState

CARD = OrderCard("ord_1", OrderState.WRITING, "The Quiet Hours", "2.99 USD", datetime(2026, 11, 24, tzinfo=UTC))
PLAN = StreamEvent("plan", {"acts": [{"scenes": [{}, {}, {}]}]})


def scene(number: int) -> StreamEvent:
    return StreamEvent("scene", {"act": "TEASER", "number": number, "text": SCENES[number - 1]}, str(number))


def panel_of(story: Story) -> tuple[TakingBack, list[str]]:
    """A panel that shows this order, and the orders that were taken back."""
    taken: list[str] = []
    panel = TakingBack(taken.append)
    panel.show(story)
    return panel, taken


def shown(panel: TakingBack) -> list[bool]:
    """Which are there: the button, the question, the answers."""
    return [part.layout.display != "none" for part in (panel.button, panel.question, panel.answers)]


def test_before_there_is_an_order_there_is_nothing_to_take_back() -> None:
    panel = TakingBack(lambda _id: None)
    assert shown(panel) == [False, False, False]
    panel.button.click()
    panel.yes.click()


@pytest.mark.parametrize("state", list(OrderState), ids=str)
def test_it_is_offered_in_three_states_and_in_no_other(state: OrderState) -> None:
    panel, _ = panel_of(Story(replace(CARD, state=state)))
    assert shown(panel) == [state in WORDS, False, False]
    assert panel.button.description == WORDS.get(state, "")


@pytest.mark.parametrize("state", [OrderState.PLACED, OrderState.PAID], ids=str)
def test_before_the_writing_a_click_is_enough(state: OrderState) -> None:
    panel, taken = panel_of(Story(replace(CARD, state=state)))
    panel.button.click()
    assert taken == ["ord_1"]


def test_stopping_is_asked_about_first_with_what_it_means_now() -> None:
    story = Story(CARD)
    panel, taken = panel_of(story)
    story.hear(PLAN)
    story.hear(scene(1))
    panel.show(story)
    panel.button.click()
    assert (shown(panel), taken) == ([False, True, True], [])
    assert "1 of 3 scenes is written: you get your money back and keep it." in panel.question.value
    story.hear(scene(2))
    panel.show(story)
    assert "2 of 3 scenes are written, which is half or more" in panel.question.value
    panel.no.click()
    assert (shown(panel), taken) == ([True, False, False], [])
    panel.button.click()
    panel.yes.click()
    assert (shown(panel), taken) == ([True, False, False], ["ord_1"])


def test_a_question_about_one_order_is_not_answered_for_another() -> None:
    panel, taken = panel_of(Story(CARD))
    panel.button.click()
    panel.show(Story(replace(CARD, id="ord_2")))
    assert shown(panel) == [True, False, False]
    panel.button.click()
    panel.show(Story(replace(CARD, id="ord_2", state=OrderState.DELIVERED)))
    assert (shown(panel), taken) == ([False, False, False], [])


@pytest.mark.parametrize(
    ("written", "planned", "sentence"),
    [
        (0, 0, "Nothing is written yet: you get your money back."),
        (0, 12, "Nothing is written yet: you get your money back."),
        (4, 12, "4 of 12 scenes are written: you get your money back and keep them."),
        (5, 11, "5 of 11 scenes are written: you get your money back and keep them."),
        (6, 12, "6 of 12 scenes are written, which is half or more: you keep them, and there is no money back."),
        (2, 0, "2 scenes are written: you get your money back and keep them."),
    ],
)
def test_the_rule_is_one_sentence(written: int, planned: int, sentence: str) -> None:
    assert stop_rule(written, planned) == sentence


def test_a_part_does_not_say_that_it_is_the_end() -> None:
    story = Story(replace(CARD, state=OrderState.REFUNDED, is_part=True))
    story.tell(SCRIPT)
    assert story.sections[-1][0].text == STOPPED_HERE
