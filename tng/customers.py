"""What is kept about a person: all of it, to be handed over, and none of it any more. It knows orders, not accounts.

A customer is a user of the hub, by name. The account itself, with the address, is the hub's: see ``hub.forget``.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from tng.desk import RECORD
from tng.erasing import erase
from tng.errors import OrderNotFound, ScriptError, StillOwed
from tng.export.colophon import Colophon
from tng.export.formats import FORMATS
from tng.gpus.ledger import LEASE
from tng.jobs import Job
from tng.log import told
from tng.orders import ENDS, Order
from tng.payments import job_key
from tng.ports import Clock, Store, Work
from tng.script import Script, parse

logger = logging.getLogger(__name__)

PSEUDONYM = "erased-"
"""How the name begins that stands where a customer's was. The hub's names are Google's numbers: none begins so."""

TAKEN_ALONG = ("txt", "fountain")

README = """What this shop keeps about you.

orders/<id>/order.json     what you asked for, what it cost, when it was paid and delivered, and its state
orders/<id>/history.json   how it came to that state: when, by whom, why
orders/<id>/errands.json   money that was owed back to you, and whether it is done
orders/<id>/shelf.json     your own name for it, whether it is in the bin, and the links you made
orders/<id>/job.json       the work on it, and what its runs said as they wrote
orders/<id>/script.txt     the script, as a teleplay; script.fountain for screenwriting programs
orders/<id>/script.house   the script in the form in which it is stored
orders/<id>/editions/      the script as you changed it, each version in the form in which it is stored
orders/<id>/takes/         scenes that were written again, and the work on them
orders/<id>/runs/          the notebooks that wrote it

All times are UTC. Your address and your name at Google are kept with your account, by the hub; your card is known to
Stripe alone.
"""

Part = tuple[str, bytes]


class Customers:
    """``runs`` is the folder of the runs of this machine."""

    def __init__(self, store: Store, clock: Clock, runs: Path) -> None:
        self._store, self._clock, self._runs = store, clock, runs

    def name_of(self, name_or_order: str) -> str:
        """A customer's name, also by one of their orders. Raises OrderNotFound where nobody ordered under it."""
        with self._store.read() as work:
            with suppress(OrderNotFound):
                return work.orders.get(name_or_order).customer
            if not work.orders.listed(customer=name_or_order):
                raise OrderNotFound(f"{name_or_order} is neither an order nor a customer who placed one")
        return name_or_order

    def everything(self, name: str) -> Iterator[Part]:
        """All that is kept about them, file by file, of one moment. Raises StoreBusy, OSError."""
        yield "README.txt", README.encode()
        with self._store.read() as work:
            for light in work.orders.listed(customer=name):
                yield from self._about(work, work.orders.get(light.id))

    def forget(self, name: str) -> str:
        """Take their words away and put another name in place of theirs, in one commit: the new name.

        Which GPUs they used is forgotten, but for a use that is not over.

        Raises StillOwed where an order has not come to its end, OrderNotFound, StoreBusy, OSError.
        """
        pseudonym = f"{PSEUDONYM}{secrets.token_hex(16)}"
        with self._store.begin() as work:
            orders = [work.orders.get(light.id) for light in work.orders.listed(customer=name)]
            if not orders:
                raise OrderNotFound("nobody ordered under this name")
            _refuse_open(orders)
            for order in orders:
                erase(work, order, self._runs, self._clock.now(), customer=pseudonym)
            work.gpus.forget(self._clock.now() - LEASE, name)  # what goes on is over one day, and a week later it goes
            work.commit()
        logger.info("a customer is forgotten", extra=told(orders=len(orders)))
        return pseudonym

    def _about(self, work: Work, order: Order) -> Iterator[Part]:
        folder = f"orders/{order.id}"
        yield f"{folder}/order.json", _as_json(plain(order))
        yield f"{folder}/history.json", _as_json([plain(move) for move in work.orders.history(order.id)])
        yield f"{folder}/errands.json", _as_json([plain(errand) for errand in work.outbox.of(order.id)])
        links = [plain(share) for share in work.shelf.shares(order.id)]
        yield f"{folder}/shelf.json", _as_json({**plain(work.shelf.get(order.id)), "links": links})
        for job in work.jobs.of(order.id):
            name = "job" if job.key == job_key(order) else f"takes/job-{job.id}"
            yield f"{folder}/{name}.json", _as_json({**plain(job), "events": list(_events(work, job))})
            for run in sorted(self._runs.glob(f"{job.id}.*/{RECORD}")):
                yield f"{folder}/runs/{run.parent.name}.ipynb", run.read_bytes()
        if order.script_text is not None:
            yield f"{folder}/script.house", order.script_text.encode()
            yield from _files(folder, order)
            yield from _reworked(folder, work, order)


def _refuse_open(orders: list[Order]) -> None:
    still = [f"{order.id} is {order.state.value}" for order in orders if order.state not in ENDS]
    if still:
        raise StillOwed(f"{'; '.join(still)}. They must come to their end first: see `tng orders show`")


def _files(folder: str, order: Order) -> Iterator[Part]:
    try:
        script: Script = parse(str(order.script_text))
    except ScriptError:  # the form in which it is stored is handed over all the same
        return
    written_at = order.delivered_at or order.placed_at
    colophon = Colophon("", "", f"urn:order:{order.id}", written_at, order.release_id or "", order.premise.seed)
    for ending in TAKEN_ALONG:
        yield f"{folder}/script.{ending}", FORMATS[ending].render(script, colophon)


def _reworked(folder: str, work: Work, order: Order) -> Iterator[Part]:
    for light in work.editions.listed(order.id):
        edition = work.editions.get(order.id, light.number)
        if edition is not None:
            yield f"{folder}/editions/{edition.number}.house", edition.script_text.encode()
    for take in work.editions.takes(order.id):
        yield f"{folder}/takes/scene-{take.scene}-take-{take.number}.house", take.text.encode()


def _events(work: Work, job: Job) -> Iterator[dict[str, Any]]:
    after = 0
    while heard := work.jobs.heard(job.id, after):
        yield from (plain(event) for event in heard)
        after = heard[-1].id


def plain(thing: Any) -> dict[str, Any]:
    """An object of the language as plain JSON: times as ISO 8601, states as their words."""
    return {field.name: _plain(getattr(thing, field.name)) for field in fields(thing)}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, StrEnum):
        return value.value
    return value.to_fields() if hasattr(value, "to_fields") else value


def _as_json(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()
