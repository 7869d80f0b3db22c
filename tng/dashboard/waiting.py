"""What somebody sees who waits: the steps, a sentence, how far the writing is, and the ways on. HTML, and no widget."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tng.dashboard.markup import Html, link, tag
from tng.dashboard.sentences import promise_of, sentence_of
from tng.dashboard.steps import Step, StepState, steps_of
from tng.dashboard.story import Story
from tng.orders import OrderState

SAID: Final = {StepState.DONE: "done", StepState.NOW: "now", StepState.FAILED: "did not happen"}
"""What colours and signs say to those who see them, for those who do not."""

NEW_SCRIPT: Final = tag("a", "Start a new script", href="?view=new")
MY_SCRIPTS: Final = tag("a", "My scripts", href="?view=library")
ENDED: Final = frozenset({OrderState.REFUNDING, OrderState.REFUNDED, OrderState.DISPUTED})
"""States in which there is nothing to wait for or to do here: the ways lead elsewhere."""


def draw_steps(story: Story) -> Html:
    """The five steps as a list: beside each other where there is room, else one below the other."""
    at_end = " tng-whole" if story.order.state is OrderState.DELIVERED else ""
    items = (_step(step) for step in steps_of(story))
    steps = tag("ol", *items, class_=f"tng-track{at_end}", aria_label="How far this order is")
    return tag("div", steps, class_="tng-track-box")


def draw_waiting(story: Story, *, turned_back: bool = False, mails: bool = False) -> Html:
    """The sentence, how far the writing is, what happens without anybody here, and the ways on."""
    order, confirming = story.order, story.is_confirming
    sentence = sentence_of(order, turned_back=turned_back, is_confirming=confirming)
    parts: list[str] = [tag("p", sentence, class_="tng-sentence", role="status")]
    if order.state is OrderState.WRITING:
        parts.append(_progress(story))
    if promise := promise_of(order, mails=mails, is_confirming=confirming):
        parts.append(tag("p", promise, class_="tng-promised"))
    if ways := list(_ways(story)):
        parts.append(tag("p", *ways, class_="tng-ways"))
    return tag("div", *parts, class_=f"tng-waiting tng-waiting-{order.state.value}")


def _step(step: Step) -> Html:
    said = SAID.get(step.state)
    unseen = [tag("span", f" ({said})", class_="tng-unseen")] if said else []
    note = [tag("span", step.note, class_="tng-note")] if step.note else []
    words = tag("span", tag("b", step.name), *unseen, *note, class_="tng-step-words")
    current = "step" if step.state is StepState.NOW else None
    return tag("li", words, class_=f"tng-step tng-{step.state.value}", aria_current=current)


def _progress(story: Story) -> Html:
    """A bar that grows with every scene; while there is no plan, one that says only that something goes on."""
    words = progress_in_words(story)
    most = str(story.planned) if story.planned else None
    bar = tag("progress", max=most, value=str(story.written) if most else None, aria_label=words)
    return tag("div", bar, tag("span", words, aria_hidden="true"), class_="tng-progress")


def progress_in_words(story: Story) -> str:
    """“Scene 4 of 12 · Act one”."""
    if not story.planned:
        return "Making the plan of the story"
    if story.written >= story.planned:
        return f"All {story.planned} scenes are written; the last looks are being taken"
    act = f" · {story.act.capitalize()}" if story.act else ""
    return f"Scene {story.scene} of {story.planned}{act}"


def _ways(story: Story) -> Iterator[Html]:
    if story.order.state not in ENDED:
        return
    yield NEW_SCRIPT
    yield MY_SCRIPTS
    if story.order.receipt:
        yield link("Receipt", story.order.receipt)
