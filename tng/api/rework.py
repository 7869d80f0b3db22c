"""The routes by which a customer reworks a delivered script: lines, names, takes, and back to an edition before."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from tng.api.shared import REFUSALS, TheCaller, TheShop, TheShow, refuses
from tng.api.views import Text
from tng.editions import Why
from tng.errors import IllegalMove

MOST = 2**31 - 1
"""The greatest whole number that a database's column takes."""

Number = Annotated[int, Path(ge=0, le=MOST)]
Seen = Annotated[int, Field(ge=0, le=MOST, description="the edition that the page showed; 0 is the original")]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    seen: Seen


class LineRequest(_Request):
    """Other words for a line."""

    scene: int = Field(ge=1, le=MOST, description="1 is the first of the script")
    block: int = Field(ge=-1, le=MOST, description="0 is the scene's first line; -1 its heading")
    text: Text = Field(description="one line; empty takes it out, unless it is a speech or a heading")


class RenameRequest(_Request):
    """Another name for a guest."""

    old: Text
    new: Text


class TakeRequest(_Request):
    """Which take is to stand; 0 is the scene of the original."""

    take: int = Field(ge=0, le=MOST)


class BackRequest(_Request):
    """Which edition the page showed."""


class EditionView(BaseModel):
    """An edition, without its text."""

    number: int
    why: Why
    made_at: datetime


class TakeView(BaseModel):
    """A scene that was written again, in the compact form."""

    scene: int
    number: int
    text: str
    release_id: str
    made_at: datetime


class DesktopView(BaseModel):
    """What there is to rework."""

    edition: int = Field(description="the one that is shown and taken along; 0 is the original")
    editions: list[EditionView]
    takes: list[TakeView]


class ChosenView(BaseModel):
    """The edition that stands now."""

    edition: int


class EditionTextView(BaseModel):
    """An edition in the compact form of ``tng.script``."""

    number: int
    script_text: str


def rework_routes() -> APIRouter:
    """Editions and takes of an order."""
    router, one = APIRouter(tags=["rework"]), "/orders/{order_id}"
    known = refuses(REFUSALS)
    router.add_api_route(f"{one}/editions", editions, methods=["GET"], responses=known)
    early = refuses(REFUSALS | {409: "there is no script yet"})
    router.add_api_route(f"{one}/editions/{{number}}", edition, methods=["GET"], responses=early)
    changes = refuses(REFUSALS | {409: "another page was quicker, or it is not ready", 422: "it cannot be so, and why"})
    router.add_api_route(f"{one}/editions/{{number}}/choose", choose, methods=["POST"], responses=changes)
    router.add_api_route(f"{one}/lines", change_line, methods=["POST"], responses=changes)
    router.add_api_route(f"{one}/rename", rename, methods=["POST"], responses=changes)
    router.add_api_route(f"{one}/scenes/{{number}}/take", take, methods=["POST"], responses=changes)
    return router


def editions(order_id: str, caller: TheCaller, shop: TheShop) -> DesktopView:
    """The editions and takes of an order."""
    there = shop.rework.desktop(order_id, caller.name)
    return DesktopView(
        edition=there.edition,
        editions=[EditionView(number=one.number, why=one.why, made_at=one.made_at) for one in there.editions],
        takes=[
            TakeView(scene=t.scene, number=t.number, text=t.text, release_id=t.release_id, made_at=t.made_at)
            for t in there.takes
        ],
    )


def edition(order_id: str, number: Number, caller: TheCaller, shop: TheShop) -> EditionTextView:
    """The script of an edition; 0 is the original."""
    order, _ = shop.shelving.kept(order_id, caller.name)
    text = shop.rework.text_of(order, number)
    if text is None:
        raise IllegalMove(f"order {order_id} is {order.state}: there is no script to read")
    return EditionTextView(number=number, script_text=text)


def choose(order_id: str, number: Number, caller: TheCaller, shop: TheShop, back: BackRequest) -> ChosenView:
    """Go back to an edition: its text becomes the newest one."""
    return ChosenView(edition=shop.rework.choose_edition(order_id, caller.name, number, back.seen))


def change_line(order_id: str, caller: TheCaller, shop: TheShop, line: LineRequest) -> ChosenView:
    """Put other words in a line."""
    made = shop.rework.edit_line(order_id, caller.name, line.scene, line.block, line.text, line.seen)
    return ChosenView(edition=made)


def rename(order_id: str, caller: TheCaller, shop: TheShop, show: TheShow, name: RenameRequest) -> ChosenView:
    """Call a guest something else, everywhere."""
    cues = tuple({*show.cues, *show.always_aboard})
    made = shop.rework.rename_guest(order_id, caller.name, name.old, name.new, name.seen, cues=cues)
    return ChosenView(edition=made)


def take(order_id: str, number: Number, caller: TheCaller, shop: TheShop, chosen: TakeRequest) -> ChosenView:
    """Put a take of a scene in its place."""
    return ChosenView(edition=shop.rework.choose_take(order_id, caller.name, number, chosen.take, chosen.seen))
