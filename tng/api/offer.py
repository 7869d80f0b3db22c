"""What there is to order, as JSON: the show, its cast and colours, how long a script can be, and what it costs.

Everything here is the show's or the shop's. Texts of the show are plain: who makes a page of them escapes them.
"""

from __future__ import annotations

from math import ceil
from typing import Final

from pydantic import BaseModel, Field

from tng.api.views import PriceView, price_view
from tng.payments import Price
from tng.script import (
    COOLEST,
    FEWEST_CAST,
    GUEST_CHARACTERS,
    HOTTEST,
    LOGLINE_CHARACTERS,
    MOST_GUESTS,
    SEED_LIMIT,
    TITLE_CHARACTERS,
    Length,
    Tone,
)
from tng.shows import Beats, Show

PAGES_A_SCENE: Final = 0.8
"""Printed pages, counted over PDFs of every length: 4 scenes fill 4, 12 fill 10 or 11, 50 fill 40 or 41."""

SECONDS_A_SCENE: Final = 1.2
"""How long the writer may take on two cores: a full episode of 50 scenes within a minute."""


class ShowView(BaseModel):
    """What is sold under which name."""

    id: str
    title: str = Field(description="the series")
    product: str = Field(description="what this shop calls itself")
    disclaimer: str = Field(description="stands wherever a script is shown")
    look: dict[str, str] = Field(description="colour name → #rrggbb")


class MemberView(BaseModel):
    """Somebody who can be asked for. ``lead`` is chosen before anybody chooses."""

    cue: str = Field(description="what an order's cast holds")
    name: str = Field(description="for people")
    lead: bool


class LengthView(BaseModel):
    """How long a script can be."""

    name: Length
    scenes: int
    pages: int = Field(description="about, printed")
    seconds: int = Field(description="about, to write it")


class PresetView(BaseModel):
    """A named way to write; ``temperature`` null is the release's own."""

    name: str
    temperature: float | None
    words: str = Field(description="what to expect of it, for people")


class IdeaView(BaseModel):
    """A premise of the show's own, to begin with."""

    title: str
    logline: str
    cast: list[str]
    tone: Tone


PRESETS: Final = (
    PresetView(name="Steady", temperature=0.25, words="keeps to what it knows best"),
    PresetView(name="Lively", temperature=None, words="as the model was measured"),
    PresetView(name="Wild", temperature=0.7, words="surprises more, and stumbles more"),
)


class LimitsView(BaseModel):
    """What a premise must keep to."""

    title_characters: int = TITLE_CHARACTERS
    logline_characters: int = LOGLINE_CHARACTERS
    fewest_cast: int = FEWEST_CAST
    seed_below: int = SEED_LIMIT
    most_guests: int = MOST_GUESTS
    guest_characters: int = GUEST_CHARACTERS
    coolest: float = COOLEST
    hottest: float = HOTTEST


class OfferView(BaseModel):
    """What can be ordered, and for how much. ``demo`` says that no real money moves."""

    show: ShowView
    price: PriceView
    cast: list[MemberView]
    tones: list[Tone]
    lengths: list[LengthView]
    presets: list[PresetView]
    ideas: list[IdeaView]
    limits: LimitsView
    demo: bool
    taking_orders: bool = Field(description="whether an order placed now would be taken")
    closed: str | None = Field(description="why not, in a sentence for people")
    mails: bool = Field(description="whether whoever ordered is written to when the script is ready")


def offer_view(show: Show, price: Price, *, demo: bool, closed: str | None = None, mails: bool = False) -> OfferView:
    """What can be ordered today; ``closed`` says why nothing can be ordered now, ``mails`` that customers get some."""
    return OfferView(
        show=ShowView(
            id=show.id, title=show.title, product=show.product, disclaimer=show.disclaimer, look=dict(show.look)
        ),
        price=price_view(price),
        cast=[MemberView(cue=who.cue, name=who.names[0], lead=who.is_lead) for who in show.cast],
        tones=list(Tone),
        lengths=[_length(name, acts) for name, acts in show.lengths.items()],
        presets=list(PRESETS),
        ideas=[IdeaView(title=i.title, logline=i.logline, cast=list(i.cast), tone=i.tone) for i in show.ideas],
        limits=LimitsView(),
        demo=demo,
        taking_orders=closed is None,
        closed=closed,
        mails=mails,
    )


def _length(name: Length, acts: Beats) -> LengthView:
    """A scene a beat."""
    scenes = sum(len(beats) for beats in acts.values())
    pages, seconds = ceil(scenes * PAGES_A_SCENE), round(scenes * SECONDS_A_SCENE)
    return LengthView(name=name, scenes=scenes, pages=pages, seconds=seconds)
