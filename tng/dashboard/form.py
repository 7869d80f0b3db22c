"""The form in which a script is ordered. It decides nothing: what it says goes to the api, and the api answers.

What the api would refuse is said beside its field while it is typed, by the api's own rules (``compose_checks``).
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from tng.dashboard.client import Offer, Preset, Suggestion
from tng.dashboard.compose_checks import faults
from tng.dashboard.compose_draft import Draft, Part
from tng.dashboard.compose_widgets import Choices, Control, Finer, TextField
from tng.dashboard.compose_words import OWN_RELEASE, lengths, plain_lengths, portraits, presets, tones
from tng.dashboard.markup import tag
from tng.script import GUEST_CHARACTERS, LOGLINE_CHARACTERS, MOST_GUESTS, SEED_LIMIT, TITLE_CHARACTERS, Length, Tone

PROMISE = "Paid and not delivered means refunded, without asking."
ORDER = "Order & pay"
HEADING = "Your episode"
CAST_HELP = "Who must speak: two people or more."
GUEST_HELP = "A stranger in the story, if you like."
QUIET_UNTIL_PRESSED = ("title",)
"""Fields of which nothing is said while they are merely empty: nobody is told off for what they have not begun."""


class ComposeForm(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Title, logline, cast, guests, tone, manner, length, a fold for more, and the button with its price.

    Who can be cast comes with the offer; until then there is nobody. ``request_key`` names the draft: it stays while
    nothing in the form changes, so that a second click orders once. ``draft`` is what the form holds, as a plain dict.
    """

    def __init__(self, order: Callable[[], None]) -> None:
        self._order = order
        self._is_closed, self._was_pressed, self._is_filling = False, False, False
        self._presets: tuple[Preset, ...] = (OWN_RELEASE,)
        self._ideas: tuple[Suggestion, ...] = ()
        self._coming: list[Suggestion] = []
        self._own: dict[str, Any] | None = None
        self._filled = ("", "")
        self._listeners: list[Callable[[], None]] = []
        self.request_key = ""
        self._make_parts()
        self._make_frame()
        super().__init__(self._rows())
        self._wire()
        self.roll()

    def show_offer(self, offer: Offer) -> None:
        """Say of what series a script is, who can be in it, how long it can be and what it costs.

        What was chosen stays chosen where the offer still has it.
        """
        self.heading.value = tag("h2", HEADING, " ", tag("small", f"of {offer.series}"))
        self._presets, self._ideas = offer.presets or (OWN_RELEASE,), offer.ideas
        self.cast.offer(portraits(offer.cast), [who.cue for who in offer.cast if who.lead])
        self.tone.offer(tones(offer.tones))
        self.manner.offer(presets(self._presets), [p.name for p in self._presets if p.temperature is None])
        self.length.offer(lengths(offer), [Length.SHORT.value])
        self.title.limit, self.logline.limit = offer.title_characters, offer.logline_characters
        self.finer.coolest, self.finer.hottest = offer.coolest, offer.hottest
        self.finer.seed_below = offer.seed_below
        self.price.value = tag("span", offer.price, class_="tng-price")
        self.surprise.layout.display = None if offer.ideas else "none"
        self._is_closed = self.button.disabled = bool(offer.closed)
        self.closed.value = tag("p", offer.closed, class_="tng-message tng-alert", role="alert") if offer.closed else ""

    @property
    def offered(self) -> tuple[widgets.Widget, ...]:
        """The parts that an offer changes."""
        choices = (self.cast, self.tone, self.manner, self.length)
        return self.heading, *choices, self.finer, self.price, self.closed, self.button, self.surprise.layout

    @property
    def wish(self) -> dict[str, Any]:
        """What the form says, as the api takes it."""
        return {
            "title": self.title.value,
            "logline": self.logline.value,
            "cast": list(self.cast.chosen),
            "tone": self.tone.value,
            "length": self.length.value,
            "seed": self.finer.seed,
            "guests": [guest.value for guest in self.guests if guest.value.strip()],
            "temperature": self.temperature,
        }

    @property
    def temperature(self) -> float | None:
        """One's own, else the preset's; None leaves it to the release."""
        chosen = next((preset.temperature for preset in self._presets if preset.name == self.manner.value), None)
        return chosen if self.finer.temperature is None else float(self.finer.temperature)

    @property
    def draft(self) -> dict[str, Any]:
        """What the form holds, as JSON has it; give it back after a reload. Whatever is no draft changes nothing."""
        return Draft(
            title=self.title.value,
            logline=self.logline.value,
            cast=list(self.cast.chosen),
            guests=[guest.value for guest in self.guests],
            tone=self.tone.value,
            preset=self.manner.value,
            length=self.length.value,
            seed=self.finer.seed,
            temperature=self.finer.temperature,
        ).plain()

    @draft.setter
    def draft(self, kept: object) -> None:
        """Fill in what was kept; a part that is not to be believed stays as it is."""
        draft = Draft.read(kept)
        strangers = zip(self.guests, draft.guests or (), strict=False)
        texts = ((self.title, draft.title), (self.logline, draft.logline), *strangers)
        choices = ((self.tone, draft.tone), (self.manner, draft.preset), (self.length, draft.length))
        for field, text in texts:
            field.value = field.value if text is None else text
        for choice, value in choices:
            choice.value = choice.value if value is None else value
        if draft.cast is not None:
            self.cast.choose(draft.cast)
        if draft.seed is not None:
            self.finer.seed = draft.seed
        if isinstance(kept, dict) and "temperature" in kept:
            self.finer.temperature = draft.temperature

    @property
    def parts(self) -> dict[str, Part]:
        """Part of the draft → where a browser finds it, without asking here."""
        choices = {"tone": self.tone, "preset": self.manner, "length": self.length}
        return {
            "title": Part((self.title,), "value"),
            "logline": Part((self.logline,), "value"),
            "guests": Part(self.guests, "value", many=True),
            "cast": Part((self.cast,), "chosen", many=True),
            **{name: Part((choice,), "chosen") for name, choice in choices.items()},
            "seed": Part((self.finer,), "seed"),
            "temperature": Part((self.finer,), "temperature"),
        }

    def resume(self, kept: object) -> None:
        """Fill in what was kept, and say so; but not over the words that a person has written meanwhile."""
        if Draft.read(self.draft).has_words:
            return
        self._fill(kept)
        if Draft.read(kept).has_words:
            self._tell("Here is what you had begun.")

    def on_change(self, act: Callable[[], None]) -> None:
        """Call ``act`` after every change of what the form holds."""
        self._listeners.append(act)

    def roll(self) -> None:
        """Choose another seed."""
        self.finer.seed = secrets.randbelow(SEED_LIMIT)

    def busy(self, placing: bool) -> None:
        """While an order is being placed the button rests; and while none is taken."""
        self.button.disabled = placing or self._is_closed
        self.button.description = "One moment…" if placing else ORDER

    def surprise_me(self) -> None:
        """Fill in one of the show's own ideas, each once before one comes again. What was there can be put back."""
        if not self._ideas:
            return
        words = (self.title.value, self.logline.value)
        if any(words) and words != self._filled:  # a person's own
            self._own = self.draft
        if not self._coming:
            self._coming = random.sample(self._ideas, len(self._ideas))  # nobody gains by guessing it
        idea = self._coming.pop()
        self._filled = (idea.title, idea.logline)
        self._fill({"title": idea.title, "logline": idea.logline, "cast": list(idea.cast), "tone": idea.tone})
        self._tell(f"Filled in: {idea.title}.")

    def put_back(self) -> None:
        """What a person had before they asked for a surprise."""
        if self._own:
            own, self._own = self._own, None
            self._fill(own)
            self._tell("There it is again.")

    def _tell(self, sentence: str) -> None:
        self.told.value = tag("p", sentence, class_="tng-hint", role="status")

    def _fill(self, draft: object) -> None:
        self._is_filling = True
        try:
            self.draft = draft
        finally:
            self._is_filling = False
        self._changed()

    # --- how it is made ----------------------------------------------------------------------------------------

    def _make_parts(self) -> None:
        self.title = TextField(label="Title", placeholder="The Quiet Hours", limit=TITLE_CHARACTERS)
        self.logline = TextField(
            label="Logline",
            placeholder="What happens, in a sentence or two. You may leave it to fate.",
            rows=3,
            limit=LOGLINE_CHARACTERS,
        )
        self.cast = Choices(legend="Cast", look="portraits", many=True, help=CAST_HELP)
        self.guests = tuple(
            TextField(label=f"Guest {n}" if n > 1 else "Guest", limit=GUEST_CHARACTERS, help=GUEST_HELP * (n == 1))
            for n in range(1, MOST_GUESTS + 1)
        )
        self.tone = Choices(legend="Tone", options=tones(Tone), chosen=[Tone.ADVENTURE.value])
        self.manner = Choices(legend="Manner", options=presets(self._presets), chosen=[OWN_RELEASE.name])
        self.length = Choices(legend="Length", look="cards", options=plain_lengths(), chosen=[Length.SHORT.value])
        self.finer = Finer(seed_below=SEED_LIMIT, preset=OWN_RELEASE.name)

    def _make_frame(self) -> None:
        self.heading = widgets.HTML(tag("h2", HEADING))
        self.closed, self.price, self.missing, self.told = (widgets.HTML() for _ in range(4))
        self.surprise = widgets.Button(description="Surprise me", tooltip="Fill in an idea of ours")
        self.back = widgets.Button(description="Put back what I had", tooltip="As it was before the surprise")
        self.surprise.layout.display = self.back.layout.display = "none"
        self.button = widgets.Button(
            description=ORDER, button_style="primary", tooltip="Order this script and pay for it"
        )

    def _rows(self) -> list[widgets.Widget]:
        """What the story is, and beside it what it costs; on a narrow page one below the other."""
        ideas = widgets.HBox([self.told, self.back, self.surprise])
        head, strangers = widgets.HBox([self.heading, ideas]), widgets.HBox(self.guests)
        promise = widgets.HTML(tag("p", PROMISE, class_="tng-promise"))
        pay = widgets.HBox([self.missing, self.price, self.button, promise])
        story = widgets.VBox([head, self.title, self.logline, self.cast, strangers, self.manner, self.finer])
        bill = widgets.VBox([self.tone, self.length, pay])
        body = widgets.Box([story, bill])
        named = {
            "tng-head": head, "tng-ideas": ideas, "tng-guests": strangers, "tng-story": story, "tng-bill": bill,
            "tng-both": body, "tng-pay": pay, "tng-primary": self.button, "tng-title-field": self.title,
            "tng-cast": self.cast, "tng-compose": self, "tng-form": self,
        }  # fmt: skip
        for name, part in named.items():
            part.add_class(name)
        return [self.closed, body]

    # --- what happens in it ------------------------------------------------------------------------------------

    @property
    def _controls(self) -> dict[str, Control]:
        """Field of the premise → where it is asked for."""
        stranger = next((guest for guest in self.guests if guest.fault), self.guests[0])
        texts = {"title": self.title, "logline": self.logline, "cast": self.cast, "guests": stranger}
        return {**texts, "tone": self.tone, "length": self.length, "seed": self.finer}

    def _wire(self) -> None:
        self.button.on_click(lambda _button: self._press())
        self.surprise.on_click(lambda _button: self.surprise_me())
        self.back.on_click(lambda _button: self.put_back())
        for field in (self.title, self.logline, *self.guests):
            field.observe(self._changed, "value")
        for choice in (self.cast, self.tone, self.manner, self.length):
            choice.observe(self._changed, "chosen")
        self.finer.observe(self._changed, ["seed", "temperature"])
        self._changed()

    def _changed(self, _change: object = None) -> None:
        if self._is_filling:
            return
        self.request_key = secrets.token_hex(16)
        self.finer.preset = self.manner.value
        self.back.layout.display = None if self._own else "none"
        self._hint()
        for act in self._listeners:
            act()

    def _hint(self) -> dict[str, str]:
        """Say beside each field what is wrong with it; whatever is wrong with any comes back."""
        found = faults(self.wish, self.cast.values)
        self._hint_of_guests(found.get("guests", ""))
        for name, control in self._controls.items():
            if name == "guests":
                continue
            is_quiet = name in QUIET_UNTIL_PRESSED and not self._was_pressed and not self.title.value
            control.fault = "" if is_quiet else found.get(name, "")
        if not found:
            self.missing.value = ""
        return found

    def _hint_of_guests(self, sentence: str) -> None:
        """Beside the one that is wrong by itself; beside the last where they do not go together."""
        alone = [faults({"guests": [guest.value]}, self.cast.values).get("guests", "") for guest in self.guests]
        alone = [said if guest.value.strip() else "" for said, guest in zip(alone, self.guests, strict=True)]
        if sentence and not any(alone):
            alone[-1] = sentence
        for guest, said in zip(self.guests, alone, strict=True):
            guest.fault = said

    def _press(self) -> None:
        """Order; or say what is missing, and go there."""
        self._was_pressed = True
        found = self._hint()
        if not found:
            self._order()
            return
        name, sentence = next(iter(found.items()))
        self.missing.value = tag("p", sentence, class_="tng-fault")
        if name in self._controls:
            self._controls[name].focus()


__all__ = ["HEADING", "ORDER", "PROMISE", "ComposeForm"]
