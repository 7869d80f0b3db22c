"""The form in which a script is ordered. It checks nothing: what it says goes to the api, and the api answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any

import ipywidgets as widgets

from tng.dashboard.client import LengthChoice, Offer, Player
from tng.dashboard.markup import tag
from tng.script import LOGLINE_CHARACTERS, SEED_LIMIT, TITLE_CHARACTERS, Length, Tone

PROMISE = "Paid and not delivered means refunded, without asking."
ORDER = "Order & pay"
HEADING = "Your episode"
LENGTHS = {Length.TEASER: "Teaser", Length.SHORT: "Short", Length.EPISODE: "Full episode"}


class ComposeForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Title, logline, cast, tone, length, seed, and the button with its price.

    Who can be cast comes with the offer; until then there is nobody. ``cast`` is cue → box. ``request_key`` names the
    draft: it stays while nothing in the form changes, so that a second click orders once.
    """

    def __init__(self, order: Callable[[], None]) -> None:
        self._order = order
        self.request_key = ""
        self.title = widgets.Text(description="Title", placeholder="The Quiet Hours")
        self.logline = widgets.Textarea(
            description="Logline", placeholder="What happens, in a sentence or two. You may leave it to fate.", rows=3
        )
        self.cast: dict[str, widgets.Checkbox] = {}
        self.people = widgets.GridBox()
        self.heading = widgets.HTML(tag("h2", HEADING))
        self.tone = widgets.Dropdown(options=[(tone.capitalize(), tone.value) for tone in Tone], description="Tone")
        self.length = widgets.RadioButtons(
            options=[(words, x.value) for x, words in LENGTHS.items()], value=Length.SHORT.value, description="Length"
        )
        self.seed = widgets.BoundedIntText(min=0, max=SEED_LIMIT - 1, description="Seed")
        self.dice = widgets.Button(description="Roll", tooltip="Roll another seed")
        self.button = widgets.Button(
            description=ORDER, button_style="primary", tooltip="Order this script and pay for it"
        )
        self.price = widgets.HTML()
        self.closed = widgets.HTML()
        self._is_closed = False
        self.counts = widgets.HTML()
        super().__init__(self._rows())
        self._wire()
        self.roll()

    def show_offer(self, offer: Offer) -> None:
        """Say of what series a script is, who can be in it, how long it can be and what it costs.

        What was chosen stays chosen where the offer still has it.
        """
        self.heading.value = tag("h2", HEADING, " ", tag("small", f"of {offer.series}"))
        self._show_cast(offer.cast)
        self._choose(self.tone, [(tone.capitalize(), tone) for tone in offer.tones])
        self._choose(self.length, [(length_in_words(length), length.name.value) for length in offer.lengths])
        self.price.value = tag("span", offer.price, class_="tng-price")
        self._is_closed = self.button.disabled = bool(offer.closed)
        self.closed.value = tag("p", offer.closed, class_="tng-message tng-alert", role="alert") if offer.closed else ""

    @property
    def offered(self) -> tuple[widgets.Widget, ...]:
        """The parts that an offer changes."""
        return self.heading, self.people, self.tone, self.length, self.price, self.closed, self.button

    def _show_cast(self, cast: Iterable[Player]) -> None:
        boxes = {who.cue: self.cast.get(who.cue) or self._box(who) for who in cast}
        if boxes != self.cast:
            self.cast = boxes
            self.people.children = list(boxes.values())
            self._changed()

    def _box(self, who: Player) -> widgets.Checkbox:
        box = widgets.Checkbox(who.lead, description=who.name, indent=False)
        box.observe(self._changed, "value")
        return box

    def _choose(self, choice: Any, options: list[tuple[str, str]]) -> None:
        """Offer these, and keep what was chosen."""
        if list(choice.options) != options:
            chosen = choice.value
            choice.options = options
            if chosen in (value for _, value in options):
                choice.value = chosen

    @property
    def wish(self) -> dict[str, Any]:
        """What the form says, as the api takes it."""
        return {
            "title": self.title.value,
            "logline": self.logline.value,
            "cast": [name for name, box in self.cast.items() if box.value],
            "tone": self.tone.value,
            "length": self.length.value,
            "seed": self.seed.value,
        }

    def roll(self) -> None:
        """Choose another seed."""
        self.seed.value = secrets.randbelow(SEED_LIMIT)

    def busy(self, placing: bool) -> None:
        """While an order is being placed the button rests; and while none is taken."""
        self.button.disabled = placing or self._is_closed
        self.button.description = "One moment…" if placing else ORDER

    def _rows(self) -> list[widgets.Widget]:
        self.people.add_class("tng-cast")
        seed = widgets.HBox([self.seed, self.dice])
        pay = widgets.HBox([self.button, self.price])
        for part, name in ((seed, "tng-seed"), (pay, "tng-pay"), (self.button, "tng-primary")):
            part.add_class(name)
        self.title.add_class("tng-title-field")
        self.add_class("tng-form")
        return [
            self.heading,
            self.closed,
            self.title,
            self.logline,
            self.counts,
            widgets.HTML(tag("p", "Cast", class_="tng-legend", id="tng-cast-legend")),
            self.people,
            self.tone,
            self.length,
            seed,
            widgets.HTML(tag("p", "The same words and the same seed give the same script.", class_="tng-hint")),
            pay,
            widgets.HTML(tag("p", PROMISE, class_="tng-promise")),
        ]

    def _wire(self) -> None:
        self.dice.on_click(lambda _button: self.roll())
        self.button.on_click(lambda _button: self._order())
        for part in (self.title, self.logline, self.tone, self.length, self.seed):
            part.observe(self._changed, "value")
        self._changed()

    def _changed(self, _change: object = None) -> None:
        self.request_key = secrets.token_hex(16)
        title, logline = len(self.title.value), len(self.logline.value)
        self.counts.value = tag(
            "p", f"Title {title} of {TITLE_CHARACTERS}, logline {logline} of {LOGLINE_CHARACTERS}", class_="tng-hint"
        )


def length_in_words(length: LengthChoice) -> str:
    """What a length is called, how much it is, and how long it takes to write."""
    scenes, pages = _counted(length.scenes, "scene"), _counted(length.pages, "page")
    return f"{LENGTHS[length.name]}, about {scenes}, {pages}, written in {time_in_words(length.seconds)}"


def time_in_words(seconds: int) -> str:
    """About how long that is."""
    if seconds < 45:
        return f"about {max(round(seconds / 5) * 5, 5)} seconds"
    minutes = max(round(seconds / 60), 1)
    return "about a minute" if minutes == 1 else f"about {minutes} minutes"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
