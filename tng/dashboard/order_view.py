"""One order on the page: its steps, what can be done about it, and its script while it is written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypedDict, Unpack

import ipywidgets as widgets

from tng.dashboard.client import ApiClient, OrderCard, StreamEvent
from tng.dashboard.follow import FIRST_WAIT_SECONDS, Follower, Link
from tng.dashboard.markup import Html, link, tag
from tng.dashboard.provenance_panel import HowItWasWritten
from tng.dashboard.reader import ScriptReader
from tng.dashboard.rework import Rework
from tng.dashboard.story import OVER, News, Story
from tng.dashboard.taking_back import TakingBack
from tng.dashboard.title import tab_title
from tng.dashboard.toasts import Toast
from tng.dashboard.voices import draw_voices
from tng.dashboard.waiting import draw_steps, draw_waiting
from tng.errors import ApiError
from tng.orders import OrderState

logger = logging.getLogger(__name__)

PAYABLE = frozenset({OrderState.PLACED, OrderState.EXPIRED})
FORMATS = {
    "pdf": "PDF (.pdf)",
    "fdx": "Final Draft (.fdx)",
    "fountain": "Fountain (.fountain)",
    "epub": "EPUB (.epub)",
    "txt": "Text (.txt)",
}
WELCOME = (
    "Describe an episode, or leave everything but its title to fate.",
    "Pay once. The price beside the button is all there is to pay.",
    "Watch it being written, scene by scene, on this page. You may close it at any time.",
    "Read it here as a teleplay, and take it along.",
)


class Around(TypedDict, total=False):
    """What the page wants to hear of; each may be left out.

    ``changed`` is told of every new state, ``linked`` how the page stands with the api, ``pay`` that the customer
    wants to pay, ``take_back`` that they want to cancel or stop it, ``order_again`` that they want another script from
    the same premise; ``titled`` is told what the browser's tab should say, and its mark; ``toast`` says what was done.
    """

    changed: Callable[[OrderCard], None]
    linked: Callable[[Link], None]
    pay: Callable[[str], None]
    take_back: Callable[[str], None]
    order_again: Callable[[str], None]
    titled: Callable[[str, str], None]
    toast: Toast | None


class OrderView(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Shows one order at a time, and follows it until it is over.

    The threads of those who follow it and the kernel's take turns by a lock.
    """

    def __init__(
        self, client: ApiClient, *, first_wait_seconds: float = FIRST_WAIT_SECONDS, **around: Unpack[Around]
    ) -> None:
        self._client = client
        self._changed = around.get("changed", _nobody)
        self._linked = around.get("linked", _nobody)
        self._first_wait_seconds = first_wait_seconds
        self._titled = around.get("titled", _nobody)
        self._lock = threading.RLock()
        self._follower: Follower | None = None
        self._cancelled = self.mails = False
        self.story: Story | None = None
        self.heading = widgets.HTML()
        self.steps = widgets.HTML()
        self.sentence = widgets.HTML()
        self.downloads = widgets.HTML()
        self.provenance = HowItWasWritten(around.get("order_again"))
        self.voices = widgets.HTML()
        self.reader = ScriptReader()
        self.rework = Rework(client, self.reader, show=self._reworked, turn=self._lock, toast=around.get("toast"))
        pay, take_back = around.get("pay", _nobody), around.get("take_back", _nobody)
        self.pay_button = widgets.Button(button_style="primary")
        self.pay_button.add_class("tng-primary")
        self.pay_button.on_click(lambda _button: pay(self.order_id))
        self.taking_back = TakingBack(take_back)
        above = [self.heading, self.steps, self.sentence, self.pay_button, self.taking_back, self.downloads]
        super().__init__([*above, self.reader, self.rework.panel, self.provenance, self.voices])
        self.add_class("tng-order")
        self.heading.value = tag("h2", "How it goes")
        self.sentence.value = tag("ol", *(tag("li", line) for line in WELCOME), class_="tng-welcome")
        self.pay_button.layout.display = "none"

    @property
    def order_id(self) -> str:
        """The order that is shown, or an empty text."""
        return self.story.order.id if self.story else ""

    def show(self, order: OrderCard, *, cancelled: bool = False, returned: bool = False) -> None:
        """Show this order, whole, and follow it if it is not over.

        Its customer may have ``cancelled`` at Stripe, or ``returned`` from there and paid.
        """
        with self._lock:
            self.close()
            self.add_class("tng-open")
            self._cancelled = cancelled
            self.story = Story(order, has_paid=returned)
            if order.script_text:
                self.story.tell(order.script_text)
            self._draw()
            if order.state in OVER:
                self._linked(Link.LIVE)
            else:
                self._follow(order.id)
        self.rework.open(order)

    def close(self) -> None:
        """Follow nothing any more. What is shown stays."""
        self.rework.close()
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
                is_ours = self._follower is follower
                if is_ours:
                    self._hear(event, whole)
            if is_ours and whole is not None:
                self.rework.open(whole)

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

    def _reworked(self, order: OrderCard) -> None:
        """The order as it is after a change of its script, or of its state meanwhile."""
        if (story := self.story) is None:
            return
        before, story.order = story.order, order
        if order.script_text and order.script_text != before.script_text:
            story.tell(order.script_text)
        if order.state is not before.state:
            self._changed(order)
            if order.script_text is None:
                self.show(order)  # given back or held: it can be read no longer, and may go on by itself
                return
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
        self.sentence.value = draw_waiting(story, turned_back=self._cancelled, mails=self.mails)
        self.downloads.value = draw_downloads(order)
        self.provenance.show(order)
        self.pay_button.description = f"Pay {order.price}"
        may_pay = order.state in PAYABLE and not story.is_confirming
        self.pay_button.layout.display = "" if may_pay else "none"
        self.taking_back.show(story)
        self.reader.title = order.title
        self.reader.waiting = story.waiting_for
        self.reader.show(story.sections, place=f"{order.id}/{order.edition}")
        self.voices.value = draw_voices(order.script_text)
        self._titled(*tab_title(story))


def draw_downloads(order: OrderCard) -> Html:
    """Plain links to the files, once there are some: of the version that is shown, whatever another tab makes of it."""
    paths = {ending: path for ending, path in order.downloads.items() if ending in FORMATS}
    if not paths:
        return Html()
    which = f"?edition={order.edition}" if order.edition else ""
    links = [link(words, paths[ending] + which, download="") for ending, words in FORMATS.items() if ending in paths]
    note = [tag("small", f"The links take version {order.edition}, which you see.")] if order.edition else []
    return tag("p", tag("span", "Take it along:"), *links, *note, class_="tng-downloads")


def _nobody(*_told: object) -> None:
    """Listens where nobody does."""
