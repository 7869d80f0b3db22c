"""What somebody reads who waits: five steps, a sentence for every state, an honest estimate, and what the tab says."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import traitlets

from tests.unit.tng.api_support import SCENES
from tng.dashboard.client import OrderCard, QueuePlace, StreamEvent
from tng.dashboard.library_row import PARTS as LIBRARY_PARTS
from tng.dashboard.sentences import (
    CANCELLED,
    CONFIRMING,
    GIVEN_BACK,
    GOES_ON,
    PARTS,
    SENTENCES,
    TAKEN_BACK,
    WRITES,
    promise_of,
    sentence_of,
    turn_in_words,
)
from tng.dashboard.steps import NAMES, StepState, ordinal_in_words, steps_of
from tng.dashboard.story import News, Story
from tng.dashboard.title import LONGEST, TabTitle, tab_title
from tng.dashboard.waiting import draw_steps, draw_waiting
from tng.orders import PAYABLE, OrderState

CARD = OrderCard(
    "ord_1",
    OrderState.WRITING,
    "The Quiet Hours",
    "2.99 USD",
    datetime(2026, 11, 24, tzinfo=UTC),
    receipt="/services/api/orders/ord_1/receipt",
)
PLAN = StreamEvent("plan", {"acts": [{"scenes": [{}] * 12}]})
NOW, DONE, LATER, FAILED = StepState.NOW, StepState.DONE, StepState.LATER, StepState.FAILED


def a_story(state: OrderState, *, has_paid: bool = False, **changes: Any) -> Story:
    return Story(replace(CARD, state=state, **changes), has_paid=has_paid)


def writing(scenes: int = 0) -> Story:
    """A story of twelve scenes, so many of them written."""
    story = Story(CARD)
    story.hear(PLAN)
    for number in range(1, scenes + 1):
        story.hear(StreamEvent("scene", {"act": "ACT ONE", "number": number, "text": SCENES[0]}, str(number)))
    return story


def words_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", html))


class TestSteps:
    @pytest.mark.parametrize(
        ("state", "steps", "last"),
        [
            (OrderState.PLACED, (DONE, NOW, LATER, LATER, LATER), "Ready"),
            (OrderState.EXPIRED, (DONE, FAILED, LATER, LATER, LATER), "Ready"),
            (OrderState.PAID, (DONE, DONE, NOW, LATER, LATER), "Ready"),
            (OrderState.WRITING, (DONE, DONE, DONE, NOW, LATER), "Ready"),
            (OrderState.DELIVERED, (DONE, DONE, DONE, DONE, DONE), "Ready"),
            (OrderState.REFUNDING, (DONE, DONE, DONE, FAILED, NOW), "Refunded"),
            (OrderState.REFUNDED, (DONE, DONE, DONE, FAILED, DONE), "Refunded"),
            (OrderState.DISPUTED, (DONE, FAILED, LATER, LATER, LATER), "Ready"),
        ],
    )
    def test_every_state_is_five_steps(self, state: OrderState, steps: tuple[StepState, ...], last: str) -> None:
        told = steps_of(a_story(state))
        assert tuple(step.state for step in told) == steps
        assert [step.name for step in told] == [*NAMES[:4], last]

    @pytest.mark.parametrize("state", list(OrderState), ids=str)
    def test_at_most_one_step_is_the_one_it_is_at_and_it_is_said_to_be(self, state: OrderState) -> None:
        story = a_story(state)
        now = sum(step.state is NOW for step in steps_of(story))
        assert now <= 1
        assert draw_steps(story).count('aria-current="step"') == now

    @pytest.mark.parametrize(
        ("changes", "step", "note"),
        [
            ({"state": OrderState.PLACED}, 1, "waiting for the payment"),
            ({"state": OrderState.EXPIRED}, 1, "not paid in time"),
            ({"state": OrderState.EXPIRED, "cancelled": True}, 1, "cancelled by you"),
            ({"state": OrderState.PAID}, 2, "waiting for the writer"),
            ({"state": OrderState.REFUNDED}, 3, "did not work out"),
            ({"state": OrderState.REFUNDING, "cancelled": True}, 3, "cancelled by you"),
            ({"state": OrderState.REFUNDED, "cancelled": True, "is_part": True}, 3, "stopped by you"),
            ({"state": OrderState.DELIVERED, "is_part": True}, 3, "stopped by you"),
            ({"state": OrderState.DELIVERED}, 3, ""),
            ({"state": OrderState.REFUNDED}, 4, "in full"),
            ({"state": OrderState.REFUNDED, "delivered": True}, 3, ""),
        ],
    )
    def test_the_steps_say_who_ended_it(self, changes: dict[str, Any], step: int, note: str) -> None:
        assert steps_of(a_story(**changes))[step].note == note

    def test_a_script_that_was_delivered_and_given_back_did_not_fail(self) -> None:
        given_back = steps_of(a_story(OrderState.REFUNDING, delivered=True))
        assert tuple(step.state for step in given_back) == (DONE, DONE, DONE, DONE, NOW)
        assert given_back[-1].name == "Refunded"

    def test_a_place_that_changes_is_heard(self) -> None:
        story = a_story(OrderState.PAID, queue=QueuePlace(3))
        assert steps_of(story)[2].note == "two orders before yours"
        assert story.hear(StreamEvent("queue", {"place": 1, "estimate_seconds": 9})) is News.ORDER
        assert story.order.queue == QueuePlace(1, 9.0)
        assert steps_of(story)[2].note == "yours is next"

    def test_the_writing_tells_the_scene_and_a_second_attempt(self) -> None:
        story = Story(CARD)
        assert steps_of(story)[3].note == "planning"
        assert steps_of(writing(3))[3].note == "scene 4 of 12"
        assert steps_of(writing(12))[3].note == "scene 12 of 12"
        story.hear(StreamEvent("restart", {"attempt": 2}))
        story.hear(PLAN)
        assert steps_of(story)[3].note == "scene 1 of 12, second attempt"

    @pytest.mark.parametrize(("number", "word"), [(1, "first"), (9, "ninth"), (10, "10th"), (0, "0th")])
    def test_attempts_are_counted_in_words(self, number: int, word: str) -> None:
        assert ordinal_in_words(number) == word


class TestSentences:
    def test_what_is_said_depends_on_who_ended_it(self) -> None:
        for state, sentence in SENTENCES.items():
            assert sentence_of(replace(CARD, state=state)) == sentence
            cancelled = replace(CARD, state=state, cancelled=True)
            assert sentence_of(cancelled) == TAKEN_BACK.get(state, sentence)
            assert sentence_of(replace(cancelled, is_part=True)) == PARTS.get(state, TAKEN_BACK.get(state, sentence))
        assert sentence_of(replace(CARD, state=OrderState.PLACED), turned_back=True) == CANCELLED
        for state, sentence in GIVEN_BACK.items():
            assert sentence_of(replace(CARD, state=state, delivered=True)) == sentence
        assert set(SENTENCES) == set(OrderState)
        assert set(PARTS) == set(LIBRARY_PARTS)

    def test_who_comes_back_from_paying_is_told_that_it_is_being_confirmed_until_it_is(self) -> None:
        story = a_story(OrderState.PLACED, has_paid=True)
        assert CONFIRMING in unescape(draw_waiting(story))
        assert steps_of(story)[1].note == "confirming your payment…"
        story.hear(StreamEvent("state", body_of(OrderState.PAID)))
        assert "Paid. Thank you." in draw_waiting(story)
        assert not story.is_confirming

    @pytest.mark.parametrize(
        ("queue", "words"),
        [
            (QueuePlace(3, 118.0), "About 2 minutes; two orders before yours."),
            (QueuePlace(2, 61.0), "About a minute; one order before yours."),
            (QueuePlace(1, 14.0), "About 15 seconds; yours is next."),
            (QueuePlace(1200), "1,199 orders before yours. How long that takes we cannot say yet."),
        ],
    )
    def test_a_place_in_the_queue_is_said_in_words(self, queue: QueuePlace, words: str) -> None:
        assert turn_in_words(queue) == words
        assert words in sentence_of(replace(CARD, state=OrderState.PAID, queue=queue))

    @pytest.mark.parametrize("state", list(OrderState), ids=str)
    def test_a_mail_is_promised_where_mails_are_sent_and_a_script_is_to_come_and_nowhere_else(
        self, state: OrderState
    ) -> None:
        order = replace(CARD, state=state)
        to_come = state in (OrderState.PAID, OrderState.WRITING)
        assert (WRITES in promise_of(order, mails=True)) is to_come
        assert (GOES_ON in promise_of(order, mails=False)) is to_come
        assert WRITES not in promise_of(order, mails=False)

    @pytest.mark.parametrize("state", list(OrderState), ids=str)
    def test_nobody_is_left_without_a_way_on(self, state: OrderState) -> None:
        drawn = draw_waiting(a_story(state))
        leads_on = 'href="?view=new"' in drawn and 'href="?view=library"' in drawn
        can_be_paid, goes_on = state in PAYABLE, state in (OrderState.PAID, OrderState.WRITING, OrderState.DELIVERED)
        assert [leads_on, can_be_paid, goes_on].count(True) == 1
        assert ("/receipt" in drawn) is leads_on

    def test_a_receipt_that_is_no_address_of_ours_leads_nowhere(self) -> None:
        assert 'href="javascript' not in draw_waiting(a_story(OrderState.REFUNDED, receipt="javascript:alert(1)"))

    def test_the_progress_is_told_in_scenes(self) -> None:
        assert "Making the plan of the story" in words_of(draw_waiting(Story(CARD)))
        drawn = draw_waiting(writing(3))
        assert 'max="12" value="3"' in drawn
        assert "Scene 4 of 12 · Act one" not in drawn, "no progress was said yet"
        story = writing(3)
        story.hear(StreamEvent("progress", {"act": "ACT ONE", "percent": 25}))
        assert "Scene 4 of 12 · Act one" in draw_waiting(story)
        assert "All 12 scenes are written" in draw_waiting(writing(12))
        assert "<progress" not in draw_waiting(a_story(OrderState.DELIVERED))


class TestTab:
    @pytest.mark.parametrize(
        ("story", "told"),
        [
            (None, ("", "")),
            (a_story(OrderState.PLACED), ("Payment needed · The Quiet Hours", "alert")),
            (a_story(OrderState.PLACED, has_paid=True), ("Confirming your payment · The Quiet Hours", "busy")),
            (a_story(OrderState.EXPIRED), ("Not paid · The Quiet Hours", "")),
            (a_story(OrderState.EXPIRED, cancelled=True), ("Cancelled · The Quiet Hours", "")),
            (a_story(OrderState.PAID), ("In the queue · The Quiet Hours", "busy")),
            (Story(CARD), ("Writing · The Quiet Hours", "busy")),
            (writing(3), ("Writing 4 of 12 · The Quiet Hours", "busy")),
            (a_story(OrderState.DELIVERED), ("Ready · The Quiet Hours", "done")),
            (a_story(OrderState.DELIVERED, is_part=True), ("Stopped · The Quiet Hours", "done")),
            (a_story(OrderState.REFUNDING), ("Being refunded · The Quiet Hours", "alert")),
            (a_story(OrderState.REFUNDED, cancelled=True), ("Refunded · The Quiet Hours", "")),
            (a_story(OrderState.DISPUTED), ("Held · The Quiet Hours", "alert")),
        ],
    )
    def test_says_where_the_order_is(self, story: Story | None, told: tuple[str, str]) -> None:
        assert tab_title(story) == told

    def test_is_one_short_line_with_a_known_mark(self) -> None:
        tab = TabTitle()
        tab.say("Ready ·  two\nlines " + "x" * 300, "done")
        assert tab.words.startswith("Ready · two lines x")
        assert len(tab.words) == LONGEST
        with pytest.raises(traitlets.TraitError):
            tab.say("Ready", "<b>")
        tab.say("")
        assert (tab.words, tab.mark) == ("", "")


def body_of(state: OrderState) -> dict[str, Any]:
    """An order as the api tells it."""
    return {
        "id": CARD.id,
        "state": state.value,
        "premise": {"title": CARD.title},
        "price": {"text": CARD.price},
        "placed_at": CARD.placed_at.isoformat(),
    }
