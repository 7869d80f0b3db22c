"""The button that cancels an order or stops its writing, and the question before that. It decides nothing."""

from __future__ import annotations

from collections.abc import Callable

import ipywidgets as widgets

from tng.dashboard.markup import tag
from tng.dashboard.sentences import stop_rule
from tng.dashboard.story import Story
from tng.orders import OrderState

WORDS = {
    OrderState.PLACED: "Cancel the order",
    OrderState.PAID: "Cancel the order",
    OrderState.WRITING: "Stop writing",
}
"""What the button says; in every other state there is nothing to take back."""


class TakingBack(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """``take_back`` is called with the order's id once its customer has made up their mind.

    Before money is spent on writing a click is enough: the whole price goes back. Stopping is asked about first, with
    what it would mean now.
    """

    def __init__(self, take_back: Callable[[str], None]) -> None:
        self._take_back, self._is_asking = take_back, False
        self._story: Story | None = None
        self.button = widgets.Button()
        self.question = widgets.HTML()
        self.yes = widgets.Button(description="Stop now", button_style="danger")
        self.no = widgets.Button(description="Go on writing")
        self.answers = widgets.HBox([self.yes, self.no])
        self.button.on_click(lambda _button: self._clicked())
        self.yes.on_click(lambda _button: self._decided())
        self.no.on_click(lambda _button: self._ask(False))
        super().__init__([self.button, self.question, self.answers])
        self.add_class("tng-taking-back")
        self._draw()

    @property
    def parts(self) -> tuple[widgets.Widget, ...]:
        """Everything of it that may change: what a browser that missed something must be told again."""
        layouts = (self.button.layout, self.question.layout, self.answers.layout)
        return self, self.button, self.question, *layouts

    def show(self, story: Story) -> None:
        """Offer what can be done about this order now."""
        is_another = self._story is None or self._story.order.id != story.order.id
        if is_another or story.order.state is not OrderState.WRITING:
            self._is_asking = False
        self._story = story
        self._draw()

    def _clicked(self) -> None:
        if self._story is None:
            return
        if self._story.order.state is OrderState.WRITING:
            self._ask(True)
        else:
            self._take_back(self._story.order.id)

    def _ask(self, asking: bool) -> None:
        self._is_asking = asking
        self._draw()

    def _decided(self) -> None:
        if self._story is not None:
            self._ask(False)
            self._take_back(self._story.order.id)

    def _draw(self) -> None:
        words = WORDS.get(self._story.order.state, "") if self._story else ""
        self.button.description = words
        self.question.value = self._question() if self._is_asking else ""
        for part, is_there in (
            (self.button, bool(words) and not self._is_asking),
            (self.question, self._is_asking),
            (self.answers, self._is_asking),
        ):
            part.layout.display = "" if is_there else "none"

    def _question(self) -> str:
        story = self._story
        rule = stop_rule(story.written, story.planned) if story else ""
        return tag("p", tag("b", "Stop the writing?"), " ", rule, class_="tng-question", role="alert")
