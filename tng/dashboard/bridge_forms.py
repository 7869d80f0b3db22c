"""How an operator changes which release writes: choose, say why, read once more what will happen, and confirm.

A form decides nothing. What a browser makes of its fields goes to the api, which checks it, and answers in a sentence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from tng.dashboard.bridge_parts import hint
from tng.dashboard.client import ApiClient
from tng.dashboard.markup import Html, joined, tag
from tng.errors import ApiError
from tng.promotion.view import ReleasesView, ShelfCard

logger = logging.getLogger(__name__)

NO_REASON = "Please say why: the reason is kept with the promotion for those who come later."
REASON_PLACEHOLDER = "Why? It is kept for those who come later."
NO_OTHER = "There is no other release on the shelf."
NO_WAY_BACK = "There is no way back: no other release has ever been current."


class Confirmation(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Asks once more, does it once, and says what came of it.

    ``done`` is called afterwards, whatever came of it; ``emptied`` before that, where it was done.
    """

    def __init__(
        self, client: ApiClient, done: Callable[[], None], *, emptied: Callable[[], None] = lambda: None
    ) -> None:
        self._client, self._done, self._emptied = client, done, emptied
        self._wish: tuple[str, Mapping[str, Any], str] | None = None
        self.question = widgets.HTML()
        self.yes = widgets.Button(description="Yes, do it")
        self.no = widgets.Button(description="No, leave it")
        self.answer = widgets.HTML()
        self.yes.add_class("tng-primary")
        self.yes.on_click(lambda _button: self.confirm())
        self.no.on_click(lambda _button: self.drop())
        super().__init__([self.answer])
        self.add_class("tng-confirmation")

    def ask(self, question: Html, path: str, body: Mapping[str, Any], *, yes: str, said: str) -> None:
        """Ask before ``body`` is sent to ``path``; ``yes`` is what the button says, ``said`` what is said then."""
        self._wish = (path, body, said)
        self.say("")
        self.question.value = tag("p", question, class_="tng-question", role="alert")
        self.yes.description = yes
        buttons = widgets.HBox([self.yes, self.no])
        buttons.add_class("tng-buttons")
        self.children = [self.question, buttons, self.answer]

    def confirm(self) -> None:
        """Do what was asked about. A second click finds nothing to do."""
        wish, self._wish = self._wish, None
        if wish is None:
            return
        self.children = [self.answer]
        self.do(*wish)

    def drop(self) -> None:
        """Forget what was asked about."""
        self._wish = None
        self.children = [self.answer]

    def do(self, path: str, body: Mapping[str, Any], said: str) -> None:
        """Do it without asking, and say what came of it."""
        try:
            self._client.tell(path, body)
        except ApiError as error:
            logger.info("the api: %s", error)
            self.say(error.user_message, good=False)
        else:
            self.say(said)
            self._emptied()
        self._done()

    def say(self, sentence: str, *, good: bool = True) -> None:
        """Say what came of it, or nothing."""
        kind, role = ("tng-status", "status") if good else ("tng-alert", "alert")
        self.answer.value = tag("p", sentence, class_=f"tng-answer {kind}", role=role) if sentence else ""


class PromoteForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Make another release the one that writes."""

    def __init__(self, client: ApiClient, done: Callable[[], None]) -> None:
        self._current = ""
        self.choice = widgets.Dropdown(description="Release", options=[])
        self.reason = _reason()
        self.unproven = widgets.Checkbox(False, description="Even if no evaluation proves it better", indent=False)
        self.button = widgets.Button(description="Promote…", tooltip="Ask once more, then make this release current")
        self.button.on_click(lambda _button: self.ask())
        self.confirmation = Confirmation(client, done, emptied=self._empty)
        self.nothing = widgets.HTML()
        super().__init__(_form("Promote", self))
        self.add_class("tng-form")

    @property
    def fields(self) -> Sequence[widgets.Widget]:
        """What stands in the form."""
        return self.choice, self.reason, self.unproven, self.button

    def show(self, seen: ReleasesView) -> None:
        """Offer the releases that are not current. What was chosen stays chosen."""
        self._current = seen.current.to_id if seen.current else ""
        others = [card for card in seen.releases if not card.is_current]
        choose(self.choice, [(_in_words(card), card.id) for card in sorted(others, key=_promising)])
        self.button.disabled = not others or not self._current
        self.nothing.value = "" if others else hint(NO_OTHER)

    def ask(self) -> None:
        """Ask once more."""
        release, reason = str(self.choice.value or ""), self.reason.value.strip()
        if not release or not reason:
            self.confirmation.drop()
            self.confirmation.say(NO_OTHER if not release else NO_REASON, good=False)
            return
        unproven = bool(self.unproven.value)
        body = {"release": release, "reason": reason, "expected": self._current, "unproven": unproven}
        how = " No evaluation is asked for." if unproven else ""
        self.confirmation.ask(
            what_happens(self._current, release, reason, how),
            "operator/releases/promote",
            body,
            yes=f"Promote {release}",
            said=f"{release} writes from the next script on.",
        )

    def _empty(self) -> None:
        """A reason, and a word of the operator, are for one promotion."""
        self.reason.value, self.unproven.value = "", False


class RollBackForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Make a release current again that was current before."""

    def __init__(self, client: ApiClient, done: Callable[[], None]) -> None:
        self._current, self._way_back = "", ""
        self.choice = widgets.Dropdown(description="Back to", options=[])
        self.reason = _reason()
        self.button = widgets.Button(description="Roll back…", tooltip="Ask once more, then go back to this release")
        self.button.on_click(lambda _button: self.ask())
        self.confirmation = Confirmation(client, done, emptied=self._empty)
        self.nothing = widgets.HTML()
        super().__init__(_form("Roll back", self))
        self.add_class("tng-form")

    @property
    def fields(self) -> Sequence[widgets.Widget]:
        """What stands in the form."""
        return self.choice, self.reason, self.button

    def show(self, seen: ReleasesView) -> None:
        """Offer the releases that were current, the one before first."""
        self._current = seen.current.to_id if seen.current else ""
        self._way_back = seen.way_back or ""
        earlier = list(dict.fromkeys(row.to_id for row in seen.history if row.to_id != self._current))
        others = [(name, name) for name in earlier if name != self._way_back]
        before = [(f"{self._way_back}, the one before", self._way_back)] if self._way_back else []
        choose(self.choice, before + others)
        self.button.disabled = not (before or others)
        self.nothing.value = "" if before or others else hint(NO_WAY_BACK)

    def ask(self) -> None:
        """Ask once more."""
        release, reason = str(self.choice.value or ""), self.reason.value.strip()
        if not release or not reason:
            self.confirmation.drop()
            self.confirmation.say(NO_WAY_BACK if not release else NO_REASON, good=False)
            return
        self.confirmation.ask(
            what_happens(self._current, release, reason),
            "operator/releases/rollback",
            {"reason": reason, "expected": self._current, "to": release},
            yes=f"Roll back to {release}",
            said=f"{release} writes from the next script on.",
        )

    def _empty(self) -> None:
        """A reason is for one rollback."""
        self.reason.value = ""


def what_happens(current: str, release: str, reason: str, more: str = "") -> Html:
    """The sentence that is confirmed."""
    return joined([tag("b", f"{current} → {release}"), f" from the next script on.{more} Reason: “{reason}”"])


def choose(choice: Any, options: Sequence[tuple[str, Any]]) -> None:
    """Offer these in a drop-down, and keep what was chosen where it is still offered; else the first is chosen."""
    if list(choice.options) == list(options):
        return
    chosen, values = choice.value, [value for _, value in options]
    choice.options = list(options)
    if values:
        choice.value = chosen if chosen in values else values[0]


def _reason() -> widgets.Text:
    return widgets.Text(description="Reason", placeholder=REASON_PLACEHOLDER)


def _form(title: str, form: Any) -> list[widgets.Widget]:
    return [widgets.HTML(tag("h2", title)), form.nothing, *form.fields, form.confirmation]


def _promising(card: ShelfCard) -> tuple[bool, bool, str]:
    """Proven ones first, then those that passed once."""
    return (not card.is_proven, card.verdict is not True, card.id)


def _in_words(card: ShelfCard) -> str:
    if card.is_proven:
        return f"{card.id}: passed, better than the current one"
    if card.verdict is None:
        return f"{card.id}: never evaluated"
    return f"{card.id}: {'passed against another release' if card.verdict else 'not passed'}"
