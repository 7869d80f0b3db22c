"""One order on the page: its steps, what can be done about it, and its script while it is written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import ipywidgets as widgets

from tng.dashboard.client import ApiClient, OrderCard, StreamEvent
from tng.dashboard.follow import FIRST_WAIT_SECONDS, Follower, Link
from tng.dashboard.markup import Html, joined, link, tag
from tng.dashboard.provenance_panel import HowItWasWritten
from tng.dashboard.reader import ScriptReader
from tng.dashboard.sentences import sentence_of
from tng.dashboard.story import OVER, News, Step, StepState, Story
from tng.dashboard.taking_back import TakingBack
from tng.dashboard.voices import draw_voices
from tng.errors import ApiError
from tng.orders import OrderState

logger = logging.getLogger(__name__)

PAYABLE = frozenset({OrderState.PLACED, OrderState.EXPIRED})
FORMATS = {
    "pdf": "PDF, to print (.pdf)",
    "fdx": "Final Draft (.fdx)",
    "fountain": "Fountain (.fountain)",
    "epub": "EPUB, for an e-reader (.epub)",
    "txt": "plain text (.txt)",
}
WELCOME = (
    "Describe an episode, or leave everything but its title to fate.",
    "Pay once. The price beside the button is all there is to pay.",
    "Watch it being written, scene by scene, on this page. You may close it at any time.",
    "Read it here as a teleplay, and take it along.",
)


class OrderView(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Shows one order at a time, and follows it until it is over.

    ``changed`` is told of every new state, ``linked`` how the page stands with the api, ``pay`` that the customer
    wants to pay, ``take_back`` that they want to cancel or stop it. The follower's thread and the kernel's take turns
    by a lock.
    """

    def __init__(
        self,
        client: ApiClient,
        *,
        changed: Callable[[OrderCard], None],
        linked: Callable[[Link], None],
        pay: Callable[[str], None],
        take_back: Callable[[str], None],
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
    ) -> None:
        self._client = client
        self._changed = changed
        self._linked = linked
        self._first_wait_seconds = first_wait_seconds
        self._lock = threading.RLock()
        self._follower: Follower | None = None
        self._cancelled = False
        self.story: Story | None = None
        self.heading = widgets.HTML()
        self.steps = widgets.HTML()
        self.sentence = widgets.HTML()
        self.downloads = widgets.HTML()
        self.provenance = HowItWasWritten()
        self.voices = widgets.HTML()
        self.reader = ScriptReader()
        self.pay_button = widgets.Button(button_style="primary")
        self.pay_button.add_class("tng-primary")
        self.pay_button.on_click(lambda _button: pay(self.order_id))
        self.taking_back = TakingBack(take_back)
        below = [self.pay_button, self.taking_back, self.downloads, self.provenance, self.reader, self.voices]
        super().__init__([self.heading, self.steps, self.sentence, *below])
        self.add_class("tng-order")
        self.heading.value = tag("h2", "How it goes")
        self.sentence.value = tag("ol", *(tag("li", line) for line in WELCOME), class_="tng-welcome")
        self.pay_button.layout.display = "none"

    @property
    def order_id(self) -> str:
        """The order that is shown, or an empty text."""
        return self.story.order.id if self.story else ""

    def show(self, order: OrderCard, *, cancelled: bool = False) -> None:
        """Show this order, whole, and follow it if it is not over."""
        with self._lock:
            self.close()
            self.add_class("tng-open")
            self._cancelled = cancelled
            self.story = Story(order)
            if order.script_text:
                self.story.tell(order.script_text)
            self._draw()
            if order.state in OVER:
                self._linked(Link.LIVE)
                return
            self._follow(order.id)

    def close(self) -> None:
        """Follow nothing any more. What is shown stays."""
        with self._lock:
            follower, self._follower = self._follower, None
        if follower is not None:
            follower.stop()

    def say_again(self, *others: widgets.Widget) -> None:
        """Send the browser the state of all that a thread may change here, and of ``others`` that are told of it.

        Under the lock: an old state that was read before a change, and sent after it, would be the last word.
        """
        with self._lock:
            parts = (self.pay_button.layout, *self.taking_back.parts, *self.provenance.parts, *others)
            for part in (self, *self.children, *parts):
                part.send_state()

    def _follow(self, order_id: str) -> None:
        def hear(event: StreamEvent) -> None:
            # asked outside the lock: an api that takes its time holds up nobody who opens another order
            whole = self._whole(order_id) if event.kind == "end" else None
            with self._lock:
                if self._follower is follower:
                    self._hear(event, whole)

        def linked(state: Link) -> None:
            with self._lock:
                if self._follower is follower:
                    self._linked(state)

        follower = Follower(self._client, order_id, hear=hear, link=linked, first_wait_seconds=self._first_wait_seconds)
        self._follower = follower
        follower.start()

    def _hear(self, event: StreamEvent, whole: OrderCard | None) -> None:
        if (story := self.story) is None:
            return
        before = story.order.state
        news = story.hear(event)
        if news is News.NOTHING:
            return
        if whole is not None:
            story.order = whole
            if whole.script_text:
                story.tell(whole.script_text)
        if story.order.state is not before:
            self._changed(story.order)  # the list first: what is read here is never ahead of it
        self._draw()

    def _whole(self, order_id: str) -> OrderCard | None:
        """The order at its end. The delivered script is the truth: what was shown live is held against it."""
        try:
            return self._client.order(order_id)
        except ApiError as error:
            logger.info("order %s: %s", order_id, error)
            return None  # what is shown came from the same run; opening the order again shows the rest

    def _draw(self) -> None:
        if (story := self.story) is None:
            return
        order = story.order
        self.heading.value = tag("h2", order.title)
        self.steps.value = draw_steps(story)
        sentence = sentence_of(order, turned_back=self._cancelled)
        self.sentence.value = tag("p", sentence, class_="tng-sentence", role="status")
        self.downloads.value = draw_downloads(order)
        self.provenance.show(order)
        self.pay_button.description = f"Pay {order.price}"
        self.pay_button.layout.display = "" if order.state in PAYABLE else "none"
        self.taking_back.show(story)
        self.reader.title = order.title
        self.reader.waiting = story.waiting_for
        self.reader.show(story.sections, place=f"{order.id}/0")
        self.voices.value = draw_voices(order.script_text)


def draw_steps(story: Story) -> Html:
    """The four steps as a list, and a bar while the script is written."""
    steps = tag("ol", *(_step(step) for step in story.steps()), class_="tng-steps")
    if story.order.state is not OrderState.WRITING:
        return steps
    bar = tag("progress", max="100", value=str(story.percent), aria_label="How much of the script is written")
    return joined([steps, bar])


def _step(step: Step) -> Html:
    note = [tag("span", step.note, class_="tng-note")] if step.note else []
    current = "step" if step.state is StepState.NOW else None
    return tag("li", tag("b", step.name), *note, class_=f"tng-step tng-{step.state.value}", aria_current=current)


def draw_downloads(order: OrderCard) -> Html:
    """Plain links to the files, once there are some."""
    links = [
        link(words, order.downloads[ending], download="")
        for ending, words in FORMATS.items()
        if ending in order.downloads
    ]
    return tag("p", tag("span", "Take it along:"), *links, class_="tng-downloads") if links else Html()
