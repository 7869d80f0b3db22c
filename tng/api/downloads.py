"""The script as a file: one route a format, for the owner of a delivered order, or of the part of a stopped one."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from tng.api.shared import REFUSALS, Answers, TheCaller, TheShop, TheShow, refuses
from tng.errors import IllegalMove
from tng.export.colophon import Colophon
from tng.export.formats import FORMATS, Format
from tng.orders import Order
from tng.provenance import Provenance
from tng.script import Script, parse
from tng.shows import Show

NAME_CHARACTERS: Final = 80
WhichEdition = Annotated[
    int | None, Query(ge=0, le=2**31 - 1, description="an edition; 0 is the original, and without one the chosen one")
]
_OF_ORDERS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:tng:orders")


def download_routes() -> APIRouter:
    """The script of an order, in each of the formats."""
    router = APIRouter(tags=["orders"])
    early = refuses(REFUSALS | {409: "there is no script, or no part of one"})
    for kind in FORMATS.values():
        file: Answers = {200: {"content": {kind.media_type.split(";")[0]: {}}, "description": "the script"}}
        router.add_api_route(
            f"/orders/{{order_id}}/script.{kind.ending}",
            _download(kind),
            methods=["GET"],
            name=f"script_as_{kind.ending}",
            summary=f"The script as .{kind.ending}",
            response_class=Response,
            responses=file | early,
        )
    return router


def colophon_of(order: Order, show: Show) -> Colophon:
    """What the files of an order say of themselves; the same however often they are made."""
    told = Provenance.read(order.provenance)
    return Colophon(
        product=show.product,
        disclaimer=show.disclaimer,
        identifier=uuid.uuid5(_OF_ORDERS, order.id).urn,
        written_at=order.delivered_at or order.placed_at,
        release_id=order.release_id or "",
        seed=order.premise.seed,
        provenance=" ".join(sentence for sentence in (told.how_far, told.copied) if sentence),
    )


def content_disposition(title: str, ending: str) -> str:
    """An attachment's name by RFC 6266: plain ASCII for every browser, and UTF-8 for those that read it.

    The name has no path, no quote, no control character and no dash at its beginning, which a command would take for
    an option, whatever the title has; and at most 80 characters.
    """
    composed = unicodedata.normalize("NFC", title)
    kept = "".join(c if c.isalnum() or c in " -_" or unicodedata.category(c)[0] == "M" else " " for c in composed)
    name = " ".join(kept.split()).lstrip("- ")[:NAME_CHARACTERS].strip() or "script"
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    bare = re.sub(r" +", " ", bare).lstrip("- ").rstrip() or "script"
    return f"attachment; filename=\"{bare}.{ending}\"; filename*=UTF-8''{quote(f'{name}.{ending}', safe='')}"


def _download(kind: Format) -> Callable[..., Response]:
    # not async: FastAPI calls it on a thread of its own, and the loop goes on while a file is made
    def download(
        order_id: str, caller: TheCaller, shop: TheShop, show: TheShow, edition: WhichEdition = None
    ) -> Response:
        owned, shelved = shop.shelving.kept(order_id, caller.name)
        script = _read(owned, shop.rework.text_of(owned, edition))
        title = shelved.title_of(owned)
        return Response(
            kind.render(replace(script, title=shelved.title or script.title), colophon_of(owned, show)),
            media_type=kind.media_type,
            headers={"Content-Disposition": content_disposition(title, kind.ending)},
        )

    return download


def _read(owned: Order, text: str | None) -> Script:
    if text is None:
        raise IllegalMove(
            f"order {owned.id} is {owned.state}: there is no script to download",
            user_message="The script can be downloaded once it is ready.",
        )
    return parse(text)
