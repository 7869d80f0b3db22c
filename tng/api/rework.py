"""The routes by which a customer reworks a delivered script: lines, names, takes, and back to an edition before."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from tng.api.shared import REFUSALS, TheCaller, TheShop, TheShow, refuses
from tng.api.views import Text
from tng.errors import IllegalMove
from tng.library.editions import MOST_TAKES, Why
from tng.library.reworking import Desktop
from tng.library.takes import FAILED, TakeJob
from tng.shows import Show

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


class AgainRequest(_Request):
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
    is_another_release: bool = Field(description="not the one that wrote the script: that was not there any more")
    made_at: datetime


class PendingView(BaseModel):
    """A take that is under way."""

    scene: int
    take: int
    is_running: bool = Field(description="it is being written; before that it waits for a worker")


class FailedView(BaseModel):
    """A take that could not be written, and can be asked for again."""

    scene: int
    take: int
    message: str


class StandsView(BaseModel):
    """Which take of a scene is in the chosen edition."""

    scene: int
    take: int | None = Field(description="0 is the scene of the original; null where a line of it was changed by hand")


class DesktopView(BaseModel):
    """What there is to rework."""

    edition: int = Field(description="the one that is shown and taken along; 0 is the original")
    editions: list[EditionView]
    takes: list[TakeView]
    pending: PendingView | None = Field(description="it is chosen as soon as it is written")
    failed: FailedView | None = Field(description="the take that was asked for last, where it came to nothing")
    stands: list[StandsView] = Field(description="for every scene that has takes")
    most_takes: int = Field(description="how often a scene can be written again")
    guests: list[str] = Field(description="who speaks and can be called something else")


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
    wait = refuses(REFUSALS | {409: "another page was quicker, or a take is under way", 422: "no take is left, or why"})
    router.add_api_route(f"{one}/scenes/{{number}}/again", again, methods=["POST"], status_code=202, responses=wait)
    return router


def editions(order_id: str, caller: TheCaller, shop: TheShop, show: TheShow) -> DesktopView:
    """The editions and takes of an order, and what became of the take that was asked for last."""
    return _view(shop.rework.desktop(order_id, caller.name, _cues(show)))


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
    made = shop.rework.rename_guest(order_id, caller.name, name.old, name.new, name.seen, cues=_cues(show))
    return ChosenView(edition=made)


def take(order_id: str, number: Number, caller: TheCaller, shop: TheShop, chosen: TakeRequest) -> ChosenView:
    """Put a take of a scene in its place."""
    return ChosenView(edition=shop.rework.choose_take(order_id, caller.name, number, chosen.take, chosen.seen))


def again(order_id: str, number: Number, caller: TheCaller, shop: TheShop, asked: AgainRequest) -> PendingView:
    """Have a scene written again. Three times a scene; one is under way at a time, and asked again it is the same."""
    return _pending(shop.rework.write_again(order_id, caller.name, number, asked.seen))


def _cues(show: Show) -> tuple[str, ...]:
    """Those who cannot be called something else."""
    return tuple({*show.cues, *show.always_aboard})


def _view(there: Desktop) -> DesktopView:
    gone = there.failed
    return DesktopView(
        edition=there.edition,
        editions=[EditionView(number=one.number, why=one.why, made_at=one.made_at) for one in there.editions],
        takes=[
            TakeView(
                scene=one.scene,
                number=one.number,
                text=one.text,
                release_id=one.release_id,
                is_another_release=one.release_id != there.release_id,
                made_at=one.made_at,
            )
            for one in there.takes
        ],
        pending=_pending(there.pending) if there.pending else None,
        failed=FailedView(scene=gone.scene, take=gone.number, message=FAILED) if gone else None,
        stands=[StandsView(scene=scene, take=one) for scene, one in sorted(there.stands.items())],
        most_takes=MOST_TAKES,
        guests=list(there.guests),
    )


def _pending(take: TakeJob) -> PendingView:
    return PendingView(scene=take.scene, take=take.number, is_running=take.is_running)
