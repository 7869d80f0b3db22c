"""The form in which a script is ordered. It checks nothing: what it says goes to the api, and the api answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from tng.dashboard.client import Offer
from tng.dashboard.markup import tag
from tng.script import CAST, LOGLINE_CHARACTERS, SEED_LIMIT, TITLE_CHARACTERS, Length, Tone

PROMISE = "Paid and not delivered means refunded, without asking."
ORDER = "Order & pay"
LEADS = ("PICARD", "RIKER", "DATA")
"""Ticked in a new form."""


class ComposeForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Title, logline, cast, tone, length, seed, and the button with its price.

    ``request_key`` names the draft: it stays while nothing in the form changes, so that a second click orders once.
    """

    def __init__(self, order: Callable[[], None]) -> None:
        self._order = order
        self.request_key = ""
        self.title = widgets.Text(description="Title", placeholder="The Quiet Hours")
        self.logline = widgets.Textarea(
            description="Logline", placeholder="What happens, in a sentence or two. You may leave it to fate.", rows=3
        )
        self.cast = {name: widgets.Checkbox(name in LEADS, description=_spoken(name), indent=False) for name in CAST}
        self.tone = widgets.Dropdown(options=[(tone.capitalize(), tone.value) for tone in Tone], description="Tone")
        self.length = widgets.RadioButtons(
            options=[(x.capitalize(), x.value) for x in Length], value=Length.SHORT.value, description="Length"
        )
        self.seed = widgets.BoundedIntText(min=0, max=SEED_LIMIT - 1, description="Seed")
        self.dice = widgets.Button(description="Roll", tooltip="Roll another seed")
        self.button = widgets.Button(
            description=ORDER, button_style="primary", tooltip="Order this script and pay for it"
        )
        self.price = widgets.HTML()
        self.counts = widgets.HTML()
        super().__init__(self._rows())
        self._wire()
        self.roll()

    def show_offer(self, offer: Offer) -> None:
        """Say what a script costs and how long it can be."""
        chosen = self.length.value
        self.length.options = [
            (f"{x.name.capitalize()}: {x.scenes} scenes, about {x.pages} pages", x.name.value) for x in offer.lengths
        ]
        self.length.value = chosen
        self.price.value = tag("span", offer.price, class_="tng-price")

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
        """While an order is being placed the button rests."""
        self.button.disabled = placing
        self.button.description = "One moment…" if placing else ORDER

    def _rows(self) -> list[widgets.Widget]:
        people = widgets.GridBox(list(self.cast.values()))
        people.add_class("tng-cast")
        seed = widgets.HBox([self.seed, self.dice])
        pay = widgets.HBox([self.button, self.price])
        for part, name in ((seed, "tng-seed"), (pay, "tng-pay"), (self.button, "tng-primary")):
            part.add_class(name)
        self.title.add_class("tng-title-field")
        self.add_class("tng-form")
        return [
            widgets.HTML(tag("h2", "Your episode")),
            self.title,
            self.logline,
            self.counts,
            widgets.HTML(tag("p", "Cast", class_="tng-legend", id="tng-cast-legend")),
            people,
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
        for part in (self.title, self.logline, self.tone, self.length, self.seed, *self.cast.values()):
            part.observe(self._changed, "value")
        self._changed()

    def _changed(self, _change: object = None) -> None:
        self.request_key = secrets.token_hex(16)
        title, logline = len(self.title.value), len(self.logline.value)
        self.counts.value = tag(
            "p", f"Title {title} of {TITLE_CHARACTERS}, logline {logline} of {LOGLINE_CHARACTERS}", class_="tng-hint"
        )


def _spoken(name: str) -> str:
    """A cue as a name: PICARD is Picard, O'BRIEN is O'Brien."""
    return "'".join(part.capitalize() for part in name.split("'"))
