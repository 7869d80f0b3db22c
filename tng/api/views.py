"""What the api says and is told, as JSON. An order leaves it without its owner, its keys at Stripe or its run."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tng.export.formats import FORMATS
from tng.library.shelf import can_be_shared
from tng.orders import Order, OrderState
from tng.payments import Price
from tng.script import (
    COOLEST,
    FEWEST_CAST,
    HOTTEST,
    LOGLINE_CHARACTERS,
    MOST_GUESTS,
    SEED_LIMIT,
    TITLE_CHARACTERS,
    Length,
    Tone,
)
from tng.standing import Standing, Turn

GENEROUS_CHARACTERS = 20_000
"""Beyond this a text is refused unread; below it the premise's own rules say how long it is and how long it may be."""

Text = Annotated[str, Field(max_length=GENEROUS_CHARACTERS)]


class Refusal(BaseModel):
    """Every answer that is not what was asked for."""

    error: str = Field(description="the class of the error")
    message: str = Field(description="one sentence for the person in front of the page")


class PremiseRequest(BaseModel):
    """What a customer asks for. Any other field is refused: a price, an owner or a payment is not the page's to say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Text = Field(description=f"1 to {TITLE_CHARACTERS} characters")
    logline: Text = Field("", description=f"at most {LOGLINE_CHARACTERS} characters")
    cast: list[Text] = Field(description=f"at least {FEWEST_CAST} names of the offer's cast", max_length=200)
    tone: Text = Field(description="a tone of the offer")
    length: Text = Field(description="a length of the offer")
    seed: int = Field(description=f"0 to {SEED_LIMIT - 1}; the same premise and seed give the same script")
    guests: list[Text] = Field(
        default=[], description=f"names of strangers in the story, {MOST_GUESTS} at most", max_length=20
    )
    temperature: float | None = Field(
        default=None, description=f"{COOLEST} to {HOTTEST}: how boldly it is written; null leaves it to the release"
    )


class PremiseView(BaseModel):
    """The premise of an order, as it was understood."""

    title: str
    logline: str
    cast: list[str]
    tone: Tone
    length: Length
    seed: int
    guests: list[str] = []
    temperature: float | None = None


class PriceView(BaseModel):
    """An amount of money."""

    amount_cents: int
    currency: str
    text: str = Field(description="for people: 2.99 USD")


class QueueView(BaseModel):
    """Where a paid order stands among those that wait; nothing of the others."""

    place: int = Field(description="1 is next; scripts that are being written count")
    estimate_seconds: float | None = Field(description="about, until it is written; null where nobody knows")


class OrderView(BaseModel):
    """An order as its owner sees it."""

    id: str
    state: OrderState
    title: str = Field(description="what its owner calls it: the premise's title, until they say otherwise")
    premise: PremiseView
    price: PriceView
    paid: PriceView | None = Field(description="what was charged: less than the price with a promotion code; or null")
    placed_at: datetime
    paid_at: datetime | None
    delivered_at: datetime | None
    checkout_url: str | None = Field(description="where to pay; only while the order waits for it")
    release_id: str | None = Field(description="the model that wrote the script")
    provenance: dict[str, Any] | None = Field(description="how the script came about; null where the run did not say")
    downloads: dict[str, str] = Field(description="format → path; of a delivered script, or of the part that is kept")
    is_part: bool = Field(description="its customer stopped the writing: the script is what stood then")
    cancelled: bool = Field(description="its customer ended it, not time or a failure; not told in a list")
    queue: QueueView | None = Field(description="only while it waits for a worker")
    receipt: str | None = Field(description="path of the receipt; once it is paid")
    binned_at: datetime | None = Field(description="when it was thrown away; null where it does not lie in the bin")
    shared_at: datetime | None = Field(description="when the link was made by which anybody can read it; or null")


class WholeOrderView(OrderView):
    """An order with its script, or the part that is kept, in the compact form of ``tng.script``."""

    script_text: str | None = Field(description="the chosen edition, which is the last one")
    edition: int = Field(description="its number: how often the script was changed; 0 is the original")


class TitleRequest(BaseModel):
    """What its owner calls an order."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Text = Field(description=f"1 to {TITLE_CHARACTERS} characters")


class ShareView(BaseModel):
    """The link by which anybody can read a script. It is told once, and can be made anew."""

    url: str


class OrdersView(BaseModel):
    """The caller's orders, the newest first."""

    orders: list[OrderView]


class CallerView(BaseModel):
    """Who is calling. ``csrf`` goes into the header X-CSRF-Token of a browser's writes."""

    name: str
    csrf: str | None


class HealthView(BaseModel):
    """The service is up."""

    ok: Literal[True] = True


def price_view(price: Price) -> PriceView:
    """The price as it is shown."""
    return PriceView(amount_cents=price.amount_cents, currency=price.currency, text=str(price))


def queue_view(turn: Turn | None) -> QueueView | None:
    """The turn as it is shown; seconds of seconds mean nothing."""
    if turn is None:
        return None
    seconds = turn.estimate_seconds
    return QueueView(place=turn.place, estimate_seconds=None if seconds is None else round(seconds, 1))


def order_view(order: Order, prefix: str, standing: Standing) -> OrderView:
    """The order as its owner sees it in a list."""
    shelved = standing.shelved
    is_binned = shelved.hides(order)
    return OrderView(
        id=order.id,
        state=order.state,
        title=shelved.title_of(order),
        premise=PremiseView.model_validate(order.premise.to_fields()),
        price=price_view(Price(order.amount_cents, order.currency)),
        paid=None if order.paid_cents is None else price_view(Price(order.paid_cents, order.currency)),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        delivered_at=order.delivered_at,
        checkout_url=order.checkout_url if order.state is OrderState.PLACED else None,
        release_id=order.release_id,
        provenance=dict(order.provenance) if order.provenance else None,
        downloads={} if is_binned else _downloads(order, prefix),
        is_part=order.is_part,
        cancelled=standing.cancelled,
        queue=queue_view(standing.turn),
        receipt=None if order.paid_at is None else f"{prefix}/orders/{order.id}/receipt",
        binned_at=shelved.binned_at if is_binned else None,
        shared_at=shelved.shared_at if can_be_shared(order) else None,
    )


def whole_order_view(order: Order, prefix: str, standing: Standing, chosen: tuple[int, str | None]) -> WholeOrderView:
    """The order as its owner sees it when it is opened, with the number and the text of its chosen edition."""
    edition, text = chosen
    script_text = None if standing.shelved.hides(order) else text
    return WholeOrderView(**order_view(order, prefix, standing).model_dump(), script_text=script_text, edition=edition)


def _downloads(order: Order, prefix: str) -> dict[str, str]:
    if not order.is_readable:
        return {}
    return {ending: f"{prefix}/orders/{order.id}/script.{ending}" for ending in FORMATS}
